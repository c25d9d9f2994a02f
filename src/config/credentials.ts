/**
 * Who logs in to the firewalls.
 *
 * @module
 */

import type { Credentials } from "../ssh/authentication.ts";
import type { PrivateKey } from "../ssh/private_key.ts";
import { Secret } from "../std/secret.ts";
import type { Reader } from "./reader.ts";

/**
 * Reads a private key.
 *
 * @throws {Error} With a message that says what is wrong, without the key.
 */
export type ParsePrivateKey = (
  text: string,
  passphrase: string | undefined,
) => PrivateKey;

/** Reads the account that all firewalls are logged in to with. */
export function readCredentials(
  reader: Reader,
  parsePrivateKey: ParsePrivateKey,
): Credentials {
  const username = readUsername(reader);
  const password = readPassword(reader);
  const privateKey = readPrivateKey(reader, parsePrivateKey);
  return { username, password, privateKey };
}

function readUsername(reader: Reader): string {
  const { name, value } = reader.either("USERNAME");
  if (value === undefined) {
    if (!reader.isSet(name)) {
      reader.fault(name, "is not set: the exporter's account on the firewall");
    }
    return "";
  }
  if (/^\s|[\r\n]|\s$/.test(value)) {
    const wanted = "must be one line that neither begins nor ends in a blank";
    reader.fault(name, `${wanted}: it is ${reader.quote(value)}`);
  }
  return value;
}

function readPassword(reader: Reader): Secret | undefined {
  const variable = reader.either("PASSWORD");
  const { name, value } = variable;
  reader.notPlaceholder(variable);
  if (value !== undefined) {
    if (/[\r\n]/.test(value)) {
      const wanted =
        "must be one line: it has a line end, perhaps as its last character";
      reader.fault(name, wanted);
    }
    return new Secret(value);
  }
  if (!reader.isSet(name) && !reader.isSet("SSH_PRIVATE_KEY")) {
    const wanted =
      "is not set: the password of that account (or set SSH_PRIVATE_KEY)";
    reader.fault(name, wanted);
  }
  return undefined;
}

function readPrivateKey(
  reader: Reader,
  parsePrivateKey: ParsePrivateKey,
): PrivateKey | undefined {
  const text = reader.pem("SSH_PRIVATE_KEY");
  const name = "SSH_PRIVATE_KEY_PASSPHRASE";
  const passphrase = reader.text(name);
  reader.notPlaceholder({ name, value: passphrase });
  if (text === undefined) return undefined;
  try {
    return parsePrivateKey(text, passphrase);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    reader.fault("SSH_PRIVATE_KEY", error.message);
    return undefined;
  }
}
