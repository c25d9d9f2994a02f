/**
 * In which form a firewall is asked for its tunnels: the text, as long as it
 * can be read, and XML where it cannot.
 *
 * @module
 */

import type { Clock } from "../std/clock.ts";

/** How long XML is read before the text is tried again: 24 h. */
const TEXT_AGAIN_MS = 24 * 60 * 60_000;

/** How long XML is left alone once it has failed: 1 h. */
const XML_AGAIN_MS = 60 * 60_000;

/** Remembers which forms a firewall can print, beyond the end of a session. */
export class FormMemory {
  readonly #clock: Pick<Clock, "monotonicMs">;
  #textProblem: string | undefined;
  #textDueAtMs = -Infinity;
  #xmlDueAtMs = -Infinity;

  constructor(clock: Pick<Clock, "monotonicMs">) {
    this.#clock = clock;
  }

  /** Why XML is to be asked for first; `undefined` if the text is. */
  get textProblem(): string | undefined {
    const isTextDue = this.#clock.monotonicMs() >= this.#textDueAtMs;
    return isTextDue ? undefined : this.#textProblem;
  }

  /** Whether XML may be asked for where the text cannot be read. */
  get allowsXml(): boolean {
    return this.#clock.monotonicMs() >= this.#xmlDueAtMs;
  }

  /** The text is about to be asked for. */
  noteTextAsked(): void {
    this.#textDueAtMs = this.#clock.monotonicMs() + TEXT_AGAIN_MS;
  }

  noteTextRead(): void {
    this.#textProblem = undefined;
  }

  noteXmlRead(textProblem: string): void {
    this.#textProblem = textProblem;
  }

  noteXmlFailed(): void {
    this.#textProblem = undefined;
    this.#xmlDueAtMs = this.#clock.monotonicMs() + XML_AGAIN_MS;
  }

  /** The session ended while it was switched to XML; that may be chance. */
  noteXmlLost(): void {
    this.#textProblem = undefined;
  }
}
