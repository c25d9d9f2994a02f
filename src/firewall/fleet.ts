/**
 * All firewalls of one process, and what they share.
 *
 * @module
 */

import type { Config } from "../config/config.ts";
import type { LoginHold, Logins } from "../model/poll.ts";
import { isSameTarget, parseTarget, type Target } from "../model/target.ts";
import { type Clock, systemClock } from "../std/clock.ts";
import type { Log } from "../std/log.ts";
import { quoteWithout } from "../std/quote.ts";
import { type Firewall, PolledFirewall } from "./firewall.ts";
import { Guard } from "./guard.ts";
import { type GuardedLogin, guardLogin } from "./guarded_login.ts";
import { Journal } from "./journal.ts";
import { createRateLimit, type RateLimit } from "./rate_limit.ts";
import { type OpenSession, SessionHolder } from "./session.ts";
import { createSshLogin, type LoginContext } from "./ssh_login.ts";

/** The firewalls that a configuration names; disposed, all sessions end. */
export interface Fleet extends AsyncDisposable {
  /** What `/metrics` polls. */
  readonly main: Firewall | undefined;
  /** Each firewall once, in the order of the configuration. */
  readonly firewalls: readonly Firewall[];
  /** Those of the whole process. */
  readonly logins: Logins;
  /** What holds the logins of all firewalls, if anything does. */
  readonly loginHold: LoginHold | undefined;
  /** Finds a firewall, however its name is spelled. */
  find(text: string): Firewall | undefined;
  /** The same among those that TARGETS lists. */
  findTarget(text: string): Firewall | undefined;
  /** Logs in to a firewall outside of any poll, by the rules of the guard. */
  openSession(firewall: Firewall): GuardedLogin;
  /** Forgets all rejections, so that logins are allowed; sessions go on. */
  forgetHolds(): void;
}

/** What a simulation replaces. */
export interface FleetSeams {
  readonly clock: Clock;
  /** Prepares the logins of one firewall. */
  createLogin(config: Config, target: Target, own: LoginContext): OpenSession;
}

/** Between the starts of two logins: 500 at once would stall one core. */
const LOGIN_INTERVAL_MS = 20;

/** A firewall, and what it is known and reached by. */
interface Member {
  readonly target: Target;
  readonly firewall: Firewall;
  readonly openSession: OpenSession;
}

/** Prepares the firewalls; nothing is sent to them yet. */
export function createFleet(
  config: Config,
  log: Log,
  { clock = systemClock, createLogin = createSshLogin }: Partial<FleetSeams> =
    {},
): Fleet {
  for (const warning of config.warnings) {
    log("warn", "configuration may be wrong", { warning });
  }
  const guard = new Guard({
    clock,
    log,
    maxWaitMs: config.loginTimeoutMs,
  });
  const rateLimit = createRateLimit(LOGIN_INTERVAL_MS, clock);
  const members = targetsOf(config).map((target): Member => {
    const targetLog: Log = (level, message, fields) =>
      log(level, message, { target: target.name, ...fields });
    const own = { log: targetLog, clock };
    const openSession = createLogin(config, target, own);
    const parts = { ...own, openSession, guard, rateLimit };
    const firewall = wireFirewall(config, target, parts);
    return { target, firewall, openSession };
  });
  return new ConfiguredFleet(config, members, guard);
}

/** Each firewall once; what `/metrics` polls is the first. */
function targetsOf({ firewall, targets }: Config): readonly Target[] {
  if (firewall === undefined) return targets;
  return [firewall, ...targets.filter((target) => target !== firewall)];
}

class ConfiguredFleet implements Fleet {
  readonly main: Firewall | undefined;
  readonly firewalls: readonly Firewall[];
  readonly #config: Config;
  readonly #members: readonly Member[];
  readonly #guard: Guard;

  constructor(config: Config, members: readonly Member[], guard: Guard) {
    this.#config = config;
    this.#members = members;
    this.#guard = guard;
    this.firewalls = members.map(({ firewall }) => firewall);
    this.main = config.firewall && this.firewalls[0];
  }

  get logins(): Logins {
    const counts = this.firewalls.map(({ status }) => status.logins);
    return {
      authRetryAt: this.#guard.retryAt(),
      logins: counts.reduce((sum, count) => sum + count, 0),
    };
  }

  get loginHold(): LoginHold | undefined {
    return this.#guard.holdOfAll;
  }

  find(text: string): Firewall | undefined {
    return this.#findMember(text)?.firewall;
  }

  findTarget(text: string): Firewall | undefined {
    const found = this.#findMember(text);
    const isListed = found !== undefined &&
      this.#config.targets.includes(found.target);
    return isListed ? found.firewall : undefined;
  }

  openSession(firewall: Firewall): GuardedLogin {
    const member = this.#members.find((one) => one.firewall === firewall);
    const { target } = firewall;
    if (member === undefined) throw new Error(`Cannot find ${target}`);
    return guardLogin(target, member.openSession, this.#guard);
  }

  forgetHolds(): void {
    this.#guard.forget();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.firewalls.map((firewall) => firewall.end()));
  }

  #findMember(text: string): Member | undefined {
    const wanted = parseTarget(text, this.#config.sshPort);
    return wanted &&
      this.#members.find(({ target }) => isSameTarget(target, wanted));
  }
}

/** Puts a firewall together from its own parts and those of the fleet. */
function wireFirewall(
  config: Config,
  { name }: Target,
  { openSession, guard, rateLimit, clock, log }: {
    readonly openSession: OpenSession;
    readonly guard: Guard;
    readonly rateLimit: RateLimit;
    readonly clock: Clock;
    readonly log: Log;
  },
): Firewall {
  const journal = new Journal(log);
  const holder = new SessionHolder({
    target: name,
    openSession,
    guard,
    rateLimit,
    clock,
    idleTimeoutMs: config.sessionIdleTimeoutMs,
    loginTimeoutMs: config.loginTimeoutMs,
    onLoginFailed: (error) => journal.recordLogin(error),
  });
  return new PolledFirewall({
    target: name,
    holder,
    guard,
    clock,
    quote: quoteWithout(config.credentials.password),
    minPollIntervalMs: config.minPollIntervalMs,
    journal,
  });
}
