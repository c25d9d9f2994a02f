/**
 * The one session of a firewall: how it begins, is kept, and ends.
 *
 * There is never a second one: at any time it is in exactly one of the states
 * of {@linkcode State}, and each method says what it does in which of them.
 *
 * @module
 */

import type { Negotiated } from "../model/negotiated.ts";
import { type Phase, PollError } from "../model/poll.ts";
import { type Stopwatch, toSeconds } from "../model/stopwatch.ts";
import type { Cli } from "../panos/cli.ts";
import type { Login } from "../ssh/connection.ts";
import { ENDED } from "../ssh/loss.ts";
import { untilAborted } from "../std/abort.ts";
import type { Clock } from "../std/clock.ts";
import { Countdown, settledWithin } from "../std/deadline.ts";
import type { Attempt, Guard } from "./guard.ts";
import type { RateLimit } from "./rate_limit.ts";

/** A session on a firewall, ready for a command. */
export interface Session {
  readonly cli: Cli;
  readonly negotiated: Negotiated;
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
  login: LoginProgress & Pick<Login, "only">,
  signal: AbortSignal,
) => Promise<Session>;

/** Whose session it is, and how it is opened and kept. */
export interface SessionHolderOptions {
  /** What the guard knows the firewall by. */
  readonly target: string;
  readonly openSession: OpenSession;
  readonly guard: Guard;
  readonly clock: Clock;
  /** Waits until a login may start. */
  readonly rateLimit: RateLimit;
  /** How long a session may stand unused; 0 ends it with each poll. */
  readonly idleTimeoutMs: number;
  /** From the TCP connect; time spent waiting at the guard is left out. */
  readonly loginTimeoutMs: number;
  /** Told of a login that failed when no poll waited for it. */
  onLoginFailed(error: unknown): void;
}

/** A session that is open, and what destroys it. */
interface Open {
  readonly session: Session;
  readonly controller: AbortController;
}

/** The poll that waits for a login. */
interface Waiter {
  readonly stopwatch: Stopwatch;
  readonly resolve: (session: Session) => void;
  readonly reject: (error: unknown) => void;
}

interface LoggingIn {
  readonly kind: "logging in";
  readonly controller: AbortController;
  phase: Phase | undefined;
  /** `undefined` before it connects. */
  attempt: Attempt | undefined;
  /** `undefined` while the login goes on for the next poll. */
  waiter: Waiter | undefined;
  /** Settles when nothing is left of this login, or of the session before it. */
  gone: Promise<unknown>;
}

type State =
  | { readonly kind: "none" }
  | LoggingIn
  | {
    readonly kind: "idle";
    readonly open: Open;
    readonly cancelTimer: () => void;
  }
  | { readonly kind: "in use"; readonly open: Open }
  | { readonly kind: "ending"; readonly done: Promise<void> }
  | { readonly kind: "stopped"; readonly done: Promise<void> };

const NONE: State = { kind: "none" };

/** How long the end of a session or of a login may hold up the next login. */
const END_LIMIT_MS = 3_000;

/** How often a session that should be ended looks whether logins are held. */
const HELD_CHECK_MS = 1_000;

const STOPPING = new PollError(
  "session",
  "Cannot go on as the exporter is stopping",
);

/** Holds the session of one firewall, for one poll at a time. */
export class SessionHolder {
  readonly #options: SessionHolderOptions;
  #state: State = NONE;
  #logins = 0;
  #loginSeconds: number | undefined;
  #negotiated: Negotiated | undefined;

  /** None is opened yet. */
  constructor(options: SessionHolderOptions) {
    this.#options = options;
  }

  /** Logins attempted. */
  get logins(): number {
    return this.#logins;
  }

  /** What the last login took that succeeded. */
  get loginSeconds(): number | undefined {
    return this.#loginSeconds;
  }

  /** By the last login that succeeded. */
  get negotiated(): Negotiated | undefined {
    return this.#negotiated;
  }

  /** Other firewalls whose verdicts the login under way waits for. */
  get blockers(): readonly string[] {
    if (this.#state.kind !== "logging in") return [];
    return this.#state.attempt?.blockers ?? [];
  }

  /** Takes the session that stands idle into use, if there is one. */
  take(): Session | undefined {
    if (this.#state.kind !== "idle") return undefined;
    const { open, cancelTimer } = this.#state;
    cancelTimer();
    this.#state = { kind: "in use", open };
    return open.session;
  }

  /**
   * Waits for the login under way, or else for a new one, and takes its session
   * into use.
   *
   * @param stopwatch Is told the phases of the login.
   * @param patience Aborted when nobody waits any more: the login goes on, and
   * its session is kept for the next poll.
   * @throws {PollError} Why the login failed, or the reason of `patience`.
   */
  async logIn(stopwatch: Stopwatch, patience: AbortSignal): Promise<Session> {
    const login = this.#findLogin();
    const { promise, resolve, reject } = Promise.withResolvers<Session>();
    login.waiter = { stopwatch, resolve, reject };
    if (login.phase !== undefined) stopwatch.begin(login.phase);
    function giveUp(): void {
      login.waiter = undefined;
      reject(patience.reason);
    }
    patience.addEventListener("abort", giveUp);
    try {
      return await promise;
    } finally {
      patience.removeEventListener("abort", giveUp);
    }
  }

  /** Gives a session back that can serve another poll. */
  release(session: Session): void {
    const open = this.#inUse(session);
    if (open !== undefined) this.#keep(open, this.#options.idleTimeoutMs);
  }

  /** Destroys a session that must not be used again. */
  destroy(session: Session, reason: PollError): void {
    const open = this.#inUse(session);
    if (open === undefined) return;
    this.#state = NONE;
    open.controller.abort(reason);
  }

  /** Ends everything, for good; settles within a bounded time. */
  async end(): Promise<void> {
    const state = this.#state;
    const done = state.kind === "stopped" ? state.done : this.#stop(state);
    this.#state = { kind: "stopped", done };
    await done;
  }

  /** @returns `undefined` if it has died meanwhile, or everything is ending. */
  #inUse(session: Session): Open | undefined {
    if (this.#state.kind !== "in use") return undefined;
    return this.#state.open.session === session ? this.#state.open : undefined;
  }

  #findLogin(): LoggingIn {
    const state = this.#state;
    switch (state.kind) {
      case "logging in":
        return state;
      case "none":
        return this.#startLogin(Promise.resolve());
      case "ending":
        return this.#startLogin(state.done);
      case "stopped":
        throw STOPPING;
      case "idle":
      case "in use":
        throw new Error("Cannot log in: there is a session");
    }
  }

  /** @param before Settles when the session before it has ended. */
  #startLogin(before: Promise<void>): LoggingIn {
    const { guard, target } = this.#options;
    guard.check(target);
    const login: LoggingIn = {
      kind: "logging in",
      controller: new AbortController(),
      phase: undefined,
      attempt: undefined,
      waiter: undefined,
      gone: before,
    };
    this.#state = login;
    this.#carryOut(login);
    return login;
  }

  async #carryOut(login: LoggingIn): Promise<void> {
    try {
      this.#handOver(login, await this.#open(login));
    } catch (error) {
      login.controller.abort(error);
      if (this.#state !== login) return; // it was stopped
      this.#beginEnding(this.#untilGone(login));
      if (login.waiter === undefined) this.#options.onLoginFailed(error);
      else login.waiter.reject(error);
    }
  }

  async #open(login: LoggingIn): Promise<Session> {
    const { guard, target, rateLimit } = this.#options;
    const { signal } = login.controller;
    await untilAborted(login.gone, signal);
    await rateLimit(signal);
    signal.throwIfAborted();
    guard.check(target); // another login may have been rejected meanwhile
    this.#logins++;
    using attempt = login.attempt = guard.attempt(target, signal);
    using countdown = limitLogin(login.controller, this.#options);
    const opened = this.#options.openSession({
      only: guard.onlyFor(target),
      async beforeCredential(credential): Promise<void> {
        using _pause = countdown.pause();
        await attempt.beforeCredential(credential);
      },
      onAccepted: () => attempt.noteAccepted(),
      onPhase(phase): void {
        login.phase = phase;
        login.waiter?.stopwatch.begin(phase);
      },
    }, signal);
    login.gone = opened.catch(() => {}); // the error is reported below
    try {
      const session = await untilAborted(opened, signal);
      this.#loginSeconds = toSeconds(countdown.elapsedMs);
      this.#negotiated = session.negotiated;
      return session;
    } catch (error) {
      throw error instanceof PollError ? attempt.noteFailure(error) : error;
    }
  }

  #handOver(login: LoggingIn, session: Session): void {
    if (this.#state !== login) return; // it was stopped, and is destroyed
    const { waiter, controller } = login;
    const { idleTimeoutMs, loginTimeoutMs } = this.#options;
    const open = { session, controller };
    session.cli.closed.then((reason) => this.#lose(open, reason));
    if (waiter === undefined) {
      // a slow login that outlived its poll has to find the next one
      this.#keep(open, Math.max(idleTimeoutMs, loginTimeoutMs));
    } else {
      this.#state = { kind: "in use", open };
      waiter.resolve(session);
    }
  }

  #lose(open: Open, reason: PollError): void {
    const state = this.#state;
    if (state.kind === "idle" && state.open === open) state.cancelTimer();
    if (
      (state.kind === "idle" || state.kind === "in use") && state.open === open
    ) this.#state = NONE;
    open.controller.abort(reason);
  }

  /**
   * @param ms 0 ends it at once, unless logins are held: then no new one could
   * be opened.
   */
  #keep(open: Open, ms: number): void {
    if (ms === 0) return this.#retire(open);
    const cancelTimer = this.#options.clock.setTimer(
      ms,
      () => this.#retire(open),
    );
    this.#state = { kind: "idle", open, cancelTimer };
  }

  #retire(open: Open): void {
    const { guard, target } = this.#options;
    if (guard.isHeld(target)) this.#keep(open, HELD_CHECK_MS);
    else this.#beginEnding(this.#endPolitely(open));
  }

  #beginEnding(done: Promise<void>): void {
    const ending = { kind: "ending", done } as const;
    this.#state = ending;
    done.finally(() => {
      if (this.#state === ending) this.#state = NONE;
    });
  }

  async #endPolitely({ session, controller }: Open): Promise<void> {
    try {
      await settledWithin(END_LIMIT_MS, session.end(), this.#options.clock);
    } finally {
      controller.abort(ENDED);
    }
  }

  async #untilGone({ gone }: LoggingIn): Promise<void> {
    await settledWithin(END_LIMIT_MS, gone, this.#options.clock);
  }

  #stop(state: Exclude<State, { kind: "stopped" }>): Promise<void> {
    switch (state.kind) {
      case "none":
        return Promise.resolve();
      case "logging in":
        state.controller.abort(STOPPING);
        state.waiter?.reject(STOPPING);
        return this.#untilGone(state);
      case "idle":
        state.cancelTimer();
        return this.#endPolitely(state.open);
      case "in use":
        // a command may hang for longer than the stop may take
        state.open.controller.abort(STOPPING);
        return this.#endPolitely(state.open);
      case "ending":
        return state.done;
    }
  }
}

/**
 * Gives a login up that takes too long.
 *
 * @param controller Of the login.
 */
export function limitLogin(
  controller: AbortController,
  { clock, loginTimeoutMs: ms }: Pick<
    SessionHolderOptions,
    "clock" | "loginTimeoutMs"
  >,
): Countdown {
  return new Countdown(clock, ms, () => {
    const message = `Cannot log in within ${ms / 1_000} s (SSH_LOGIN_TIMEOUT)`;
    controller.abort(new PollError("timeout", message));
  });
}
