/**
 * One command and what comes of it.
 *
 * @module
 */

import { PollError } from "../model/poll.ts";
import type { Quote } from "../std/quote.ts";
import { type Command, ReplyError } from "./command.ts";
import { isPagerPrompt } from "./cli_messages.ts";
import { learnPrompt, looksLikePrompt, type Prompt } from "./prompt.ts";
import { type PlacedPrompt, Reply } from "./reply.ts";
import type { Screen } from "./screen.ts";
import type { ScreenVerdict } from "./watch.ts";

// A prompt after a complete reply counts at once. Any other counts only after a
// quiet time: the more doubtful it is, the longer.
const CERTAIN_MS = 0;
/** A prompt with which a line begins may be about to be printed again. */
const BEGINNING_MS = 300;
/** A pager may be about to print more. */
const PAGER_MS = 300;
/** A table may hold what looks like the prompt. */
const INCOMPLETE_MS = 500;
/** A prompt may come before the answer; another line may look like one. */
const UNCERTAIN_MS = 3_000;

// How much may be parsed in vain: what looks like the prompt may come often,
// and the work has to stay linear.
const FREE_BYTES = 64 * 1024;
const MAX_READINGS = 4;

/** How a command ended: at which prompt, and with what reply. */
export interface Ending<Value> {
  readonly prompt: Prompt;
  /** Whether something was answered, and the prompt that was learned is back. */
  readonly isCertain: boolean;
  readonly result: ParseResult<Value>;
}

/** What `parse` says of a reply. */
export type ParseResult<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly error: ReplyError | PollError };

/** The circumstances in which a command is typed. */
export interface Circumstances {
  readonly screen: Screen;
  readonly prompt: Prompt;
  /** Whether the command line prints what is typed. */
  readonly echoes: boolean;
  /** Whether all of the reply before this one has come. */
  readonly isLastReplyWhole: boolean;
  readonly quote: Quote;
}

/** Waits for the reply and for the prompt behind it. */
export class Exchange<Value> {
  readonly #command: Command<Value>;
  readonly #circumstances: Circumstances;
  readonly #reply: Reply;
  /** The last prompt on a line that has ended, behind an incomplete reply. */
  #endedPrompt: PlacedPrompt | undefined;
  /** Bytes that were parsed in vain. */
  #bytesRead = 0;

  constructor(command: Command<Value>, circumstances: Circumstances) {
    const { screen, prompt, echoes } = circumstances;
    this.#command = command;
    this.#circumstances = circumstances;
    const { text } = command;
    this.#reply = new Reply(screen, { text, prompt, needsEcho: echoes });
  }

  /** Reads the screen, on which something new has come. */
  judge(): ScreenVerdict<Ending<Value>> | undefined {
    const { screen, prompt, echoes } = this.#circumstances;
    for (const found of this.#reply.scan()) {
      const ending = this.#complete(found);
      if (ending !== undefined) return after(CERTAIN_MS, () => ending);
      this.#endedPrompt = found;
    }
    const line = screen.lineEnd;
    const isWhole = line.length === screen.lineLength;
    if (isWhole && isPagerPrompt(line)) {
      return after(PAGER_MS, () => this.#refusePager());
    }
    const known = prompt.match(line);
    if (echoes && !this.#reply.isEchoed) return this.#judgeWithoutEcho(known);
    if (known !== undefined) return this.#judgeAtPrompt(known);
    if (!looksLikePrompt(line)) return this.#judgeBehindPrompt();
    const other = { index: screen.lines.length, prompt: learnPrompt(line) };
    return after(UNCERTAIN_MS, () => this.#end(other, { isCertain: false }));
  }

  /**
   * What it means that the session ended.
   *
   * @param reason Why it ended.
   */
  cutOff(reason: PollError): PollError {
    const { screen } = this.#circumstances;
    const { text, answer } = this.#command;
    const lines = this.#reply.linesBefore(screen.lines.length, screen.line);
    const isBegun = lines.some((line) => answer.test(line));
    if (reason.reason !== "session" || !isBegun) return reason;
    const message =
      `Cannot read the reply to "${text}": it is cut off, as the session ended after ${lines.length} lines`;
    return new PollError("parse", message, { cause: reason });
  }

  /** The prompt that was learned stands at the end. */
  #judgeAtPrompt(prompt: Prompt): ScreenVerdict<Ending<Value>> {
    const place = { index: this.#circumstances.screen.lines.length, prompt };
    const ending = this.#complete(place);
    if (ending !== undefined) return after(CERTAIN_MS, () => ending);
    const isCertain = this.#reply.isAnswered || this.#hasTextBeforePrompt();
    const quietMs = isCertain ? INCOMPLETE_MS : UNCERTAIN_MS;
    return after(quietMs, () => this.#end(place, { isCertain }));
  }

  /** Something was printed behind the prompt, or no prompt has come. */
  #judgeBehindPrompt(): ScreenVerdict<Ending<Value>> | undefined {
    const { screen, prompt } = this.#circumstances;
    const begun = screen.lineEnd.length === screen.lineLength
      ? prompt.matchStart(screen.lineEnd)
      : undefined;
    if (begun !== undefined) {
      const place = { index: screen.lines.length, prompt: begun };
      const ending = this.#complete(place);
      if (ending !== undefined) return after(BEGINNING_MS, () => ending);
    }
    const ended = this.#endedPrompt;
    if (ended === undefined || !this.#reply.isAnswered) return undefined;
    return after(UNCERTAIN_MS, () => this.#end(ended, { isCertain: true }));
  }

  /**
   * A firewall that echoes has not read the command yet, unless a message came
   * into the echo. That is believed only where no earlier reply can be meant.
   */
  #judgeWithoutEcho(
    prompt: Prompt | undefined,
  ): ScreenVerdict<Ending<Value>> | undefined {
    const { screen, isLastReplyWhole } = this.#circumstances;
    if (prompt === undefined || !isLastReplyWhole) return undefined;
    const ending = this.#complete({ index: screen.lines.length, prompt });
    const hasText = screen.lines.some((line) => line.trim() !== "");
    if (ending === undefined || !hasText) return undefined;
    return after(UNCERTAIN_MS, () => ending);
  }

  /** The end, if the reply before this prompt is complete. */
  #complete(place: PlacedPrompt): Ending<Value> | undefined {
    const { size } = this.#circumstances.screen;
    if (this.#bytesRead > FREE_BYTES + MAX_READINGS * size) return undefined;
    this.#bytesRead += size;
    const ending = this.#end(place, { isCertain: true });
    return ending.result.ok ? ending : undefined;
  }

  #end(
    { index, prompt }: PlacedPrompt,
    { isCertain }: Pick<Ending<Value>, "isCertain">,
  ): Ending<Value> {
    return { prompt, isCertain, result: this.#read(index) };
  }

  #read(end: number): ParseResult<Value> {
    const result = this.#parse(end, "");
    if (result.ok || end < this.#circumstances.screen.lines.length) {
      return result;
    }
    // the last line of a reply may have no end; mostly it is a message
    const last = this.#textBeforePrompt();
    if (last === "") return result;
    const other = this.#parse(end, last);
    return other.ok ? other : result;
  }

  #parse(end: number, last: string): ParseResult<Value> {
    try {
      const lines = this.#reply.linesBefore(end, last);
      return { ok: true, value: this.#command.parse(lines) };
    } catch (error) {
      const isOfReply = error instanceof ReplyError ||
        error instanceof PollError;
      if (!isOfReply) throw error;
      return { ok: false, error };
    }
  }

  /** What stands on the line of the prompt, in front of it. */
  #textBeforePrompt(): string {
    const { screen, prompt } = this.#circumstances;
    const known = prompt.match(screen.lineEnd);
    if (known === undefined) return "";
    return screen.line.trimEnd().slice(0, -known.text.length).trimEnd();
  }

  /** The same at no cost, however long the line is. */
  #hasTextBeforePrompt(): boolean {
    const { screen, prompt } = this.#circumstances;
    const line = screen.lineEnd.trim();
    return line.length > (prompt.match(line)?.text.length ?? Infinity);
  }

  #refusePager(): never {
    const line = this.#circumstances.screen.lineEnd.trim();
    const message = `Cannot read the reply as a pager waits at ${
      this.#circumstances.quote(line)
    }: this command line does not know "set cli pager off"`;
    throw new PollError("parse", message);
  }
}

function after<Value>(
  quietMs: number,
  conclude: () => Value,
): ScreenVerdict<Value> {
  return { quietMs, conclude };
}
