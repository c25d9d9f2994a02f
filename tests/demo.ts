/**
 * `deno task demo`: a simulated firewall and the exporter that polls it.
 *
 * Nothing to configure; Ctrl-C stops both. The demo scrapes the exporter as
 * Prometheus would, so that the status page moves while it is looked at.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- what it prints is for a person to read

import { setInterval, setTimeout } from "node:timers/promises";
import { type SimulatedFirewall, startFirewall } from "./support/firewall.ts";
import { freePort } from "./support/system.ts";
import { type PrintedTunnel, printVpnFlow } from "./support/vpn_flow_reply.ts";

/** The port that the exporter has in the README; another one if it is taken. */
const PREFERRED_PORT = 9098;

const SCRAPE_INTERVAL_MS = 5_000;

/** Between two looks at whether the exporter serves yet. */
const RETRY_MS = 50;

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

/** The preferred port if nothing listens on it, else a free one. */
function choosePort(): number {
  try {
    using listener = Deno.listen({
      hostname: "127.0.0.1",
      port: PREFERRED_PORT,
    });
    return listener.addr.port;
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    return freePort();
  }
}

/** What Deno itself needs; nothing of the caller's reaches the exporter. */
function environmentOfDeno(): Record<string, string> {
  const names = /^(?:DENO_\w+|HOME|PATH|XDG_CACHE_HOME)$/;
  return Object.fromEntries(
    Object.entries(Deno.env.toObject()).filter(([name]) => names.test(name)),
  );
}

/** Starts the exporter as it is shipped: the task `start`, and its permissions. */
function startExporter(
  firewall: SimulatedFirewall,
  page: URL,
): Deno.ChildProcess {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "start"],
    cwd: new URL("..", import.meta.url),
    clearEnv: true,
    env: {
      ...environmentOfDeno(),
      PE_HOSTNAME: "127.0.0.1",
      PE_USERNAME: firewall.username,
      PE_PASSWORD: firewall.password,
      PE_HTTP_SERVER_PORT: page.port,
      HTTP_LISTEN_ADDRESS: page.hostname,
      SSH_PORT: String(firewall.port),
      SSH_HOST_KEY: firewall.fingerprint,
    },
    stdin: "null",
  });
  return command.spawn();
}

/** Settles when the exporter answers; rejects when it has been stopped. */
async function untilServing(url: URL, signal: AbortSignal): Promise<void> {
  for (;;) {
    try {
      return await scrape(url, signal);
    } catch (error) {
      signal.throwIfAborted();
      // `fetch` says in this way that nothing listens yet.
      if (!(error instanceof TypeError)) throw error;
      await setTimeout(RETRY_MS);
    }
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
  const page = new URL(`http://127.0.0.1:${choosePort()}/`);
  const metrics = new URL("metrics", page);
  await using exporter = startExporter(firewall, page);

  const exitCode = Promise.race([
    interrupted.promise,
    exporter.status.then(({ code }) => code),
  ]).finally(() => stopping.abort());
  try {
    await untilServing(metrics, signal);
    console.log(describe(page, metrics));
    for await (const _ of setInterval(SCRAPE_INTERVAL_MS, null, { signal })) {
      await scrape(metrics, signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
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
