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
import { createFleet, type Fleet } from "./src/firewall/fleet.ts";
import { createHandler } from "./src/http/routes.ts";
import { Server } from "./src/http/server.ts";
import { parsePrivateKey } from "./src/ssh/private_key.ts";
import { surviveBugs } from "./src/std/bugs.ts";
import { systemClock } from "./src/std/clock.ts";
import { LineQueue } from "./src/std/line_queue.ts";
import { createLog, FORMATS, type Log } from "./src/std/log.ts";
import { maskOf } from "./src/std/quote.ts";
import { print, readInput } from "./src/std/standard_streams.ts";
import { StartError } from "./src/std/start_error.ts";
import { REVISION, VERSION } from "./src/std/version.ts";
import type { MetricFamily } from "./src/view/exposition.ts";
import * as metrics from "./src/view/metrics.ts";
import { renderPage } from "./src/view/page.ts";

const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;
/** `EX_CONFIG` of sysexits.h; the unit does not restart on it. */
const EXIT_CONFIG = 78;

/** How long sessions and requests may take to end. */
const STOP_MS = 2_000;
/** How long the last lines on stderr may take. */
const LAST_LINES_MS = 500;

const build: metrics.Build = {
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
      const text =
        `panos-ipsec-exporter ${VERSION} (${REVISION}, Deno ${build.denoVersion})\n`;
      return await conclude({ stdout: text });
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
  const toNotice = (lines: number): string =>
    FORMATS[config.log.format]({ level: "warn", msg: "lines dropped", lines });
  const queue = new LineQueue((bytes) => Deno.stderr.write(bytes), toNotice);
  const mask = maskOf(config.credentials.password);
  const write = (line: string): void => queue.push(line);
  const log = createLog({ ...config.log, mask, write });
  try {
    return await task(config, log, write);
  } finally {
    await Promise.race([queue.flushed(), delay(LAST_LINES_MS)]);
  }
}

function checkNow(target: string | undefined): Task {
  return async (config, log, tell) => {
    warn(config, log);
    const show = (text: string): Promise<void> => print(text, Deno.stdout);
    return await check(config, target, { log, tell, print: show });
  };
}

async function serve(config: Config, log: Log): Promise<number> {
  const stop = untilSignal();
  const { version, revision, denoVersion: deno } = build;
  log("info", "starting", { version, revision, deno });
  warn(config, log);
  surviveBugs(log);
  const fleet = createFleet(config, log);
  Deno.addSignalListener("SIGHUP", () => {
    fleet.forgetHolds();
    log("info", "logins are allowed again: holds forgotten, nothing else read");
  });
  const handler = createHandler({
    firewall: fleet.main,
    targets: config.targets.map(({ name }) => name),
    findTarget: fleet.findTarget,
    find: fleet.find,
    ownFamilies: () => ownFamilies(fleet),
    build,
    statusPage: (only) => statusPage(fleet, config, only),
    login: config.http.login,
    scrapeTimeoutMs: config.scrapeTimeoutMs,
    log,
    clock: systemClock,
  });
  const server = new Server({
    http: config.http,
    serve: Deno.serve,
    handler,
    log,
    facts: {
      firewall: config.firewall?.name ?? "none",
      targets: config.targets.length,
    },
    clock: systemClock,
  });
  await stop;
  log("info", "stopping");
  // what is polled now fails as its session ends, and so is answered
  const ended = Promise.all([fleet[Symbol.asyncDispose](), server.shutdown()]);
  await Promise.race([ended, delay(STOP_MS)]);
  log("info", "stopped");
  return 0;
}

function warn({ warnings }: Config, log: Log): void {
  for (const warning of warnings) log("warn", "odd configuration", { warning });
}

function ownFamilies({ logins, main }: Fleet): readonly MetricFamily[] {
  const { user, system } = process.cpuUsage();
  return [
    // with a firewall its own are shown
    ...(main === undefined ? metrics.loginFamilies(logins) : []),
    ...metrics.buildFamilies(build),
    ...metrics.processFamilies({
      cpuSeconds: (user + system) / 1_000_000,
      residentMemoryBytes: Deno.memoryUsage().rss,
      startTime: performance.timeOrigin / 1_000,
    }),
  ];
}

function statusPage(
  fleet: Fleet,
  { credentials: { username, password } }: Config,
  only: string | undefined,
): string {
  const shown = fleet.firewalls
    .filter(({ target }) => only === undefined || target === only);
  return renderPage({
    firewalls: shown.map(({ status }) => status),
    isWhole: only !== undefined,
    metricsTarget: fleet.main?.target,
    hold: fleet.loginHold,
    mask: maskOf(password),
    username,
    version: VERSION,
    now: systemClock.unixSeconds(),
  });
}

async function untilSignal(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  Deno.addSignalListener("SIGINT", resolve);
  Deno.addSignalListener("SIGTERM", resolve);
  await promise;
}

async function delay(ms: number): Promise<void> {
  await new Promise<void>((resolve) => systemClock.setTimer(ms, resolve));
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
  await Promise.race([told, delay(LAST_LINES_MS)]);
  Deno.exit(error instanceof ConfigError ? EXIT_CONFIG : EXIT_FAILURE);
}
