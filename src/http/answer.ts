/**
 * What a route answers, before it is known how its body is sent.
 *
 * @module
 */

import { CONTENT_TYPE } from "../view/exposition.ts";
import { CONTENT_SECURITY_POLICY } from "../view/page_style.ts";
import type { Part } from "../view/shared_exposition.ts";

/** A body in one or more parts, and what is said of it. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly parts: readonly Part[];
}

/** Number of bytes. */
export function sizeOf(parts: readonly Part[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}

/** All parts as one. */
export function join(parts: readonly Part[]): Part {
  const [only, second] = parts;
  if (only !== undefined && second === undefined) return only;
  const all = new Uint8Array(sizeOf(parts));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Metrics, in the text format of Prometheus. */
export function exposition(...parts: readonly Part[]): Answer {
  return answer(200, CONTENT_TYPE, parts);
}

/** A status page. */
export function page(html: Part): Answer {
  return answer(200, "text/html; charset=utf-8", [html], {
    "content-security-policy": CONTENT_SECURITY_POLICY,
  });
}

/** A value as JSON. */
export function json(value: unknown): Answer {
  return answer(200, "application/json", [encode(JSON.stringify(value))]);
}

/** One line of text. */
export function plain(
  status: number,
  line: string,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  const type = "text/plain; charset=utf-8";
  return answer(status, type, [encode(`${line}\n`)], headers);
}

/** A text as the only part of a body. */
export function encode(text: string): Part {
  return new TextEncoder().encode(text);
}

function answer(
  status: number,
  type: string,
  parts: readonly Part[],
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return {
    status,
    parts,
    headers: {
      "cache-control": "no-store",
      "content-type": type,
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
      ...headers,
    },
  };
}
