/**
 * Which logins are held back, until when, and because of whom.
 *
 * Accounts lock after three to five rejections; local locks last up to an
 * hour, the windows of AAA servers half an hour. Hence the times.
 *
 * @module
 */

import { PollError } from "../model/poll.ts";
import type { Clock } from "../std/clock.ts";
import { joinNames } from "../std/words.ts";

/** Thrown instead of logging in, so that no account is locked. */
export class LoginHeldError extends PollError {
  /**
   * @param reason `auth` if the firewall itself has rejected a login, `held`
   * if only others have.
   */
  constructor(reason: "auth" | "held", message: string) {
    super(reason, message);
  }
}

const MINUTE_MS = 60_000;
const FIRST_HOLD_MS = 65 * MINUTE_MS;
const LONG_HOLD_MS = 1_440 * MINUTE_MS;
const SILENCE_HOLD_MS = 15 * MINUTE_MS;

/** Rejections by two firewalls within this time are the account's fault. */
const SUSPICION_MS = FIRST_HOLD_MS;

/** Logins in a row without a verdict after which a firewall is held. */
const MAX_SILENCES = 2;

/**
 * How long after a hold of all the first try is kept for a firewall that is
 * likely to accept.
 */
const TRIAL_MS = 5 * MINUTE_MS;

interface Hold {
  /** Monotonic; no login before it. */
  readonly untilMs: number;
  /** What the firewall did: the middle of a sentence. */
  readonly cause: string;
}

/** What is known of one firewall. */
interface Strikes {
  /** Since it last accepted; they decide how long the next hold is. */
  failures: number;
  /** Logins in a row that it left without a verdict. */
  silences: number;
  hasAccepted: boolean;
  /** Whether it has rejected a credential since it last accepted one. */
  hasRejected: boolean;
  hold: Hold | undefined;
  /** Monotonic; when a login was last asked for. */
  askedAtMs: number;
}

/**
 * Lasts until somebody accepts. Once its time is up, one login at a time tries
 * whether the account is accepted again.
 */
interface HoldOfAll {
  readonly culprits: Set<string>;
  untilMs: number;
}

/** The holds of one process: none, to begin with. */
export class Holds {
  readonly #clock: Clock;
  readonly #strikes = new Map<string, Strikes>();
  /** Whose first rejection was when, since anybody accepted; monotonic. */
  readonly #suspects = new Map<string, number>();
  #holdOfAll: HoldOfAll | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * A firewall wants a login; after a hold of all it may then be the one that
   * tries first.
   */
  noteAsked(target: string): void {
    this.#strikesOf(target).askedAtMs = this.#clock.monotonicMs();
  }

  /** Why a firewall gets no login; `undefined` if it may. */
  errorFor(target: string): LoginHeldError | undefined {
    const own = this.#ownHold(target);
    const all = this.#holdOfAll;
    const isOfAllTimed = all !== undefined && this.#isAhead(all.untilMs);
    if (all === undefined || (own !== undefined && !isOfAllTimed)) {
      return own && new LoginHeldError("auth", this.#explainOwn(own));
    }
    if (!isOfAllTimed && this.#mayTry(target, all)) return undefined;
    const when = isOfAllTimed
      ? ` before ${this.#show(Math.max(all.untilMs, own?.untilMs ?? 0))}`
      : "";
    const isCulprit = own !== undefined || all.culprits.has(target);
    return new LoginHeldError(
      isCulprit ? "auth" : "held",
      explainHoldOfAll(when, target, all.culprits),
    );
  }

  /**
   * Monotonic time before which there is no login; `undefined` if there may
   * be. Who leaves the first try to a better firewall may have one earlier.
   *
   * @param target Without it: of what holds for all firewalls.
   */
  untilMs(target?: string): number | undefined {
    const own = target === undefined ? undefined : this.#ownHold(target);
    const all = this.#holdOfAll;
    const ends = [own?.untilMs, all?.untilMs]
      .filter((untilMs) => untilMs !== undefined)
      .filter((untilMs) => this.#isAhead(untilMs));
    if (ends.length > 0) return Math.max(...ends);
    const mayTry = all === undefined || target === undefined ||
      this.#mayTry(target, all);
    return mayTry ? undefined : all.untilMs + TRIAL_MS;
  }

  /**
   * Credentials that may be without a verdict at a time while nothing shows
   * that they are right: a third rejection may be the one that locks.
   */
  get maxUnresolved(): number {
    this.#dropOldSuspects();
    return this.#holdOfAll === undefined && this.#suspects.size === 0 ? 2 : 1;
  }

  /** The firewalls that led to the hold of all. */
  get culprits(): readonly string[] {
    return [...this.#holdOfAll?.culprits ?? []];
  }

  /** Failures of a firewall in a row. */
  failuresOf(target: string): number {
    return this.#strikesOf(target).failures;
  }

  /**
   * A firewall has accepted the credentials.
   *
   * @param isNews Whether they were sent after all that were rejected: then the
   * account is good, else only that firewall's.
   */
  noteAccepted(target: string, isNews: boolean): void {
    const { askedAtMs } = this.#strikesOf(target);
    const strikes = { ...NO_STRIKES, hasAccepted: true, askedAtMs };
    this.#strikes.set(target, strikes);
    if (!isNews) return;
    this.#suspects.clear();
    this.#holdOfAll = undefined;
  }

  /**
   * A firewall has rejected the credentials.
   *
   * @returns Whether it counts against the account. Only the first rejection
   * of a firewall does, until it accepts: its own local account may be broken
   * for weeks.
   */
  noteRejected(target: string): boolean {
    const strikes = this.#strikesOf(target);
    const isFirst = !strikes.hasRejected;
    strikes.hasRejected = true;
    this.#hold(strikes, "it rejected the credentials");
    const nowMs = this.#clock.monotonicMs();
    if (this.#holdOfAll !== undefined) {
      this.#holdOfAll.culprits.add(target);
      // else it was under way when the hold began
      const isTrial = !this.#isAhead(this.#holdOfAll.untilMs);
      if (isTrial) this.#holdOfAll.untilMs = nowMs + LONG_HOLD_MS;
      return true;
    }
    if (!isFirst) return false;
    this.#dropOldSuspects();
    this.#suspects.set(target, nowMs);
    if (this.#suspects.size > 1) {
      const culprits = new Set(this.#suspects.keys());
      this.#holdOfAll = { culprits, untilMs: nowMs + FIRST_HOLD_MS };
    }
    return true;
  }

  /**
   * A firewall wants what the exporter cannot give: it says nothing of the
   * account, and holds that firewall alone.
   *
   * @param failures Those before the login, if it has accepted meanwhile.
   */
  noteRefused(target: string, failures = 0): void {
    const strikes = this.#strikesOf(target);
    strikes.failures += failures;
    this.#hold(strikes, "it refused the login");
  }

  /**
   * A firewall has taken the credentials and said nothing.
   *
   * @returns Whether it is held for that.
   */
  noteSilence(target: string): boolean {
    const strikes = this.#strikesOf(target);
    strikes.silences++;
    if (strikes.silences < MAX_SILENCES) return false;
    strikes.hold = {
      untilMs: this.#clock.monotonicMs() + SILENCE_HOLD_MS,
      cause: "it did not answer the credentials, twice in a row",
    };
    return true;
  }

  /** Forgets all holds, and what led to them. */
  forget(): void {
    for (const strikes of this.#strikes.values()) {
      const { hasAccepted, askedAtMs } = strikes;
      Object.assign(strikes, { ...NO_STRIKES, hasAccepted, askedAtMs });
    }
    this.#suspects.clear();
    this.#holdOfAll = undefined;
  }

  #strikesOf(target: string): Strikes {
    let strikes = this.#strikes.get(target);
    if (strikes === undefined) {
      strikes = { ...NO_STRIKES };
      this.#strikes.set(target, strikes);
    }
    return strikes;
  }

  #ownHold(target: string): Hold | undefined {
    const { hold } = this.#strikesOf(target);
    return hold !== undefined && this.#isAhead(hold.untilMs) ? hold : undefined;
  }

  #hold(strikes: Strikes, cause: string): void {
    const ms = strikes.failures === 0 ? FIRST_HOLD_MS : LONG_HOLD_MS;
    strikes.failures++;
    strikes.silences = 0;
    strikes.hold = { untilMs: this.#clock.monotonicMs() + ms, cause };
  }

  /**
   * Whether the trial may be this firewall's: one that had accepted is the
   * best to ask, one that has rejected the worst.
   */
  #mayTry(target: string, { untilMs }: HoldOfAll): boolean {
    const sinceMs = this.#clock.monotonicMs() - TRIAL_MS;
    // those that are better asked may be out of reach
    if (untilMs <= sinceMs) return true;
    const rank = rankOf(this.#strikesOf(target));
    return !this.#strikes.entries().some(([name, strikes]) =>
      rankOf(strikes) < rank && strikes.askedAtMs >= sinceMs &&
      this.#ownHold(name) === undefined
    );
  }

  #dropOldSuspects(): void {
    const sinceMs = this.#clock.monotonicMs() - SUSPICION_MS;
    for (const [target, rejectedAtMs] of this.#suspects) {
      if (rejectedAtMs < sinceMs) this.#suspects.delete(target);
    }
  }

  #isAhead(untilMs: number): boolean {
    return this.#clock.monotonicMs() < untilMs;
  }

  #explainOwn({ untilMs, cause }: Hold): string {
    return `Cannot log in before ${
      this.#show(untilMs)
    }, so that the account is not locked: ${cause}; ${REMEDY}`;
  }

  /** A monotonic time as the minute of the day in UTC that follows it. */
  #show(untilMs: number): string {
    const aheadMs = untilMs - this.#clock.monotonicMs();
    const unixMs = this.#clock.unixSeconds() * 1_000 + aheadMs;
    const minute = Math.ceil(Math.round(unixMs) / MINUTE_MS) * MINUTE_MS;
    return `${
      new Date(minute).toISOString().slice(0, 16).replace("T", " ")
    } UTC`;
  }
}

const NO_STRIKES: Readonly<Strikes> = {
  failures: 0,
  silences: 0,
  hasAccepted: false,
  hasRejected: false,
  hold: undefined,
  askedAtMs: -Infinity,
};

const REMEDY =
  "once the account works again, reload the exporter; if the password is another, correct it and restart";

function explainHoldOfAll(
  when: string,
  target: string,
  culprits: ReadonlySet<string>,
): string {
  const names = joinNames([...culprits]);
  const wait = when === "" ? " before another firewall has tried it" : when;
  const where = culprits.has(target)
    ? ""
    : "nothing was sent to this one, see those; ";
  return `Cannot log in${wait}, so that the account is not locked: ${names} rejected the credentials, one after the other; ${where}${REMEDY}`;
}

/** The lower, the better a firewall is for trying whether a hold has helped. */
function rankOf({ hasAccepted, hasRejected }: Strikes): number {
  if (hasRejected) return 2;
  return hasAccepted ? 0 : 1;
}
