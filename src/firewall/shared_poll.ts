/**
 * One trip to a firewall, for all who ask for it meanwhile: join, log in, ask.
 *
 * Three limits hold, and none of them restarts another:
 * - a request waits as long as it says, and is then answered alone;
 * - the poll waits for a login until its last request has given up, at least
 *   {@linkcode MIN_LIMIT_MS}; the login goes on;
 * - a question may take as long as the longest wait of all requests, at least
 *   {@linkcode MIN_LIMIT_MS}, from when it was sent; past it, the session is
 *   destroyed.
 *
 * @module
 */

import {
  type FailedPoll,
  type GoodPoll,
  type Poll,
  PollError,
  type Reason,
} from "../model/poll.ts";
import { Stopwatch } from "../model/stopwatch.ts";
import { ENDED } from "../ssh/loss.ts";
import { untilAborted } from "../std/abort.ts";
import type { Clock } from "../std/clock.ts";
import { Deadline } from "../std/deadline.ts";
import { joinNames } from "../std/words.ts";
import type { Session, SessionHolder } from "./session.ts";
import type { Reading, TableReader, WithinLimit } from "./table_reader.ts";

/** What a firewall has told. */
export type Answer = Reading & Pick<GoodPoll, "haState">;

/** A poll that has ended. */
export interface Conclusion {
  readonly poll: Poll;
  /** Whether any request was still there for it. */
  readonly isHeard: boolean;
}

/** A request that still waits. */
interface Requester {
  readonly cancelTimer: () => void;
  readonly resolve: (poll: Poll) => void;
  readonly reject: (bug: unknown) => void;
}

/** So that an impatient request does not end what others want to share. */
const MIN_LIMIT_MS = 5_000;

const TOO_SHORT =
  "raise scrape_timeout, or SCRAPE_TIMEOUT if the scraper sends none";

const NO_VERDICT = "see why there is none";

/** A poll that requests can join until it is concluded. */
export class SharedPoll {
  readonly #holder: SessionHolder;
  readonly #reader: TableReader;
  readonly #clock: Clock;
  readonly #stopwatch: Stopwatch;
  readonly #startedAtMs: number;
  readonly #requesters = new Set<Requester>();
  #longestWaitMs = 0;
  /** When the last of all requests gives up; on the monotonic clock. */
  #givenUpAtMs = -Infinity;
  #hasLogin = false;
  readonly #questions: string[] = [];
  /** The limit of the step under way; `atMs` grows as requests join. */
  #limit:
    | { readonly deadline: Deadline; readonly atMs: () => number }
    | undefined;

  constructor(holder: SessionHolder, reader: TableReader, clock: Clock) {
    this.#holder = holder;
    this.#reader = reader;
    this.#clock = clock;
    this.#stopwatch = new Stopwatch(clock);
    this.#startedAtMs = clock.monotonicMs();
  }

  /**
   * Waits for the poll.
   *
   * @param waitMs After that the request is answered with `timeout`, alone.
   * @throws What a bug throws.
   */
  join(waitMs: number): Promise<Poll> {
    const { promise, resolve, reject } = Promise.withResolvers<Poll>();
    const cancelTimer = this.#clock.setTimer(waitMs, () => {
      this.#requesters.delete(requester);
      const waited = `waited ${inSeconds(waitMs)} for ${this.#awaited()}`;
      const cure = this.#holder.blockers.length === 0 ? TOO_SHORT : NO_VERDICT;
      const message = `Cannot answer in time: ${waited}: ${cure}`;
      resolve(this.#failedPoll("timeout", message));
    });
    const requester: Requester = { cancelTimer, resolve, reject };
    this.#requesters.add(requester);
    this.#longestWaitMs = Math.max(this.#longestWaitMs, waitMs);
    const givenUpAtMs = this.#clock.monotonicMs() + waitMs;
    this.#givenUpAtMs = Math.max(this.#givenUpAtMs, givenUpAtMs);
    this.#limit?.deadline.putOff(this.#limit.atMs());
    return promise;
  }

  /**
   * Asks on the kept session, if that is there and alive; else logs in. To be
   * called once.
   *
   * @throws What a bug throws.
   */
  async run(): Promise<Answer | PollError> {
    try {
      return await this.#askKept() ?? await this.#ask(await this.#logIn());
    } catch (error) {
      if (error instanceof PollError) return error;
      throw error;
    }
  }

  /**
   * Answers all who still wait.
   *
   * What came when nobody waited any more has told every request `timeout`, and
   * so it is a failed poll for the page and the log too.
   */
  conclude(outcome: Answer | PollError): Conclusion {
    const isHeard = this.#requesters.size > 0;
    const failure = isHeard ? undefined : this.#tooLate(outcome);
    const poll = this.#toPoll(failure ?? outcome);
    this.#dismiss(({ resolve }) => resolve(poll));
    return { poll, isHeard };
  }

  /** @throws The bug, if nobody waits to be told. */
  reject(bug: unknown): void {
    if (this.#requesters.size === 0) throw bug;
    this.#dismiss(({ reject }) => reject(bug));
  }

  /** @returns `undefined` if the session was dead before it was asked. */
  async #askKept(): Promise<Answer | PollError | undefined> {
    const session = this.#holder.take();
    if (session === undefined) return undefined;
    try {
      return await this.#ask(session);
    } catch (error) {
      if (error instanceof PollError && error.reason === "session") {
        return undefined;
      }
      throw error;
    }
  }

  async #logIn(): Promise<Session> {
    this.#hasLogin = true;
    const atLeastMs = this.#clock.monotonicMs() + MIN_LIMIT_MS;
    using limit = this.#startLimit(
      () => Math.max(atLeastMs, this.#givenUpAtMs),
      () =>
        `Cannot wait longer than ${
          inSeconds(this.#elapsedMs())
        } for ${this.#awaited()}: it goes on and serves the next scrape`,
    );
    return await this.#holder.logIn(this.#stopwatch, limit.signal);
  }

  async #ask(session: Session): Promise<Answer | PollError> {
    try {
      const reading = await this.#reader.read(session, this.#withinLimit);
      this.#holder.release(session);
      if (reading instanceof PollError) return reading;
      return { ...reading, haState: session.cli.haState };
    } catch (error) {
      const reason = error instanceof PollError ? error : ENDED;
      this.#holder.destroy(session, reason);
      throw error;
    }
  }

  /** A question that has just been sent has the whole limit. */
  readonly #withinLimit: WithinLimit = async (question, answer) => {
    this.#questions.push(question);
    this.#stopwatch.begin("command");
    const sentAtMs = this.#clock.monotonicMs();
    const limitMs = (): number => Math.max(MIN_LIMIT_MS, this.#longestWaitMs);
    using limit = this.#startLimit(
      () => sentAtMs + limitMs(),
      () =>
        `Cannot finish ${question}: no whole answer within ${
          inSeconds(limitMs())
        }: ${TOO_SHORT}`,
    );
    return await untilAborted(answer, limit.signal);
  };

  /** What is waited for, in words. */
  #awaited(): string {
    const names = joinNames(this.#holder.blockers);
    const login = names === ""
      ? "the login"
      : `the login, which sends no credentials before the verdict of ${names}`;
    const answers = this.#questions.map((question) =>
      `the answer to ${question}`
    );
    return [...(this.#hasLogin ? [login] : []), ...answers].join(" and ");
  }

  #startLimit(atMs: () => number, message: () => string): Deadline {
    const toError = (): PollError => new PollError("timeout", message());
    const deadline = new Deadline(this.#clock, atMs(), toError);
    // not a closure over both: one for each poll would be collected late, and
    // the heap of a busy process grew by 60 MB
    this.#limit = { deadline, atMs };
    return deadline;
  }

  #elapsedMs(): number {
    return this.#clock.monotonicMs() - this.#startedAtMs;
  }

  #tooLate(outcome: Answer | PollError): PollError {
    const isError = outcome instanceof PollError;
    if (isError && outcome.reason === "timeout") return outcome;
    const after = inSeconds(this.#elapsedMs());
    const scraper = `the scraper waits ${inSeconds(this.#longestWaitMs)}`;
    const message = isError
      ? `Cannot answer in time: failed after ${after}, ${scraper}: ${outcome.message}`
      : `Cannot answer in time: answered after ${after}, ${scraper}: raise scrape_timeout`;
    return new PollError("timeout", message);
  }

  #toPoll(outcome: Answer | PollError): Poll {
    if (outcome instanceof PollError) {
      return this.#failedPoll(outcome.reason, outcome.message);
    }
    return { ok: true, ...outcome, ...this.#finished() };
  }

  #failedPoll(reason: Reason, message: string): FailedPoll {
    return { ok: false, reason, message, ...this.#finished() };
  }

  #finished(): Pick<Poll, "durations" | "finishedAt"> {
    return {
      durations: this.#stopwatch.durations,
      finishedAt: this.#clock.unixSeconds(),
    };
  }

  #dismiss(tell: (requester: Requester) => void): void {
    for (const requester of this.#requesters) {
      requester.cancelTimer();
      tell(requester);
    }
    this.#requesters.clear();
  }
}

/** To a tenth: `3.5 s`. */
function inSeconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`;
}
