/**
 * A history, planned from its seed: who scrapes when, and what goes wrong.
 * Times lie on a grid of half a second, as do all limits of the exporter, so
 * that events meet.
 *
 * @module
 */

import { createRandom, type Random } from "./random.ts";

/** How a firewall behaves; changed by the events of a history. */
export interface Manner {
  readonly connect: "accepts" | "refuses" | "hangs" | "closes";
  readonly key: "its own" | "another";
  readonly verdict:
    | "ask AAA"
    | "reject"
    | "silent"
    | "asks a question"
    | "hangs up"
    | "lets in unasked";
  readonly shell: "opens" | "refuses" | "hangs" | "wants a new password";
  readonly reply:
    | "whole"
    | "hangs"
    | "cut"
    | "refused"
    | "unreadable"
    | "dies before it";
  /** What becomes of it when the output is to be switched to XML or back. */
  readonly xml:
    | "works"
    | "is not known"
    | "hangs"
    | "leaves the form unknown"
    | "stays on"
    | "is unreadable";
  /** What becomes of a connection that the exporter gives up. */
  readonly end: "closes" | "never closes";
  readonly connectMs: number;
  readonly verdictMs: number;
  readonly shellMs: number;
  readonly replyMs: number;
  readonly endMs: number;
}

/** A firewall without a fault. */
export const GOOD: Manner = {
  connect: "accepts",
  key: "its own",
  verdict: "ask AAA",
  shell: "opens",
  reply: "whole",
  xml: "works",
  end: "closes",
  connectMs: 0,
  verdictMs: 500,
  shellMs: 500,
  replyMs: 500,
  endMs: 0,
};

/** What happens; firewalls are numbered from 0. */
export type Deed =
  | {
    readonly kind: "scrape";
    readonly firewall: number;
    readonly waitMs: number;
  }
  | {
    readonly kind: "manner";
    readonly firewall: number;
    readonly change: Partial<Manner>;
  }
  | { readonly kind: "kill"; readonly firewall: number }
  | {
    readonly kind: "failover";
    readonly firewall: number;
    readonly kills: boolean;
  }
  | { readonly kind: "tunnel"; readonly firewall: number }
  | { readonly kind: "AAA"; readonly verdict: "accept" | "reject" }
  | { readonly kind: "reload" };

/** A deed and its time. */
export interface Planned {
  readonly atMs: number;
  readonly deed: Deed;
}

/** What happens to one exporter from its start to its stop. */
export interface Plan {
  readonly seed: number;
  readonly firewalls: number;
  readonly idleTimeoutMs: number;
  readonly minPollIntervalMs: number;
  readonly loginTimeoutMs: number;
  /** The AAA server locks the account after so many rejections in a row. */
  readonly lockAfter: number;
  /** In the order of their times. */
  readonly events: readonly Planned[];
  /** Stopped then; else once all has healed and every firewall is up. */
  readonly stopAtMs: number | undefined;
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const GRID_MS = 500;

/** What can be wrong with a firewall; those that are met more often twice. */
export const FAULTS: readonly Partial<Manner>[] = [
  { connect: "refuses" },
  { connect: "hangs" },
  { connect: "closes" },
  { key: "another" },
  { verdict: "reject" },
  { verdict: "reject" },
  { verdict: "silent" },
  { verdict: "silent" },
  { verdict: "asks a question" },
  { verdict: "hangs up" },
  { verdict: "lets in unasked" },
  { shell: "refuses" },
  { shell: "hangs" },
  { shell: "wants a new password" },
  { reply: "hangs" },
  { reply: "hangs" },
  { reply: "cut" },
  { reply: "refused" },
  { reply: "unreadable" },
  { reply: "unreadable", xml: "is not known" },
  { reply: "dies before it" },
  { end: "never closes" },
  { end: "never closes" },
  { endMs: 2 * SECOND_MS },
  { connectMs: 5 * SECOND_MS },
  { verdictMs: 3 * SECOND_MS },
  { verdictMs: 10 * SECOND_MS },
  { verdictMs: 20 * SECOND_MS },
  { shellMs: 6 * SECOND_MS },
  { shellMs: 30 * SECOND_MS },
  { shellMs: 30 * SECOND_MS, replyMs: 4 * SECOND_MS },
  { replyMs: 4 * SECOND_MS },
  { replyMs: 9 * SECOND_MS },
  { replyMs: 30 * SECOND_MS },
  // gone from the network
  { connect: "hangs", reply: "hangs", end: "never closes" },
];

const XML_FAULTS: readonly Partial<Manner>[] = [
  { xml: "is not known" },
  { xml: "hangs" },
  { xml: "leaves the form unknown" },
  { xml: "stays on" },
  { xml: "is unreadable" },
];

const ACCOUNT_FAULTS = FAULTS.filter((fault) =>
  "verdict" in fault || "verdictMs" in fault
);

const RUSH_MS = 10 * SECOND_MS;
const RUSH_SCRAPES = 9;

/** Two that reject hold all; one that rejects meets slow verdicts. */
const RUSH_FAULTS: readonly Partial<Manner>[] = [
  { verdict: "reject" },
  { verdict: "reject", verdictMs: 3 * SECOND_MS },
  { verdictMs: 3 * SECOND_MS },
  { verdictMs: 10 * SECOND_MS },
  { endMs: 2 * SECOND_MS },
  { verdict: "silent" },
  { end: "never closes" },
  { reply: "whole" }, // which is good
];

const WAITS_MS = [250, 1_000, 3_500, 5_000, 9_500, 25_000, 25_000, 29_500]
  .concat(59_500, 119_500);

/** How dense a history is, and how long. */
const SCALES = [
  { spanMs: 5 * MINUTE_MS, intervalsMs: [5_000, 10_000, 15_000, 30_000] },
  { spanMs: 20 * MINUTE_MS, intervalsMs: [15_000, 30_000, 60_000] },
  { spanMs: 4 * HOUR_MS, intervalsMs: [60_000, 120_000, 300_000] },
  { spanMs: 75 * HOUR_MS, intervalsMs: [15 * MINUTE_MS, 30 * MINUTE_MS] },
] as const;

/** Plans the history of a seed. */
export function createPlan(seed: number): Plan {
  const random = createRandom(seed);
  const isRush = random.below(6) === 0;
  const firewalls = isRush
    ? 4 + random.below(5)
    : 1 + random.below(random.below(3) === 0 ? 10 : 4);
  const scale = pick(random, SCALES);
  const spanMs = scale.spanMs / (1 + random.below(3));
  const events = [
    ...planScrapes(random, firewalls, spanMs, scale.intervalsMs),
    ...planFaults(random, firewalls, spanMs),
    ...(isRush ? planRush(random, firewalls, spanMs) : []),
    ...(random.below(5) === 0
      ? planUnknownLayout(random, firewalls, spanMs)
      : []),
  ].sort((one, other) => one.atMs - other.atMs);
  return {
    seed,
    firewalls,
    idleTimeoutMs: pick(random, [0, 0, 2_000, 60_000, 600_000]),
    minPollIntervalMs: pick(random, [0, 0, 0, 5_000, 15_000]),
    loginTimeoutMs: pick(random, [10_000, 30_000, 60_000, 60_000]),
    lockAfter: 3 + random.below(10),
    events,
    stopAtMs: random.below(4) === 0
      ? onGrid(random, spanMs) + random.below(3)
      : undefined,
  };
}

function planScrapes(
  random: Random,
  firewalls: number,
  spanMs: number,
  intervalsMs: readonly number[],
): Planned[] {
  const scrapes: Planned[] = [];
  const scrapers = 1 + random.below(4);
  for (let scraper = 0; scraper < scrapers; scraper++) {
    const waitMs = pick(random, WAITS_MS);
    const intervalMs = pick(random, intervalsMs);
    const isForAll = scraper === 0 || random.below(2) === 0;
    const only = random.below(firewalls);
    for (let firewall = 0; firewall < firewalls; firewall++) {
      if (!isForAll && firewall !== only) continue;
      const phaseMs = random.below(2) * onGrid(random, intervalMs);
      for (let atMs = phaseMs; atMs < spanMs; atMs += intervalMs) {
        scrapes.push({ atMs, deed: { kind: "scrape", firewall, waitMs } });
      }
    }
  }
  return scrapes;
}

function planFaults(
  random: Random,
  firewalls: number,
  spanMs: number,
): Planned[] {
  const events: Planned[] = [];
  // faults of the account meet only where there are many
  const isOfAccount = random.below(4) === 0;
  const faults = isOfAccount ? ACCOUNT_FAULTS : FAULTS;
  const amount = isOfAccount ? 8 + random.below(16) : random.below(10);
  for (let index = 0; index < amount; index++) {
    const atMs = onGrid(random, spanMs);
    const lastsMs = pick(random, [1_000, 10_000, spanMs / 8, spanMs / 2]);
    const endsAtMs = atMs + Math.round(lastsMs / GRID_MS) * GRID_MS;
    const firewall = random.below(firewalls);
    switch (random.below(8)) {
      case 0:
        events.push({ atMs, deed: { kind: "AAA", verdict: "reject" } });
        events.push({
          atMs: endsAtMs,
          deed: { kind: "AAA", verdict: "accept" },
        });
        break;
      case 1:
        events.push({
          atMs,
          deed: { kind: "failover", firewall, kills: random.below(2) === 0 },
        });
        break;
      case 2:
        events.push({ atMs, deed: { kind: "kill", firewall } });
        break;
      case 3:
        events.push({
          atMs,
          deed: random.below(3) === 0
            ? { kind: "reload" }
            : { kind: "tunnel", firewall },
        });
        break;
      default:
        events.push(...planFault(random, faults, firewalls, atMs, endsAtMs));
    }
  }
  return events;
}

/** Something is wrong with a firewall, or with many, and then it is not. */
function planFault(
  random: Random,
  faults: readonly Partial<Manner>[],
  firewalls: number,
  atMs: number,
  endsAtMs: number,
): Planned[] {
  const change = pick(random, faults);
  const isForAll = random.below(4) === 0;
  const only = random.below(firewalls);
  // a session that stands would not notice that logins fail
  const kills = random.below(2) === 0;
  return Array.from({ length: firewalls }, (_, firewall) => firewall)
    .filter((firewall) => isForAll || firewall === only)
    .flatMap((firewall): Planned[] => [
      ...planFaultOf(firewall, change, atMs, endsAtMs),
      ...(kills
        ? [{ atMs, deed: { kind: "kill", firewall } } satisfies Planned]
        : []),
    ]);
}

/**
 * Sessions are lost within seconds, and asked for again, while some firewalls
 * are slow and others reject: so a verdict comes after one that was sent later,
 * and a hold begins while others wait to log in.
 */
function planRush(
  random: Random,
  firewalls: number,
  spanMs: number,
): Planned[] {
  const startsAtMs = onGrid(random, spanMs);
  const endsAtMs = startsAtMs + RUSH_MS;
  const pickTime = (): number => startsAtMs + onGrid(random, RUSH_MS);
  const scrapes = Array.from({ length: firewalls * RUSH_SCRAPES }, (_, n) => ({
    atMs: pickTime(),
    deed: {
      kind: "scrape",
      firewall: n % firewalls,
      waitMs: pick(random, WAITS_MS),
    },
  } satisfies Planned));
  const faults = Array.from({ length: firewalls }, (_, firewall) => {
    const change = pick(random, RUSH_FAULTS);
    const atMs = pickTime();
    return [
      ...planFaultOf(firewall, change, atMs, endsAtMs),
      { atMs, deed: { kind: "kill", firewall } } satisfies Planned,
    ];
  });
  // so that who waits at the gate may go on
  const reloads: Planned[] = random.below(2) === 0
    ? []
    : [{ atMs: pickTime() + RUSH_MS, deed: { kind: "reload" } }];
  return [...scrapes, ...faults.flat(), ...reloads];
}

/**
 * A firewall is upgraded to a version whose text cannot be read, and gets a
 * better one at last; its XML is not always to be had.
 */
function planUnknownLayout(
  random: Random,
  firewalls: number,
  spanMs: number,
): Planned[] {
  const firewall = random.below(firewalls);
  const atMs = onGrid(random, spanMs / 8);
  const endsAtMs = atMs + onGrid(random, spanMs);
  const xmlFaults = Array.from({ length: random.below(4) }, () => {
    const atMs = onGrid(random, spanMs);
    const endsAtMs = atMs + onGrid(random, spanMs / 4);
    const change = pick(random, XML_FAULTS);
    return planFaultOf(firewall, change, atMs, endsAtMs);
  });
  return [
    ...planFaultOf(firewall, { reply: "unreadable" }, atMs, endsAtMs),
    ...xmlFaults.flat(),
  ];
}

/** Something is wrong with one firewall, and then it is not. */
function planFaultOf(
  firewall: number,
  change: Partial<Manner>,
  atMs: number,
  endsAtMs: number,
): Planned[] {
  const begin: Deed = { kind: "manner", firewall, change };
  const end: Deed = { kind: "manner", firewall, change: toGood(change) };
  return [{ atMs, deed: begin }, { atMs: endsAtMs, deed: end }];
}

function toGood(change: Partial<Manner>): Partial<Manner> {
  return Object.fromEntries(
    Object.entries(GOOD).filter(([key]) => key in change),
  );
}

function onGrid(random: Random, limitMs: number): number {
  return random.below(Math.max(1, Math.floor(limitMs / GRID_MS))) * GRID_MS;
}

function pick<Value>(random: Random, values: readonly Value[]): Value {
  const value = values[random.below(values.length)];
  if (value === undefined) throw new RangeError("There is nothing to pick");
  return value;
}

/** What a deed is, in words. */
export function describe(deed: Deed): string {
  switch (deed.kind) {
    case "scrape":
      return `a scraper asks for ${nameOf(deed.firewall)}, and waits ${
        deed.waitMs / 1_000
      } s`;
    case "manner":
      return `${nameOf(deed.firewall)} from here on: ${
        Object.entries(deed.change).map(([what, how]) => `${what} ${how}`)
          .join(", ")
      }`;
    case "kill":
      return `${nameOf(deed.firewall)} drops its connection`;
    case "failover":
      return `${nameOf(deed.firewall)} fails over`;
    case "tunnel":
      return `a tunnel of ${nameOf(deed.firewall)} goes down, or up again`;
    case "AAA":
      return `the AAA server from here on: ${deed.verdict}`;
    case "reload":
      return "an operator reloads the exporter";
  }
}

/** `fw1` is number 0. */
export function nameOf(firewall: number): string {
  return `fw${firewall + 1}`;
}
