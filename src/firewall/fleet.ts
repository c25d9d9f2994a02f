/**
 * All firewalls of one process, and what they share.
 *
 * @module
 */

import { startCli } from "../panos/cli.ts";
import { type Clock, systemClock } from "../std/clock.ts";
import type { Config } from "../config/config.ts";
import { type Firewall, PolledFirewall } from "./firewall.ts";
import {
  acceptFirst,
  acceptPinned,
  type HostKeyCheck,
} from "../ssh/host_key.ts";
import { Journal } from "./journal.ts";
import { Guard, type GuardOptions } from "./guard.ts";
import type { Log } from "../std/log.ts";
import type { LoginHold, Logins } from "../model/poll.ts";
import { createRateLimit, type RateLimit } from "./rate_limit.ts";
import { type OpenSession, type Session, SessionHolder } from "./session.ts";
import { guardLogin } from "./single_login.ts";
import { quoteWithout } from "../std/quote.ts";
import { openShell } from "../ssh/shell.ts";
import { isSameTarget, parseTarget, type Target } from "../model/target.ts";

/** The firewalls that a configuration names; disposed, all sessions end. */
export interface Fleet extends AsyncDisposable {
  /** What `/metrics` polls. */
  readonly main: Firewall | undefined;
  /** Each firewall once, in the order of the configuration. */
  readonly firewalls: readonly Firewall[];
  /** Of the whole process. */
  readonly logins: Logins;
  /** What holds the logins of all firewalls, if anything does. */
  readonly loginHold: LoginHold | undefined;
  /** Finds a firewall, however its name is spelled. */
  find(text: string): Firewall | undefined;
  /** The same among those that TARGETS lists. */
  findTarget(text: string): Firewall | undefined;
  /** Logs in to a firewall outside of any poll, by the rules of the guard. */
  openSession(firewall: Firewall): OpenSession;
  /** Allows logins again, whatever was rejected; sessions go on. */
  forgetHolds(): void;
}

/** What a firewall's logins report to, and go by. */
export interface Surroundings {
  /** With the firewall's name already in it. */
  readonly log: Log;
  readonly clock: Clock;
}

/** What a simulation replaces. */
export interface FleetSeams {
  readonly clock: Clock;
  /** Prepares the logins of one firewall. */
  createLogin(config: Config, target: Target, own: Surroundings): OpenSession;
}

/** So many logins a second that five hundred do not stall one core. */
const LOGIN_INTERVAL_MS = 20;

/** Prepares the firewalls; nothing is sent to them yet. */
export function createFleet(
  config: Config,
  log: Log,
  { clock = systemClock, createLogin = createSshLogin }: Partial<FleetSeams> =
    {},
): Fleet {
  const guard = new Guard({
    clock,
    log,
    maxWaitMs: config.loginTimeoutMs,
    credential: credentialOf(config),
  });
  const rateLimit = createRateLimit(LOGIN_INTERVAL_MS, clock);
  const { firewall: mainTarget, targets } = config;
  const others = targets.filter((target) => target !== mainTarget);
  const known = [...(mainTarget === undefined ? [] : [mainTarget]), ...others]
    .map((target) => {
      const targetLog: Log = (level, message, fields) =>
        log(level, message, { target: target.name, ...fields });
      const openSession = createLogin(config, target, {
        log: targetLog,
        clock,
      });
      const parts = { openSession, guard, rateLimit, clock, log: targetLog };
      const firewall = wireFirewall(config, target, parts);
      return { target, firewall, openSession };
    });

  const findAmong = (
    members: readonly Member[],
    text: string,
  ): Firewall | undefined => findMember(members, text, config.sshPort);
  const listed = known.filter(({ target }) => targets.includes(target));
  const firewalls = known.map(({ firewall }) => firewall);
  return {
    main: mainTarget && firewalls[0],
    firewalls,
    get logins(): Logins {
      const counts = firewalls.map(({ status }) => status.logins);
      return {
        authRetryAt: guard.retryAt(),
        logins: counts.reduce((sum, count) => sum + count, 0),
      };
    },
    get loginHold(): LoginHold | undefined {
      return guard.holdOfAll;
    },
    find: (text) => findAmong(known, text),
    findTarget: (text) => findAmong(listed, text),
    openSession({ target }): OpenSession {
      const wanted = known.find(({ firewall }) => firewall.target === target);
      if (wanted === undefined) throw new Error(`Cannot find ${target}`);
      return guardLogin(target, wanted.openSession, guard);
    },
    forgetHolds: () => guard.forget(),
    async [Symbol.asyncDispose](): Promise<void> {
      await Promise.all(firewalls.map((firewall) => firewall.end()));
    },
  };
}

/** A firewall, and what it is known by. */
interface Member {
  readonly target: Target;
  readonly firewall: Firewall;
}

/** Finds a firewall, however its name is spelled. */
function findMember(
  members: readonly Member[],
  text: string,
  sshPort: number,
): Firewall | undefined {
  const wanted = parseTarget(text, sshPort);
  return wanted &&
    members.find(({ target }) => isSameTarget(target, wanted))?.firewall;
}

/** Puts a firewall together from its own parts and those of the fleet. */
function wireFirewall(
  config: Config,
  { name }: Target,
  { openSession, guard, rateLimit, clock, log }: {
    readonly openSession: OpenSession;
    readonly guard: Guard;
    readonly rateLimit: RateLimit;
    readonly clock: Clock;
    readonly log: Log;
  },
): Firewall {
  const journal = new Journal(log);
  const sessions = new SessionHolder({
    target: name,
    openSession,
    guard,
    rateLimit,
    clock,
    idleTimeoutMs: config.sessionIdleTimeoutMs,
    loginTimeoutMs: config.loginTimeoutMs,
    onLoginFailed: (error) => journal.recordLogin(error),
  });
  return new PolledFirewall({
    target: name,
    sessions,
    guard,
    clock,
    quote: quoteWithout(config.credentials.password),
    minPollIntervalMs: config.minPollIntervalMs,
    journal,
  });
}

function createSshLogin(
  config: Config,
  target: Target,
  { log, clock }: Surroundings,
): OpenSession {
  const { credentials, legacyAlgorithms } = config;
  const { host, port } = target;
  const hostKey = createHostKeyCheck(config, target, log);
  const quote = quoteWithout(credentials.password);
  let isFirst = true;
  return async (progress, signal): Promise<Session> => {
    const shell = await openShell({
      credentials,
      host,
      port,
      legacyAlgorithms,
      hostKey,
      ...progress,
    }, signal);
    const cli = await startCli(shell, { quote, clock });
    const { negotiated, end } = shell;
    if (isFirst) {
      const { kex, hostKey, cipher, mac } = negotiated;
      log("info", "first login", { kex, ["host_key"]: hostKey, cipher, mac });
    }
    isFirst = false;
    return { cli, negotiated, end };
  };
}

function credentialOf({ credentials }: Config): GuardOptions["credential"] {
  const { password, privateKey } = credentials;
  if (privateKey === undefined) return "password";
  return password === undefined ? "key" : "credential";
}

function createHostKeyCheck(
  { hostKeys, firewall, targets }: Config,
  target: Target,
  log: Log,
): HostKeyCheck {
  if (hostKeys === undefined) {
    const isOnly = targets.every((other) => other === target) &&
      (firewall === undefined || firewall === target);
    const binding = isOnly ? "" : `${target.name}=`;
    return acceptFirst((fingerprint) =>
      log("warn", "host key is not pinned", {
        fingerprint,
        advice:
          `compare it with the firewall's, then set SSH_HOST_KEY=${binding}${fingerprint}`,
      })
    );
  }
  const pins = hostKeys.filter((pin) =>
    pin.target === undefined || isSameTarget(pin.target, target)
  );
  return acceptPinned(pins.map(({ fingerprint }) => fingerprint));
}
