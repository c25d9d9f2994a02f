/**
 * Whether what the exporter keeps grows with the number of events.
 *
 * @module
 */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type Deed, FAULTS, GOOD, type Plan, type Planned } from "./plan.ts";
import { World } from "./world.ts";

const SECOND_MS = 1_000;

/** A fault lasts so long, and then there is none for so long. */
const FAULT_MS = 120 * SECOND_MS;
const PAUSE_MS = 60 * SECOND_MS;

/** Twice the idle time: the first scrape logs in, the next uses its session. */
const SCRAPE_INTERVAL_MS = 20 * SECOND_MS;
const SCRAPES = [
  { afterMs: 0, firewall: 0, waitMs: 3_500 },
  { afterMs: 2_000, firewall: 0, waitMs: 15_000 },
  { afterMs: 0, firewall: 1, waitMs: 15_000 },
];

const PLAN: Plan = {
  seed: 1,
  firewalls: 2,
  idleTimeoutMs: 10 * SECOND_MS,
  minPollIntervalMs: 0,
  loginTimeoutMs: 10 * SECOND_MS,
  lockAfter: 10,
  events: [],
  stopAtMs: undefined,
};

/** What is never given back grows in all of them; what else there is, in some. */
const STAGES = 8;

/** How often all faults come in each stage. */
const ROUNDS = 3;

/** Bytes a scrape; what is kept of each takes more. */
const MAX_GROWTH = 8;

/**
 * Plays all faults one after the other, again and again, until a stage needs
 * no more memory than the one before it.
 *
 * @returns The rule that is broken if there is no such stage.
 */
export async function findLeak(): Promise<string | undefined> {
  const round = planRound();
  const scrapes = round.filter(({ deed }) => deed.kind === "scrape").length;
  const world = new World(PLAN);
  let usedBytes = 0;
  for (let stage = 0; stage < STAGES; stage++) {
    for (let n = 0; n < ROUNDS; n++) await world.goOn(round, ROUND_MS);
    if (world.broken !== undefined) throw world.broken;
    const growth = (measureUsed() - usedBytes) / (ROUNDS * scrapes);
    // in the first ones caches fill, and code is compiled
    if (growth <= MAX_GROWTH && stage > 1) return undefined;
    usedBytes = measureUsed();
  }
  return "memory does not grow with the number of events";
}

/** Deeds that make a firewall fail, and that mend it. */
const TROUBLES: readonly (readonly [Deed, Deed])[] = [
  [{ kind: "AAA", verdict: "reject" }, { kind: "AAA", verdict: "accept" }],
  ...FAULTS.map((change) =>
    [
      { kind: "manner", firewall: 0, change },
      { kind: "manner", firewall: 0, change: GOOD },
    ] as const
  ),
];

const ROUND_MS = TROUBLES.length * (FAULT_MS + PAUSE_MS);

/** Each fault at the first firewall, while the other one is good. */
function planRound(): readonly Planned[] {
  const troubles = TROUBLES.flatMap(([begin, end], index): Planned[] => {
    const atMs = index * (FAULT_MS + PAUSE_MS);
    return [
      { atMs, deed: { kind: "kill", firewall: 0 } },
      { atMs, deed: begin },
      { atMs: atMs + FAULT_MS, deed: end },
      { atMs: atMs + FAULT_MS, deed: { kind: "reload" } },
    ];
  });
  const scrapes: Planned[] = [];
  for (let atMs = 0; atMs < ROUND_MS; atMs += SCRAPE_INTERVAL_MS) {
    scrapes.push({ atMs, deed: { kind: "tunnel", firewall: 1 } });
    for (const { afterMs, firewall, waitMs } of SCRAPES) {
      const deed = { kind: "scrape", firewall, waitMs } as const;
      scrapes.push({ atMs: atMs + afterMs, deed });
    }
  }
  return [...troubles, ...scrapes];
}

/** Bytes of the heap that something holds. */
function measureUsed(): number {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  if (typeof collect !== "function") throw new Error("Cannot collect garbage");
  collect();
  return Deno.memoryUsage().heapUsed;
}
