/**
 * Which algorithms a login offers.
 *
 * @module
 */

// @ts-types="@types/ssh2"
import type { Algorithms, CipherAlgorithm, KexAlgorithm } from "ssh2";
import {
  agreesInAnyGroup,
  hasGroup,
  roundTripsChacha20,
  roundTripsGcm,
  roundTripsStream,
} from "./round_trip.ts";

/** An algorithm, and whether this runtime can do it. */
type Candidate<Name> = readonly [name: Name, works: () => boolean];

const always = (): boolean => true;

/** Best first, without `ecdh-sha2-nistp521`, which the runtime cannot do. */
const KEX: readonly Candidate<KexAlgorithm>[] = [
  ["curve25519-sha256", always],
  ["curve25519-sha256@libssh.org", always],
  ["ecdh-sha2-nistp384", always],
  ["ecdh-sha2-nistp256", always],
  ["diffie-hellman-group16-sha512", () => hasGroup("modp16", 4096)],
  ["diffie-hellman-group18-sha512", () => hasGroup("modp18", 8192)],
  ["diffie-hellman-group17-sha512", () => hasGroup("modp17", 6144)],
  ["diffie-hellman-group15-sha512", () => hasGroup("modp15", 3072)],
  ["diffie-hellman-group-exchange-sha256", agreesInAnyGroup],
  ["diffie-hellman-group14-sha256", () => hasGroup("modp14", 2048)],
];

/** With SHA-1. */
const LEGACY_KEX: readonly Candidate<KexAlgorithm>[] = [
  ["diffie-hellman-group-exchange-sha1", agreesInAnyGroup],
  ["diffie-hellman-group14-sha1", () => hasGroup("modp14", 2048)],
  ["diffie-hellman-group1-sha1", () => hasGroup("modp2", 1024)],
];

const CIPHERS: readonly Candidate<CipherAlgorithm>[] = [
  ["aes256-gcm@openssh.com", () => roundTripsGcm("aes-256-gcm", 32)],
  ["aes128-gcm@openssh.com", () => roundTripsGcm("aes-128-gcm", 16)],
  ["chacha20-poly1305@openssh.com", roundTripsChacha20],
  ["aes256-ctr", () => roundTripsStream("aes-256-ctr", 32, 16)],
  ["aes192-ctr", () => roundTripsStream("aes-192-ctr", 24, 16)],
  ["aes128-ctr", () => roundTripsStream("aes-128-ctr", 16, 16)],
];

/** In CBC. */
const LEGACY_CIPHERS: readonly Candidate<CipherAlgorithm>[] = [
  ["aes256-cbc", () => roundTripsStream("aes-256-cbc", 32, 16)],
  ["aes192-cbc", () => roundTripsStream("aes-192-cbc", 24, 16)],
  ["aes128-cbc", () => roundTripsStream("aes-128-cbc", 16, 16)],
  ["3des-cbc", () => roundTripsStream("des-ede3-cbc", 24, 8)],
];

/** With `ssh-rsa`, as PAN-OS 10.2 may have no other host key. */
const HOST_KEYS = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp521",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp256",
  "rsa-sha2-512",
  "rsa-sha2-256",
  "ssh-rsa",
] as const;

const MACS = [
  "hmac-sha2-512-etm@openssh.com",
  "hmac-sha2-256-etm@openssh.com",
  "hmac-sha2-512",
  "hmac-sha2-256",
] as const;

const LEGACY_MACS = ["hmac-sha1-etm@openssh.com", "hmac-sha1"] as const;

const usual = once(() => ({
  kex: working(KEX),
  cipher: working(CIPHERS),
  hmac: [...MACS],
}));

const legacy = once(() => ({
  kex: [...usual().kex, ...working(LEGACY_KEX)],
  cipher: [...usual().cipher, ...working(LEGACY_CIPHERS)],
  hmac: [...usual().hmac, ...LEGACY_MACS],
}));

/**
 * What this runtime has shown, once a process, that it can do.
 *
 * @param allowsLegacy Adds what old releases may need.
 */
export function offeredAlgorithms(allowsLegacy: boolean): Algorithms {
  const { kex, cipher, hmac } = allowsLegacy ? legacy() : usual();
  // lists of its own for each login: ssh2 adds to them
  return {
    kex: [...kex],
    serverHostKey: [...HOST_KEYS],
    cipher: [...cipher],
    hmac: [...hmac],
    compress: ["none"],
  };
}

function working<Name>(candidates: readonly Candidate<Name>[]): Name[] {
  return candidates.filter(([, works]) => works()).map(([name]) => name);
}

function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  return () => (made ??= { value: make() }).value;
}
