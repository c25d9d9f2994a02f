/**
 * What this runtime can really do of what it has a name for.
 *
 * Each function makes the calls that ssh2 makes, in their order: a runtime may
 * list a cipher and then refuse one of them, or decrypt to something else.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import {
  type Cipher,
  type CipherGCMTypes,
  createCipheriv,
  createDecipheriv,
  createDiffieHellman,
  createDiffieHellmanGroup,
  type Decipher,
} from "node:crypto";

/** Longer than a block and than what a runtime might do at once. */
const TEXT = Buffer.from(Array.from({ length: 4096 }, (_, at) => at * 7));

/** Of uneven lengths, as a network delivers them. */
const CUTS = [0, 16, 21, 37, 1_000, 1_001, TEXT.length];

const IS_PADDED = false;

const AUTHENTICATED = Buffer.of(0, 0, 16, 0);

/** @param keyBytes Length of the key. */
export function roundTripsGcm(name: CipherGCMTypes, keyBytes: number): boolean {
  const key = secret(keyBytes);
  const start = secret(12);
  return succeeds(() => {
    const cipher = createCipheriv(name, key, start);
    cipher.setAutoPadding(IS_PADDED);
    cipher.setAAD(AUTHENTICATED);
    const sent = Buffer.concat([cipher.update(TEXT), cipher.final()]);
    const tag = cipher.getAuthTag();

    const decipher = createDecipheriv(name, key, start);
    decipher.setAutoPadding(IS_PADDED);
    decipher.setAAD(AUTHENTICATED);
    const received = pieces(sent).map((piece) => decipher.update(piece));
    decipher.setAuthTag(tag);
    return isText([...received, decipher.final()]);
  });
}

/** The cipher of chacha20-poly1305; its other half is not the runtime's. */
export function roundTripsChacha20(): boolean {
  const key = secret(32);
  const counter = secret(16);
  return succeeds(() => {
    const cipher = createCipheriv("chacha20", key, counter);
    const sent = cipher.update(TEXT);
    const decipher = createDecipheriv("chacha20", key, counter);
    const received = decipher.update(sent);
    free(cipher, decipher);
    return isText([received]);
  });
}

/**
 * A cipher that goes on from message to message.
 *
 * @param keyBytes Length of the key.
 * @param startBytes Length of what it starts from.
 */
export function roundTripsStream(
  name: string,
  keyBytes: number,
  startBytes: number,
): boolean {
  const key = secret(keyBytes);
  // the counter overflows at once
  const start = Buffer.alloc(startBytes, 0xff);
  return succeeds(() => {
    const cipher = createCipheriv(name, key, start);
    const half = TEXT.length / 2;
    const sent = Buffer.concat([
      cipher.update(TEXT.subarray(0, half)),
      cipher.update(TEXT.subarray(half)),
    ]);
    const decipher = createDecipheriv(name, key, start);
    decipher.setAutoPadding(IS_PADDED);
    const received = pieces(sent).map((piece) => decipher.update(piece));
    free(cipher, decipher);
    return isText(received);
  });
}

/**
 * A group of Diffie-Hellman that is known by its name.
 *
 * @param bits What its prime has; a runtime may hold another number.
 */
export function hasGroup(name: string, bits: number): boolean {
  return succeeds(() =>
    createDiffieHellmanGroup(name).getPrime().length === bits / 8
  );
}

/** Diffie-Hellman in a group that the server sends. */
export function agreesInAnyGroup(): boolean {
  return succeeds(() => {
    const prime = Buffer.from("ffffffffffffffc5", "hex");
    const generator = Buffer.of(2);
    const one = createDiffieHellman(prime, generator);
    const other = createDiffieHellman(prime, generator);
    const [onesKey, othersKey] = [one.generateKeys(), other.generateKeys()];
    const shared = one.computeSecret(othersKey);
    return shared.equals(other.computeSecret(onesKey));
  });
}

/** Ends what ssh2 never ends: the runtime would keep it. */
function free(...ciphers: readonly (Cipher | Decipher)[]): void {
  for (const cipher of ciphers) cipher.final();
}

/** Of so many bytes; what they are does not matter. */
function secret(bytes: number): Buffer {
  return Buffer.alloc(bytes, "secret");
}

/** In views of the whole, as ssh2 takes them out of a packet. */
function pieces(whole: Buffer): readonly Uint8Array[] {
  return CUTS.slice(1).map((end, index) => {
    const begin = CUTS[index] ?? 0;
    return new Uint8Array(
      whole.buffer,
      whole.byteOffset + begin,
      end - begin,
    );
  });
}

function isText(received: readonly Buffer[]): boolean {
  return Buffer.concat(received).equals(TEXT);
}

function succeeds(attempt: () => boolean): boolean {
  try {
    return attempt();
  } catch {
    return false; // whatever a runtime says instead of doing it
  }
}
