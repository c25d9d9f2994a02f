/**
 * Which host keys of a firewall are accepted.
 *
 * @module
 */

import { createHash } from "node:crypto";

/** Judges the host keys of one firewall. */
export interface HostKeyCheck {
  /** Says why a key is not accepted; `undefined` accepts it. */
  reject(fingerprint: string): string | undefined;
  /**
   * Notes that the firewall has proved that the key is its own: one that is
   * only shown may be damaged, or copied from another.
   */
  confirm(fingerprint: string): void;
}

/** Accepts the keys that the operator has pinned, and no others. */
export function acceptPinned(pins: readonly string[]): HostKeyCheck {
  return {
    reject(fingerprint): string | undefined {
      if (pins.includes(fingerprint)) return undefined;
      const wanted = pins.length === 0
        ? "has no entry for this firewall"
        : `is ${pins.join(" or ")}`;
      return `SSH_HOST_KEY ${wanted}, and the firewall shows ${fingerprint}: find out by another way whether that is its key`;
    },
    confirm: () => {},
  };
}

/**
 * Accepts whatever key is proved first, and from then on no other.
 *
 * @param onFirst Told of that key, so that the operator can pin it.
 */
export function acceptFirst(
  onFirst: (fingerprint: string) => void,
): HostKeyCheck {
  let first: string | undefined;
  return {
    reject(fingerprint): string | undefined {
      if (first === undefined || fingerprint === first) return undefined;
      return `its host key was ${first} since the exporter started, and is ${fingerprint} now: find out by another way whether that is its key, then restart the exporter`;
    },
    confirm(fingerprint): void {
      if (first === undefined) onFirst(first = fingerprint);
    },
  };
}

/**
 * @param key In the binary form in which SSH sends it.
 * @returns The form that `ssh-keygen -lf` prints.
 */
export function fingerprintOf(key: Uint8Array): string {
  const digest = createHash("sha256").update(key).digest("base64");
  return `SHA256:${digest.replace(/=+$/, "")}`;
}
