/**
 * TCP connections to a host that may have several addresses.
 *
 * @module
 */

import { lookup } from "node:dns/promises";
import { connect, isIP, type Socket } from "node:net";
import { untilAborted } from "../std/abort.ts";
import type { Clock } from "../std/clock.ts";

/** How long an address may take before the next one is tried beside it. */
const NEXT_ADDRESS_MS = 250;

/** What dialling takes beside the address. */
export interface DialOptions {
  readonly clock: Clock;
  /** Finds the addresses of a host, the best one first. Default: the system. */
  readonly resolveHost?: (host: string) => Promise<string[]>;
}

/**
 * Connects to the first address of a host that answers.
 *
 * A dead address delays the others by a quarter of a second, as RFC 8305
 * recommends. The runtime's own `autoSelectFamily` gives an address up when it
 * tries the next one: a firewall that is slow to answer beside an address that
 * is dead would never be reached.
 *
 * @param signal Ends the attempt; its reason is thrown.
 * @throws What the last address failed with.
 */
export async function dial(
  host: string,
  port: number,
  signal: AbortSignal,
  { clock, resolveHost = lookUp }: DialOptions,
): Promise<Socket> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const pending = new Set<Socket>();
  let addresses: string[] = [];
  let cancelTimer = (): void => {};

  function tryNext(error?: Error): void {
    cancelTimer();
    const address = addresses.shift();
    if (address === undefined) {
      if (pending.size === 0) reject(error);
      return;
    }
    const socket = connect({ host: address, port, noDelay: true });
    pending.add(socket);
    socket.on("connect", () => {
      if (!pending.delete(socket)) return;
      closePending();
      resolve(socket);
    });
    socket.on("error", (error) => {
      // one that comes late is nobody's business here
      if (pending.delete(socket)) tryNext(error);
    });
    cancelTimer = clock.setTimer(NEXT_ADDRESS_MS, tryNext);
  }

  function closePending(): void {
    cancelTimer();
    for (const socket of pending) socket.destroy();
    pending.clear();
  }

  try {
    addresses = await untilAborted(resolveHost(host), signal);
    tryNext();
    return await untilAborted(promise, signal);
  } finally {
    closePending();
  }
}

async function lookUp(host: string): Promise<string[]> {
  if (isIP(host) !== 0) return [host];
  const found = await lookup(host, { all: true });
  return found.map(({ address }) => address);
}
