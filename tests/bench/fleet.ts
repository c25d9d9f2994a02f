/**
 * What a fleet costs the exporter: CPU and memory of its process alone.
 *
 * The firewalls run in another process, and this one plays Prometheus: each
 * target is polled once an interval, all of them spread evenly over it. The
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
import { type Fleet, startFleet } from "../support/fleet.ts";
import { eventually, freePort } from "../support/system.ts";

const { values: options } = parseArgs({
  options: {
    /** Fleets to measure, one after the other. */
    sizes: { type: "string", default: "10,100,500" },
    /** Tunnels of each firewall. */
    tunnels: { type: "string", default: "10" },
    /** Seconds between two polls of a firewall. */
    interval: { type: "string", default: "30" },
    /** Polls of each firewall that are measured, after one that is not. */
    rounds: { type: "string", default: "2" },
    /** `SSH_SESSION_IDLE_TIMEOUT` of each variant: kept, and a login per poll. */
    ages: { type: "string", default: "600,0" },
  },
});

/** What Prometheus allows a scrape by default. */
const SCRAPE_TIMEOUT_S = 10;

/** `USER_HZ` of Linux, the unit of times in `/proc/PID/stat`. */
const TICKS_PER_SECOND = 100;

/** One line of the table. */
interface Measurement {
  readonly firewalls: number;
  readonly session: "kept" | "login per poll";
  readonly polls: number;
  /** Polls that did not return a complete table. */
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

/** The exporter, serving. */
interface Exporter extends AsyncDisposable {
  readonly url: URL;
  readonly pid: number;
}

async function measure(
  size: number,
  idleTimeout: number,
): Promise<Measurement> {
  const intervalMs = Number(options.interval) * 1_000;
  await using fleet = await startFleet({
    size,
    tunnels: Number(options.tunnels),
  });
  await using exporter = await startExporter(fleet, idleTimeout);

  async function pollAll(): Promise<readonly Polled[]> {
    const start = performance.now();
    const polls = fleet.targets.map(async (target, index) => {
      await setTimeout(intervalMs * index / size);
      return await poll(exporter.url, target);
    });
    const polled = await Promise.all(polls);
    await setTimeout(Math.max(0, start + intervalMs - performance.now()));
    return polled;
  }

  const warmUp = await pollAll();
  const before = await fleet.count();
  const cpuBefore = await readCpuSeconds(exporter.pid);
  const startedAt = performance.now();
  const polled: Polled[] = [];
  for (let round = 0; round < Number(options.rounds); round++) {
    polled.push(...await pollAll());
  }
  const cpuSeconds = await readCpuSeconds(exporter.pid) - cpuBefore;
  const elapsed = (performance.now() - startedAt) / 1_000;
  const after = await fleet.count();

  const all = [...warmUp, ...polled];
  const durations = polled.map(({ durationMs }) => durationMs)
    .sort((a, b) => a - b);
  return {
    firewalls: size,
    session: idleTimeout === 0 ? "login per poll" : "kept",
    polls: all.length,
    failed: all.filter(({ isGood }) => !isGood).length,
    late: all.filter(({ durationMs }) => durationMs > SCRAPE_TIMEOUT_S * 1_000)
      .length,
    medianMs: round(quantile(durations, 0.5)),
    p99Ms: round(quantile(durations, 0.99)),
    cpu: round(cpuSeconds / elapsed * 100),
    cpuMsPerPoll: round(cpuSeconds * 1_000 / polled.length),
    rssMib: await readMemory(exporter.pid, "VmRSS"),
    peakRssMib: await readMemory(exporter.pid, "VmHWM"),
    logins: after.logins - before.logins,
    mostSessions: after.mostSessions,
  };
}

async function poll(exporter: URL, target: string): Promise<Polled> {
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

async function startExporter(
  fleet: Fleet,
  idleTimeout: number,
): Promise<Exporter> {
  const url = new URL(`http://127.0.0.1:${freePort()}`);
  const executable = Deno.env.get("EXPORTER_EXECUTABLE");
  const main = new URL("../../main.ts", import.meta.url).pathname;
  const child = new Deno.Command(executable ?? Deno.execPath(), {
    args: executable === undefined
      ? ["run", "--no-prompt", "--allow-net", "--allow-env", main]
      : [],
    env: {
      PE_USERNAME: fleet.username,
      PE_PASSWORD: fleet.password,
      PE_HTTP_SERVER_PORT: url.port,
      HTTP_LISTEN_ADDRESS: url.hostname,
      LOG_LEVEL: "error",
      // Each poll is to reach its firewall, however short the interval.
      MIN_POLL_INTERVAL: "0",
      SSH_HOST_KEY: fleet.fingerprint,
      SSH_SESSION_IDLE_TIMEOUT: String(idleTimeout),
      TARGETS: fleet.targets.join(","),
    },
    stdin: "null",
  }).spawn();
  if (!await eventually(() => isServing(url))) {
    await child[Symbol.asyncDispose]();
    throw new Error("Cannot measure the exporter: it does not serve");
  }
  return {
    url,
    pid: child.pid,
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

async function isServing(url: URL): Promise<boolean> {
  try {
    const response = await fetch(new URL("/-/healthy", url));
    await response.body?.cancel();
    return response.ok;
  } catch (error) {
    // `fetch` says in this way that nothing listens yet.
    if (error instanceof TypeError) return false;
    throw error;
  }
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
for (const idleTimeout of parseList(options.ages)) {
  for (const size of parseList(options.sizes)) {
    measurements.push(await measure(size, idleTimeout));
  }
}
console.table(measurements);
console.log(
  "Budget for 500 firewalls every 30 s with kept sessions: none failed, none " +
    "late, 25 % of one core, 400 MiB",
);
