/**
 * What a fleet costs the exporter: CPU and memory of its process alone.
 *
 * The firewalls run in another process, and this one plays Prometheus: each
 * target is polled once an interval, all of them spread evenly over it. The first
 * minute is told apart: all firewalls of the fleet are logged in to then. The
 * exporter is `main.ts`, or the executable that `EXPORTER_EXECUTABLE` names.
 *
 * ```sh
 * deno run --allow-all tests/bench/fleet.ts --sizes 10,100 --interval 5
 * ```
 *
 * @module
 */

// deno-lint-ignore-file no-console -- a table for a person to read

import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { type Exporter, startExporter } from "../support/exporter.ts";
import { type Fleet, startFleet } from "../support/fleet.ts";

const { values: options } = parseArgs({
  options: {
    /** Fleets to measure, one after the other. */
    sizes: { type: "string", default: "100,500,2000" },
    /** Tunnels of each firewall. */
    tunnels: { type: "string", default: "10" },
    /** Seconds between two polls of a firewall. */
    interval: { type: "string", default: "30" },
    /** Polls of each firewall that are measured, after the first minute. */
    rounds: { type: "string", default: "2" },
    /** `SSH_SESSION_IDLE_TIMEOUT` of each variant; 0 is a login per poll. */
    ages: { type: "string", default: "600" },
  },
});

/** What Prometheus allows a scrape by default. */
const SCRAPE_TIMEOUT_S = 10;

const INTERVAL_MS = Number(options.interval) * 1_000;

/** How long a fleet that has just started is given. */
const FIRST_MINUTE_MS = 60_000;

/** `USER_HZ` of Linux, the unit of times in `/proc/PID/stat`. */
const TICKS_PER_SECOND = 100;

/** One line of the table. */
interface Measurement {
  readonly firewalls: number;
  readonly session: "kept" | "login per poll";
  /** Polls of the first minute that did not return a complete table. */
  readonly failedAtFirst: number;
  /** Percent of one core in the first minute. */
  readonly cpuAtFirst: number;
  /** Polls since. */
  readonly polls: number;
  /** Those that did not return a complete table. */
  readonly failed: number;
  /** Polls that took longer than Prometheus waits. */
  readonly late: number;
  readonly medianMs: number;
  readonly p99Ms: number;
  /** Percent of one core. */
  readonly cpu: number;
  readonly cpuMsPerPoll: number;
  /** Resident memory at the end. */
  readonly rssMib: number;
  readonly peakRssMib: number;
  readonly logins: number;
  /** The most sessions that any one firewall had at the same time. */
  readonly mostSessions: number;
}

/** What became of one poll. */
interface Polled {
  readonly isGood: boolean;
  readonly durationMs: number;
}

/** Polls, and the CPU that the exporter took meanwhile. */
interface MeasuredPolls {
  readonly polled: readonly Polled[];
  readonly cpuSeconds: number;
  /** Of one core. */
  readonly cpuPercent: number;
}

async function measure(size: number, maxAge: number): Promise<Measurement> {
  await using fleet = await startFleet({
    size,
    tunnels: Number(options.tunnels),
  });
  await using exporter = await startFor(fleet, maxAge);

  const poll = (rounds: number): Promise<MeasuredPolls> =>
    pollRounds(fleet, exporter, rounds);
  const first = await poll(Math.ceil(FIRST_MINUTE_MS / INTERVAL_MS));
  const before = await fleet.count();
  const { polled, cpuSeconds, cpuPercent } = await poll(Number(options.rounds));
  const after = await fleet.count();

  const durations = polled.map(({ durationMs }) => durationMs)
    .sort((a, b) => a - b);
  return {
    firewalls: size,
    session: maxAge === 0 ? "login per poll" : "kept",
    failedAtFirst: first.polled.filter(({ isGood }) => !isGood).length,
    cpuAtFirst: round(first.cpuPercent),
    polls: polled.length,
    failed: polled.filter(({ isGood }) => !isGood).length,
    late: polled.filter(isLate).length,
    medianMs: round(quantile(durations, 0.5)),
    p99Ms: round(quantile(durations, 0.99)),
    cpu: round(cpuPercent),
    cpuMsPerPoll: round(cpuSeconds * 1_000 / polled.length),
    rssMib: await readMemory(exporter.pid, "VmRSS"),
    peakRssMib: await readMemory(exporter.pid, "VmHWM"),
    logins: after.logins - before.logins,
    mostSessions: after.mostSessions,
  };
}

/** Polls each firewall once an interval, and ends with the last interval. */
async function pollRounds(
  { targets }: Fleet,
  { url, pid }: Exporter,
  rounds: number,
): Promise<MeasuredPolls> {
  const cpuBefore = await readCpuSeconds(pid);
  const startedAt = performance.now();
  const polled: Polled[] = [];
  for (let round = 1; round <= rounds; round++) {
    const polls = targets.map(async (target, index) => {
      await setTimeout(INTERVAL_MS * index / targets.length);
      return await poll(url, target);
    });
    polled.push(...await Promise.all(polls));
    const endsAt = startedAt + round * INTERVAL_MS;
    await setTimeout(Math.max(0, endsAt - performance.now()));
  }
  const cpuSeconds = await readCpuSeconds(pid) - cpuBefore;
  const elapsed = (performance.now() - startedAt) / 1_000;
  return { polled, cpuSeconds, cpuPercent: cpuSeconds / elapsed * 100 };
}

function isLate({ durationMs }: Polled): boolean {
  return durationMs > SCRAPE_TIMEOUT_S * 1_000;
}

async function poll(exporter: string, target: string): Promise<Polled> {
  const url = new URL(`/probe?target=${encodeURIComponent(target)}`, exporter);
  const start = performance.now();
  const response = await fetch(url, {
    headers: {
      "X-Prometheus-Scrape-Timeout-Seconds": String(SCRAPE_TIMEOUT_S),
    },
  });
  const exposition = await response.text();
  return {
    isGood: /^panos_ipsec_up 1$/m.test(exposition),
    durationMs: performance.now() - start,
  };
}

function startFor(fleet: Fleet, maxAge: number): Promise<Exporter> {
  return startExporter({
    USERNAME: fleet.username,
    PASSWORD: fleet.password,
    LOG_LEVEL: "error",
    // Each poll is to reach its firewall, however short the interval.
    MIN_POLL_INTERVAL: "0",
    SSH_HOST_KEY: fleet.fingerprint,
    SSH_SESSION_IDLE_TIMEOUT: String(maxAge),
    TARGETS: fleet.targets.join(","),
  }, {
    // What fails is counted, and 2,000 lines would hide the table.
    wrapper: ["sh", "-c", 'exec "$0" "$@" 2>/dev/null'],
    log: "unread",
  });
}

async function readCpuSeconds(pid: number): Promise<number> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  // The name of the program, in parentheses, may hold blanks.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  // utime and stime are fields 14 and 15 of the line, and the third is now 0.
  const [userTicks = 0, systemTicks = 0] = fields.slice(11, 13).map(Number);
  return (userTicks + systemTicks) / TICKS_PER_SECOND;
}

async function readMemory(
  pid: number,
  field: "VmHWM" | "VmRSS",
): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  const kib = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status)?.[1];
  return Math.round(Number(kib) / 1_024);
}

/** @param sorted In ascending order. */
function quantile(sorted: readonly number[], fraction: number): number {
  return sorted[Math.floor((sorted.length - 1) * fraction)] ?? NaN;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function parseList(text: string): readonly number[] {
  return text.split(",").map(Number);
}

const measurements: Measurement[] = [];
for (const maxAge of parseList(options.ages)) {
  for (const size of parseList(options.sizes)) {
    measurements.push(await measure(size, maxAge));
  }
}
console.table(measurements);
console.log(
  "Budget for 2,000 firewalls every 30 s with kept sessions: after the first " +
    "minute none failed, none late, 20 % of one core, 300 MiB",
);
