/**
 * All firewalls of one process, and what they share.
 *
 * @module
 */

import { startCli } from "../panos/cli.ts";
import { type Clock, systemClock } from "../std/clock.ts";
import type { Config } from "../config/config.ts";
import { createFirewall, type Firewall } from "./firewall.ts";
import {
  acceptFirst,
  acceptPinned,
  type HostKeyCheck,
} from "../ssh/host_key.ts";
import { createJournal } from "./journal.ts";
import { createLockout } from "./guard.ts";
import type { Log } from "../std/log.ts";
import type { Logins } from "../model/poll.ts";
import { createPace } from "./rate_limit.ts";
import { createSessions, type Session } from "./session.ts";
import { openShell } from "../ssh/shell.ts";
import { isSameTarget, parseTarget, type Target } from "../model/target.ts";

/** The firewalls that a configuration names. */
export interface Fleet {
  /** What `/metrics` polls. */
  readonly main: Firewall | undefined;
  /** Each firewall once, in the order of the configuration. */
  readonly firewalls: readonly Firewall[];
  /** Of the whole process. */
  readonly logins: Logins;
  /** Finds a firewall, however its name is spelled. */
  find(text: string): Firewall | undefined;
  /** The same among those that TARGETS lists. */
  findTarget(text: string): Firewall | undefined;
  /** Ends all sessions. */
  end(): Promise<void>;
}

/** So many logins a second that five hundred do not stall one core. */
const LOGIN_INTERVAL_MS = 20;

/** Prepares the firewalls; nothing is sent to them yet. */
export function createFleet(
  config: Config,
  log: Log,
  clock: Clock = systemClock,
): Fleet {
  const lockout = createLockout(clock);
  const pace = createPace(LOGIN_INTERVAL_MS);
  const { firewall: mainTarget, targets } = config;
  const others = targets.filter((target) => target !== mainTarget);
  const known = [...(mainTarget === undefined ? [] : [mainTarget]), ...others]
    .map((target) => ({ target, firewall: prepare(target) }));

  function prepare(target: Target): Firewall {
    const { name } = target;
    const targetLog: Log = (level, message, fields) =>
      log(level, message, { target: name, ...fields });
    const { record, recordLogin } = createJournal(targetLog);
    const hostKey = createHostKeyCheck(config, target, targetLog);

    const sessions = createSessions({
      target: name,
      lockout,
      clock,
      pace,
      maxAgeMs: config.sessionMaxAgeMs,
      loginTimeoutMs: config.loginTimeoutMs,
      onLoginFailed: recordLogin,
      async openSession(progress, signal): Promise<Session> {
        const { credentials, legacyAlgorithms } = config;
        const { host, port } = target;
        const shell = await openShell({
          credentials,
          host,
          port,
          legacyAlgorithms,
          hostKey,
          ...progress,
        }, signal);
        const cli = await startCli(shell);
        return { cli, end: shell.end };
      },
    });
    return createFirewall({
      target: name,
      sessions,
      lockout,
      clock,
      minPollIntervalMs: config.minPollIntervalMs,
      onPoll: record,
      onLoginFailed: recordLogin,
    });
  }

  function findAmong(
    candidates: typeof known,
    text: string,
  ): Firewall | undefined {
    const wanted = parseTarget(text, config.sshPort);
    return wanted &&
      candidates.find(({ target }) => isSameTarget(target, wanted))?.firewall;
  }

  const listed = known.filter(({ target }) => targets.includes(target));
  const firewalls = known.map(({ firewall }) => firewall);
  return {
    main: mainTarget && firewalls[0],
    firewalls,
    get logins(): Logins {
      const counts = firewalls.map(({ status }) => status.logins);
      return {
        authRetryAt: lockout.retryAt(),
        logins: counts.reduce((sum, count) => sum + count, 0),
      };
    },
    find: (text) => findAmong(known, text),
    findTarget: (text) => findAmong(listed, text),
    async end(): Promise<void> {
      await Promise.all(firewalls.map((firewall) => firewall.end()));
    },
  };
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
