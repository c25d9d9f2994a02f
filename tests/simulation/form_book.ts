/**
 * In which form a firewall may be asked for its table: the books that the
 * witness keeps of one firewall.
 *
 * @module
 */

import type { Rules } from "./rules.ts";
import type { SimulatedTime } from "./time.ts";

const HOUR_MS = 60 * 60_000;
const TEXT_AGAIN_MS = 24 * HOUR_MS;
const XML_AGAIN_MS = HOUR_MS;

/** Breaks off a history in which a firewall is asked in the wrong form. */
export class FormBook {
  readonly #time: SimulatedTime;
  readonly #rules: Rules;
  /** Which was read last; `either` if the exporter may not have seen it. */
  #form: "text" | "xml" | "either" = "text";
  #textAskedAtMs = -Infinity;
  #xmlFailedAtMs = -Infinity;
  /** When a session was lost, and the XML that it was asked for with it. */
  #xmlLostAtMs = -Infinity;

  constructor(time: SimulatedTime, rules: Rules) {
    this.#time = time;
    this.#rules = rules;
  }

  /** Whether text that cannot be read has to be asked for in XML. */
  get owesXml(): boolean {
    return this.#isOver(this.#xmlFailedAtMs, XML_AGAIN_MS) &&
      this.#isOver(this.#xmlLostAtMs, XML_AGAIN_MS);
  }

  asksText(): void {
    this.#rules.expect(
      this.#form !== "xml" || this.#isOver(this.#textAskedAtMs, TEXT_AGAIN_MS),
      "while XML is read, the text is tried once in 24 hours",
    );
    this.#textAskedAtMs = this.#time.now;
  }

  /** @param isSecond Whether the text has just been found to be unreadable. */
  asksXml(isSecond: boolean): void {
    this.#rules.expect(
      this.#isOver(this.#xmlFailedAtMs, XML_AGAIN_MS),
      "XML that failed is left alone for an hour",
    );
    if (isSecond) return;
    this.#rules.expect(
      this.#form !== "text",
      "text that can be read is not asked for in XML",
    );
    this.#rules.expect(
      this.#form !== "xml" || !this.#isOver(this.#textAskedAtMs, TEXT_AGAIN_MS),
      "the text is tried again after 24 hours",
    );
  }

  textRead(): void {
    this.#form = "text";
  }

  xmlRead(): void {
    this.#form = "xml";
  }

  xmlFailed(): void {
    this.#form = "text";
    this.#xmlFailedAtMs = this.#time.now;
  }

  /** What the exporter makes of it depends on what it knew before. */
  lost(): void {
    this.#form = "either";
    this.#xmlLostAtMs = this.#time.now;
  }

  #isOver(sinceMs: number, ms: number): boolean {
    return this.#time.now - sinceMs >= ms;
  }
}
