/**
 * The gate that logins pass before they send a credential: one at a time until
 * the account is known to be good.
 *
 * @module
 */

import { PollError } from "../model/poll.ts";
import type { Clock } from "../std/clock.ts";
import { joinNames } from "../std/words.ts";
import type { Holds } from "./holds.ts";

/** A login as the gate sees it. */
export interface Visitor {
  readonly target: string;
  /** Of the login: aborted once it is over. */
  readonly signal: AbortSignal;
}

/** How long an acceptance shows that the account is good. */
const PROOF_MS = 60_000;

/** Logins between sending and verdict while the account is good. */
const MAX_TURNS = 8;

/** A firewall that says nothing does not keep its turn for longer. */
const TURN_MS = 10_000;

/** Why a login that is over gets no turn. */
export const OVER = new PollError(
  "session",
  "Cannot send the credentials as the login is over",
);

/** Settles the wait of a login. */
interface Waiting {
  admit(): void;
  refuse(reason: unknown): void;
}

/** A login that has been let through and has no verdict. */
interface Turn {
  isOver: boolean;
  cancelTimer(): void;
}

/** The gate of one process; nobody has passed it yet. */
export class Gate {
  readonly #clock: Clock;
  readonly #holds: Holds;
  readonly #maxWaitMs: number;
  readonly #waiting = new Map<Visitor, Waiting>();
  readonly #turns = new Map<Visitor, Turn>();
  /** Monotonic; `undefined` while nothing shows that the account is good. */
  #acceptedAtMs: number | undefined;

  /** @param maxWaitMs How long a login may wait for its turn. */
  constructor(clock: Clock, holds: Holds, maxWaitMs: number) {
    this.#clock = clock;
    this.#holds = holds;
    this.#maxWaitMs = maxWaitMs;
  }

  /**
   * Waits for a turn, which lasts until {@linkcode Gate.leave}.
   *
   * @throws {LoginHeldError} If logins have come to be held.
   * @throws {PollError} If the wait was too long.
   * @throws The signal's reason.
   */
  async enter(visitor: Visitor): Promise<void> {
    if (this.#turns.has(visitor)) return; // a second method of the same login
    const { signal } = visitor;
    signal.throwIfAborted();
    const turn = Promise.withResolvers<void>();
    const abort = (): void => turn.reject(signal.reason);
    const cancelTimer = this.#clock.setTimer(this.#maxWaitMs, () => {
      const error = new PollError("timeout", this.#explainWait(visitor));
      turn.reject(error);
    });
    signal.addEventListener("abort", abort);
    this.#waiting.set(visitor, { admit: turn.resolve, refuse: turn.reject });
    this.#letIn();
    try {
      await turn.promise;
      // it may have been lost since, which takes the turn away again
      signal.throwIfAborted();
      if (!this.#turns.has(visitor)) throw OVER;
    } catch (error) {
      this.leave(visitor);
      throw error;
    } finally {
      cancelTimer();
      signal.removeEventListener("abort", abort);
    }
  }

  /** Gives back the turn, or the place in the queue, if there is one. */
  leave(visitor: Visitor): void {
    this.#waiting.get(visitor)?.refuse(OVER);
    this.#waiting.delete(visitor);
    this.#turns.get(visitor)?.cancelTimer();
    this.#turns.delete(visitor);
    this.#letIn();
  }

  /** Whose verdicts a login waits for; empty if it does not wait. */
  blockersOf(visitor: Visitor): readonly string[] {
    if (!this.#waiting.has(visitor)) return [];
    return Array.from(this.#turns.keys(), ({ target }) => target);
  }

  /** Holds have changed: lets in or refuses those who wait. */
  review(): void {
    this.#letIn();
  }

  /** Somebody has accepted: for a while the account is known to be good. */
  open(): void {
    this.#acceptedAtMs = this.#clock.monotonicMs();
  }

  /** The account may not be good any more. */
  close(): void {
    this.#acceptedAtMs = undefined;
  }

  #letIn(): void {
    for (const [visitor, { admit, refuse }] of this.#waiting) {
      const error = this.#holds.errorFor(visitor.target);
      if (error === undefined && !this.#hasRoom()) continue;
      this.#waiting.delete(visitor);
      if (error !== undefined) refuse(error);
      else {
        this.#turns.set(visitor, this.#startTurn());
        admit();
      }
    }
  }

  #startTurn(): Turn {
    const turn = {
      isOver: false,
      cancelTimer: this.#clock.setTimer(TURN_MS, () => {
        turn.isOver = true;
        this.#letIn();
      }),
    };
    return turn;
  }

  #hasRoom(): boolean {
    const turns = this.#turns.values().filter(({ isOver }) => !isOver);
    const taken = turns.toArray().length;
    if (this.#isOpen()) return taken < MAX_TURNS;
    return taken === 0 && this.#turns.size < this.#holds.maxUnresolved;
  }

  #isOpen(): boolean {
    return this.#acceptedAtMs !== undefined &&
      this.#clock.monotonicMs() - this.#acceptedAtMs < PROOF_MS;
  }

  #explainWait(visitor: Visitor): string {
    const names = joinNames(this.blockersOf(visitor));
    const seconds = this.#maxWaitMs / 1_000;
    return `Cannot send the credentials yet: waited for the verdict of ${names}, for ${seconds} s, as it has to show whether they are right`;
  }
}
