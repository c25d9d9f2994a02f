/**
 * Why a reply to `show vpn flow` is not read.
 *
 * @module
 */

import type { Form } from "../model/poll.ts";
import type { Quote } from "../std/quote.ts";
import { formatAmount, formatCount } from "../std/words.ts";
import { ReplyError } from "./command.ts";

/** Thrown for a reply that is not one complete table. */
export class VpnFlowError extends ReplyError {
  override readonly name = "VpnFlowError";
  /** `command` if the firewall refused the command, else `parse`. */
  readonly reason: "command" | "parse";
  readonly #said: Said | undefined;

  /**
   * @param message Without a word of the firewall's.
   * @param said What follows it when the firewall is quoted.
   */
  constructor(reason: "command" | "parse", message: string, said?: Said) {
    super(message);
    this.reason = reason;
    this.#said = said;
  }

  /** The whole sentence for the operator, with the firewall quoted. */
  explain(quote: Quote): string {
    if (this.#said === undefined) return this.message;
    const { before, line } = this.#said;
    return this.message + before + quote(line);
  }
}

/** A line of the firewall's, and what leads over to it. */
interface Said {
  readonly before: string;
  readonly line: string;
}

/** Where in a reply something is wrong, as far as that is known. */
export interface LineInQuestion {
  /** The text in question. */
  readonly line?: string;
  /** The number of its line, from 0. */
  readonly index?: number;
  /** What leads over to the text. */
  readonly before?: string;
}

/** The errors of a reply in one form. */
export interface Failures {
  /** The firewall does not run the command, as this line of its says. */
  refused(line: string): VpnFlowError;
  /** @param problem What is wrong, as the end of a sentence. */
  unreadable(problem: string, place?: LineInQuestion): VpnFlowError;
}

/** Words the errors for one form. */
export function failuresIn(form: Form): Failures {
  const command = `"show vpn flow"${form === "xml" ? " in XML" : ""}`;
  return {
    refused(line): VpnFlowError {
      const said = { before: ": the firewall answers ", line };
      return new VpnFlowError("command", `Cannot run ${command}`, said);
    },
    unreadable(
      problem,
      { line, index, before = ", in " } = {},
    ): VpnFlowError {
      const where = index === undefined ? "" : ` at line ${index + 1}`;
      return new VpnFlowError(
        "parse",
        `Cannot read the reply to ${command}${where}: ${problem}`,
        line === undefined ? undefined : { before, line },
      );
    },
  };
}

/** Says that the firewall's own count is not that of the rows. */
export function countMismatch(announced: number, read: number): string {
  const amount = formatAmount(announced, "tunnel");
  return `the firewall announced ${amount}, and ${
    formatCount(read)
  } could be read`;
}
