/**
 * SSH keys for firewalls and clients of the tests.
 *
 * @module
 */

import { createHash } from "node:crypto";
// @ts-types="@types/ssh2"
import { type ParsedKey, utils } from "ssh2";

/** A key of a firewall or of a client. */
export interface KeyPair {
  /** OpenSSH private key. */
  readonly privateKey: string;
  /** In the form of `authorized_keys`. */
  readonly publicKey: string;
  /** `SHA256:` and 43 characters, as `ssh-keygen -lf` prints it. */
  readonly fingerprint: string;
}

/** Makes a key. A host key on PAN-OS 10.2 may be nothing but RSA. */
export function createKeyPair(type: "ed25519" | "rsa" = "ed25519"): KeyPair {
  const pair = type === "rsa"
    ? utils.generateKeyPairSync("rsa", { bits: 2048 })
    : utils.generateKeyPairSync("ed25519");
  const publicKey = utils.parseKey(pair.public);
  // ssh2 strips leading zeros: one ed25519 key in 256 comes out malformed.
  if (publicKey instanceof Error) return createKeyPair(type);
  return {
    privateKey: pair.private,
    publicKey: pair.public,
    fingerprint: fingerprint(publicKey.getPublicSSH()),
  };
}

/** Reads a key that must be well-formed. */
export function parseKey(text: string): ParsedKey {
  const key = utils.parseKey(text);
  if (key instanceof Error) throw key;
  return key;
}

/** @param publicKey In the binary form in which SSH sends it. */
export function fingerprint(publicKey: Uint8Array): string {
  const digest = createHash("sha256").update(publicKey).digest("base64");
  return `SHA256:${digest.replace(/=+$/, "")}`;
}
