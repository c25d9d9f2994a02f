/**
 * Waiting for something to appear on a screen, without guessing how long.
 *
 * @module
 */

import { PollError } from "../model/poll.ts";
import type { Clock } from "../std/clock.ts";
import { Screen } from "./screen.ts";

/** What the screen says, provided that nothing more comes for a while. */
export interface ScreenVerdict<Value> {
  /** 0 if nothing that could still come would change it. */
  readonly quietMs: number;
  /** @throws {PollError} If there is no point in going on. */
  conclude(): Value;
}

/** Reads the screen; `undefined` means that more has to come. */
export type Judge<Value> = (screen: Screen) => ScreenVerdict<Value> | undefined;

/** More than this between two clearings is not a table of tunnels. */
const MAX_BYTES = 8 * 1024 * 1024;

/** Each line costs memory, however short it is. XML fills 8 MiB with fewer. */
const MAX_LINES = 512 * 1024;

/** Of a line that does not end, unless a command allows more. */
const MAX_LINE_LENGTH = 8 * 1024;

/** Turns of the event loop in which everything that has arrived is read. */
const TURNS = 4;

/** A screen on which all output is written, whether or not somebody waits. */
export class Watch {
  readonly screen = new Screen();
  /** Settles with the reason when nothing more will come. */
  readonly closed: Promise<PollError>;
  /** Why nothing more will come, once that is so. */
  end: PollError | undefined;
  readonly #clock: Clock;
  /** Characters that a line may have. */
  #maxLineLength = MAX_LINE_LENGTH;
  #wait: Pick<Wait<unknown>, "isOver" | "review"> | undefined;

  constructor(output: ReadableStream<Uint8Array>, clock: Clock) {
    this.#clock = clock;
    this.closed = this.#pump(output);
  }

  /**
   * Clears the screen, for the answer to something that is about to be said.
   *
   * @param maxLineLength Characters that a line may have until the next time.
   */
  startOver(maxLineLength = MAX_LINE_LENGTH): void {
    this.screen.clear();
    this.#maxLineLength = maxLineLength;
  }

  /**
   * Waits for a verdict that stands. The judge is asked again with each chunk.
   *
   * @throws {PollError} What the verdict's conclusion throws; or, if the output
   * ended before there was a verdict, why it ended.
   */
  until<Value>(judge: Judge<Value>): Promise<Value> {
    const wait = new Wait(judge, this.#clock);
    this.#wait = wait;
    this.#review();
    return wait.promise;
  }

  #review(): void {
    this.#wait?.review(this.screen, this.end);
    if (this.#wait?.isOver === true) this.#wait = undefined;
  }

  async #pump(output: ReadableStream<Uint8Array>): Promise<PollError> {
    const end = await this.#readAll(output);
    this.end = end;
    this.#review();
    return end;
  }

  async #readAll(output: ReadableStream<Uint8Array>): Promise<PollError> {
    try {
      for await (const chunk of output) {
        this.screen.write(chunk);
        if (this.#isTooMuch()) return this.#tooMuch();
        this.#review();
      }
      return new PollError("session", "The firewall closed the session");
    } catch (error) {
      if (error instanceof PollError) return error;
      throw error;
    }
  }

  #isTooMuch(): boolean {
    const { size, lines, lineLength } = this.screen;
    return size > MAX_BYTES || lines.length > MAX_LINES ||
      lineLength > this.#maxLineLength;
  }

  #tooMuch(): PollError {
    const kibibytes = this.#maxLineLength / 1024;
    const message =
      `Cannot read what the firewall prints: more than 8 MiB, ${MAX_LINES} lines, or a line of more than ${kibibytes} KiB`;
    return new PollError("parse", message);
  }
}

/**
 * One wait for a verdict.
 *
 * Not a closure that a {@linkcode Watch} keeps: one for each command is
 * collected late, as V8 took a tenth of all garbage for alive.
 */
class Wait<Value> {
  readonly #judge: Judge<Value>;
  readonly #clock: Clock;
  readonly #conclusion = Promise.withResolvers<Value>();
  #isOver = false;
  #cancelTimer: (() => void) | undefined;

  constructor(judge: Judge<Value>, clock: Clock) {
    this.#judge = judge;
    this.#clock = clock;
  }

  get promise(): Promise<Value> {
    return this.#conclusion.promise;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /**
   * Asks the judge, as something has come or ended.
   *
   * @param end Why nothing more will come, if that is so.
   */
  review(screen: Screen, end: PollError | undefined): void {
    if (this.#isOver) return;
    this.#cancelTimer?.();
    const verdict = this.#ask(screen) ?? (end && failure(end));
    if (verdict === undefined) return;
    // what has ended stays as it is
    if (verdict.quietMs === 0 || end !== undefined) this.#settle(verdict);
    else this.#settleAfterQuiet(verdict);
  }

  /** Whoever waits is told of a bug at once. */
  #ask(screen: Screen): ScreenVerdict<Value> | undefined {
    try {
      return this.#judge(screen);
    } catch (bug) {
      return failure(bug);
    }
  }

  #settle(verdict: ScreenVerdict<Value>): void {
    this.#isOver = true;
    try {
      this.#conclusion.resolve(verdict.conclude());
    } catch (error) {
      this.#conclusion.reject(error);
    }
  }

  /**
   * Settles after a time in which nothing came.
   *
   * The event loop may have been held up for longer than that: what arrived
   * meanwhile is read before the time counts as quiet.
   */
  #settleAfterQuiet(verdict: ScreenVerdict<Value>): void {
    let turns = TURNS;
    const ring = (): void => {
      if (turns-- === 0) this.#settle(verdict);
      else this.#cancelTimer = this.#clock.setTimer(0, ring);
    };
    this.#cancelTimer = this.#clock.setTimer(verdict.quietMs, ring);
  }
}

function failure(error: unknown): ScreenVerdict<never> {
  return {
    quietMs: 0,
    conclude(): never {
      throw error;
    },
  };
}
