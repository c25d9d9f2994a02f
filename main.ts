/**
 * The program: command line, environment, signals, exit code.
 *
 * @module
 */

import process from "node:process";
import { check } from "./src/check/check.ts";
import { readCommandLine, USAGE } from "./src/check/command_line.ts";
import { parse } from "./src/check/parse.ts";
import { redact } from "./src/check/redact.ts";
import { type Config, ConfigError, parseConfig } from "./src/config/config.ts";
import { logWarnings, serveFleet } from "./src/http/exporter.ts";
import { parsePrivateKey } from "./src/ssh/private_key.ts";
import { surviveBugs } from "./src/std/bugs.ts";
import { delay, systemClock } from "./src/std/clock.ts";
import type { Log } from "./src/std/log.ts";
import { maskOf } from "./src/std/quote.ts";
import { createQueuedLog } from "./src/std/queued_log.ts";
import { print, readInput } from "./src/std/standard_streams.ts";
import { StartError } from "./src/std/start_error.ts";
import { REVISION, VERSION } from "./src/std/version.ts";
import type { Build, ProcessStats } from "./src/view/metrics.ts";

const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;
/** `EX_CONFIG` of sysexits.h; the unit does not restart on it. */
const EXIT_CONFIG = 78;

/** How long the last lines on stderr may take. */
const LAST_LINES_MS = 500;

const build: Build = {
  version: VERSION,
  revision: REVISION,
  denoVersion: Deno.version.deno,
};

async function run(args: readonly string[]): Promise<number> {
  const command = readCommandLine(args);
  switch (command.action) {
    case "serve":
      return await withLog(readConfig(), serve);
    case "check": {
      const { log, ...config } = readConfig();
      const quiet: Config = { ...config, log: { ...log, level: "warn" } };
      return await withLog(quiet, checkNow(command.target));
    }
    case "parse": {
      const reply = await readInput(Deno.stdin);
      return await conclude(parse(reply, systemClock.unixSeconds()));
    }
    case "redact":
      return await conclude(redact(await readInput(Deno.stdin)));
    case "version": {
      const runtime = `${REVISION}, Deno ${build.denoVersion}`;
      const stdout = `panos-ipsec-exporter ${VERSION} (${runtime})\n`;
      return await conclude({ stdout });
    }
    case "help":
      return await conclude({ stdout: USAGE });
    case "refuse": {
      const stderr = `${command.problem}\n\n${USAGE}`;
      return await conclude({ stderr, code: EXIT_USAGE });
    }
  }
}

function readConfig(): Config {
  return parseConfig((name) => Deno.env.get(name), parsePrivateKey);
}

/** What is done with a configuration; the outcome is the exit code. */
type Task = (
  config: Config,
  log: Log,
  /** Shows a line on stderr that is no event. */
  tell: (line: string) => void,
) => Promise<number>;

async function withLog(config: Config, task: Task): Promise<number> {
  const mask = maskOf(config.credentials.password);
  const write = (bytes: Uint8Array): Promise<number> =>
    Deno.stderr.write(bytes);
  const { log, tell, flushed } = createQueuedLog({
    ...config.log,
    mask,
    write,
  });
  try {
    return await task(config, log, tell);
  } finally {
    await Promise.race([flushed(), delay(LAST_LINES_MS, systemClock)]);
  }
}

function checkNow(target: string | undefined): Task {
  return async (config, log, tell) => {
    logWarnings(config, log);
    const show = (text: string): Promise<void> => print(text, Deno.stdout);
    return await check(config, target, { log, tell, print: show });
  };
}

async function serve(config: Config, log: Log): Promise<number> {
  const stop = untilSignal();
  surviveBugs(log);
  await serveFleet(config, {
    serve: Deno.serve,
    measureProcess,
    stop,
    onReload: (forget) => Deno.addSignalListener("SIGHUP", forget),
    build,
    log,
    clock: systemClock,
  });
  return 0;
}

function measureProcess(): ProcessStats {
  const { user, system } = process.cpuUsage();
  return {
    cpuSeconds: (user + system) / 1_000_000,
    residentMemoryBytes: Deno.memoryUsage().rss,
    startedAt: performance.timeOrigin / 1_000,
  };
}

async function untilSignal(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  Deno.addSignalListener("SIGINT", resolve);
  Deno.addSignalListener("SIGTERM", resolve);
  await promise;
}

async function conclude(
  { stdout = "", stderr = "", code = 0 }: {
    readonly stdout?: string;
    readonly stderr?: string;
    readonly code?: number;
  },
): Promise<number> {
  await print(stdout, Deno.stdout);
  await print(stderr, Deno.stderr);
  return code;
}

try {
  Deno.exit(await run(Deno.args));
} catch (error) {
  const isExpected = error instanceof ConfigError ||
    error instanceof StartError;
  if (!isExpected) throw error;
  const told = print(`${error.message}\n`, Deno.stderr).catch(() => {});
  await Promise.race([told, delay(LAST_LINES_MS, systemClock)]);
  Deno.exit(error instanceof ConfigError ? EXIT_CONFIG : EXIT_FAILURE);
}
