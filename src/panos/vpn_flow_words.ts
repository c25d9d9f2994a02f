/**
 * The words of the table of `show vpn flow`: what they mean, and where they
 * cannot stand.
 *
 * @module
 */

import type { Tunnel, TunnelState } from "../model/tunnel.ts";

const DIGITS = /^[0-9]+$/;

/** Numbers, addresses and interfaces: no firewall calls a state that. */
const NOT_A_STATUS = /[.:]|^(?:[0-9]+|tunnel)$/i;

const IPV4 = /^[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}$/;

/** IPv4 or IPv6, with digits masked or not. */
const ADDRESS = /(?:\.[^.]*){3}|(?::[^:]*){2}/;

const MASK = /^(?:[x*.:]+|hidden|masked|redacted|removed)$/i;

/** The second half is a state that has lost its end to the address behind it. */
const NOT_AN_ADDRESS =
  /tunnel\.|^(?:active|inactiv|inactive|init|off|up|down|tunnel|[0-9]+)$|^(?:act|ina|ini)\w*[.:]/i;

/** Two IPv4 addresses that touch. */
const TOUCHING = /^[^:]*(?:\.[^.:]*){4}$/;

/** `tunnel` is the interface without a unit. Units may be masked. */
const INTERFACE = /^tunnel\.[0-9xX*]+$/;

/** The meaning of a state that this parser knows. */
export function toState(word: string): TunnelState | undefined {
  switch (word.toLowerCase()) {
    case "active":
      return "active";
    case "inactive":
    case "inactiv": // the CLI keeps seven characters
      return "inactive";
    case "init":
      return "init";
    default:
      return undefined;
  }
}

/** Whether a word is one that the column of the monitor can hold. */
export function isMonitor(word: string): boolean {
  switch (word.toLowerCase()) {
    case "off":
    case "up":
    case "down":
      return true;
    default:
      return false;
  }
}

/** Whether a word is an address, masked or not. */
export function isAddress(word: string): boolean {
  return ADDRESS.test(word);
}

/** Whether a word is what somebody put in the place of an address. */
export function isMask(word: string): boolean {
  return MASK.test(word);
}

/** Whether a word names the interface of a tunnel. */
export function isInterface(word: string): boolean {
  return INTERFACE.test(word);
}

/** Whether id, addresses and interface look as they mostly do; quick to tell. */
export function isPlain(tunnel: Tunnel): boolean {
  return DIGITS.test(tunnel.id) && IPV4.test(tunnel.localIp) &&
    IPV4.test(tunnel.peerIp) && INTERFACE.test(tunnel.interfaceName);
}

/**
 * Whether a word stands where the vocabulary says that it cannot.
 *
 * @param others Words of columns that this parser does not know.
 */
export function isContradictory(
  tunnel: Tunnel,
  others: readonly string[],
): boolean {
  const { id, stateWord, monitor, localIp, peerIp, interfaceName } = tunnel;
  if (!DIGITS.test(id)) return true;
  if (isMonitor(stateWord) || NOT_A_STATUS.test(stateWord)) return true;
  if (isState(monitor) || NOT_A_STATUS.test(monitor)) return true;
  if (isNoAddress(localIp) || isNoAddress(peerIp)) return true;
  if (!isState(stateWord) && others.some(isState)) return true;
  if (isNoInterface(interfaceName)) return true;
  if (isInterface(interfaceName)) return false;
  if (others.some(isInterface)) return true;
  // With a value missing, an address out of place says that it is another one.
  return interfaceName === "" && others.some(isAddress) &&
    !(isAddress(localIp) && isAddress(peerIp));
}

function isState(word: string): boolean {
  return toState(word) !== undefined;
}

function isNoAddress(word: string): boolean {
  return NOT_AN_ADDRESS.test(word) || TOUCHING.test(word);
}

function isNoInterface(word: string): boolean {
  if (isInterface(word)) return false;
  return word.includes("tunnel.") || isAddress(word) || isState(word) ||
    isMonitor(word) || DIGITS.test(word);
}
