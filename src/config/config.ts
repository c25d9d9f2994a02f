/**
 * Configuration, read once from environment variables at the start.
 *
 * @module
 */

import type { Target } from "../model/target.ts";
import type { Credentials } from "../ssh/authentication.ts";
import {
  LOG_FORMATS,
  LOG_LEVELS,
  type LogFormat,
  type LogLevel,
} from "../std/log.ts";
import { type ParsePrivateKey, readCredentials } from "./credentials.ts";
import { type HostKeyPin, hostKeyWarnings, readHostKeys } from "./host_keys.ts";
import { type HttpConfig, readHttp } from "./http.ts";
import { ConfigError, type Environment, Reader } from "./reader.ts";
import { readTargets } from "./targets.ts";

export { ConfigError } from "./reader.ts";

/** Everything an operator can set. Times are in milliseconds. */
export interface Config {
  /** What `/metrics` polls; `undefined` if only `/probe` polls. */
  readonly firewall: Target | undefined;
  /** What `/probe` may poll. */
  readonly targets: readonly Target[];
  /** The port of a firewall that is named without one. */
  readonly sshPort: number;
  readonly credentials: Credentials;
  /** `undefined` accepts the first key that each firewall shows. */
  readonly hostKeys: readonly HostKeyPin[] | undefined;
  readonly allowsLegacyAlgorithms: boolean;
  /** How long a session may stand unused; 0 is a login per poll. */
  readonly sessionIdleTimeoutMs: number;
  readonly loginTimeoutMs: number;
  /** How long a request waits that does not say so itself. */
  readonly scrapeTimeoutMs: number;
  readonly minPollIntervalMs: number;
  readonly http: HttpConfig;
  readonly log: { readonly level: LogLevel; readonly format: LogFormat };
  /** What looks like a mistake, but is no reason not to start. */
  readonly warnings: readonly string[];
}

/**
 * Turns environment variables into a {@linkcode Config}.
 *
 * An empty variable counts as not set.
 *
 * @throws {ConfigError} If any variable is missing or wrong.
 */
export function parseConfig(
  env: Environment,
  parsePrivateKey: ParsePrivateKey,
): Config {
  const reader = new Reader(env);
  const sshPort = reader.port(
    { name: "SSH_PORT", value: reader.text("SSH_PORT") },
    22,
  );
  const { firewall, targets = [], warnings } = readTargets(reader, sshPort);
  const hostKeys = readHostKeys(reader, sshPort);
  const others = targets.filter((target) => target !== firewall);
  const known = firewall === undefined ? others : [firewall, ...others];
  const config: Config = {
    firewall,
    targets,
    sshPort,
    credentials: readCredentials(reader, parsePrivateKey),
    hostKeys,
    allowsLegacyAlgorithms:
      reader.word("SSH_LEGACY_ALGORITHMS", ["false", "true"]) === "true",
    sessionIdleTimeoutMs: reader.seconds(
      "SSH_SESSION_IDLE_TIMEOUT",
      600,
      [0, 86_400],
    ),
    loginTimeoutMs: reader.seconds("SSH_LOGIN_TIMEOUT", 60, [1, 600]),
    scrapeTimeoutMs: reader.seconds("SCRAPE_TIMEOUT", 30, [0.25, 120]),
    minPollIntervalMs: reader.seconds("MIN_POLL_INTERVAL", 1, [0, 3_600]),
    http: readHttp(reader),
    log: {
      level: reader.word("LOG_LEVEL", LOG_LEVELS, "info"),
      format: reader.word("LOG_FORMAT", LOG_FORMATS),
    },
    warnings: [...warnings, ...hostKeyWarnings(hostKeys ?? [], known)],
  };
  if (reader.faults.length > 0) throw new ConfigError(reader.faults);
  return config;
}
