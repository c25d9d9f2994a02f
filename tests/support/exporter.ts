/**
 * The exporter as its operator meets it: a process with an environment, pages
 * and a log. Whatever starts it does so here.
 *
 * It is `main.ts` with the permissions that are shipped, or the executable that
 * `EXPORTER_EXECUTABLE` names.
 *
 * @module
 */

import assert from "node:assert/strict";
import denoConfig from "../../deno.json" with { type: "json" };
import { REASONS } from "../../src/model/poll.ts";
import { ChildLog, type Pattern } from "./child_log.ts";
import { readExposition, type ReadSample } from "./exposition_reader.ts";
import type { Outcome } from "./program.ts";
import { eventually, type ReservedPort, reservePort } from "./system.ts";

/** A running exporter. */
export interface Exporter extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Asks for a path and keeps the page for {@linkcode Ended.shown}. */
  get(path: string, init?: RequestInit): Promise<Page>;
  /** Scrapes `/metrics` and checks what holds for each answer. */
  scrape(options?: ScrapeOptions): Promise<Scrape>;
  /** Waits until a line stands in the log, or so many; returns the last. */
  logged(pattern: Pattern, times?: number): Promise<string>;
  /** Shows the log to a person, line by line. */
  follow(show: (line: string) => void): void;
  signal(name: Deno.Signal): void;
  /** Ends it, with SIGTERM unless said otherwise. */
  stop(signal?: Deno.Signal): Promise<Ended>;
  /** Settles when it has ended, by itself or not. */
  readonly ended: Promise<Ended>;
}

export interface ScrapeOptions {
  /** Seconds that Prometheus says it will wait. */
  readonly timeout?: number;
}

export interface Page {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** What an exporter leaves behind. */
export interface Ended {
  readonly code: number;
  /** All lines on stderr. */
  readonly log: readonly string[];
  /** All that it has ever said: stdout, stderr and pages. */
  readonly shown: string;
}

/** One answer of `/metrics`. */
export interface Scrape {
  /** `up`, or why it is not. */
  readonly verdict: string;
  /** Values of `ifIPsecOperStatus` in the order of the page. */
  readonly states: readonly number[];
  readonly text: string;
  /** Series of a family in the order of the page. */
  series(name: string): readonly ReadSample[];
  /** Value of the only series of a family. */
  value(name: string): number;
}

/** Variables of the operator. */
export type Environment = Readonly<Record<string, string>>;

/** What an operator sets for one server, whose host key is pinned. */
export function environmentFor(
  server: {
    readonly port: number;
    readonly username: string;
    readonly password: string;
    readonly fingerprint: string;
  },
): Environment {
  return {
    USERNAME: server.username,
    PASSWORD: server.password,
    HOSTNAME: "127.0.0.1",
    SSH_PORT: String(server.port),
    SSH_HOST_KEY: server.fingerprint,
  };
}

export interface StartOptions {
  /** Words before those of the exporter, which they have to run. */
  readonly wrapper?: readonly string[];
  /** `unread`: nobody reads what is on stderr. */
  readonly log?: "read" | "unread";
  /** Default: one that nobody else has. */
  readonly port?: number;
}

/** Starts the exporter with these variables, on a port of 127.0.0.1. */
export async function startExporter(
  environment: Environment,
  options: StartOptions = {},
): Promise<Exporter> {
  const reserved = await reservePort();
  const exporter = launch(environment, reserved, options);
  try {
    await exporter.isListening();
    return exporter;
  } catch (error) {
    await exporter.stop("SIGKILL");
    throw error;
  }
}

interface Launched extends Exporter {
  /** Waits until it listens; throws if it ends instead. */
  isListening(): Promise<unknown>;
}

/** What an answer and an end may take before the exporter is said to hang. */
const PATIENCE_MS = 60_000;

function launch(
  environment: Environment,
  reserved: ReservedPort,
  { wrapper = [], log: reading = "read", port = reserved.port }: StartOptions,
): Launched {
  const child = exporterCommand([], {
    HTTP_LISTEN_ADDRESS: "127.0.0.1",
    HTTP_SERVER_PORT: String(port),
    ...environment,
  }, { wrapper, stdin: "null" }).spawn();
  const isUnread = reading === "unread";
  const log = new ChildLog(isUnread ? ReadableStream.from([]) : child.stderr);
  const pages: string[] = [];
  // It may sign its own certificate, which `fetch` trusts here alone.
  const certificate = environment["HTTP_TLS_CERT"];
  const client = Deno.createHttpClient({
    caCerts: certificate === undefined ? [] : [certificate],
  });

  async function untilEnd(): Promise<Ended> {
    const [{ code }, stdout] = await Promise.all([
      child.status,
      new Response(child.stdout).text(),
    ]);
    if (isUnread) await child.stderr.cancel();
    const lines = await log.whole;
    client.close();
    reserved[Symbol.dispose]();
    assert.equal(stdout, "", "a server has nothing to print");
    return { code, log: lines, shown: [stdout, ...lines, ...pages].join("\n") };
  }
  const ended = untilEnd();

  const signal = (name: Deno.Signal): void => {
    try {
      child.kill(name);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it has ended
    }
  };
  async function stop(name: Deno.Signal = "SIGTERM"): Promise<Ended> {
    signal(name);
    const timer = setTimeout(() => signal("SIGKILL"), PATIENCE_MS);
    try {
      return await ended;
    } finally {
      clearTimeout(timer);
    }
  }

  const scheme = certificate === undefined ? "http" : "https";
  const url = `${scheme}://127.0.0.1:${port}`;
  async function get(path: string, init?: RequestInit): Promise<Page> {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const response = await fetch(`${url}${path}`, { ...init, signal, client });
    const text = strictly(new Uint8Array(await response.arrayBuffer()));
    pages.push(text, JSON.stringify([...response.headers]));
    return { status: response.status, headers: response.headers, text };
  }
  return {
    url,
    port,
    pid: child.pid,
    get,
    async scrape({ timeout } = {}): Promise<Scrape> {
      const headers = timeout === undefined
        ? {}
        : { "X-Prometheus-Scrape-Timeout-Seconds": String(timeout) };
      return readScrape(await get("/metrics", { headers }));
    },
    logged: (pattern, times) => log.logged(pattern, times),
    follow: (show) => log.follow(show),
    signal,
    stop,
    ended,
    async isListening(): Promise<unknown> {
      if (!isUnread) return await log.logged(/\bmsg"?[=:]"?listening\b/);
      return await eventually(async () => {
        const page = await get("/-/healthy").catch(() => undefined);
        return page?.status === 200;
      });
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await stop("SIGKILL");
    },
  };
}

export interface RunOptions extends CommandOptions {
  /** What stands on stdin. */
  readonly input?: Iterable<string>;
}

/** What the exporter says and how it ends when it is given arguments. */
export async function runExporter(
  args: readonly string[],
  environment: Environment = {},
  { input = [], ...options }: RunOptions = {},
): Promise<Outcome> {
  await using child = exporterCommand(args, environment, options).spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
  // A program that has read enough is gone before all is written.
  const written = ReadableStream.from(input)
    .pipeThrough(new TextEncoderStream()).pipeTo(child.stdin).catch(() => {});
  const [{ code, stdout, stderr }] = await Promise.all([
    child.output(),
    written,
  ]);
  clearTimeout(timer);
  return { code, stdout: strictly(stdout), stderr: strictly(stderr) };
}

/** The permissions that are shipped, and the program. */
const SHIPPED = denoConfig.tasks.start.command.split(" ").slice(1);

export interface CommandOptions {
  /** Words before those of the exporter, which they have to run. */
  readonly wrapper?: readonly string[];
  /** Default: `piped`. */
  readonly stdin?: "piped" | "null";
  /** Words for Deno. Default: the task `start`, and so its permissions. */
  readonly run?: readonly string[];
}

/** The command that runs the exporter, for what needs more than an outcome. */
export function exporterCommand(
  args: readonly string[],
  environment: Environment,
  { wrapper = [], stdin = "piped", run = SHIPPED }: CommandOptions = {},
): Deno.Command {
  const executable = Deno.env.get("EXPORTER_EXECUTABLE");
  const exporter = executable === undefined
    ? [Deno.execPath(), ...run]
    : [executable];
  const [program = "", ...words] = [...wrapper, ...exporter, ...args];
  // Deno itself must find the packages that it has on disk.
  const own = ["HOME", "DENO_DIR", "XDG_CACHE_HOME", "PATH"];
  const inherited = own.flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value]];
  });
  return new Deno.Command(program, {
    args: words,
    cwd: new URL("../../", import.meta.url),
    clearEnv: true,
    env: { ...Object.fromEntries(inherited), ...environment },
    stdin,
    stdout: "piped",
    stderr: "piped",
  });
}

/** Reads UTF-8 and nothing else: Prometheus refuses a page that is not. */
function strictly(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
}

/** Families that exist only while the firewall answers. */
const TUNNEL_FAMILIES = [
  "ifIPsecOperStatus",
  "panos_ipsec_tunnel_info",
  "panos_ipsec_tunnel_monitor_up",
  "panos_ipsec_tunnels_configured",
  "panos_ipsec_ha_info",
  "panos_ipsec_reading_info",
];

function readScrape({ status, headers, text }: Page): Scrape {
  assert.equal(status, 200, text);
  assert.equal(
    headers.get("content-type"),
    "text/plain; version=0.0.4; charset=utf-8",
  );
  const samples = readExposition(text).flatMap(({ samples }) => samples);
  const series = (name: string): readonly ReadSample[] =>
    samples.filter((sample) => sample.name === name);
  const value = (name: string): number => {
    const all = series(name);
    assert.equal(all.length, 1, `found ${all.length} series of ${name}`);
    return all[0]?.value ?? NaN;
  };

  const reasons = series("panos_ipsec_scrape_failure");
  const label = ({ labels }: ReadSample): string => labels["reason"] ?? "";
  assert.deepEqual(reasons.map(label).sort(), [...REASONS]);
  assert(reasons.every(({ value }) => value === 0 || value === 1), text);
  const failures = reasons.filter(({ value }) => value === 1).map(label);
  const up = value("panos_ipsec_up");
  if (up === 1) {
    assert.deepEqual(failures, []);
  } else {
    assert.equal(up, 0);
    assert.equal(failures.length, 1, `failures: ${failures}`);
    assert.deepEqual(TUNNEL_FAMILIES.flatMap(series), []);
  }
  return {
    verdict: failures[0] ?? "up",
    states: series("ifIPsecOperStatus").map(({ value }) => value),
    text,
    series,
    value,
  };
}
