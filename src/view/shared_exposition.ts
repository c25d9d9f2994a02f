/**
 * The exposition of a firewall, rendered once a poll for all who ask.
 *
 * @module
 */

import type { Poll, Status } from "../model/poll.ts";
import { render } from "./exposition.ts";
import { firewallFamilies } from "./metrics.ts";

interface Rendered {
  readonly status: Status;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Keeps what was rendered for as long as its poll is kept. */
export class SharedExposition {
  readonly #rendered = new WeakMap<Poll, Rendered>();

  /** @returns UTF-8 that others have too: not to be written to. */
  render(status: Status): Uint8Array<ArrayBuffer> {
    const { poll } = status;
    const last = poll && this.#rendered.get(poll);
    if (last !== undefined && isSame(last.status, status)) return last.bytes;
    const bytes = new TextEncoder().encode(render(firewallFamilies(status)));
    if (poll !== undefined) this.#rendered.set(poll, { status, bytes });
    return bytes;
  }
}

/** Logins are counted, and held back, between polls too. */
function isSame(one: Status, other: Status): boolean {
  const fields = new Map(Object.entries(other));
  return Object.entries(one).every(([name, value]) =>
    fields.get(name) === value
  );
}
