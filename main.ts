/**
 * The program: flags, environment, server, signals, exit code.
 *
 * @module
 */

import process from "node:process";
import { check, type Outcome, parse } from "./src/check/check.ts";
import { type Config, ConfigError, parseConfig } from "./src/config/config.ts";
import type { MetricFamily } from "./src/view/exposition.ts";
import { createFleet, type Fleet } from "./src/firewall/fleet.ts";
import { createHandler } from "./src/http/routes.ts";
import { createLog, type Log } from "./src/std/log.ts";
import {
  buildFamilies,
  loginFamilies,
  processFamilies,
} from "./src/view/metrics.ts";
import { renderPage } from "./src/view/page.ts";
import type { Status } from "./src/model/poll.ts";
import { escapeUnsafe } from "./src/std/quote.ts";
import type { Credentials } from "./src/ssh/authentication.ts";
import { parsePrivateKey } from "./src/ssh/private_key.ts";
import { REVISION, VERSION } from "./src/std/version.ts";

const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;
/** `EX_CONFIG` of sysexits.h; the unit does not restart on it. */
const EXIT_CONFIG = 78;

/** How long sessions and requests may take to end. */
const STOP_MS = 2_500;
/** How long to wait before listening again. */
const LISTEN_AGAIN_MS = 1_000;

const USAGE = `Usage: panos-ipsec-exporter [option]

Without an option it serves /metrics, configured by environment variables:
USERNAME, PASSWORD, HOSTNAME and HTTP_SERVER_PORT are enough; README.md has all.

  --check [TARGET]  poll once, print the exposition and a verdict
  --parse           read a saved reply to "show vpn flow" from standard input
  --version         print the version
  --help            print this
`;

const build = {
  version: VERSION,
  revision: REVISION,
  denoVersion: Deno.version.deno,
};

async function run(args: readonly string[]): Promise<number> {
  const [option, operand, ...others] = args;
  const mayHaveOperand = option === "--check";
  if (others.length > 0 || (operand !== undefined && !mayHaveOperand)) {
    return await usageError();
  }
  switch (option) {
    case undefined:
      return await serve(readConfig());
    case "--check":
      return await checkNow(readConfig(), operand);
    case "--parse":
      return await conclude(parse(await readInput(), Date.now() / 1_000));
    case "--version": {
      const { version, revision, denoVersion } = build;
      const text =
        `panos-ipsec-exporter ${version} (${revision}, Deno ${denoVersion})\n`;
      return await conclude({ stdout: text, stderr: "", code: 0 });
    }
    case "--help":
      return await conclude({ stdout: USAGE, stderr: "", code: 0 });
    default:
      return await usageError();
  }
}

function readConfig(): Config {
  return parseConfig((name) => Deno.env.get(name), parsePrivateKey);
}

async function usageError(): Promise<number> {
  await print(USAGE, Deno.stderr);
  return EXIT_USAGE;
}

async function checkNow(config: Config, name?: string): Promise<number> {
  const log = createLog({ ...config.log, level: "warn", write: printLine });
  warn(config, log);
  const fleet = createFleet({ ...config, sessionMaxAgeMs: 0 }, log);
  const named = name === undefined ? undefined : fleet.find(name);
  if (name !== undefined && named === undefined) {
    const text =
      "Cannot check a firewall that neither HOSTNAME nor TARGETS names\n";
    await print(text, Deno.stderr);
    return EXIT_USAGE;
  }
  const firewalls = named === undefined ? fleet.firewalls : [named];
  try {
    // nobody comes back for a login that takes longer than a scrape may
    const waitMs = config.loginTimeoutMs + config.scrapeTimeoutMs;
    return await conclude(await check(firewalls, waitMs));
  } finally {
    await fleet.end();
  }
}

async function serve(config: Config): Promise<number> {
  const log = createLog({ ...config.log, write: printLine });
  log("info", "starting", {
    version: VERSION,
    revision: REVISION,
    deno: Deno.version.deno,
  });
  warn(config, log);
  logBugs(log);

  const fleet = createFleet(config, log);
  const handler = createHandler({
    firewall: fleet.main,
    findTarget: fleet.findTarget,
    ownFamilies: () => ownFamilies(fleet),
    build,
    statusPage: () => statusPage(fleet, config.credentials),
    login: config.http.login,
    scrapeTimeoutMs: config.scrapeTimeoutMs,
    log,
  });
  const stop = untilSignal();
  let server: Deno.HttpServer | undefined = listen(config, handler, log);
  while (await Promise.race([stop, untilFailure(server, log)]) === "failed") {
    server = listenAgain(config, handler, log);
  }
  log("info", "stopping");
  // what is polled now fails as its session ends, and so is answered
  await Promise.race([
    Promise.all([fleet.end(), server?.shutdown()]),
    delay(STOP_MS),
  ]);
  log("info", "stopped");
  return 0;
}

function warn({ warnings }: Config, log: Log): void {
  for (const warning of warnings) log("warn", "odd configuration", { warning });
}

type Handler = ReturnType<typeof createHandler>;

function listen(
  { http: { address, port, tls }, targets, firewall }: Config,
  handler: Handler,
  log: Log,
): Deno.HttpServer {
  const options = {
    hostname: address,
    port,
    automaticCompression: true,
    onListen: (): void =>
      log("info", "listening", {
        address,
        port,
        tls: tls === undefined ? "off" : "on",
        firewall: firewall?.name ?? "none",
        targets: targets.length,
      }),
  };
  try {
    return tls === undefined ? Deno.serve(options, handler) : Deno.serve({
      ...options,
      cert: tls.certificate,
      key: tls.key.reveal(),
    }, handler);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    // only what the system says has a code
    if (tls === undefined || "code" in error) {
      const message =
        `Cannot listen on ${address} port ${port}: ${error.message}`;
      throw new StartError(message, { cause: error });
    }
    const what = "HTTP_TLS_CERT and HTTP_TLS_KEY cannot be used together";
    throw new ConfigError([`${what}: ${error.message}`]);
  }
}

/** @returns `undefined` if it is not possible yet. */
function listenAgain(
  config: Config,
  handler: Handler,
  log: Log,
): Deno.HttpServer | undefined {
  try {
    return listen(config, handler, log);
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    log("error", "cannot listen yet", { error: error.message });
    return undefined;
  }
}

/** Why the program cannot do what it was started for. */
class StartError extends Error {
  override readonly name = "StartError";
}

function ownFamilies({ logins, main }: Fleet): readonly MetricFamily[] {
  return [
    // with a firewall its own are shown
    ...(main === undefined ? loginFamilies(logins) : []),
    ...buildFamilies(build),
    ...processFamilies({
      cpuSeconds: cpuSeconds(),
      residentMemoryBytes: Deno.memoryUsage().rss,
      startTime: performance.timeOrigin / 1_000,
    }),
  ];
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000_000;
}

function statusPage(
  fleet: Fleet,
  { username }: Pick<Credentials, "username">,
): string {
  return renderPage({
    firewalls: fleet.firewalls.map(({ status }) =>
      withoutUsername(status, username)
    ),
    metricsTarget: fleet.main?.target,
    version: VERSION,
    now: Date.now() / 1_000,
  });
}

/** What firewalls ask and answer can hold the name of the account. */
function withoutUsername(status: Status, username: string): Status {
  const { poll } = status;
  if (poll === undefined || poll.ok) return status;
  const name = RegExp.escape(escapeUnsafe(username));
  const word = new RegExp(
    `(?<![\\p{L}\\p{N}_])${name}(?![\\p{L}\\p{N}_])`,
    "giu",
  );
  const message = poll.message.replace(word, "USERNAME");
  return { ...status, poll: { ...poll, message } };
}

/** Keeps a bug in one request or session from ending the process. */
function logBugs(log: Log): void {
  const survive = (event: Event, cause: unknown): void => {
    event.preventDefault();
    const error = cause instanceof Error ? cause.stack : undefined;
    log("error", "bug: please report this", { error: error ?? String(cause) });
  };
  addEventListener(
    "unhandledrejection",
    (event) => survive(event, event.reason),
  );
  addEventListener("error", (event) => survive(event, event.error));
}

async function untilSignal(): Promise<"stop"> {
  const { promise, resolve } = Promise.withResolvers<"stop">();
  Deno.addSignalListener("SIGINT", () => resolve("stop"));
  Deno.addSignalListener("SIGTERM", () => resolve("stop"));
  return await promise;
}

/**
 * Settles when it is time to listen again. A listener fails, for one, when the
 * process runs out of descriptors.
 */
async function untilFailure(
  server: Deno.HttpServer | undefined,
  log: Log,
): Promise<"failed"> {
  try {
    await server?.finished;
  } catch (error) {
    log("error", "listener failed, listening again", { error: String(error) });
  }
  await delay(LISTEN_AGAIN_MS);
  return "failed";
}

async function delay(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

async function conclude({ stdout, stderr, code }: Outcome): Promise<number> {
  await print(stdout, Deno.stdout);
  await print(stderr, Deno.stderr);
  return code;
}

async function readInput(): Promise<Uint8Array> {
  try {
    return await new Response(Deno.stdin.readable).bytes();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const message = `Cannot read standard input: ${error.message}`;
    throw new StartError(message, { cause: error });
  }
}

async function print(
  text: string,
  { writable }: { readonly writable: WritableStream<Uint8Array> },
): Promise<void> {
  try {
    await new Blob([text]).stream().pipeTo(writable, { preventClose: true });
  } catch (error) {
    // a full disk, or a reader that has seen enough
    if (!(error instanceof Error)) throw error;
    throw new StartError(`Cannot print: ${error.message}`, { cause: error });
  }
}

function printLine(line: string): void {
  // deno-lint-ignore no-console -- the log of the program
  console.error(line);
}

try {
  Deno.exit(await run(Deno.args));
} catch (error) {
  if (error instanceof ConfigError) {
    printLine(error.message);
    Deno.exit(EXIT_CONFIG);
  }
  if (!(error instanceof StartError)) throw error;
  printLine(error.message);
  Deno.exit(EXIT_FAILURE);
}
