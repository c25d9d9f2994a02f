/**
 * The one session of a firewall: how it begins, is kept, and ends.
 *
 * @module
 */

import { setAlarm } from "../std/alarm.ts";
import type { Cli } from "../panos/cli.ts";
import type { Clock } from "../std/clock.ts";
import type { Guard } from "./guard.ts";
import type { RateLimit } from "./rate_limit.ts";
import { PollError } from "../model/poll.ts";
import type { Login } from "../ssh/connection.ts";
import { type Mark, toSeconds } from "../model/stopwatch.ts";

/** A session on a firewall, ready for a command. */
export interface Session {
  readonly cli: Cli;
  /** Ends it politely; settles once the connection is closed. */
  end(): Promise<void>;
}

/** What a login tells while it goes on, and what it waits for. */
export type LoginProgress = Pick<
  Login,
  "beforeCredential" | "onAccepted" | "onPhase"
>;

/**
 * Logs in.
 *
 * @param signal Aborted with a {@linkcode PollError} to destroy the session, in
 * the login or at any time after it.
 */
export type OpenSession = (
  progress: LoginProgress,
  signal: AbortSignal,
) => Promise<Session>;

export interface SessionsOptions {
  /** What the guard knows the firewall by. */
  readonly target: string;
  readonly openSession: OpenSession;
  readonly guard: Guard;
  readonly clock: Clock;
  /** Waits until a login may start. */
  readonly rateLimit: RateLimit;
  /** How long a session is kept for the next poll; 0 keeps none. */
  readonly maxAgeMs: number;
  readonly loginTimeoutMs: number;
  /** Told of a login that nobody waited for. */
  onLoginFailed(error: unknown): void;
}

/** The session of one firewall, of which there is never a second. */
export interface Sessions {
  /** Logins attempted. */
  readonly logins: number;
  /** Seconds, of the last login that succeeded. */
  readonly loginDuration: number | undefined;
  /** The phases of the login under way, or else of the last one. */
  readonly marks: readonly Mark[];
  /** The kept session, if there is one; it will not end for lack of use now. */
  take(): Session | undefined;
  /**
   * Waits for the login under way, or else for a new one, whose session is
   * kept. It goes on when nobody waits any more.
   *
   * @throws {PollError} If it failed.
   */
  login(): Promise<void>;
  /** Gives a session back that served a poll. */
  release(session: Session): void;
  /** Destroys a session that must not be used again. */
  destroy(session: Session, reason: PollError): void;
  /** Ends everything, for good. */
  end(): Promise<void>;
}

interface Kept {
  readonly session: Session;
  readonly controller: AbortController;
  /** Monotonic, in milliseconds. */
  readonly expiresAt: number;
}

const STOPPING = "Cannot go on as the exporter is stopping";

/** How far ages differ, so that a fleet does not log in all at once. */
const AGE_SPREAD = 0.1;

/** How often a session that outlives its age looks whether logins are held. */
const HELD_CHECK_MS = 1_000;

/** Prepares the session of a firewall; none is opened yet. */
export function createSessions(options: SessionsOptions): Sessions {
  const { target, guard, clock, maxAgeMs, loginTimeoutMs } = options;
  const now = (): number => clock.monotonicMs();

  let kept: Kept | undefined;
  let loginUnderWay: Promise<void> | undefined;
  let loginController: AbortController | undefined;
  let ending: Promise<void> = Promise.resolve();
  let cancelIdle = (): void => {};
  let isStopped = false;
  let logins = 0;
  let loginDuration: number | undefined;
  let marks: Mark[] = [];

  async function login(): Promise<void> {
    if (loginUnderWay === undefined) {
      if (isStopped) throw new PollError("session", STOPPING);
      guard.check(target);
      loginUnderWay = startLogin().finally(() => loginUnderWay = undefined);
    }
    await loginUnderWay;
  }

  async function startLogin(): Promise<void> {
    marks = [];
    const controller = loginController = new AbortController();
    const { signal } = controller;
    await ending;
    await options.rateLimit(signal);
    guard.check(target); // another login may have been rejected meanwhile
    logins++;
    let startedAt = now();
    let cancelTimeout = startTimeout(loginTimeoutMs);
    using attempt = guard.attempt(target, signal);

    function startTimeout(ms: number): () => void {
      return setAlarm(ms, () => {
        const seconds = loginTimeoutMs / 1_000;
        const message = `Cannot log in within ${seconds} s (SSH_LOGIN_TIMEOUT)`;
        controller.abort(new PollError("timeout", message));
      });
    }

    /** Waiting for other logins is no login time. */
    async function beforeCredential(): Promise<void> {
      cancelTimeout();
      const waitsSince = now();
      try {
        await attempt.beforeCredential();
      } finally {
        startedAt += now() - waitsSince;
        if (!signal.aborted) {
          cancelTimeout = startTimeout(loginTimeoutMs - (now() - startedAt));
        }
      }
    }

    try {
      const session = await options.openSession({
        beforeCredential,
        onAccepted: () => attempt.accepted(),
        onPhase: (phase) => void marks.push({ phase, at: now() }),
      }, signal);
      loginDuration = toSeconds(now() - startedAt);
      keep(session, controller);
    } catch (error) {
      const reason = attempt.failed(error);
      controller.abort(reason);
      throw reason;
    } finally {
      cancelTimeout();
      loginController = undefined;
    }
  }

  function keep(session: Session, controller: AbortController): void {
    const spread = 1 + AGE_SPREAD * (2 * Math.random() - 1);
    const expiresAt = now() + maxAgeMs * spread;
    const candidate = { session, controller, expiresAt };
    kept = candidate;
    // a slow login that outlived its poll has to find the next one
    endWhenIdle(Math.max(maxAgeMs, loginTimeoutMs));
    session.cli.closed.then((reason) => {
      controller.abort(reason);
      if (kept === candidate) forget();
    });
  }

  function endWhenIdle(ms: number): void {
    cancelIdle();
    cancelIdle = setAlarm(ms, () => {
      if (guard.isHeld(target)) endWhenIdle(Math.max(ms, HELD_CHECK_MS));
      else retire();
    });
  }

  function forget(): Kept | undefined {
    cancelIdle();
    const last = kept;
    kept = undefined;
    return last;
  }

  function retire(): void {
    const last = forget();
    if (last !== undefined) ending = last.session.end();
  }

  return {
    get logins(): number {
      return logins;
    },
    get loginDuration(): number | undefined {
      return loginDuration;
    },
    get marks(): readonly Mark[] {
      return marks;
    },
    take(): Session | undefined {
      cancelIdle();
      return kept?.session;
    },
    login,
    release(session): void {
      if (kept?.session !== session) return;
      const isOld = now() >= kept.expiresAt && !guard.isHeld(target);
      if (!isOld) return endWhenIdle(maxAgeMs);
      retire();
      // so that no poll has to wait for a slow login every few minutes
      if (maxAgeMs > 0) login().catch(options.onLoginFailed);
    },
    destroy(session, reason): void {
      if (kept?.session === session) forget()?.controller.abort(reason);
    },
    async end(): Promise<void> {
      isStopped = true;
      loginController?.abort(new PollError("session", STOPPING));
      retire();
      await ending;
      await loginUnderWay?.catch(() => {}); // told to those who wait for it
    },
  };
}
