/**
 * Plays random histories of the exporter under a simulated clock:
 *
 *     deno task simulate [SECONDS] [SEED]
 *     deno task simulate --faults [SECONDS] [PART OF A NAME]
 *
 * With `--faults` each known fault is put into a copy of the source, for so
 * many seconds at most, to see how many histories it takes to find it.
 *
 * @module
 */

import { hunt } from "./hunt.ts";
import { createPlan, type Plan } from "./plan.ts";
import { play } from "./world.ts";
import { shrink } from "./shrink.ts";

const YEAR_MS = 365 * 24 * 3_600_000;
const PROGRESS_MS = 5_000;

/** How much was played. */
export interface Tally {
  histories: number;
  scrapes: number;
  events: number;
  simulatedMs: number;
}

/** A history that broke a rule. */
export interface Finding {
  readonly plan: Plan;
  readonly rule: string;
}

/** Until when histories are played. */
export interface Limits {
  readonly seconds: number;
  readonly scrapes?: number;
}

/** Plays the histories of consecutive seeds until one breaks a rule. */
export async function simulate(
  firstSeed: number,
  { seconds, scrapes = Infinity }: Limits,
  onProgress: (tally: Tally) => void = () => {},
): Promise<{ readonly tally: Tally; readonly finding: Finding | undefined }> {
  const tally = { histories: 0, scrapes: 0, events: 0, simulatedMs: 0 };
  const end = performance.now() + seconds * 1_000;
  let toldAt = performance.now();
  while (performance.now() < end && tally.scrapes < scrapes) {
    const plan = createPlan(firstSeed + tally.histories);
    const outcome = await play(plan);
    tally.histories++;
    tally.scrapes += outcome.scrapes;
    tally.events += outcome.events;
    tally.simulatedMs += outcome.simulatedMs;
    const rule = outcome.broken?.rule;
    if (rule !== undefined) return { tally, finding: { plan, rule } };
    if (performance.now() - toldAt < PROGRESS_MS) continue;
    toldAt = performance.now();
    onProgress(tally);
  }
  return { tally, finding: undefined };
}

/** The shortest history that shows a finding, in words. */
export async function tellFinding({ plan, rule }: Finding): Promise<string> {
  const shortest = await shrink(plan, rule);
  const { broken, timeline } = await play(shortest, { isTold: true });
  const { firewalls, idleTimeoutMs, minPollIntervalMs, loginTimeoutMs } =
    shortest;
  return [
    `Seed ${plan.seed} breaks a rule: ${broken?.message}`,
    "",
    `${firewalls} firewalls, SSH_SESSION_IDLE_TIMEOUT ${
      idleTimeoutMs / 1_000
    }, MIN_POLL_INTERVAL ${minPollIntervalMs / 1_000}, SSH_LOGIN_TIMEOUT ${
      loginTimeoutMs / 1_000
    }`,
    "",
    ...timeline,
  ].join("\n");
}

function describeTally(
  { histories, scrapes, events, simulatedMs }: Tally,
  elapsedMs: number,
): string {
  const years = (simulatedMs / YEAR_MS).toFixed(2);
  const count = (value: number): string => value.toLocaleString("en");
  const rate = count(Math.round(scrapes / (elapsedMs / 1_000)));
  return `${years} years, ${count(histories)} histories, ${
    count(scrapes)
  } scrapes, ${count(events)} events, ${rate} scrapes/s`;
}

async function main([secondsText = "60", seedText]: readonly string[]): Promise<
  number
> {
  const seconds = Number(secondsText);
  const seed = seedText === undefined
    ? Math.floor(Math.random() * 2 ** 30)
    : Number(seedText);
  if (!(seconds > 0) || !Number.isSafeInteger(seed)) {
    print(
      "Usage: deno task simulate [SECONDS] [SEED], or --faults [SECONDS] [NAME]",
    );
    return 2;
  }
  print(`from seed ${seed}`);
  const startedAt = performance.now();
  const show = (tally: Tally): void =>
    print(describeTally(tally, performance.now() - startedAt));
  const { tally, finding } = await simulate(seed, { seconds }, show);
  show(tally);
  if (finding === undefined) return 0;
  print(await tellFinding(finding));
  return 1;
}

function print(line: string): void {
  // deno-lint-ignore no-console -- the report is what this program is for
  console.log(line);
}

if (import.meta.main) {
  const [first, ...others] = Deno.args;
  Deno.exit(first === "--faults" ? await hunt(others) : await main(Deno.args));
}
