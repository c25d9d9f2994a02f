/**
 * Which host keys are accepted, and from which firewalls.
 *
 * @module
 */

import { isSameTarget, parseTarget, type Target } from "../model/target.ts";
import { quote } from "../std/quote.ts";
import type { Reader } from "./reader.ts";

/** An accepted host key. */
export interface HostKeyPin {
  /** As `ssh-keygen -lf` prints it. */
  readonly fingerprint: string;
  /** The only firewall that may show it; `undefined` allows every one. */
  readonly target: Target | undefined;
}

const FINGERPRINT = /^SHA256:[A-Za-z0-9+/]{43}$/;

/**
 * Reads the pinned host keys.
 *
 * @param sshPort The port of a firewall that is named without one.
 * @returns `undefined` if none is set.
 */
export function readHostKeys(
  reader: Reader,
  sshPort: number,
): readonly HostKeyPin[] | undefined {
  return reader.list("SSH_HOST_KEY")?.flatMap((entry) => {
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
    reader.fault("SSH_HOST_KEY", `${wanted}: it has ${reader.quote(entry)}`);
    return [];
  });
}

/**
 * Warns of host keys that are accepted from too many firewalls, or from none.
 *
 * @param known All firewalls that are polled.
 */
export function hostKeyWarnings(
  hostKeys: readonly HostKeyPin[],
  known: readonly Target[],
): readonly string[] {
  const warnings: string[] = [];
  if (known.length > 1 && hostKeys.some(({ target }) => target === undefined)) {
    warnings.push(
      "SSH_HOST_KEY has entries that are accepted from every firewall: bind them with host=SHA256:…",
    );
  }
  for (const { target } of hostKeys) {
    if (target === undefined) continue;
    if (known.some((other) => isSameTarget(target, other))) continue;
    warnings.push(
      `SSH_HOST_KEY has an entry for ${quote(target.name)}, which is no target`,
    );
  }
  return warnings;
}
