/**
 * The exposition of a firewall, rendered once a poll for all who ask.
 *
 * @module
 */

import type { Status } from "../model/poll.ts";
import { render } from "./exposition.ts";
import { firewallSections, type Section } from "./metrics.ts";

/** UTF-8 that other answers may share: not to be written to. */
export type Part = Uint8Array<ArrayBuffer>;

interface Rendered {
  readonly status: Status;
  readonly sections: readonly Section[];
  /** One for each section. */
  readonly parts: readonly Part[];
}

/** Keeps what was rendered last for each firewall. */
export class SharedExposition {
  readonly #lastByTarget = new Map<string, Rendered>();

  /** @returns The text in parts. */
  render(status: Status): readonly Part[] {
    const last = this.#lastByTarget.get(status.target);
    if (last !== undefined && isSame(last.status, status)) return last.parts;
    const sections = firewallSections(status);
    const parts = sections.map((section, index) => {
      const part = last?.parts[index];
      const isKept = section.subject === last?.sections[index]?.subject;
      return isKept && part !== undefined ? part : encode(section);
    });
    this.#lastByTarget.set(status.target, { status, sections, parts });
    return parts;
  }
}

function encode({ fill }: Section): Part {
  return new TextEncoder().encode(render(fill()));
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
