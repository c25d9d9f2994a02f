/**
 * How one logs in to a firewall of the configuration: over SSH, into a shell
 * that is a command line of PAN-OS.
 *
 * @module
 */

import type { Config } from "../config/config.ts";
import { isSameTarget, type Target } from "../model/target.ts";
import { startCli } from "../panos/cli.ts";
import {
  acceptFirst,
  acceptPinned,
  type HostKeyCheck,
} from "../ssh/host_key.ts";
import { openShell } from "../ssh/shell.ts";
import type { Clock } from "../std/clock.ts";
import type { Log } from "../std/log.ts";
import { quoteWithout } from "../std/quote.ts";
import type { OpenSession, Session } from "./session.ts";

/** What a firewall's logins report to, and go by. */
export interface LoginContext {
  /** With the firewall's name already in it. */
  readonly log: Log;
  readonly clock: Clock;
}

/** Prepares the logins of one firewall; nothing is sent to it yet. */
export function createSshLogin(
  config: Config,
  target: Target,
  { log, clock }: LoginContext,
): OpenSession {
  const { credentials, allowsLegacyAlgorithms } = config;
  const { host, port } = target;
  const hostKey = createHostKeyCheck(config, target, log);
  const quote = quoteWithout(credentials.password);
  const login = { credentials, host, port, allowsLegacyAlgorithms, hostKey };
  let isFirst = true;
  return async (progress, signal): Promise<Session> => {
    const shell = await openShell({ ...login, ...progress }, signal, { clock });
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
