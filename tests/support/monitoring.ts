/**
 * The rules and configurations that are shipped, in Prometheus and
 * Alertmanager as Debian packages them, with all durations divided.
 *
 * @module
 */

import assert from "node:assert/strict";
import { divideDurations } from "./divided_time.ts";
import { type Prometheus, startPrometheus } from "./prometheus.ts";

/** A minute of the shipped configuration passes in a second. */
export const DIVISOR = 60;

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
      "--query.lookback-delta=5s",
      "--rules.alert.resend-delay=1s",
    ],
  });
}
