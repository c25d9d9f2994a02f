/**
 * The rules and configurations that are shipped, in Prometheus and
 * Alertmanager as Debian packages them, with all durations divided.
 *
 * @module
 */

import assert from "node:assert/strict";
import { divideDurations } from "./divided_time.ts";
import { type Prometheus, startPrometheus } from "./prometheus.ts";
import { eventually } from "./system.ts";

/** A minute of the shipped configuration passes in a second. */
export const DIVISOR = 60;
export const MINUTE_MS = 60_000 / DIVISOR;

/** How long the last sample counts of what is not scraped any more. */
const LOOKBACK_MS = 5 * MINUTE_MS;

/** Reads a file of `deploy/`. */
export function readShipped(name: string): Promise<string> {
  return Deno.readTextFile(
    new URL(`../../deploy/${name}`, import.meta.url),
  );
}

/**
 * Starts Prometheus with the shipped rules and the shipped jobs for a fleet.
 *
 * @param exporter Its `host:port`, and that of what answers `/sd`.
 * @param alertmanager Its `host:port`, if anybody is to be notified.
 */
export async function startMonitoring(
  exporter: string,
  { alertmanager, rules = "" }: {
    readonly alertmanager?: string;
    /** Rules of the operator. */
    readonly rules?: string;
  } = {},
): Promise<Prometheus> {
  const shipped = await readShipped("prometheus.yml");
  const start = shipped.indexOf("  # Many firewalls, one exporter");
  assert(start > 0, "found no job for /probe");
  const jobs = shipped.slice(start).replaceAll(
    "jump-host.example.net:9098",
    exporter,
  );
  const configuration = [
    "global: { evaluation_interval: 30s }",
    "rule_files: [alerts.yml, own.yml]",
    "scrape_configs:",
    jobs,
    ...(alertmanager === undefined ? [] : [
      "alerting:",
      "  alertmanagers:",
      `    - static_configs: [{ targets: ["${alertmanager}"] }]`,
    ]),
  ].join("\n");
  return await startPrometheus(divideDurations(configuration, DIVISOR), {
    files: {
      "alerts.yml": divideDurations(await readShipped("alerts.yml"), DIVISOR),
      "own.yml": rules,
    },
    flags: [
      `--query.lookback-delta=${LOOKBACK_MS}ms`,
      "--rules.alert.resend-delay=1s",
    ],
  });
}

/**
 * Reads when the shipped rules were evaluated, in Unix milliseconds.
 *
 * @param firewall One that was polled before, and is still scraped.
 */
export async function evaluations(
  prometheus: Prometheus,
  firewall: string,
): Promise<readonly number[]> {
  const [times = []] = await sampleTimes(
    prometheus,
    `panos_ipsec:firewall:configured{instance="${firewall}"}`,
  );
  return times;
}

/**
 * Waits until each target was scraped twice after a time.
 *
 * @returns When the last of these scrapes began. An evaluation from then on
 * knows what the first ones found: a target is scraped by one scrape at a time.
 */
export async function scrapedTwice(
  prometheus: Prometheus,
  sinceMs: number,
): Promise<number> {
  let knownMs = Infinity;
  await eventually(async () => {
    const series = await sampleTimes(prometheus, "up");
    knownMs = Math.max(...series.map((times) => {
      // Prometheus may move the time of a scrape by two milliseconds.
      const [, second = Infinity] = times.filter((at) => at > sinceMs + 2);
      return second;
    }));
    return Number.isFinite(knownMs);
  });
  return knownMs;
}

/**
 * Finds from when on a firewall is neither scraped any more nor was new an hour
 * ago, at the latest.
 */
export async function goneFrom(
  prometheus: Prometheus,
  firewall: string,
): Promise<number> {
  const selector = `panos_ipsec_up{instance="${firewall}"}`;
  const [polled = []] = await sampleTimes(prometheus, selector);
  const [scraped = []] = await sampleTimes(
    prometheus,
    `up{instance="${firewall}"}`,
  );
  return Math.max(
    (polled[0] ?? NaN) + 60 * MINUTE_MS,
    (scraped.at(-1) ?? NaN) + LOOKBACK_MS,
  );
}

/** Reads when the samples of each series were taken, in Unix milliseconds. */
export async function sampleTimes(
  prometheus: Prometheus,
  selector: string,
): Promise<readonly (readonly number[])[]> {
  const series = await prometheus.history(`${selector}[10m]`);
  return series.map(({ samples }) =>
    samples.map(({ time }) => Math.round(time * 1_000))
  );
}
