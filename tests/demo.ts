/**
 * `deno task demo`: a simulated firewall and the exporter that polls it.
 *
 * Nothing to configure; Ctrl-C stops both. The demo scrapes the exporter as
 * Prometheus would, so that the status page moves while it is looked at.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- what it prints is for a person to read

import { setInterval } from "node:timers/promises";
import {
  environmentFor,
  type Exporter,
  startExporter,
} from "./support/exporter.ts";
import { type SimulatedFirewall, startFirewall } from "./support/firewall.ts";
import { type PrintedTunnel, printVpnFlow } from "./support/vpn_flow_reply.ts";

/** The port that the exporter has in the README; another one if it is taken. */
const PREFERRED_PORT = 9098;

const SCRAPE_INTERVAL_MS = 5_000;

/** What a tunnel looks like, given the seconds since the demo has started. */
type Course = (second: number) => Pick<PrintedTunnel, "state" | "monitor">;

const UNMONITORED: Course = () => ({ state: "active", monitor: "off" });

const UP: Course = () => ({ state: "active", monitor: "up" });

const IDLE: Course = () => ({ state: "inactive", monitor: "off" });

/** Something else than up for the last seconds of each period. */
function sometimes(
  { state, monitor, seconds, period }: ReturnType<Course> & {
    readonly seconds: number;
    readonly period: number;
  },
): Course {
  return (second) =>
    second % period < period - seconds ? UP(second) : { state, monitor };
}

const COURSES: Readonly<Record<string, Course>> = {
  "hq-to-berlin": UP,
  "hq-to-oslo": sometimes({
    state: "inactive",
    monitor: "down",
    seconds: 20,
    period: 60,
  }),
  "hq-to-lyon": sometimes({
    state: "inactive",
    monitor: "down",
    seconds: 10,
    period: 25,
  }),
  "cloud-east:orders": UNMONITORED,
  "cloud-east:billing": UNMONITORED,
  // The tunnel stands, and the host that it is watched by does not answer.
  "cloud-west": sometimes({
    state: "active",
    monitor: "down",
    seconds: 40,
    period: 120,
  }),
  // The partner agrees on keys for IKE, and not on those for IPsec.
  "partner-acme": sometimes({
    state: "init",
    monitor: "down",
    seconds: 30,
    period: 75,
  }),
  "old-lab": IDLE,
};

function printTunnels(second: number): string {
  return printVpnFlow(
    Object.entries(COURSES).map(([name, course], index) => ({
      id: index + 2,
      name,
      localIp: "192.0.2.1",
      peerIp: `198.51.100.${index + 10}`,
      interfaceName: `tunnel.${index + 2}`,
      ...course(second),
    })),
  );
}

async function startFor(firewall: SimulatedFirewall): Promise<Exporter> {
  const environment = environmentFor(firewall);
  try {
    return await startExporter(environment, { port: PREFERRED_PORT });
  } catch {
    return await startExporter(environment);
  }
}

async function scrape(url: URL, signal: AbortSignal): Promise<void> {
  const response = await fetch(url, { signal });
  await response.body?.cancel();
}

/**
 * Runs until it is interrupted or the exporter ends.
 *
 * @returns The code to exit with.
 */
async function demo(): Promise<number> {
  const stopping = new AbortController();
  const { signal } = stopping;
  const interrupted = Promise.withResolvers<number>();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(name, () => interrupted.resolve(0));
  }

  const startedAt = performance.now();
  await using firewall = await startFirewall({
    prompt: "demo@fw-demo(active)> ",
    username: "demo",
    reply: (command) =>
      command === "show vpn flow"
        ? printTunnels((performance.now() - startedAt) / 1_000)
        : `Unknown command: ${command}\n`,
  });
  await using exporter = await startFor(firewall);
  exporter.follow(console.error);
  const page = new URL(exporter.url);
  const metrics = new URL("metrics", page);

  const exitCode = Promise.race([
    interrupted.promise,
    exporter.ended.then(({ code }) => code),
  ]).finally(() => stopping.abort());
  try {
    await scrape(metrics, signal);
    console.log(describe(page, metrics));
    for await (const _ of setInterval(SCRAPE_INTERVAL_MS, null, { signal })) {
      await scrape(metrics, signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  await exporter.stop();
  return await exitCode;
}

function describe(page: URL, metrics: URL): string {
  const tunnels = Object.keys(COURSES).length;
  const seconds = SCRAPE_INTERVAL_MS / 1_000;
  return `
The exporter polls a simulated firewall with ${tunnels} tunnels. Open

  ${page}          the status page
  ${metrics}   what Prometheus reads

Tunnels go down and come back within two minutes; the demo scrapes every
${seconds} s, as Prometheus would. Press Ctrl-C to stop.
`;
}

Deno.exitCode = await demo();
