/**
 * One firewall, as all who ask for it share it.
 *
 * @module
 */

import type { Poll, Status } from "../model/poll.ts";
import type { Clock } from "../std/clock.ts";
import type { Quote } from "../std/quote.ts";
import type { Guard } from "./guard.ts";
import type { Journal } from "./journal.ts";
import type { SessionHolder } from "./session.ts";
import { type Conclusion, SharedPoll } from "./shared_poll.ts";
import { TableReader } from "./table_reader.ts";

/** A firewall that can be asked. */
export interface Firewall {
  readonly target: string;
  /** What is known at this moment; asks nothing. */
  readonly status: Status;
  /**
   * Asks for the tunnels; whoever asks meanwhile shares the poll.
   *
   * Never rejects for what a firewall or a network does.
   *
   * @param waitMs How long this request waits. What else it bounds is said at
   * {@linkcode SharedPoll}.
   */
  poll(waitMs: number): Promise<Status>;
  /** Ends the session, and the poll under way. */
  end(): Promise<void>;
}

/** The parts of a firewall. */
export interface FirewallOptions {
  /** `host`, `host:port` or `[v6]:port`, as configured. */
  readonly target: string;
  readonly holder: SessionHolder;
  readonly guard: Guard;
  readonly clock: Clock;
  /** Puts what the firewall says into a message. */
  readonly quote: Quote;
  /** How long a finished poll is answered again. */
  readonly minPollIntervalMs: number;
  /** Remembers each poll that has finished. */
  readonly journal: Pick<Journal, "history" | "record">;
}

/** A firewall that is polled when it is asked for, by one poll at a time. */
export class PolledFirewall implements Firewall {
  readonly #options: FirewallOptions;
  readonly #reader: TableReader;
  #underWay: SharedPoll | undefined;
  #last: Conclusion | undefined;
  /** Monotonic, in milliseconds. */
  #lastEndedAtMs = -Infinity;
  #lastSuccessAt: number | undefined;

  /** Nothing is sent to it yet. */
  constructor(options: FirewallOptions) {
    this.#options = options;
    this.#reader = new TableReader(options.clock, options.quote);
  }

  get target(): string {
    return this.#options.target;
  }

  get status(): Status {
    return this.#statusWith(this.#last?.poll);
  }

  async poll(waitMs: number): Promise<Status> {
    if (this.#underWay === undefined && this.#isFresh()) return this.status;
    this.#underWay ??= this.#start();
    return this.#statusWith(await this.#underWay.join(waitMs));
  }

  async end(): Promise<void> {
    await this.#options.holder.end();
  }

  /**
   * Whether the last poll may be answered again. One that ended when nobody
   * waited any more may not: its requests were told `timeout`.
   */
  #isFresh(): boolean {
    const { clock, minPollIntervalMs } = this.#options;
    const ageMs = clock.monotonicMs() - this.#lastEndedAtMs;
    return this.#last?.isHeard === true && ageMs < minPollIntervalMs;
  }

  #start(): SharedPoll {
    const { holder, clock } = this.#options;
    const shared = new SharedPoll(holder, this.#reader, clock);
    this.#carryOut(shared);
    return shared;
  }

  async #carryOut(shared: SharedPoll): Promise<void> {
    try {
      const outcome = await shared.run();
      // no await from here to the end: nobody can join meanwhile
      this.#record(shared.conclude(outcome));
    } catch (bug) {
      shared.reject(bug);
    } finally {
      this.#underWay = undefined;
    }
  }

  #record(conclusion: Conclusion): void {
    const { clock, journal } = this.#options;
    const { poll } = conclusion;
    this.#last = conclusion;
    this.#lastEndedAtMs = clock.monotonicMs();
    if (poll.ok) this.#lastSuccessAt = poll.finishedAt;
    journal.record(poll);
  }

  #statusWith(poll: Poll | undefined): Status {
    const { target, holder, guard, journal } = this.#options;
    return {
      target,
      poll,
      lastSuccessAt: this.#lastSuccessAt,
      loginDuration: holder.loginSeconds,
      negotiated: holder.negotiated,
      authRetryAt: guard.retryAt(target),
      logins: holder.logins,
      history: journal.history,
    };
  }
}
