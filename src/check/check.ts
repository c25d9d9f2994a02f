/**
 * `--check`: examines firewalls one after the other, for people.
 *
 * A wrong password that is sent to many firewalls locks the account on all of
 * them. So nothing is sent to a second firewall before one has accepted the
 * account, and two rejections in a row end the run.
 *
 * @module
 */

import type { Config } from "../config/config.ts";
import { createFleet, type Fleet } from "../firewall/fleet.ts";
import { systemClock } from "../std/clock.ts";
import type { Log } from "../std/log.ts";
import { maskOf, quote } from "../std/quote.ts";
import { diagnose } from "./diagnosis.ts";
import {
  type CheckedFirewall,
  examine,
  type ExamineOptions,
} from "./examine.ts";
import type { Findings } from "./findings.ts";
import { EXIT, type ExitCode } from "./outcome.ts";
import { verdictOf, writeReport } from "./report.ts";

/** Where it is told what is found. */
export interface CheckOptions {
  readonly log: Log;
  /** Shows a line of progress. */
  readonly tell: (line: string) => void;
  /** Shows what was found, as soon as it is. */
  print(text: string): Promise<void>;
}

/**
 * Examines all firewalls of a configuration, or one.
 *
 * @param name The name of the one, in any spelling; `undefined` for all.
 */
export async function check(
  config: Config,
  name: string | undefined,
  { log, tell, print }: CheckOptions,
): Promise<ExitCode> {
  const advice = new AdviceLog(log);
  await using fleet = createFleet(config, advice.log);
  const firewalls = findFirewalls(fleet, name);
  if (firewalls.length === 0) {
    tell(`Cannot check ${quote(name ?? "")}: ${describeKnown(config, fleet)}`);
    return EXIT.usage;
  }
  const { loginTimeoutMs, scrapeTimeoutMs, credentials } = config;
  const mask = maskOf(credentials.password);
  const isGood = await checkAll(firewalls, {
    clock: systemClock,
    loginTimeoutMs,
    scrapeTimeoutMs,
    tell,
    mask,
    print,
    adviceOn: (target) => advice.on(target),
  });
  return isGood ? EXIT.good : EXIT.failure;
}

/** None if there is no firewall of that name. */
function findFirewalls(
  fleet: Fleet,
  name: string | undefined,
): readonly CheckedFirewall[] {
  const named = name === undefined ? undefined : fleet.find(name);
  if (name !== undefined && named === undefined) return [];
  const firewalls = named === undefined ? fleet.firewalls : [named];
  return firewalls.map((firewall) => ({
    target: firewall.target,
    openSession: fleet.openSession(firewall),
  }));
}

/** Which firewalls there are, by the variables that name them. */
function describeKnown(
  { firewall, targets }: Config,
  { firewalls }: Fleet,
): string {
  const known = firewalls.map(({ target }) => quote(target)).join(", ");
  if (targets.length === 0) {
    return `HOSTNAME names ${known}, and TARGETS is not set`;
  }
  return firewall === undefined
    ? `TARGETS names ${known}`
    : `HOSTNAME and TARGETS name ${known}`;
}

interface CheckAllOptions extends ExamineOptions, Pick<CheckOptions, "print"> {
  /** What the log has advised about a firewall. */
  adviceOn(target: string): readonly string[];
}

/** Rejections in a row that end the run, once one firewall has accepted. */
const MAX_REJECTIONS = 2;

/** @returns Whether the exporter can rely on each of the firewalls. */
async function checkAll(
  firewalls: readonly CheckedFirewall[],
  options: CheckAllOptions,
): Promise<boolean> {
  const verdicts: string[] = [];
  let isGood = true;
  let isAccepted = false;
  let rejections = 0;
  for (const [n, firewall] of firewalls.entries()) {
    const findings = await examine(firewall, options);
    const diagnosis = diagnose(findings);
    const advice = options.adviceOn(firewall.target);
    const report = writeReport({ findings, diagnosis, advice }, options.mask);
    await options.print(n === 0 ? report : `\n${report}`);
    verdicts.push(verdictOf(findings, diagnosis));
    isGood &&= diagnosis.isGood;
    isAccepted ||= findings.credential === "accepted";
    rejections = isRejected(findings) ? rejections + 1 : 0;
    const left = firewalls.length - n - 1;
    if (left > 0 && rejections >= (isAccepted ? MAX_REJECTIONS : 1)) {
      verdicts.push(explainStop(findings, left));
      break;
    }
  }
  if (firewalls.length > 1) await options.print(summarise(verdicts));
  return isGood;
}

/** A password that was sent and not answered may have been counted as wrong. */
function isRejected({ loginError, credential }: Findings): boolean {
  return loginError?.reason === "auth" || credential === "sent";
}

function explainStop({ target, loginError }: Findings, left: number): string {
  const what = loginError?.reason === "auth" ? "rejected" : "not answered";
  return `${what} by ${target}; ${left} not asked, so that the account is not locked`;
}

function summarise(verdicts: readonly string[]): string {
  return `\nSummary\n${verdicts.map((line) => `  ${line}\n`).join("")}`;
}

/** Keeps the advice that passes through the log, such as a line to paste. */
class AdviceLog {
  readonly #advice: { readonly target: string; readonly text: string }[] = [];
  readonly log: Log;

  constructor(next: Log) {
    this.log = (level, message, fields = {}) => {
      const { target, advice } = fields;
      if (level === "warn" && target !== undefined && advice !== undefined) {
        const text = `${message}: ${advice}`;
        this.#advice.push({ target: String(target), text });
      }
      next(level, message, fields);
    };
  }

  on(target: string): readonly string[] {
    return this.#advice.filter((one) => one.target === target)
      .map(({ text }) => text);
  }
}
