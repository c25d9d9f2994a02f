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

/**
 * Whether a text ends in a number, and is no IPv4 address in its one spelling:
 * the rules for URLs would read `010.1.2.3` as octal, and make another address
 * of it.
 */
export function isUnusualIpv4(text: string): boolean {
  const { host = text } = SPELLING.exec(text)?.groups ?? {};
  return /(?:^|\.)(?:\d+|0x[\da-f]*)\.?$/i.test(host) && isIP(host) === 0;
}

/** Lower case, IPv6 addresses in their shortest form, no dot at the end. */
function canonicalHost(host: string | undefined): string | undefined {
  if (host === undefined || isUnusualIpv4(host)) return undefined;
  const url = URL.parse(`http://${host}/`);
  const name = url?.hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
  return name === "" ? undefined : name;
}
