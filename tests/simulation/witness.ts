/**
 * What must be true of the guard: the rules that an operator is told.
 *
 * A firewall that rejects us is left alone for 65 minutes, then for 24 hours;
 * two firewalls that reject us one after the other stop all logins for the same
 * times; one login at a time sends the password until it is known to be right.
 *
 * The witness sees what reaches the firewalls and what they answer, and keeps
 * its own books. It knows nothing of the exporter's insides.
 *
 * @module
 */

import type { Rules } from "./rules.ts";
import type { SimulatedTime } from "./time.ts";

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const FIRST_HOLD_MS = 65 * MINUTE_MS;
const LONG_HOLD_MS = 24 * HOUR_MS;
const SILENCE_HOLD_MS = 15 * MINUTE_MS;
const PROOF_MS = MINUTE_MS;
const TURN_MS = 10 * SECOND_MS;
const MAX_IN_FLIGHT = 8;

/** Who better may try the end of a hold of all has so long to do so. */
const TRIAL_MS = 5 * MINUTE_MS;
/** A firewall that was told of the hold since then has asked within that. */
const WANTED_MS = 3 * MINUTE_MS;
/** One that was asked for longer ago has not wanted a login since. */
const FORGOTTEN_MS = TRIAL_MS + 3 * MINUTE_MS;

/** A credential on its way. */
export interface Submission {
  readonly firewall: string;
  readonly atMs: number;
  readonly number: number;
}

/** What counts of a firewall since it last accepted. */
interface Account {
  /** Rejections and refusals in a row. */
  failures: number;
  /** Those before it last accepted: a refusal behind it counts on from them. */
  failuresBefore: number;
  /** Credentials in a row that it did not answer. */
  silences: number;
  hasRejected: boolean;
  hasAccepted: boolean;
  heldUntilMs: number;
  /** When a scraper last asked for it: it may have wanted a login. */
  askedAtMs: number;
  /** When a scraper was last told that logins are held: it wanted one. */
  wantedAtMs: number;
}

/** A login that waits for its turn to send the credentials. */
interface Waiting {
  readonly firewall: string;
  readonly sinceMs: number;
}

/** Keeps the books of the guard. */
export class Witness {
  readonly #time: SimulatedTime;
  readonly #rules: Rules;
  readonly #accounts = new Map<string, Account>();
  #submissions = 0;
  /** Without a verdict. */
  readonly #inFlight = new Set<Submission>();
  readonly #waiting = new Set<Waiting>();
  /** Whose first rejection was when, since anybody accepted. */
  readonly #suspects = new Map<string, number>();
  /** The hold of all lasts until somebody accepts, its time may be up before. */
  #allHeldSinceMs: number | undefined;
  #allHeldUntilMs = -Infinity;
  /** When a firewall last showed that the password is right. */
  #proofAtMs = -Infinity;
  #proofLostAtMs = -Infinity;
  /** An acceptance of what was sent before it shows nothing. */
  #lastRejected = 0;
  /** Rejections by the AAA server since it last accepted; when each was. */
  #rejections: number[] = [];
  #hasAaaAccepted = false;
  /** Firewalls that have rejected by an account of their own. */
  readonly #ownRejections = new Set<string>();

  constructor(time: SimulatedTime, rules: Rules) {
    this.#time = time;
    this.#rules = rules;
  }

  /** A connection is opened. */
  connects(firewall: string): void {
    this.#expectFree(firewall, "is connected to");
  }

  /** The credentials have reached a firewall. */
  submits(firewall: string): Submission {
    const now = this.#time.now;
    const submission = { firewall, atMs: now, number: ++this.#submissions };
    this.#expectFree(firewall, "gets the password");
    this.#expectBest(firewall);
    const others = [...this.#inFlight];
    if (!this.#isProven()) {
      const max = this.#allHeldSinceMs === undefined ? 2 : 1;
      this.#rules.expect(
        others.length < max || this.#allHeldSinceMs === now,
        "without proof at most two credentials have no verdict",
        () => `${others.length + 1} of them`,
      );
      this.#rules.expect(
        others.every(({ atMs }) => now - atMs >= TURN_MS),
        "without proof one login at a time sends the password",
        () => `${firewall} beside ${others.map((o) => o.firewall).join()}`,
      );
    }
    const fresh = others.filter(({ atMs }) => now - atMs < TURN_MS);
    this.#rules.expect(
      fresh.length < MAX_IN_FLIGHT,
      "at most eight logins stand between sending and verdict",
    );
    this.#inFlight.add(submission);
    return submission;
  }

  /** A scraper asks for a firewall. */
  asks(firewall: string): void {
    this.#account(firewall).askedAtMs = this.#time.now;
  }

  /**
   * A scraper is told that logins are held because of other firewalls.
   *
   * @param toldAt Unix time.
   */
  turnedAway(firewall: string, toldAt: number): void {
    const { now, clock } = this.#time;
    const agoMs = (clock.unixSeconds() - toldAt) * SECOND_MS;
    this.#account(firewall).wantedAtMs = now - agoMs;
  }

  /**
   * A login waits for its turn to send the credentials.
   *
   * @returns What tells that it waits no more.
   */
  waits(firewall: string): () => void {
    const waiting = { firewall, sinceMs: this.#time.now };
    this.#waiting.add(waiting);
    return () => void this.#waiting.delete(waiting);
  }

  /** After each event: nobody waits at the gate for nothing. */
  checkGate(maxWaitMs: number): void {
    const now = this.#time.now;
    for (const { firewall, sinceMs } of this.#waiting) {
      const waitedMs = now - sinceMs;
      this.#rules.expect(
        !this.#areAllHeld() || this.#allHeldSinceMs === now,
        "who waits at the gate is told of a hold",
        () => firewall,
      );
      this.#rules.expect(
        waitedMs <= maxWaitMs,
        "a wait at the gate has a limit",
        () => `${firewall} waits for ${waitedMs / SECOND_MS} s`,
      );
      const isSuspect = this.#suspects.size > 0 ||
        this.#allHeldSinceMs !== undefined;
      const isFull = this.#inFlight.size >= (isSuspect ? 1 : 2);
      const hasFresh = [...this.#inFlight].some(({ atMs }) =>
        now - atMs <= TURN_MS
      );
      this.#rules.expect(
        isFull || hasFresh,
        "who waits at the gate gets the turn of a silent login",
        () => firewall,
      );
    }
  }

  /** The AAA server has judged. */
  aaaJudged(isAccepted: boolean): void {
    if (isAccepted) {
      this.#rejections = [];
      this.#hasAaaAccepted = true;
      return;
    }
    const now = this.#time.now;
    this.#rejections = this.#rejections.filter((atMs) =>
      now - atMs < 24 * HOUR_MS
    );
    this.#rejections.push(now);
    // what was in flight when the password changed, and each firewall's own
    const slack = (this.#hasAaaAccepted ? 7 : 0) + this.#ownRejections.size;
    const inHour = this.#rejections.filter((atMs) => now - atMs < HOUR_MS);
    this.#rules.expect(
      inHour.length <= 2 + slack,
      "submissions in an hour are bounded",
      () => `${inHour.length}`,
    );
    this.#rules.expect(
      this.#rejections.length <= 3 + slack,
      "submissions in a day are bounded",
      () => `${this.#rejections.length}`,
    );
  }

  /** Rejected by what the firewall itself knows of accounts. */
  ownJudged(firewall: string): void {
    this.#ownRejections.add(firewall);
  }

  /** The exporter learns that it is let in. */
  accepted(firewall: string, submission: Submission | undefined): void {
    if (submission === undefined) return;
    this.#inFlight.delete(submission);
    const account = this.#account(firewall);
    const { askedAtMs } = account;
    Object.assign(account, newAccount(), {
      askedAtMs,
      hasAccepted: true,
      failuresBefore: account.failures,
    });
    if (submission.number <= this.#lastRejected) return;
    this.#suspects.clear();
    this.#allHeldSinceMs = undefined;
    this.#proofAtMs = this.#time.now;
  }

  /** The exporter learns that it is rejected. */
  rejected(firewall: string, submission: Submission): void {
    this.#inFlight.delete(submission);
    const now = this.#time.now;
    const account = this.#account(firewall);
    const isFirst = !account.hasRejected;
    account.hasRejected = true;
    this.#hold(account);
    if (this.#allHeldSinceMs !== undefined) {
      if (now >= this.#allHeldUntilMs) {
        this.#allHeldUntilMs = now + LONG_HOLD_MS;
      }
    } else if (isFirst) {
      for (const [suspect, atMs] of this.#suspects) {
        if (now - atMs > FIRST_HOLD_MS) this.#suspects.delete(suspect);
      }
      this.#suspects.set(firewall, now);
      if (this.#suspects.size > 1) {
        this.#allHeldSinceMs = now;
        this.#allHeldUntilMs = now + FIRST_HOLD_MS;
      }
    } else return;
    this.#lastRejected = Math.max(this.#lastRejected, submission.number);
    if (this.#isProven()) this.#proofLostAtMs = now;
    this.#proofAtMs = -Infinity;
  }

  /** The exporter learns that a firewall wants what it cannot give. */
  refused(firewall: string, isAccepted: boolean): void {
    const account = this.#account(firewall);
    if (isAccepted) account.failures += account.failuresBefore;
    this.#hold(account);
  }

  /** The exporter gives a login up that was not answered in time. */
  silent(firewall: string, submission: Submission): void {
    this.#inFlight.delete(submission);
    const account = this.#account(firewall);
    account.silences++;
    if (account.silences < 2) return;
    account.heldUntilMs = this.#time.now + SILENCE_HOLD_MS;
  }

  /** The login is gone for another reason. */
  dropped(submission: Submission): void {
    this.#inFlight.delete(submission);
  }

  /** An operator has the holds forgotten. */
  reloads(): void {
    for (const account of this.#accounts.values()) {
      const { hasAccepted, askedAtMs, wantedAtMs } = account;
      const kept = { hasAccepted, askedAtMs, wantedAtMs };
      Object.assign(account, newAccount(), kept);
    }
    this.#suspects.clear();
    this.#allHeldSinceMs = undefined;
    this.#rejections = [];
  }

  /** @param retryAt Unix time until which a firewall says that it is held. */
  showsHold(firewall: string, retryAt: number | undefined): void {
    const { now, clock } = this.#time;
    const own = this.#account(firewall).heldUntilMs;
    const all = this.#areAllHeld() ? this.#allHeldUntilMs : -Infinity;
    const untilMs = Math.max(own, all);
    const allowedMs = untilMs > now ? [untilMs] : this.#waitsInTrial(firewall);
    const shownMs = retryAt === undefined
      ? undefined
      : now + (retryAt - clock.unixSeconds()) * SECOND_MS;
    this.#rules.expect(
      allowedMs.some((ms) => isAbout(ms, shownMs)),
      "a hold is as long as the rules say",
      () =>
        `${firewall} shows ${inMinutes(shownMs, now)}, and it is ${
          allowedMs.map((ms) => inMinutes(ms, now)).join(" or ")
        }`,
    );
  }

  /** Whether all logins are held, and have been before this instant. */
  get areAllHeld(): boolean {
    return this.#areAllHeld() && this.#allHeldSinceMs !== this.#time.now;
  }

  #expectFree(firewall: string, what: string): void {
    this.#rules.expect(
      this.#time.now >= this.#account(firewall).heldUntilMs,
      "nothing is sent to a firewall that is held",
      () => `${firewall} ${what}`,
    );
    // what fell on the instant in which the hold began may have come before it
    this.#rules.expect(
      !this.#areAllHeld() || this.#allHeldSinceMs === this.#time.now,
      "nothing is sent while all logins are held",
      () => `${firewall} ${what}`,
    );
  }

  /** Who tries the end of a hold of all had accepted, or has not rejected. */
  #expectBest(firewall: string): void {
    this.#rules.expect(
      !this.#isTrial || !this.#hasBetter(firewall, isSureToWant),
      "the end of a hold is tried by who is the most likely to be accepted",
      () => `${firewall} tries it, and a better one wants to`,
    );
  }

  /** Whether the time of a hold of all is up, and only the best may try. */
  get #isTrial(): boolean {
    return this.#allHeldSinceMs !== undefined && !this.#areAllHeld() &&
      this.#time.now < this.#allHeldUntilMs + TRIAL_MS;
  }

  /**
   * Whether there is a firewall, not held, that is more likely to accept.
   *
   * @param wants Whether it wants a login.
   */
  #hasBetter(
    firewall: string,
    wants: (account: Account, now: number) => boolean,
  ): boolean {
    const { now } = this.#time;
    const rank = rankOf(this.#account(firewall));
    return this.#accounts.values().some((account) =>
      wants(account, now) && now >= account.heldUntilMs &&
      rankOf(account) < rank
    );
  }

  /** Until when a firewall leaves the trial to others; one of several. */
  #waitsInTrial(firewall: string): readonly (number | undefined)[] {
    const endMs = this.#allHeldUntilMs + TRIAL_MS;
    if (!this.#isTrial) return [undefined];
    if (this.#hasBetter(firewall, isSureToWant)) return [endMs];
    return this.#hasBetter(firewall, mayWant)
      ? [undefined, endMs]
      : [undefined];
  }

  #hold(account: Account): void {
    const ms = account.failures === 0 ? FIRST_HOLD_MS : LONG_HOLD_MS;
    account.failures++;
    account.silences = 0;
    account.heldUntilMs = this.#time.now + ms;
  }

  #areAllHeld(): boolean {
    return this.#allHeldSinceMs !== undefined &&
      this.#time.now < this.#allHeldUntilMs;
  }

  /** What fell on the instant in which the proof was lost had it still. */
  #isProven(): boolean {
    const now = this.#time.now;
    return now - this.#proofAtMs < PROOF_MS || now === this.#proofLostAtMs;
  }

  #account(firewall: string): Account {
    let account = this.#accounts.get(firewall);
    if (account === undefined) {
      account = newAccount();
      this.#accounts.set(firewall, account);
    }
    return account;
  }
}

function newAccount(): Account {
  return {
    failures: 0,
    failuresBefore: 0,
    silences: 0,
    hasRejected: false,
    hasAccepted: false,
    heldUntilMs: -Infinity,
    askedAtMs: -Infinity,
    wantedAtMs: -Infinity,
  };
}

/** The lower, the better. */
function rankOf({ hasRejected, hasAccepted }: Account): number {
  if (hasRejected) return 2;
  return hasAccepted ? 0 : 1;
}

function isSureToWant({ wantedAtMs }: Account, now: number): boolean {
  return wantedAtMs < now && now - wantedAtMs < WANTED_MS;
}

function mayWant({ askedAtMs }: Account, now: number): boolean {
  return now - askedAtMs < FORGOTTEN_MS;
}

function isAbout(ms: number | undefined, shownMs: number | undefined): boolean {
  if (ms === undefined || shownMs === undefined) return ms === shownMs;
  return Math.abs(ms - shownMs) <= SECOND_MS;
}

function inMinutes(ms: number | undefined, now: number): string {
  return ms === undefined ? "no hold" : `${(ms - now) / MINUTE_MS} min`;
}
