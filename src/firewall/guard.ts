/**
 * The guard that keeps wrong credentials from locking an account.
 *
 * One account serves all firewalls, often through one AAA server. Until a
 * firewall has accepted it, one login at a time may send it, and a rejection
 * holds all logins back. Afterwards a rejection says more about the firewall
 * than about the account, and holds only that one; unless a second firewall
 * that knew the account rejects it too: then the password has been changed.
 *
 * @module
 */

import { untilAborted } from "../std/abort.ts";
import type { Clock } from "../std/clock.ts";
import { PollError } from "../model/poll.ts";

/** One login, from before it sends the credentials to its verdict. */
export interface Attempt extends Disposable {
  /**
   * Waits until this login may send the credentials.
   *
   * @throws {LoginHeldError} If logins have come to be held back.
   * @throws The signal's reason.
   */
  beforeCredential(): Promise<void>;
  accepted(): void;
  /**
   * Draws the conclusion from a login that failed.
   *
   * @returns What to report: the error, unless it has come to mean `auth`.
   */
  failed(error: unknown): unknown;
}

/** What all logins of a process ask before they send anything. */
export interface Lockout {
  /** @throws {LoginHeldError} While logins are held back. */
  check(target: string): void;
  isHeld(target: string): boolean;
  /**
   * Unix time in seconds before which there is no login; `undefined` if there
   * may be one.
   *
   * @param target Without it: of what holds for all targets.
   */
  retryAt(target?: string): number | undefined;
  attempt(target: string, signal: AbortSignal): Attempt;
}

/** Thrown instead of logging in, so that no account is locked. */
export class LoginHeldError extends PollError {
  constructor(message: string) {
    super("auth", message);
  }
}

const MINUTE_MS = 60_000;
const FIRST_HOLDS_MS = [15 * MINUTE_MS, 240 * MINUTE_MS];
const LONGEST_HOLD_MS = 1_440 * MINUTE_MS;

/** Submissions in a row, none accepted, after which the longest hold is due. */
const MAX_SUBMISSIONS = 3;

/** How long a target that had accepted is waited for at the end of a hold. */
const TRIAL_MS = 5 * MINUTE_MS;

/** Submissions of which none was accepted, and what came of them. */
interface Strikes {
  submissions: number;
  unanswered: number;
  holds: number;
  /** Monotonic; no login before it. */
  heldUntil: number;
  /** The same moment as Unix time in seconds. */
  retryAt: number;
}

/** What is known of one firewall. */
interface Target {
  readonly strikes: Strikes;
  hasAccepted: boolean;
  /** Monotonic; when a login was last asked for. */
  askedAt: number;
}

const NO_STRIKES: Readonly<Strikes> = {
  submissions: 0,
  unanswered: 0,
  holds: 0,
  heldUntil: -Infinity,
  retryAt: 0,
};

/** Creates the guard of a process. Nothing is held back. */
export function createLockout(clock: Clock): Lockout {
  /** Of all targets together, while none is known to accept. */
  const account: Strikes = { ...NO_STRIKES };
  const targets = new Map<string, Target>();
  /** Whether a target has accepted since the start, or since a hold of all. */
  let isProven = false;
  /** The target that had accepted before and was the last to reject. */
  let turnedAway: Strikes | undefined;
  /** Settles when the one turn ends that there is while nothing is proven. */
  let onlyTurn: Promise<void> | undefined;

  function recordOf(target: string): Target {
    let record = targets.get(target);
    if (record === undefined) {
      const strikes = { ...NO_STRIKES };
      record = { strikes, hasAccepted: false, askedAt: -Infinity };
      targets.set(target, record);
    }
    return record;
  }

  function isActive({ heldUntil }: Strikes): boolean {
    return clock.monotonicMs() < heldUntil;
  }

  function activeHold(target: string): Strikes | undefined {
    return [account, recordOf(target).strikes].find(isActive);
  }

  /** Whether another target is the better one to try the end of a hold on. */
  function isBetterTriedElsewhere(target: string): boolean {
    const since = clock.monotonicMs() - TRIAL_MS;
    if (isProven || account.heldUntil < since) return false;
    if (recordOf(target).hasAccepted) return false;
    return targets.values().some(({ hasAccepted, askedAt }) =>
      hasAccepted && askedAt >= since
    );
  }

  function check(target: string): void {
    recordOf(target).askedAt = clock.monotonicMs();
    const hold = activeHold(target);
    if (hold !== undefined) {
      const until = new Date(hold.retryAt * 1_000).toISOString();
      throw new LoginHeldError(
        `Cannot log in before ${until}, lest the account be locked: correct the credentials and restart the exporter`,
      );
    }
    if (isBetterTriedElsewhere(target)) {
      throw new LoginHeldError(
        "Cannot log in before a firewall that had accepted the credentials has accepted them again",
      );
    }
  }

  function hold(strikes: Strikes): void {
    if (isActive(strikes)) return; // another login was under way as well
    const due = strikes.submissions >= MAX_SUBMISSIONS
      ? LONGEST_HOLD_MS
      : FIRST_HOLDS_MS[strikes.holds];
    const ms = due ?? LONGEST_HOLD_MS;
    strikes.holds++;
    strikes.heldUntil = clock.monotonicMs() + ms;
    strikes.retryAt = clock.unixSeconds() + ms / 1_000;
  }

  function accepted(target: string): void {
    const record = recordOf(target);
    record.hasAccepted = true;
    Object.assign(record.strikes, NO_STRIKES);
    Object.assign(account, NO_STRIKES);
    isProven = true;
    turnedAway = undefined;
  }

  function rejected(target: string): void {
    const { strikes, hasAccepted } = recordOf(target);
    if (isProven && hasAccepted) {
      const other = turnedAway === strikes ? undefined : turnedAway;
      turnedAway = strikes;
      if (other !== undefined) {
        // two that knew the credentials: they were changed
        isProven = false;
        account.submissions = account.holds = other.submissions;
      }
    }
    const charged = isProven ? strikes : account;
    charged.submissions++;
    hold(charged);
  }

  function unanswered(target: string): boolean {
    const charged = isProven ? recordOf(target).strikes : account;
    charged.submissions++;
    charged.unanswered++;
    if (charged.unanswered < 2) return false;
    hold(charged);
    return true;
  }

  /** @returns What ends the turn. */
  async function takeTurn(
    target: string,
    signal: AbortSignal,
  ): Promise<() => void> {
    while (!isProven && onlyTurn !== undefined) {
      await untilAborted(onlyTurn, signal);
    }
    signal.throwIfAborted(); // nobody would end the turn
    check(target);
    const { promise, resolve } = Promise.withResolvers<void>();
    if (!isProven) onlyTurn = promise;
    return () => {
      if (onlyTurn === promise) onlyTurn = undefined;
      resolve();
    };
  }

  function attempt(target: string, signal: AbortSignal): Attempt {
    const { strikes } = recordOf(target);
    let endTurn: (() => void) | undefined;
    let holdsBefore = 0;

    return {
      async beforeCredential(): Promise<void> {
        // a second method of the same login has the same turn
        endTurn ??= await takeTurn(target, signal);
      },
      accepted(): void {
        // who lets in whoever comes has not accepted the credentials
        if (endTurn === undefined) return;
        holdsBefore = strikes.holds;
        accepted(target);
        endTurn();
        endTurn = undefined;
      },
      failed(error): unknown {
        const isUndecided = endTurn !== undefined;
        try {
          if (
            !(error instanceof PollError) || error instanceof LoginHeldError
          ) {
            return error;
          }
          if (error.reason === "auth") {
            // without a turn nothing was sent, or it was accepted: this
            // firewall alone wants something that the exporter cannot give
            if (isUndecided) rejected(target);
            else {
              strikes.holds += holdsBefore;
              hold(strikes);
            }
          }
          if (error.reason !== "timeout" || !isUndecided) return error;
          if (!unanswered(target)) return error;
          const message =
            `${error.message}: the credentials were not answered, twice in a row`;
          return new PollError("auth", message, { cause: error });
        } finally {
          endTurn?.();
          endTurn = undefined;
        }
      },
      [Symbol.dispose](): void {
        endTurn?.();
      },
    };
  }

  return {
    check,
    isHeld: (target) => activeHold(target) !== undefined,
    retryAt(target): number | undefined {
      const strikes = target === undefined ? [] : [recordOf(target).strikes];
      const active = [account, ...strikes].filter(isActive);
      if (active.length === 0) return undefined;
      return Math.max(...active.map(({ retryAt }) => retryAt));
    },
    attempt,
  };
}
