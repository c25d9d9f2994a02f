/**
 * Basic authentication.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7617}
 * @module
 */

import { Buffer } from "node:buffer";
import { createHash, timingSafeEqual } from "node:crypto";
import type { HttpLogin } from "../config/http.ts";

/** Whether the headers of a request hold the login that is asked for. */
export type BasicAuth = (headers: Headers) => boolean;

/**
 * Compares in a time that does not tell how much of a guess is right.
 *
 * @param login `undefined` asks for none.
 */
export function createBasicAuth(login: HttpLogin | undefined): BasicAuth {
  if (login === undefined) return () => true;
  const digest = (text: string): Uint8Array =>
    createHash("sha256").update(text).digest();
  const pair = `${login.username}:${login.password.reveal()}`;
  const expected = digest(`Basic ${Buffer.from(pair).toString("base64")}`);
  return (headers) => {
    const given = headers.get("authorization") ?? "";
    return timingSafeEqual(
      digest(given.replace(/^basic +/i, "Basic ")),
      expected,
    );
  };
}
