/**
 * The program: command line, environment, signals, exit code.
 *
 * @module
 */

import process from "node:process";
import { check } from "./src/check/check.ts";
import { readCommandLine } from "./src/check/command_line.ts";
import { EXIT, type ExitCode, type Outcome } from "./src/check/outcome.ts";
import { parse } from "./src/check/parse.ts";
import { redact } from "./src/check/redact.ts";
import { type Config, ConfigError, parseConfig } from "./src/config/config.ts";
import { serveFleet } from "./src/http/exporter.ts";
import { parsePrivateKey } from "./src/ssh/private_key.ts";
import { surviveBugs } from "./src/std/bugs.ts";
import { systemClock } from "./src/std/clock.ts";
import { settledWithin } from "./src/std/deadline.ts";
import { maskOf } from "./src/std/quote.ts";
import { createQueuedLog, type QueuedLog } from "./src/std/queued_log.ts";
import { print, readInput } from "./src/std/standard_streams.ts";
import { StartError } from "./src/std/start_error.ts";
import { REVISION, VERSION } from "./src/std/version.ts";
import type { Build, ProcessStats } from "./src/view/metrics.ts";

/** How long the last lines on stderr may take. */
const LAST_LINES_MS = 500;

const build: Build = {
  version: VERSION,
  revision: REVISION,
  denoVersion: Deno.version.deno,
};

async function run(words: readonly string[]): Promise<ExitCode> {
  const action = readCommandLine(words, build);
  switch (action.kind) {
    case "serve":
      return await withLog(readConfig(), serve);
    case "check":
      return await withLog(onlyWarning(readConfig()), checkNow(action.target));
    case "parse": {
      const reply = await readInput(Deno.stdin);
      return await conclude(parse(reply, systemClock.unixSeconds()));
    }
    case "redact":
      return await conclude(redact(await readInput(Deno.stdin)));
    case "print":
      return await conclude(action.outcome);
  }
}

function readConfig(): Config {
  return parseConfig((name) => Deno.env.get(name), parsePrivateKey);
}

/** For people, who see what is printed: the log has only what is wrong. */
function onlyWarning({ log, ...config }: Config): Config {
  return { ...config, log: { ...log, level: "warn" } };
}

/** What is done with a configuration. */
type Task = (config: Config, log: QueuedLog) => Promise<ExitCode>;

async function withLog(config: Config, task: Task): Promise<ExitCode> {
  const queued = createQueuedLog({
    ...config.log,
    mask: maskOf(config.credentials.password),
    write: (bytes) => Deno.stderr.write(bytes),
  });
  try {
    return await task(config, queued);
  } finally {
    await settledWithin(LAST_LINES_MS, queued.flushed(), systemClock);
  }
}

function checkNow(target: string | undefined): Task {
  const show = (text: string): Promise<void> => print(text, Deno.stdout);
  return async (config, { log, tell }) =>
    await check(config, target, { log, tell, print: show });
}

async function serve(config: Config, { log }: QueuedLog): Promise<ExitCode> {
  const stop = Promise.withResolvers<void>();
  Deno.addSignalListener("SIGINT", stop.resolve);
  Deno.addSignalListener("SIGTERM", stop.resolve);
  surviveBugs(log);
  await serveFleet(config, {
    serve: Deno.serve,
    measureProcess,
    stop: stop.promise,
    onReload: (reload) => Deno.addSignalListener("SIGHUP", reload),
    build,
    log,
    clock: systemClock,
  });
  return EXIT.good;
}

function measureProcess(): ProcessStats {
  const { user, system } = process.cpuUsage();
  return {
    cpuSeconds: (user + system) / 1_000_000,
    residentMemoryBytes: Deno.memoryUsage().rss,
    startedAt: performance.timeOrigin / 1_000,
  };
}

async function conclude(outcome: Outcome): Promise<ExitCode> {
  await print(outcome.stdout, Deno.stdout);
  // who cannot read why still gets the exit code
  await print(outcome.stderr, Deno.stderr).catch(() => {});
  return outcome.code;
}

try {
  Deno.exit(await run(Deno.args));
} catch (error) {
  const isConfig = error instanceof ConfigError;
  if (!isConfig && !(error instanceof StartError)) throw error;
  const printed = print(`${error.message}\n`, Deno.stderr).catch(() => {});
  await settledWithin(LAST_LINES_MS, printed, systemClock);
  Deno.exit(isConfig ? EXIT.config : EXIT.failure);
}
