/**
 * What is said to a request for a firewall that TARGETS does not list.
 *
 * @module
 */

import type { Log } from "../std/log.ts";
import { quote, shorten } from "../std/quote.ts";

/** Characters of a name that are repeated. */
const NAME_LENGTH = 80;
/** Names that are remembered: they come from strangers. */
const MAX_NAMES = 100;

/** Says why a target is refused, and tells the log once about each. */
export class Refusals {
  readonly #hasTargets: boolean;
  readonly #log: Log;
  readonly #names = new Set<string>();

  /** @param hasTargets Whether `TARGETS` is set. */
  constructor(hasTargets: boolean, log: Log) {
    this.#hasTargets = hasTargets;
    this.#log = log;
  }

  /** @returns One line. */
  refuse(name: string): string {
    const kept = shorten(name, NAME_LENGTH);
    const reason = this.#hasTargets
      ? "TARGETS does not list it"
      : "TARGETS is not set, so nothing can be probed";
    this.#tell(kept, reason);
    return `Cannot probe ${quote(kept)}: ${reason}`;
  }

  #tell(name: string, reason: string): void {
    if (this.#names.size >= MAX_NAMES || this.#names.has(name)) return;
    this.#names.add(name);
    const advice = this.#names.size < MAX_NAMES
      ? "list it in TARGETS, or take it out of Prometheus"
      : "as before; further targets are refused without a line";
    this.#log("warn", "probe refused", {
      asked: name,
      problem: reason,
      advice,
    });
  }
}
