/**
 * The guard that keeps wrong credentials from locking an account.
 *
 * One account serves many firewalls, often through one AAA server. A firewall
 * that rejects it is left alone for 65 minutes, then for 24 hours; two
 * firewalls that reject it one after the other stop all logins for the same
 * times; one login at a time sends the password until it is known to be right.
 *
 * @module
 */

import { type LoginHold, PollError } from "../model/poll.ts";
import type { Clock } from "../std/clock.ts";
import type { Log } from "../std/log.ts";
import { Gate } from "./gate.ts";
import { Holds, LoginHeldError } from "./holds.ts";

export interface GuardOptions {
  readonly clock: Clock;
  /** How long a login may wait for its turn to send credentials. */
  readonly maxWaitMs: number;
  /** Told of each credential that is sent. */
  readonly log: Log;
  /** What is sent, in the words of the log. */
  readonly credential: "credential" | "key" | "password";
}

/** What all logins of a process ask before they send anything. */
export class Guard {
  readonly #clock: Clock;
  readonly #holds: Holds;
  readonly #gate: Gate;
  readonly #submissions: Submissions;

  constructor(options: GuardOptions) {
    this.#clock = options.clock;
    this.#holds = new Holds(options.clock);
    this.#gate = new Gate(options.clock, this.#holds, options.maxWaitMs);
    this.#submissions = new Submissions(options);
  }

  /**
   * Asks whether a firewall may be logged in to; the end of a hold of all may
   * then fall to it.
   *
   * @throws {LoginHeldError} While its logins are held.
   */
  check(target: string): void {
    this.#holds.asked(target);
    const error = this.#holds.errorFor(target);
    if (error !== undefined) throw error;
  }

  /** Whether the logins of a firewall are held. */
  isHeld(target: string): boolean {
    return this.#holds.errorFor(target) !== undefined;
  }

  /**
   * Unix time in whole seconds before which there is no login; `undefined` if
   * there may be.
   *
   * @param target Without it: of what holds for all firewalls.
   */
  retryAt(target?: string): number | undefined {
    const untilMs = this.#holds.untilMs(target);
    if (untilMs === undefined) return undefined;
    const aheadMs = untilMs - this.#clock.monotonicMs();
    return Math.round(this.#clock.unixSeconds() + aheadMs / 1_000);
  }

  /** What holds the logins of all firewalls, if anything does. */
  get holdOfAll(): LoginHold | undefined {
    const culprits = this.#holds.culprits;
    const endsAt = this.retryAt();
    return endsAt === undefined ? undefined : { endsAt, culprits };
  }

  /**
   * Begins to watch a login; disposed, it is over.
   *
   * @param signal Aborted once the login is given up.
   */
  attempt(target: string, signal: AbortSignal): Attempt {
    return new Attempt(
      { target, signal },
      this.#gate,
      this.#holds,
      this.#submissions,
    );
  }

  /** Forgets all holds, and what led to them. */
  forget(): void {
    this.#holds.forget();
    this.#gate.review();
  }
}

type State = "nothing sent" | "sent" | "accepted" | "over";

/** One login, from before it sends the credentials to its verdict. */
export class Attempt implements Disposable {
  readonly #login: { readonly target: string; readonly signal: AbortSignal };
  readonly #gate: Gate;
  readonly #holds: Holds;
  readonly #submissions: Submissions;
  #state: State = "nothing sent";
  /** Of what it sent, among all submissions of the process. */
  #number = 0;
  /** Of its firewall, in a row, before it was accepted. */
  #failuresBefore = 0;

  constructor(
    login: { readonly target: string; readonly signal: AbortSignal },
    gate: Gate,
    holds: Holds,
    submissions: Submissions,
  ) {
    this.#login = login;
    this.#gate = gate;
    this.#holds = holds;
    this.#submissions = submissions;
  }

  /**
   * Waits until this login may send a credential.
   *
   * @throws {LoginHeldError} If logins have come to be held.
   * @throws {PollError} `timeout` if the wait was too long.
   * @throws The signal's reason.
   */
  async beforeCredential(): Promise<void> {
    this.#throwIfOver();
    await this.#gate.enter(this.#login);
    this.#throwIfOver(); // the turn may have been lost since
    if (this.#state === "sent") this.#submissions.unaccepted();
    this.#state = "sent";
    this.#number = this.#submissions.sent(this.#login.target);
  }

  /** The firewall has let the login in. */
  accepted(): void {
    // one that lets in without a credential has not accepted any
    if (this.#state !== "sent") return;
    const { target } = this.#login;
    this.#state = "accepted";
    this.#failuresBefore = this.#holds.failuresOf(target);
    // what was sent before a rejected one may have met the password before it
    const isNews = this.#number > this.#submissions.lastRejected;
    this.#holds.accepted(target, isNews);
    if (isNews) this.#gate.open();
    this.#submissions.accepted();
    this.#gate.leave(this.#login);
  }

  /**
   * Draws the conclusion from a login that failed, and ends it.
   *
   * @returns What to report: the error, unless it has come to mean `auth`.
   */
  failed(error: PollError): PollError {
    const state = this.#state;
    try {
      if (error instanceof LoginHeldError) return error;
      if (error.reason === "auth") this.#rejected(state);
      const isSilent = error.reason === "timeout" && state === "sent" &&
        this.#holds.silent(this.#login.target);
      if (!isSilent) return error;
      const message =
        `${error.message}: the credentials were not answered, twice in a row`;
      return new PollError("auth", message, { cause: error });
    } finally {
      this[Symbol.dispose]();
    }
  }

  [Symbol.dispose](): void {
    if (this.#state === "sent") this.#submissions.unaccepted();
    this.#state = "over";
    this.#gate.leave(this.#login);
  }

  #throwIfOver(): void {
    if (this.#state !== "over") return;
    this.#login.signal.throwIfAborted();
    throw new PollError("session", "The login is over");
  }

  #rejected(state: State): void {
    const { target } = this.#login;
    if (state === "over") return;
    if (state !== "sent") this.#holds.refused(target, this.#failuresBefore);
    else if (this.#holds.rejected(target)) {
      this.#submissions.rejected(this.#number);
      this.#gate.close();
    }
  }
}

/** Tells of each credential that is sent: it is what an AAA team asks for. */
class Submissions {
  readonly #log: Log;
  readonly #credential: string;
  /** In a row, since anybody accepted one; without those under way. */
  #unaccepted = 0;
  #last = 0;
  #lastRejected = 0;

  constructor({ log, credential }: Pick<GuardOptions, "log" | "credential">) {
    this.#log = log;
    this.#credential = credential;
  }

  /** The number of the youngest one that said something of the account. */
  get lastRejected(): number {
    return this.#lastRejected;
  }

  /** @returns Its number, in the order of sending. */
  sent(target: string): number {
    const row = this.#unaccepted === 0
      ? ""
      : `, the ${ordinal(this.#unaccepted + 1)} in a row that nobody accepted`;
    this.#log("info", `${this.#credential} sent to ${target}${row}`, {
      target,
    });
    return ++this.#last;
  }

  rejected(number: number): void {
    this.#lastRejected = Math.max(this.#lastRejected, number);
  }

  accepted(): void {
    this.#unaccepted = 0;
  }

  unaccepted(): void {
    this.#unaccepted++;
  }
}

function ordinal(number: number): string {
  const isTeen = Math.floor(number / 10) % 10 === 1;
  const ending = isTeen ? "th" : ["th", "st", "nd", "rd"][number % 10] ?? "th";
  return `${number}${ending}`;
}
