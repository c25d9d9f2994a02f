/**
 * What the guard makes of the faults that an account can have: how often the
 * password is sent, which firewalls are dark, and for how long.
 *
 * `deno run --allow-read tests/simulation/fleet_faults.ts [SEED]` prints it as
 * a table.
 *
 * @module
 */

import type { Status } from "../../src/model/poll.ts";
import { type Deed, GOOD, nameOf, type Planned } from "./plan.ts";
import { createRandom, type Random } from "./random.ts";
import type { Observer } from "./surroundings.ts";
import type { Submission } from "./witness.ts";
import { World } from "./world.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** How long a scraper waits. */
const SCRAPE_TIMEOUT_MS = 25_000;

/** A fleet, and what befalls it. */
export interface Scenario {
  readonly size: number;
  /** Sessions are kept if it is not given. */
  readonly idleTimeoutMs?: number;
  /** Firewalls, by their number, whose own fault it is. */
  readonly culprits?: readonly number[];
  play(stage: Stage): Promise<void>;
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
  /** Firewalls that were dark while the fault lasted, and for how long. */
  readonly darkMs: ReadonlyMap<string, number>;
  /** From the end of the fault until the last firewall was up. */
  readonly recoveryMs: number;
}

/** How long a fleet is waited for; a hold lasts no longer than 24 hours. */
const PATIENCE_MS = 2 * DAY_MS;

/** Plays a scenario from a seed; no rule may be broken in it. */
export async function simulate(
  scenario: Scenario,
  seed: number,
): Promise<Outcome> {
  const stage = new Stage(scenario, seed);
  await scenario.play(stage);
  return await stage.finish();
}

/** What a scenario plays on. */
class Stage implements Observer {
  readonly #world: World;
  readonly #random: Random;
  readonly #size: number;
  /** Those that nobody has accepted. */
  readonly #submissions = new Set<Submission>();
  readonly #darkSinceMs = new Map<string, number>();
  readonly #darkMs = new Map<string, number>();
  #beganAtMs = 0;
  #darkAtEndMs: ReadonlyMap<string, number> = new Map();
  #recoveryMs = NaN;

  constructor({ size, idleTimeoutMs = 30 * DAY_MS }: Scenario, seed: number) {
    this.#size = size;
    this.#random = createRandom(seed);
    this.#world = new World({
      seed,
      firewalls: size,
      idleTimeoutMs,
      minPollIntervalMs: 0,
      loginTimeoutMs: MINUTE_MS,
      lockAfter: Infinity,
      events: [],
      stopAtMs: undefined,
    }, { observer: this });
  }

  onSubmission(submission: Submission): void {
    this.#submissions.add(submission);
  }

  onAcceptance(submission: Submission): void {
    this.#submissions.delete(submission);
  }

  onAnswer({ target, poll }: Status): void {
    const { now } = this.#world.time;
    const sinceMs = this.#darkSinceMs.get(target);
    if (!poll?.ok) return void this.#darkSinceMs.set(target, sinceMs ?? now);
    if (sinceMs === undefined) return;
    this.#darkSinceMs.delete(target);
    this.#darkMs.set(target, this.#darkFor(target) + now - sinceMs);
  }

  /** All firewalls are scraped at the same moments, so that logins overlap. */
  async run(ms: number, intervalMs = MINUTE_MS): Promise<void> {
    const scrapes: Planned[] = [];
    for (let atMs = 0; atMs < ms; atMs += intervalMs) {
      for (let firewall = 0; firewall < this.#size; firewall++) {
        const waitMs = SCRAPE_TIMEOUT_MS;
        scrapes.push({ atMs, deed: { kind: "scrape", firewall, waitMs } });
      }
    }
    await this.#world.goOn(scrapes, ms);
  }

  /** Runs for a day, with more scrapes while there is more to see. */
  async runForDay(everyTenMinutes = async (): Promise<void> => {}): Promise<
    void
  > {
    for (let tens = 0; tens < 6 * 25; tens++) {
      await everyTenMinutes();
      await this.run(10 * MINUTE_MS, (tens < 18 ? 1 : 5) * MINUTE_MS);
    }
  }

  /** Something happens at once. */
  async act(...deeds: readonly Deed[]): Promise<void> {
    await this.#world.goOn(deeds.map((deed) => ({ atMs: 0, deed })), 0);
  }

  /** The session of a random firewall is ended. */
  async killOne(except: readonly number[] = []): Promise<void> {
    const numbers = Array.from({ length: this.#size }, (_, n) => n);
    const [firewall = 0] = this.#random.shuffle(numbers)
      .filter((number) => !except.includes(number));
    await this.act({ kind: "kill", firewall });
  }

  /** The fault begins now. */
  begin(): void {
    this.#beganAtMs = this.#world.time.now;
    this.#darkMs.clear();
    for (const target of this.#darkSinceMs.keys()) {
      this.#darkSinceMs.set(target, this.#beganAtMs);
    }
  }

  /** The fault has passed; waits until all are up. */
  async end(): Promise<void> {
    const { time } = this.#world;
    const endedAtMs = time.now;
    this.#darkAtEndMs = new Map(
      [...this.#darkMs.keys(), ...this.#darkSinceMs.keys()].map((target) => {
        const sinceMs = this.#darkSinceMs.get(target) ?? endedAtMs;
        return [target, this.#darkFor(target) + endedAtMs - sinceMs];
      }),
    );
    do await this.run(MINUTE_MS); while (
      this.#darkSinceMs.size > 0 && time.now - endedAtMs < PATIENCE_MS
    );
    const isUp = this.#darkSinceMs.size === 0;
    this.#recoveryMs = isUp ? time.now - endedAtMs : Infinity;
  }

  /** The exporter is stopped, and what came of it is counted. */
  async finish(): Promise<Outcome> {
    await this.#world.stop();
    if (this.#world.broken !== undefined) throw this.#world.broken;
    const moments = [...this.#submissions]
      .filter(({ atMs }) => atMs >= this.#beganAtMs);
    const times = moments.map(({ atMs }) => atMs - this.#beganAtMs);
    const byFirewall = Map.groupBy(moments, ({ firewall }) => firewall);
    const mostAtOne = Array.from(
      byFirewall.values(),
      (own) => mostWithin(DAY_MS, own.map(({ atMs }) => atMs)),
    );
    return {
      inFirstHour: times.filter((ms) => ms < HOUR_MS).length,
      inFirstDay: times.filter((ms) => ms < DAY_MS).length,
      inAnyDay: mostWithin(DAY_MS, times),
      inAnyDayAtOne: Math.max(0, ...mostAtOne),
      darkMs: this.#darkAtEndMs,
      recoveryMs: this.#recoveryMs,
    };
  }

  #darkFor(target: string): number {
    return this.#darkMs.get(target) ?? 0;
  }
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

/** The AAA server rejects everybody, or nobody any more. */
function aaa(verdict: "accept" | "reject"): Deed {
  return { kind: "AAA", verdict };
}

/** What a firewall's own account makes of the password. */
function own(firewall: number, verdict: "reject" | "silent"): Deed {
  return { kind: "manner", firewall, change: { verdict } };
}

function mend(firewall: number): Deed {
  return { kind: "manner", firewall, change: GOOD };
}

/** All firewalls are up, and have been for ten minutes. */
async function startWell(stage: Stage): Promise<void> {
  await stage.run(10 * MINUTE_MS);
  stage.begin();
}

/** Another password is right for a day, and then an operator has seen to it. */
async function changePassword(
  stage: Stage,
  everyTenMinutes?: () => Promise<void>,
): Promise<void> {
  await stage.act(aaa("reject"));
  await stage.runForDay(everyTenMinutes);
  await stage.act(aaa("accept"), RELOAD);
  await stage.end();
}

/** Each of them after the other breaks; the rest keeps its sessions. */
function brokenForWeeks(culprits: readonly number[]): Scenario {
  return {
    size: 100,
    culprits,
    async play(stage): Promise<void> {
      await startWell(stage);
      for (const firewall of culprits) {
        const kill: Deed = { kind: "kill", firewall };
        await stage.act(own(firewall, "reject"), kill);
      }
      for (let hour = 0; hour < 14 * 24; hour++) {
        if (hour > 0) await stage.killOne(culprits);
        await stage.run(HOUR_MS, (hour < 4 ? 1 : 60) * MINUTE_MS);
      }
      await stage.act(...culprits.map(mend), RELOAD);
      await stage.end();
    },
  };
}

/** The AAA server rejects everybody for an hour, and works again. */
async function breakAaa(stage: Stage): Promise<void> {
  await stage.act(aaa("reject"));
  await stage.run(HOUR_MS);
  await stage.act(aaa("accept"));
  await stage.end();
}

const RELOAD: Deed = { kind: "reload" };
const SILENT = Array.from({ length: 10 }, (_, number) => number);

/** Faults by what an operator would call them. */
export const SCENARIOS = {
  "wrong password from the start": {
    size: 100,
    async play(stage): Promise<void> {
      stage.begin();
      await changePassword(stage);
    },
  },
  "password changed, sessions live": {
    size: 100,
    async play(stage): Promise<void> {
      await startWell(stage);
      await changePassword(stage, () => stage.killOne());
    },
  },
  "password changed, every acceptance fresh": {
    size: 100,
    async play(stage): Promise<void> {
      await stage.run(2_000, 2_000);
      stage.begin();
      await changePassword(stage);
    },
  },
  "password changed, no session kept": {
    size: 100,
    idleTimeoutMs: 0,
    async play(stage): Promise<void> {
      await startWell(stage);
      await stage.run(1_000, 1_000);
      await changePassword(stage);
    },
  },
  "one firewall broken for two weeks": brokenForWeeks([0]),
  "two firewalls broken for two weeks": brokenForWeeks([0, 1]),
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
      for (let victims = 0; victims < 5; victims++) await stage.killOne();
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
    async play(stage): Promise<void> {
      stage.begin();
      await stage.act(...SILENT.map((number) => own(number, "silent")));
      await stage.runForDay();
      await stage.act(...SILENT.map(mend));
      await stage.end();
    },
  },
  "200 firewalls started at once": {
    size: 200,
    async play(stage): Promise<void> {
      stage.begin();
      await stage.end();
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
  const names = culprits.map(nameOf);
  const dark = [...outcome.darkMs];
  const guilty = dark.filter(([name]) => names.includes(name));
  const others = dark.filter(([name]) => !names.includes(name));
  const longest = (dark: readonly (readonly [string, number])[]): string =>
    dark.length === 0 ? "–" : minutes(Math.max(...dark.map(([, ms]) => ms)));
  return `| ${
    [
      name,
      outcome.inFirstHour,
      outcome.inFirstDay,
      outcome.inAnyDay,
      outcome.inAnyDayAtOne,
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
    "| fault | not accepted in the first hour | first day | any day | any day at one firewall | culprits dark | longest min | others dark | longest min | all up after min |",
    `|${" --- |".repeat(10)}`,
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
