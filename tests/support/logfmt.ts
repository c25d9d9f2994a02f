/**
 * A reader of logfmt, to check what the exporter logs.
 *
 * @module
 */

import assert from "node:assert/strict";

/** Reads a line as the parsers of Go do: quoted values are those of JSON. */
export function readLogfmt(line: string): Readonly<Record<string, string>> {
  const fields: Record<string, string> = {};
  const pair =
    /(?<key>[a-z_]+)=(?:(?<quoted>"(?:[^"\\]|\\.)*")|(?<bare>[^\s"=]+))(?: |$)/y;
  while (pair.lastIndex < line.length) {
    const found = pair.exec(line)?.groups;
    assert(found, `not a line of logfmt: ${line}`);
    const { key = "", quoted, bare } = found;
    assert(!(key in fields), `${key} is there twice: ${line}`);
    fields[key] = quoted === undefined ? bare ?? "" : JSON.parse(quoted);
  }
  return fields;
}
