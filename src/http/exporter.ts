/**
 * The exporter as it serves: a fleet, and its metrics and page over HTTP.
 *
 * @module
 */

import type { Config } from "../config/config.ts";
import { createFleet, type Fleet } from "../firewall/fleet.ts";
import type { Clock } from "../std/clock.ts";
import { settledWithin } from "../std/deadline.ts";
import type { Log } from "../std/log.ts";
import { maskOf } from "../std/quote.ts";
import type { MetricFamily } from "../view/exposition.ts";
import * as metrics from "../view/metrics.ts";
import { renderPage } from "../view/page.ts";
import { createHandler } from "./routes.ts";
import { type Handler, type Serve, Server } from "./server.ts";

/** How long sessions and requests may take to end. */
const STOP_MS = 2_000;

/** What serving takes from the process. */
export interface Surroundings {
  readonly serve: Serve;
  /** What the process has used so far. */
  readonly measureProcess: () => metrics.ProcessStats;
  /** Settles when the process is asked to stop. */
  readonly stop: Promise<void>;
  /** Registers what is done when the process is told to reload. */
  readonly onReload: (reload: () => void) => void;
  readonly build: metrics.Build;
  readonly log: Log;
  readonly clock: Clock;
}

/**
 * Serves until it is asked to stop, and ends all sessions then.
 *
 * @throws {StartError} If the address cannot be listened on.
 * @throws {ConfigError} If certificate and key cannot be used.
 */
export async function serveFleet(
  config: Config,
  surroundings: Surroundings,
): Promise<void> {
  const { stop, onReload, build, log, clock } = surroundings;
  const { version, revision, denoVersion: deno } = build;
  log("info", "starting", { version, revision, deno });
  const fleet = createFleet(config, log, { clock });
  onReload(() => {
    fleet.forgetHolds();
    log("info", "logins are allowed again: holds forgotten, nothing else read");
  });
  const server = new Server({
    http: config.http,
    serve: surroundings.serve,
    handler: createExporter({ config, fleet, ...surroundings }),
    log,
    facts: {
      firewall: config.firewall?.name ?? "none",
      targets: config.targets.length,
    },
    clock,
  });
  await stop;
  log("info", "stopping");
  // sessions end with the polls in them, so that every request is answered
  const ended = Promise.all([fleet[Symbol.asyncDispose](), server.shutdown()]);
  await settledWithin(STOP_MS, ended, clock);
  log("info", "stopped");
}

type Served =
  & { readonly config: Config; readonly fleet: Fleet }
  & Pick<Surroundings, "build" | "measureProcess" | "log" | "clock">;

function createExporter(served: Served): Handler {
  const { config, fleet, build, log, clock } = served;
  return createHandler({
    firewall: fleet.main,
    targets: config.targets.map(({ name }) => name),
    findTarget: (text) => fleet.findTarget(text),
    find: (text) => fleet.find(text),
    ownFamilies: () => ownFamilies(served),
    probeFamilies: metrics.buildFamilies(build),
    statusPage: (only) => renderStatus(served, only),
    login: config.http.login,
    scrapeTimeoutMs: config.scrapeTimeoutMs,
    log,
    clock,
  });
}

function ownFamilies(
  { fleet: { main, logins }, build, measureProcess }: Served,
): readonly MetricFamily[] {
  return [
    // a firewall on /metrics shows its own logins instead
    ...(main === undefined ? metrics.loginFamilies(logins) : []),
    ...metrics.buildFamilies(build),
    ...metrics.processFamilies(measureProcess()),
  ];
}

function renderStatus(
  { fleet, config, build, clock }: Served,
  only: string | undefined,
): string {
  const { username, password } = config.credentials;
  const shown = fleet.firewalls
    .filter(({ target }) => only === undefined || target === only);
  return renderPage({
    firewalls: shown.map(({ status }) => status),
    isWhole: only !== undefined,
    metricsTarget: fleet.main?.target,
    hold: fleet.loginHold,
    mask: maskOf(password),
    username,
    version: build.version,
    now: clock.unixSeconds(),
  });
}
