/**
 * The key that the exporter logs in with.
 *
 * @module
 */

import { Buffer } from "node:buffer";
// @ts-types="@types/ssh2"
import { type ParsedKey, utils } from "ssh2";
import { quote } from "../std/quote.ts";
import { Secret } from "../std/secret.ts";

/** A key that has proved that it can sign. */
export type PrivateKey = Secret<ParsedKey>;

/**
 * Reads a private key in OpenSSH or PEM form and signs something with it.
 *
 * The runtime reads some keys that it cannot sign with, and that should be
 * found out at the start, not in the first login.
 *
 * @throws {Error} With a message that says what is wrong, without the key.
 */
export function parsePrivateKey(
  text: string,
  passphrase: string | undefined,
): PrivateKey {
  const parsed = utils.parseKey(text, passphrase);
  const key = Array.isArray(parsed) ? parsed[0] : parsed;
  if (key instanceof Error || key === undefined) {
    throw new Error(
      `cannot be read (${quote(key?.message ?? "")}): ${KEY_ADVICE}`,
    );
  }
  if (!key.isPrivateKey()) throw new Error(`is a public key: ${KEY_ADVICE}`);
  const signature = key.sign(Buffer.from("test"));
  if (signature instanceof Error) {
    throw new Error(
      `can be read but not used here (${
        quote(signature.message)
      }): ${KEY_ADVICE}`,
    );
  }
  return new Secret(key);
}

const KEY_ADVICE =
  'use an ed25519 key made by "ssh-keygen -t ed25519", or RSA in OpenSSH form, with SSH_PRIVATE_KEY_PASSPHRASE if it is encrypted';
