/**
 * Configuration, read once from environment variables at the start.
 *
 * @module
 */

import { isIP } from "node:net";
import {
  LOG_FORMATS,
  LOG_LEVELS,
  type LogFormat,
  type LogLevel,
} from "../std/log.ts";
import { quote } from "../std/quote.ts";
import { Secret } from "../std/secret.ts";
import type { Credentials } from "../ssh/authentication.ts";
import type { PrivateKey } from "../ssh/private_key.ts";
import { isSameTarget, parseTarget, type Target } from "../model/target.ts";

/** Everything an operator can set. Times are in milliseconds. */
export interface Config {
  /** What `/metrics` polls; `undefined` if only `/probe` polls. */
  readonly firewall: Target | undefined;
  /** What `/probe` may poll. */
  readonly targets: readonly Target[];
  /** Of a firewall that is named without one. */
  readonly sshPort: number;
  readonly credentials: Credentials;
  /** `undefined` accepts the first key that each firewall shows. */
  readonly hostKeys: readonly HostKeyPin[] | undefined;
  readonly legacyAlgorithms: boolean;
  readonly sessionMaxAgeMs: number;
  readonly loginTimeoutMs: number;
  /** How long a request waits that does not say so itself. */
  readonly scrapeTimeoutMs: number;
  readonly minPollIntervalMs: number;
  readonly http: HttpConfig;
  readonly log: { readonly level: LogLevel; readonly format: LogFormat };
  /** What is odd about it, but no reason not to start. */
  readonly warnings: readonly string[];
}

/** The door. */
export interface HttpConfig {
  readonly address: string;
  readonly port: number;
  /** Whom every route but `/-/healthy` asks for; `undefined` asks nobody. */
  readonly login:
    | { readonly username: string; readonly password: Secret }
    | undefined;
  /** PEM text; `undefined` speaks plain HTTP. */
  readonly tls:
    | { readonly certificate: string; readonly key: Secret }
    | undefined;
}

/** An accepted host key. */
export interface HostKeyPin {
  /** As `ssh-keygen -lf` prints it. */
  readonly fingerprint: string;
  /** The only firewall it is accepted of; `undefined`: of all. */
  readonly target: Target | undefined;
}

/** Thrown with every fault found, so that one restart is enough. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(`Cannot start with this environment:\n  ${faults.join("\n  ")}`);
    this.faults = faults;
  }
}

/** Looks up one variable. */
export type Environment = (name: string) => string | undefined;

/**
 * Reads a private key.
 *
 * @throws {Error} With a message that says what is wrong, without the key.
 */
export type ParsePrivateKey = (
  text: string,
  passphrase: string | undefined,
) => PrivateKey;

const FINGERPRINT = /^SHA256:[A-Za-z0-9+/]{43}$/;

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
  const faults: string[] = [];
  const warnings: string[] = [];
  const read = createReader(env, faults);

  const sshPort = read.port("SSH_PORT", 22);
  const { firewall, targets } = readTargets(read, faults, sshPort);
  const hostKeys = readHostKeys(read, faults, sshPort);
  const config: Config = {
    firewall,
    targets,
    sshPort,
    credentials: readCredentials(read, faults, parsePrivateKey),
    hostKeys,
    legacyAlgorithms: read.word("SSH_LEGACY_ALGORITHMS", ["false", "true"]) ===
      "true",
    sessionMaxAgeMs: read.seconds("SSH_SESSION_MAX_AGE", 600, [0, 86_400]),
    loginTimeoutMs: read.seconds("SSH_LOGIN_TIMEOUT", 60, [1, 600]),
    scrapeTimeoutMs: read.seconds("SCRAPE_TIMEOUT", 30, [0.25, 120]),
    minPollIntervalMs: read.seconds("MIN_POLL_INTERVAL", 1, [0, 3_600]),
    http: readHttp(read, faults),
    log: {
      level: read.word("LOG_LEVEL", LOG_LEVELS, "info"),
      format: read.word("LOG_FORMAT", LOG_FORMATS),
    },
    warnings,
  };
  warnings.push(...warningsOf(config));
  if (faults.length > 0) throw new ConfigError(faults);
  return config;
}

/** Reads variables one by one and notes what is wrong with them. */
interface Reader {
  text(name: string): string | undefined;
  /** The `PE_` form, or else the plain one, and which of them it is. */
  either(name: string): {
    readonly name: string;
    readonly value: string | undefined;
  };
  /** What commas separate; at least one entry, if it is set at all. */
  list(name: string): readonly string[] | undefined;
  port(name: string, fallback: number, value?: string): number;
  /** @returns Milliseconds. */
  seconds(
    name: string,
    fallback: number,
    range: readonly [min: number, max: number],
  ): number;
  word<Word extends string>(
    name: string,
    words: readonly [Word, ...Word[]],
    fallback?: Word,
  ): Word;
  /** Two variables that make sense together only. */
  pair(names: readonly [string, string]): readonly [string, string] | undefined;
}

function createReader(env: Environment, faults: string[]): Reader {
  const text = (name: string): string | undefined => env(name) || undefined;

  function either(name: string): ReturnType<Reader["either"]> {
    const value = text(`PE_${name}`);
    return value === undefined
      ? { name, value: text(name) }
      : { name: `PE_${name}`, value };
  }

  function list(name: string): readonly string[] | undefined {
    const value = text(name);
    const entries = value?.split(",").map((entry) => entry.trim())
      .filter((entry) => entry !== "");
    if (value !== undefined && entries?.length === 0) {
      faults.push(`${name} must have an entry: it is ${quote(value)}`);
    }
    return entries;
  }

  function port(
    name: string,
    fallback: number,
    value = text(name) ?? String(fallback),
  ): number {
    const isValid = /^\d{1,5}$/.test(value) && Number(value) >= 1 &&
      Number(value) <= 65_535;
    if (!isValid) {
      const wanted = "must be a port from 1 to 65535";
      faults.push(`${name} ${wanted}: it is ${quote(value)}`);
      return fallback; // a wrong port is no fault of the firewalls' names
    }
    return Number(value);
  }

  function seconds(
    name: string,
    fallback: number,
    [min, max]: readonly [number, number],
  ): number {
    const value = text(name) ?? String(fallback);
    const isValid = /^\d{1,9}(\.\d{1,9})?$/.test(value) &&
      Number(value) >= min && Number(value) <= max;
    if (!isValid) {
      const wanted = `must be a number of seconds from ${min} to ${max}`;
      faults.push(`${name} ${wanted}: it is ${quote(value)}`);
    }
    return Number(value) * 1_000;
  }

  function word<Word extends string>(
    name: string,
    words: readonly [Word, ...Word[]],
    fallback = words[0],
  ): Word {
    const value = text(name) ?? fallback;
    const found = words.find((word) => word === value);
    if (found === undefined) {
      const wanted = `must be one of ${words.join(", ")}`;
      faults.push(`${name} ${wanted}: it is ${quote(value)}`);
    }
    return found ?? fallback;
  }

  function pair(
    names: readonly [string, string],
  ): readonly [string, string] | undefined {
    const [first, second] = [text(names[0]), text(names[1])];
    if (first !== undefined && second !== undefined) return [first, second];
    if (first !== undefined || second !== undefined) {
      const [there, missing] = first === undefined
        ? [1, 0] as const
        : [0, 1] as const;
      faults.push(`${names[missing]} is not set: ${names[there]} needs it`);
    }
    return undefined;
  }

  return {
    text,
    either,
    list,
    port,
    seconds,
    word,
    pair,
  };
}

function readTargets(
  read: Reader,
  faults: string[],
  sshPort: number,
): Pick<Config, "firewall" | "targets"> {
  const targets: Target[] = [];
  const entries = read.list("TARGETS");
  for (const text of entries ?? []) {
    const target = parseTarget(text, sshPort);
    if (target === undefined) {
      const wanted = "must list host, host:port or [v6]:port";
      faults.push(`TARGETS ${wanted}: it has ${quote(text)}`);
    } else if (!targets.some((other) => isSameTarget(target, other))) {
      targets.push(target);
    }
  }

  const { name, value: hostname } = read.either("HOSTNAME");
  if (hostname === undefined) {
    if (entries === undefined) {
      faults.push(
        "HOSTNAME is not set: name or address of the firewall (or set TARGETS)",
      );
    }
    return { firewall: undefined, targets };
  }
  const isAddress = !/:\d+$/.test(hostname) || isIP(hostname) === 6;
  const firewall = isAddress ? parseTarget(hostname, sshPort) : undefined;
  const listed = targets.find((other) =>
    firewall !== undefined && isSameTarget(firewall, other)
  );
  // containers and login shells set HOSTNAME to the name of the machine
  if (name === "HOSTNAME" && entries !== undefined) {
    return { firewall: listed, targets };
  }
  if (firewall === undefined) {
    const wanted = "must be a name or an address, without scheme or port";
    faults.push(`${name} ${wanted}: it is ${quote(hostname)}`);
  }
  return { firewall: listed ?? firewall, targets };
}

function readHostKeys(
  read: Reader,
  faults: string[],
  sshPort: number,
): Config["hostKeys"] {
  return read.list("SSH_HOST_KEY")?.flatMap((entry) => {
    const { host, fingerprint = "" } =
      /^(?:(?<host>[^=]+)=)?(?<fingerprint>SHA256:.*)$/.exec(entry)?.groups ??
        {};
    const target = host === undefined ? undefined : parseTarget(host, sshPort);
    const isBound = host === undefined || target !== undefined;
    if (FINGERPRINT.test(fingerprint) && isBound) {
      return [{ fingerprint, target }];
    }
    const wanted =
      'must list fingerprints as "ssh-keygen -lf" prints them, SHA256:… or host=SHA256:…';
    faults.push(`SSH_HOST_KEY ${wanted}: it has ${quote(entry)}`);
    return [];
  });
}

function readCredentials(
  read: Reader,
  faults: string[],
  parsePrivateKey: ParsePrivateKey,
): Credentials {
  const { name, value: username = "" } = read.either("USERNAME");
  if (username === "") {
    faults.push("USERNAME is not set: the exporter's account on the firewall");
  } else if (/^\s|[\r\n]|\s$/.test(username)) {
    const wanted = "must be one line that neither begins nor ends in a blank";
    faults.push(`${name} ${wanted}: it is ${quote(username)}`);
  }

  const { name: passwordName, value: password } = read.either("PASSWORD");
  if (password !== undefined && /[\r\n]/.test(password)) {
    const wanted = "must be one line: it has a line end, perhaps behind it";
    faults.push(`${passwordName} ${wanted}`);
  }

  const keyText = read.text("SSH_PRIVATE_KEY");
  const passphrase = read.text("SSH_PRIVATE_KEY_PASSPHRASE");
  if (password === undefined && keyText === undefined) {
    faults.push(
      "PASSWORD is not set: the password of that account (or set SSH_PRIVATE_KEY)",
    );
  }
  let privateKey: PrivateKey | undefined;
  if (keyText !== undefined) {
    try {
      privateKey = parsePrivateKey(unfold(keyText), passphrase);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      faults.push(`SSH_PRIVATE_KEY ${error.message}`);
    }
  }
  return {
    username,
    password: password === undefined ? undefined : new Secret(password),
    privateKey,
  };
}

function readHttp(read: Reader, faults: string[]): HttpConfig {
  const address = read.text("HTTP_LISTEN_ADDRESS") ?? "0.0.0.0";
  const bare = address.replace(/^\[(.*)\]$/, "$1");
  if (isIP(bare) === 0) {
    faults.push(
      `HTTP_LISTEN_ADDRESS must be an IP address: it is ${quote(address)}`,
    );
  }
  const login = read.pair(["HTTP_USERNAME", "HTTP_PASSWORD"]);
  if (login?.[0].includes(":")) {
    faults.push("HTTP_USERNAME must not hold a colon: browsers cannot send it");
  }
  const tls = read.pair(["HTTP_TLS_CERT", "HTTP_TLS_KEY"])?.map(unfold);
  for (const [index, name] of ["HTTP_TLS_CERT", "HTTP_TLS_KEY"].entries()) {
    if (tls !== undefined && !tls[index]?.includes("-----BEGIN ")) {
      faults.push(`${name} must be PEM text: it has no "-----BEGIN"`);
    }
  }
  const [certificate = "", key = ""] = tls ?? [];
  const port = read.either("HTTP_SERVER_PORT");
  return {
    address: bare,
    port: read.port(port.name, 9_098, port.value),
    login: login && { username: login[0], password: new Secret(login[1]) },
    tls: tls && { certificate, key: new Secret(key) },
  };
}

function warningsOf({ hostKeys = [], targets, firewall }: Config): string[] {
  const warnings: string[] = [];
  const known = new Set(targets);
  if (firewall !== undefined) known.add(firewall);
  if (known.size > 1 && hostKeys.some(({ target }) => target === undefined)) {
    warnings.push(
      "SSH_HOST_KEY has entries that are accepted of every target: bind them with host=SHA256:…",
    );
  }
  for (const { target } of hostKeys) {
    if (target === undefined) continue;
    if (known.values().some((other) => isSameTarget(target, other))) continue;
    warnings.push(
      `SSH_HOST_KEY has an entry for ${quote(target.name)}, which is no target`,
    );
  }
  return warnings;
}

/** Keys may stand on one line, their line ends written as `\n`. */
function unfold(text: string): string {
  return `${text.replaceAll("\\n", "\n").replaceAll("\r", "").trim()}\n`;
}
