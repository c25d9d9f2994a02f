/**
 * The exporter as its operator meets it: a process with an environment, pages
 * and a log.
 *
 * It is `main.ts`, or the executable that `EXPORTER_EXECUTABLE` names.
 *
 * @module
 */

import assert from "node:assert/strict";
import { REASONS } from "../../src/model/poll.ts";
import { eventually, freePort, lines } from "./system.ts";

/** A running exporter. */
export interface Exporter extends AsyncDisposable {
  readonly url: string;
  /** Asks for a path and keeps the page for {@linkcode Exporter.shown}. */
  get(path: string, init?: RequestInit): Promise<Page>;
  /** Scrapes `/metrics` and checks what holds for each answer. */
  scrape(options?: ScrapeOptions): Promise<Scrape>;
  /** Lines on stderr so far. */
  log(): readonly string[];
  /** All that it has said so far: stdout, stderr and pages. */
  shown(): string;
  /** Ends it, with SIGTERM unless said otherwise. */
  stop(signal?: Deno.Signal): Promise<Exit>;
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

export interface Exit {
  readonly code: number;
  readonly seconds: number;
}

/** One answer of `/metrics`. */
export interface Scrape {
  /** `up`, or why it is not. */
  readonly verdict: string;
  /** Values of `ifIPsecOperStatus` in the order of the page. */
  readonly states: readonly number[];
  readonly text: string;
  /** Seconds that the answer took. */
  readonly seconds: number;
  /** Series of a family in the order of the page. */
  series(name: string): readonly Series[];
  /** Value of the only series of a family. */
  value(name: string): number;
}

export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Variables of the operator. */
export type Environment = Readonly<Record<string, string>>;

/** Starts the exporter with these variables, on a free port of 127.0.0.1. */
export async function startExporter(
  environment: Environment,
): Promise<Exporter> {
  for (let tries = 1;; tries++) {
    const port = freePort();
    const exporter = launch(environment, port);
    if (await exporter.isListening()) return exporter;
    await exporter.stop();
    // Another process can take a free port before the exporter does.
    if (tries === 3 || !/address.*in use/i.test(exporter.shown())) {
      throw new Error(`Cannot start the exporter: ${exporter.shown()}`);
    }
  }
}

interface Launched extends Exporter {
  /** Waits until it answers; `false` if it ends instead. */
  isListening(): Promise<boolean>;
}

/** What an answer and an end may take before the exporter is said to hang. */
const PATIENCE_MS = 60_000;

function launch(environment: Environment, port: number): Launched {
  const child = command([], {
    HTTP_LISTEN_ADDRESS: "127.0.0.1",
    HTTP_SERVER_PORT: String(port),
    ...environment,
  }).spawn();
  const log: string[] = [];
  const shown: string[] = [];
  const read = async (
    stream: ReadableStream<Uint8Array>,
    note: (line: string) => unknown,
  ): Promise<void> => {
    for await (const line of lines(stream)) {
      shown.push(line);
      note(line);
    }
  };
  const said = Promise.all([
    read(child.stdout, () => {}),
    read(child.stderr, (line) => log.push(line)),
  ]);
  let exit: Promise<Exit> | undefined;
  const end = async (signal: Deno.Signal): Promise<Exit> => {
    const start = performance.now();
    try {
      child.kill(signal);
    } catch (error) {
      // It has ended by itself.
      if (!(error instanceof TypeError)) throw error;
    }
    const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
    const { code } = await child.status;
    clearTimeout(timer);
    const seconds = (performance.now() - start) / 1_000;
    await said;
    return { code, seconds };
  };
  const url = `http://127.0.0.1:${port}`;
  const get = async (path: string, init?: RequestInit): Promise<Page> => {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const response = await fetch(`${url}${path}`, { ...init, signal });
    const text = strictly(new Uint8Array(await response.arrayBuffer()));
    shown.push(text, JSON.stringify([...response.headers]));
    return { status: response.status, headers: response.headers, text };
  };
  return {
    url,
    get,
    async scrape({ timeout } = {}): Promise<Scrape> {
      const start = performance.now();
      const page = await get("/metrics", {
        headers: timeout === undefined
          ? {}
          : { "X-Prometheus-Scrape-Timeout-Seconds": String(timeout) },
      });
      const seconds = (performance.now() - start) / 1_000;
      return { ...readScrape(page), seconds };
    },
    log: () => log,
    shown: () => shown.join("\n"),
    async isListening(): Promise<boolean> {
      let hasEnded = false;
      child.status.then(() => hasEnded = true);
      const isHealthy = async (): Promise<boolean> => {
        const page = await get("/-/healthy").catch(() => undefined);
        return page?.status === 200;
      };
      await eventually(async () => hasEnded || await isHealthy(), {
        seconds: 20,
      });
      return !hasEnded;
    },
    stop: (signal = "SIGTERM") => exit ??= end(signal),
    async [Symbol.asyncDispose](): Promise<void> {
      await (exit ??= end("SIGKILL"));
    },
  };
}

/** What the exporter says and how it ends when it is given arguments. */
export async function runExporter(
  args: readonly string[],
  environment: Environment,
): Promise<Finished> {
  const output = await command(args, environment).output();
  return {
    code: output.code,
    stdout: strictly(output.stdout),
    stderr: strictly(output.stderr),
  };
}

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function command(
  args: readonly string[],
  environment: Environment,
): Deno.Command {
  const executable = Deno.env.get("EXPORTER_EXECUTABLE");
  const main = new URL("../../main.ts", import.meta.url).pathname;
  const run = ["run", "--no-prompt", "--allow-net", "--allow-env", main];
  // Deno itself must find the packages that it has on disk.
  const own = ["HOME", "DENO_DIR", "XDG_CACHE_HOME"]
    .flatMap((name) => {
      const value = Deno.env.get(name);
      return value === undefined ? [] : [[name, value]];
    });
  return new Deno.Command(executable ?? Deno.execPath(), {
    args: executable === undefined ? [...run, ...args] : [...args],
    clearEnv: true,
    env: {
      ...(executable === undefined ? Object.fromEntries(own) : {}),
      ...environment,
    },
    stdin: "null",
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

function readScrape(page: Page): Omit<Scrape, "seconds"> {
  const { text } = page;
  assert.equal(page.status, 200, text);
  assert.equal(
    page.headers.get("content-type"),
    "text/plain; version=0.0.4; charset=utf-8",
  );
  const samples = readSamples(text);
  const series = (name: string): readonly Series[] =>
    samples.filter((sample) => sample.name === name);
  const value = (name: string): number => {
    const all = series(name);
    assert.equal(all.length, 1, `found ${all.length} series of ${name}`);
    return all[0]?.value ?? NaN;
  };

  const reasons = series("panos_ipsec_scrape_failure");
  const label = ({ labels }: Series): string => labels["reason"] ?? "";
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

interface NamedSeries extends Series {
  readonly name: string;
}

function readSamples(text: string): readonly NamedSeries[] {
  assert(text.endsWith("\n"), "the page does not end in a line end");
  return text.trimEnd().split("\n").filter((line) => !line.startsWith("#"))
    .map((line) => {
      const sample = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line);
      assert(sample, `not a sample: ${line}`);
      const [, name = "", labels = "", value = ""] = sample;
      return { name, labels: readLabels(labels), value: Number(value) };
    });
}

function readLabels(text: string): Readonly<Record<string, string>> {
  const pairs = text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"(?:,|$)/g);
  return Object.fromEntries(
    Array.from(pairs, ([, name, value = ""]) => [
      name,
      value.replace(
        /\\(.)/g,
        (_, character) => character === "n" ? "\n" : character,
      ),
    ]),
  );
}
