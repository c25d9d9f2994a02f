/**
 * The exposition of a firewall, rendered once a poll for all who ask.
 *
 * @module
 */

import type { Status } from "../model/poll.ts";
import { render } from "./exposition.ts";
import { firewallFamilies } from "./metrics.ts";

interface Rendered {
  readonly status: Status;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Keeps what was rendered last for each firewall. */
export class SharedExposition {
  readonly #lastByTarget = new Map<string, Rendered>();

  /** @returns UTF-8 that others have too: not to be written to. */
  render(status: Status): Uint8Array<ArrayBuffer> {
    const last = this.#lastByTarget.get(status.target);
    if (last !== undefined && isSame(last.status, status)) return last.bytes;
    const bytes = new TextEncoder().encode(render(firewallFamilies(status)));
    this.#lastByTarget.set(status.target, { status, bytes });
    return bytes;
  }
}

/**
 * Whether all fields are the same. That the poll is the same is not enough:
 * logins are counted and held also between polls.
 */
function isSame(one: Status, other: Status): boolean {
  const fields = new Map(Object.entries(other));
  return Object.entries(one).every(([name, value]) =>
    fields.get(name) === value
  );
}
