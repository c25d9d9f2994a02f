/**
 * Status pages, each rendered at most once a second.
 *
 * @module
 */

import type { Clock } from "../std/clock.ts";
import type { Part } from "../view/shared_exposition.ts";
import { encode } from "./answer.ts";

const MAX_AGE_MS = 1_000;

/** Keeps the pages of the current second for all who ask. */
export class Pages {
  readonly #render: (firewall?: string) => string;
  readonly #clock: Clock;
  readonly #pages = new Map<string | undefined, Part>();
  #renderedAtMs = -Infinity;

  /** @param render Makes the page of one firewall, or of all. */
  constructor(render: (firewall?: string) => string, clock: Clock) {
    this.#render = render;
    this.#clock = clock;
  }

  get(firewall?: string): Part {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#renderedAtMs >= MAX_AGE_MS) {
      this.#pages.clear();
      this.#renderedAtMs = nowMs;
    }
    const kept = this.#pages.get(firewall);
    if (kept !== undefined) return kept;
    const page = encode(this.#render(firewall));
    this.#pages.set(firewall, page);
    return page;
  }
}
