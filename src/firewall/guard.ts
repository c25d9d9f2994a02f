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
import type { Credential } from "../ssh/authentication.ts";
import type { Clock } from "../std/clock.ts";
import type { Log } from "../std/log.ts";
import { CredentialTurns } from "./credential_turns.ts";
import { Gate, OVER } from "./gate.ts";
import { Holds, LoginHeldError } from "./holds.ts";

/** What a guard goes by. */
export interface GuardOptions {
  readonly clock: Clock;
  /** How long a login may wait for its turn to send credentials. */
  readonly maxWaitMs: number;
  /** Told of each credential that is sent. */
  readonly log: Log;
}

/** What all logins of a process ask before they send anything. */
export class Guard {
  readonly #clock: Clock;
  readonly #holds: Holds;
  readonly #gate: Gate;
  readonly #turns = new CredentialTurns();
  readonly #submissions: Submissions;

  constructor(options: GuardOptions) {
    this.#clock = options.clock;
    this.#holds = new Holds(options.clock);
    this.#gate = new Gate(options.clock, this.#holds, options.maxWaitMs);
    this.#submissions = new Submissions(options.log);
  }

  /**
   * Asks whether a firewall may be logged in to; after a hold of all it may
   * then be the one that tries first.
   *
   * @throws {LoginHeldError} While its logins are held.
   */
  check(target: string): void {
    this.#holds.noteAsked(target);
    const error = this.#holds.errorFor(target);
    if (error !== undefined) throw error;
  }

  /** Whether the logins of a firewall are held. */
  isHeld(target: string): boolean {
    return this.#holds.errorFor(target) !== undefined;
  }

  /** The only credential that a firewall gets; `undefined` if it may get both. */
  onlyFor(target: string): Credential | undefined {
    return this.#turns.onlyFor(target);
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
    return new Attempt({ target, signal }, {
      gate: this.#gate,
      holds: this.#holds,
      turns: this.#turns,
      submissions: this.#submissions,
    });
  }

  /** Forgets all holds, and what led to them. */
  forget(): void {
    this.#holds.forget();
    this.#turns.forget();
    this.#gate.review();
  }
}

type State = "nothing sent" | "sent" | "accepted" | "over";

/** The parts of a guard. */
interface Parts {
  readonly gate: Gate;
  readonly holds: Holds;
  readonly turns: CredentialTurns;
  readonly submissions: Submissions;
}

/** One login, from before it sends the credentials to its verdict. */
export class Attempt implements Disposable {
  readonly #login: { readonly target: string; readonly signal: AbortSignal };
  readonly #gate: Gate;
  readonly #holds: Holds;
  readonly #turns: CredentialTurns;
  readonly #submissions: Submissions;
  readonly #sent: Credential[] = [];
  #state: State = "nothing sent";
  /** Of what it sent, among all submissions of the process. */
  #number = 0;
  /** Of its firewall, in a row, before it was accepted. */
  #failuresBefore = 0;

  constructor(
    login: { readonly target: string; readonly signal: AbortSignal },
    { gate, holds, turns, submissions }: Parts,
  ) {
    this.#login = login;
    this.#gate = gate;
    this.#holds = holds;
    this.#turns = turns;
    this.#submissions = submissions;
  }

  /**
   * Waits until this login may send a credential.
   *
   * @throws {LoginHeldError} If logins have come to be held.
   * @throws {PollError} `timeout` if the wait was too long.
   * @throws The signal's reason.
   */
  async beforeCredential(credential: Credential): Promise<void> {
    this.#throwIfOver();
    await this.#gate.enter(this.#login);
    this.#throwIfOver(); // the turn may have been lost since
    this.#noteUnaccepted();
    this.#state = "sent";
    this.#sent.push(credential);
    this.#number = this.#submissions.noteSent(credential, this.#login.target);
  }

  /** The firewalls whose verdicts this login waits for, if any. */
  get blockers(): readonly string[] {
    return this.#gate.blockersOf(this.#login);
  }

  /** The firewall has let the login in. */
  noteAccepted(): void {
    // a firewall that asked for no credential has not accepted one
    if (this.#state !== "sent") return;
    const { target } = this.#login;
    this.#state = "accepted";
    this.#failuresBefore = this.#holds.failuresOf(target);
    // one that was sent later was rejected: this firewall may still know the
    // password from before a change
    const isNews = this.#number > this.#submissions.lastRejected;
    this.#holds.noteAccepted(target, isNews);
    this.#turns.noteAccepted(target, this.#sent.at(-1));
    if (isNews) this.#gate.open();
    this.#submissions.noteAccepted();
    this.#gate.leave(this.#login);
  }

  /**
   * The login has failed, and is over.
   *
   * @returns What to report: the error, but `auth` in place of `timeout` once
   * a firewall has left the credentials unanswered twice.
   */
  noteFailure(error: PollError): PollError {
    const state = this.#state;
    try {
      if (error instanceof LoginHeldError) return error;
      if (error.reason === "auth") this.#noteRejected(state);
      const isSilent = error.reason === "timeout" && state === "sent" &&
        this.#holds.noteSilence(this.#login.target);
      if (!isSilent) return error;
      const message =
        `${error.message}: the credentials were not answered, twice in a row`;
      return new PollError("auth", message, { cause: error });
    } finally {
      this[Symbol.dispose]();
    }
  }

  [Symbol.dispose](): void {
    this.#noteUnaccepted();
    this.#state = "over";
    this.#gate.leave(this.#login);
  }

  #throwIfOver(): void {
    if (this.#state !== "over") return;
    this.#login.signal.throwIfAborted();
    throw OVER;
  }

  /** What was sent last has no verdict, or a bad one. */
  #noteUnaccepted(): void {
    const last = this.#sent.at(-1);
    if (this.#state !== "sent" || last === undefined) return;
    this.#submissions.noteUnaccepted(last);
  }

  #noteRejected(state: State): void {
    const { target } = this.#login;
    if (state === "over") return;
    if (state !== "accepted") this.#turns.noteFailed(target, this.#sent);
    if (state !== "sent") this.#holds.noteRefused(target, this.#failuresBefore);
    else if (this.#holds.noteRejected(target)) {
      this.#submissions.noteRejected(this.#number);
      this.#gate.close();
    }
  }
}

/** Tells of each credential that is sent: it is what an AAA team asks for. */
class Submissions {
  readonly #log: Log;
  /** In a row, since anybody accepted one; without those under way. */
  readonly #unaccepted = { key: 0, password: 0 };
  #last = 0;
  #lastRejected = 0;

  constructor(log: Log) {
    this.#log = log;
  }

  /** The newest submission whose rejection counts against the account. */
  get lastRejected(): number {
    return this.#lastRejected;
  }

  /** @returns Its number, in the order of sending. */
  noteSent(credential: Credential, target: string): number {
    const count = this.#unaccepted[credential];
    const row = count === 0
      ? ""
      : `, the ${ordinal(count + 1)} in a row that nobody accepted`;
    this.#log("info", `${credential} sent to ${target}${row}`, { target });
    return ++this.#last;
  }

  noteRejected(number: number): void {
    this.#lastRejected = Math.max(this.#lastRejected, number);
  }

  noteAccepted(): void {
    this.#unaccepted.key = this.#unaccepted.password = 0;
  }

  noteUnaccepted(credential: Credential): void {
    this.#unaccepted[credential]++;
  }
}

function ordinal(number: number): string {
  const isTeen = Math.floor(number / 10) % 10 === 1;
  const ending = isTeen ? "th" : ["th", "st", "nd", "rd"][number % 10] ?? "th";
  return `${number}${ending}`;
}
