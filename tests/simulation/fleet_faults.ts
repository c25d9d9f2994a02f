/**
 * What the guard makes of the faults that an account can have: how often the
 * password is sent, which firewalls are dark, and for how long.
 *
 * `deno run --allow-read tests/simulation/fleet_faults.ts [SEED]` prints it as
 * a table.
 *
 * @module
 */

import { type FakeTime, stopTime } from "../support/fake_time.ts";
import { createRandom, type Random } from "./random.ts";
import { World } from "./fleet_world.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** A fleet, and what befalls it. */
export interface Scenario {
  readonly size: number;
  /** Sessions are kept if it is not given. */
  readonly idleTimeoutMs?: number;
  /** Firewalls whose own fault it is. */
  readonly culprits?: readonly string[];
  play(stage: Stage): Promise<void>;
}

/** What a scenario plays on. */
export interface Stage {
  readonly world: World;
  readonly random: Random;
  /** The fault begins now. */
  begin(): void;
  /** The fault has passed; waits until all are up. */
  end(): Promise<void>;
}

/** What came of a scenario. */
export interface Outcome {
  /** Submissions that nobody accepted, in the first hour of the fault. */
  readonly inFirstHour: number;
  /** The same in the first 24 hours. */
  readonly inFirstDay: number;
  /** The most in any 24 hours. */
  readonly inAnyDay: number;
  /** The most at any one firewall in any 24 hours. */
  readonly inAnyDayAtOne: number;
  /** Logins between sending and verdict, at most. */
  readonly mostInFlight: number;
  /** Firewalls that were dark while the fault lasted, and for how long. */
  readonly darkMs: ReadonlyMap<string, number>;
  /** From the end of the fault until the last firewall was up. */
  readonly recoveryMs: number;
}

/** How long a fleet is waited for; a hold lasts no longer than 24 hours. */
const PATIENCE_MS = 2 * DAY_MS;

/** Plays a scenario from a seed. */
export async function simulate(
  { size, idleTimeoutMs = 30 * DAY_MS, play }: Scenario,
  seed: number,
): Promise<Outcome> {
  using time = stopTime();
  const random = createRandom(seed);
  await using world = new World({ size, time, random, idleTimeoutMs });
  let beganAtMs = 0;
  let recoveryMs = NaN;
  let darkBefore = world.darkMs();
  let darkMs = world.darkMs();
  await play({
    world,
    random,
    begin(): void {
      beganAtMs = time.now;
      darkBefore = world.darkMs();
    },
    async end(): Promise<void> {
      darkMs = difference(world.darkMs(), darkBefore);
      recoveryMs = await untilAllUp(world, time);
    },
  });
  const moments = world.submissions
    .filter(({ atMs, verdict }) => atMs >= beganAtMs && verdict !== "accept");
  const times = moments.map(({ atMs }) => atMs - beganAtMs);
  const firewalls = new Set(moments.map(({ firewall }) => firewall));
  return {
    inFirstHour: times.filter((ms) => ms < HOUR_MS).length,
    inFirstDay: times.filter((ms) => ms < DAY_MS).length,
    inAnyDay: mostWithin(DAY_MS, times),
    inAnyDayAtOne: Math.max(
      0,
      ...Array.from(firewalls, (name) =>
        mostWithin(
          DAY_MS,
          moments.filter(({ firewall }) => firewall === name)
            .map(({ atMs }) => atMs),
        )),
    ),
    mostInFlight: world.mostInFlight,
    darkMs,
    recoveryMs,
  };
}

async function untilAllUp(world: World, time: FakeTime): Promise<number> {
  const start = time.now;
  do {
    await world.run(MINUTE_MS);
    if (world.dark().length === 0) return time.now - start;
  } while (time.now - start < PATIENCE_MS);
  return Infinity;
}

function difference(
  after: ReadonlyMap<string, number>,
  before: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  const grown = Array.from(after, ([name, ms]) =>
    [
      name,
      ms - (before.get(name) ?? 0),
    ] as const);
  return new Map(grown.filter(([, ms]) => ms > 0));
}

/** The most of these moments, in their order, that lie within so long. */
function mostWithin(ms: number, moments: readonly number[]): number {
  let most = 0;
  let first = 0;
  for (const [last, moment] of moments.entries()) {
    while ((moments[first] ?? moment) <= moment - ms) first++;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

/** All firewalls are up, and have been for ten minutes. */
async function startWell({ world, begin }: Stage): Promise<void> {
  await world.run(10 * MINUTE_MS);
  begin();
}

/** Runs for a day, with more scrapes while there is more to see. */
async function runForDay(
  world: World,
  everyTenMinutes = (): void => {},
): Promise<void> {
  for (let tens = 0; tens < 6 * 25; tens++) {
    everyTenMinutes();
    await world.run(10 * MINUTE_MS, (tens < 18 ? 1 : 5) * MINUTE_MS);
  }
}

/** A session is ended by its firewall. */
function killOne(
  { world, random }: Stage,
  except: readonly string[] = [],
): void {
  const [victim] = random.shuffle(world.firewalls)
    .filter(({ name }) => !except.includes(name));
  for (const session of victim?.sessions ?? []) session.kill();
}

/** Each of them after the other breaks; the rest keeps its sessions. */
function brokenForWeeks(broken: readonly string[]): Scenario {
  return {
    size: 100,
    culprits: broken,
    async play(stage): Promise<void> {
      const { world, end } = stage;
      await startWell(stage);
      for (const name of broken) {
        world.firewall(name).verdict = "reject";
        for (const session of world.firewall(name).sessions) session.kill();
      }
      for (let hour = 0; hour < 14 * 24; hour++) {
        if (hour > 0) killOne(stage, broken);
        await world.run(HOUR_MS, hour < 4 ? MINUTE_MS : 30 * MINUTE_MS);
      }
      for (const name of broken) world.firewall(name).verdict = "ask AAA";
      world.reload();
      await end();
    },
  };
}

/** The AAA server rejects everybody for an hour, and works again. */
async function breakAaa({ world, end }: Stage): Promise<void> {
  world.aaa.verdict = "reject";
  await world.run(HOUR_MS);
  world.aaa.verdict = "accept";
  await end();
}

const SILENT = Array.from({ length: 10 }, (_, index) => `fw${index + 1}`);

/** Faults by what an operator would call them. */
export const SCENARIOS = {
  "wrong password from the start": {
    size: 100,
    async play({ world, begin, end }): Promise<void> {
      begin();
      world.aaa.verdict = "reject";
      await runForDay(world);
      world.aaa.verdict = "accept";
      world.reload();
      await end();
    },
  },
  "password changed, sessions live": {
    size: 100,
    async play(stage): Promise<void> {
      const { world, end } = stage;
      await startWell(stage);
      world.aaa.verdict = "reject";
      await runForDay(world, () => killOne(stage));
      world.aaa.verdict = "accept";
      world.reload();
      await end();
    },
  },
  "password changed, every acceptance fresh": {
    size: 100,
    async play({ world, begin, end }): Promise<void> {
      await world.run(2_000, 2_000);
      begin();
      world.aaa.verdict = "reject";
      await runForDay(world);
      world.aaa.verdict = "accept";
      world.reload();
      await end();
    },
  },
  "password changed, no session kept": {
    size: 100,
    idleTimeoutMs: 0,
    async play(stage): Promise<void> {
      const { world, end } = stage;
      await startWell(stage);
      await world.run(1_000, 1_000);
      world.aaa.verdict = "reject";
      await runForDay(world);
      world.aaa.verdict = "accept";
      world.reload();
      await end();
    },
  },
  "one firewall broken for two weeks": brokenForWeeks(["fw1"]),
  "two firewalls broken for two weeks": brokenForWeeks(["fw1", "fw2"]),
  "AAA down for the first hour": {
    size: 100,
    async play(stage): Promise<void> {
      stage.begin();
      await breakAaa(stage);
    },
  },
  "AAA down for an hour, sessions live": {
    size: 100,
    async play(stage): Promise<void> {
      await startWell(stage);
      for (let victims = 0; victims < 5; victims++) killOne(stage);
      await breakAaa(stage);
    },
  },
  "AAA down for an hour, no session kept": {
    size: 100,
    idleTimeoutMs: 0,
    async play(stage): Promise<void> {
      await startWell(stage);
      await breakAaa(stage);
    },
  },
  "ten take the password and say nothing": {
    size: 100,
    culprits: SILENT,
    async play({ world, begin, end }): Promise<void> {
      begin();
      for (const name of SILENT) world.firewall(name).verdict = "silent";
      await runForDay(world);
      for (const name of SILENT) world.firewall(name).verdict = "ask AAA";
      await end();
    },
  },
  "200 firewalls started at once": {
    size: 200,
    async play({ begin, end }): Promise<void> {
      begin();
      await end();
    },
  },
} satisfies Readonly<Record<string, Scenario>>;

/** A row of the table, in Markdown. */
function toRow(
  name: string,
  { culprits = [] }: Scenario,
  outcome: Outcome,
): string {
  const minutes = (ms: number): string => (ms / MINUTE_MS).toFixed(0);
  const longest = (dark: readonly number[]): string =>
    dark.length === 0 ? "–" : minutes(Math.max(...dark));
  const guilty = [...outcome.darkMs].filter(([name]) => culprits.includes(name))
    .map(([, ms]) => ms);
  const others = [...outcome.darkMs].filter(([name]) =>
    !culprits.includes(name)
  ).map(([, ms]) => ms);
  return `| ${
    [
      name,
      outcome.inFirstHour,
      outcome.inFirstDay,
      outcome.inAnyDay,
      outcome.inAnyDayAtOne,
      outcome.mostInFlight,
      guilty.length,
      longest(guilty),
      others.length,
      longest(others),
      minutes(outcome.recoveryMs),
    ].join(" | ")
  } |`;
}

if (import.meta.main) {
  const seed = Number(Deno.args[0] ?? 1);
  const lines = [
    "| fault | not accepted in the first hour | first day | any day | any day at one firewall | most in flight | culprits dark | longest min | others dark | longest min | all up after min |",
    `|${" --- |".repeat(11)}`,
  ];
  for (const [name, scenario] of Object.entries(SCENARIOS)) {
    const startedAt = Date.now();
    lines.push(toRow(name, scenario, await simulate(scenario, seed)));
    // deno-lint-ignore no-console -- progress of a tool
    console.error(`${name}: ${Date.now() - startedAt} ms`);
  }
  // deno-lint-ignore no-console -- the table is what it is run for
  console.log(lines.join("\n"));
}
