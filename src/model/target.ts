/**
 * Names of firewalls, as operators and URLs spell them.
 *
 * @module
 */

import { isIP } from "node:net";

/** A firewall's SSH server. */
export interface Target {
  /** As spelled where it was first named. */
  readonly name: string;
  /** Name or address in its one spelling, without brackets. */
  readonly host: string;
  readonly port: number;
}

/** `[v6]:port`, `[v6]`, `host:port` or `host`. */
const SPELLING =
  /^(?:\[(?<v6>[0-9a-fA-F:.]+)\]|(?<host>[A-Za-z0-9._-]+))(?::(?<port>\d{1,5}))?$/;

/**
 * Reads a target; two spellings of the same one give the same host and port.
 *
 * @returns `undefined` for text that names none.
 */
export function parseTarget(
  text: string,
  defaultPort: number,
): Target | undefined {
  const spelling = isIP(text) === 6 ? `[${text}]` : text;
  const { v6, host, port } = SPELLING.exec(spelling)?.groups ?? {};
  const canonical = canonicalHost(v6 === undefined ? host : `[${v6}]`);
  const number = port === undefined ? defaultPort : Number(port);
  if (canonical === undefined || number < 1 || number > 65_535) {
    return undefined;
  }
  return { name: text, host: canonical, port: number };
}

/** Whether two targets are the same server. */
export function isSameTarget(one: Target, other: Target): boolean {
  return one.host === other.host && one.port === other.port;
}

/** Lower case, addresses in their shortest form, no dot at the end. */
function canonicalHost(host: string | undefined): string | undefined {
  const url = URL.parse(`http://${host}/`);
  if (host === undefined || url === null) return undefined;
  const name = url.hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
  return name === "" ? undefined : name;
}
