/**
 * The exporter without HTTP: a fleet in this process, for a server of the
 * tests.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Clock } from "../../src/std/clock.ts";
import type { Config } from "../../src/config/config.ts";
import type { Firewall } from "../../src/firewall/firewall.ts";
import { createFleet, type Fleet } from "../../src/firewall/fleet.ts";
import type { Fields, LogLevel } from "../../src/std/log.ts";
import type { Poll } from "../../src/model/poll.ts";
import { Secret } from "../../src/std/secret.ts";
import type { Target } from "../../src/model/target.ts";

/** A server on the loopback, and who may log in to it. */
export interface Server {
  readonly port: number;
  readonly username?: string;
  readonly password?: string;
}

/** A line of the log. */
export interface Event {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: Fields;
}

/** A fleet, and what it logged; disposed, it ends. */
export interface FleetOfOne extends AsyncDisposable {
  readonly fleet: Fleet;
  readonly firewall: Firewall;
  readonly events: readonly Event[];
  /** @param waitMs Long enough for everything but a deadline. */
  poll(waitMs?: number): Promise<Poll>;
}

const PATIENCE_MS = 120_000;

/** Creates a fleet that knows one firewall. */
export function createFleetOfOne(
  server: Server,
  { clock, ...changes }: Partial<Config> & { readonly clock?: Clock } = {},
): FleetOfOne {
  const events: Event[] = [];
  const fleet = createFleet(
    createConfig(server, changes),
    (level, message, fields = {}) =>
      void events.push({ level, message, fields }),
    clock === undefined ? {} : { clock },
  );
  const firewall = fleet.main;
  assert(firewall !== undefined);
  return {
    fleet,
    firewall,
    events,
    async poll(waitMs = PATIENCE_MS): Promise<Poll> {
      const { poll } = await firewall.poll(waitMs);
      assert(poll !== undefined);
      return poll;
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await fleet[Symbol.asyncDispose]();
    },
  };
}

/** The configuration for a server: everything by default, no answer twice. */
export function createConfig(
  server: Server,
  changes: Partial<Config> = {},
): Config {
  const { username = "monitor", password = "correct horse" } = server;
  return {
    firewall: toTarget(server),
    targets: [],
    sshPort: 22,
    credentials: {
      username,
      password: new Secret(password),
      privateKey: undefined,
    },
    hostKeys: undefined,
    allowsLegacyAlgorithms: false,
    sessionIdleTimeoutMs: 600_000,
    loginTimeoutMs: 60_000,
    scrapeTimeoutMs: 30_000,
    minPollIntervalMs: 0,
    http: {
      address: "127.0.0.1",
      port: 9_098,
      login: undefined,
      tls: undefined,
    },
    log: { level: "debug", format: "logfmt" },
    warnings: [],
    ...changes,
  };
}

/** Names a server of the tests. */
export function toTarget({ port }: Server): Target {
  return { name: `127.0.0.1:${port}`, host: "127.0.0.1", port };
}
