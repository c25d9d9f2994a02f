/**
 * Which host keys of a firewall are accepted.
 *
 * @module
 */

/** Says why a host key is not accepted; `undefined` accepts it. */
export type HostKeyCheck = (fingerprint: string) => string | undefined;

/** Accepts the keys that the operator has pinned, and no others. */
export function acceptPinned(pins: readonly string[]): HostKeyCheck {
  return (fingerprint) => {
    if (pins.includes(fingerprint)) return undefined;
    const wanted = pins.length === 0
      ? "has no entry for this firewall"
      : `is ${pins.join(" or ")}`;
    return `SSH_HOST_KEY ${wanted}, and the firewall shows ${fingerprint}: find out by another way whether that is its key`;
  };
}

/**
 * Accepts whatever key comes first, and from then on no other.
 *
 * @param onFirst Told of that key, so that the operator can pin it.
 */
export function acceptFirst(
  onFirst: (fingerprint: string) => void,
): HostKeyCheck {
  let first: string | undefined;
  return (fingerprint) => {
    if (first === undefined) onFirst(first = fingerprint);
    if (fingerprint === first) return undefined;
    return `its host key was ${first} since the exporter started, and is ${fingerprint} now: find out by another way whether that is its key, then restart the exporter`;
  };
}
