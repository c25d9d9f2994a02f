/**
 * One firewall, as all who ask for it share it.
 *
 * @module
 */

import type { Command } from "../panos/cli.ts";
import type { Clock } from "../std/clock.ts";
import type { Lockout } from "./guard.ts";
import { createDeadline, type Deadline } from "../std/deadline.ts";
import {
  type FailedPoll,
  type GoodPoll,
  type Poll,
  PollError,
  type Status,
} from "../model/poll.ts";
import type { Session, Sessions } from "./session.ts";
import { durationsBetween, type Mark } from "../model/stopwatch.ts";
import type { VpnFlow } from "../model/tunnel.ts";
import { parseVpnFlow, VpnFlowError } from "../panos/vpn_flow.ts";
import { quote } from "../std/quote.ts";

export interface FirewallOptions {
  /** `host`, `host:port` or `[v6]:port`, as configured. */
  readonly target: string;
  readonly sessions: Sessions;
  readonly lockout: Lockout;
  readonly clock: Clock;
  /** How long a finished poll is answered again. */
  readonly minPollIntervalMs: number;
  /** Told of each poll that has finished. */
  onPoll(poll: Poll): void;
  /** Told of a login that failed when nobody waited for it any more. */
  onLoginFailed(error: unknown): void;
}

/** A firewall that can be asked. */
export interface Firewall {
  readonly target: string;
  /** What is known now; asks nothing. */
  readonly status: Status;
  /**
   * Asks for the tunnels; whoever asks meanwhile shares the poll.
   *
   * Never rejects for what a firewall or a network does.
   *
   * @param waitMs How long this caller waits. Its poll goes on without it, up
   * to the longest wait of all who share it.
   */
  poll(waitMs: number): Promise<Status>;
  /** Ends the session, and the poll under way. */
  end(): Promise<void>;
}

const SHOW_VPN_FLOW: Command<VpnFlow> = {
  text: "show vpn flow",
  answer: /tunnel/i,
  parse: parseVpnFlow,
};

const ABANDONED = new PollError("session", "The session was abandoned");

/** A poll lasts at least this long, however impatient those who ask for it. */
const MIN_POLL_MS = 5_000;

/** So that a poll that ends at the deadline of its caller can say why. */
const GRACE_MS = 10;

interface PollUnderWay {
  readonly deadline: Deadline;
  readonly done: Promise<Poll>;
  /** What it is to one who no longer waits for it. */
  abandoned(): FailedPoll;
}

/** Prepares a firewall; nothing is sent to it yet. */
export function createFirewall(options: FirewallOptions): Firewall {
  const { target, sessions, lockout, clock } = options;
  const now = (): number => clock.monotonicMs();
  let last: { readonly poll: Poll; readonly at: number } | undefined;
  let lastSuccessAt = 0;
  let current: PollUnderWay | undefined;

  function statusWith(poll: Poll | undefined): Status {
    return {
      target,
      poll,
      lastSuccessAt,
      loginDuration: sessions.loginDuration,
      authRetryAt: lockout.retryAt(target),
      logins: sessions.logins,
    };
  }

  async function poll(waitMs: number): Promise<Status> {
    if (current === undefined && last !== undefined) {
      const isFresh = now() - last.at < options.minPollIntervalMs;
      if (isFresh) return statusWith(last.poll);
    }
    const shared = current ??= startPoll();
    shared.deadline.extend(waitMs);
    const patience = createDeadline(waitMs + GRACE_MS);
    try {
      const givenUp = patience.passed.then(shared.abandoned);
      return statusWith(await Promise.race([shared.done, givenUp]));
    } finally {
      patience.clear();
    }
  }

  function startPoll(): PollUnderWay {
    const startedAt = now();
    const deadline = createDeadline(MIN_POLL_MS);
    const commands: Mark[] = [];
    let loginMarks = (): readonly Mark[] => [];

    function finished(): Pick<Poll, "durations" | "finishedAt"> {
      const marks = [...loginMarks(), ...commands]
        .sort((one, other) => one.at - other.at);
      return {
        durations: durationsBetween(marks, startedAt, now()),
        finishedAt: clock.unixSeconds(),
      };
    }

    async function login(): Promise<Session> {
      loginMarks = () => sessions.marks;
      const login = sessions.login();
      const isLate = await Promise.race([
        login.then(() => false),
        deadline.passed.then(() => true),
      ]);
      if (isLate) {
        login.catch(options.onLoginFailed);
        throw new PollError(
          "timeout",
          "Cannot finish the login before the deadline: it goes on for the next scrape",
        );
      }
      const session = sessions.take();
      if (session === undefined) {
        throw new PollError("session", "The firewall closed the session");
      }
      return session;
    }

    async function ask(session: Session): Promise<Answer> {
      commands.push({ phase: "command", at: now() });
      deadline.passed.then(() => {
        const message =
          `Cannot finish "${SHOW_VPN_FLOW.text}" before the deadline: see scrape_timeout and SCRAPE_TIMEOUT`;
        sessions.destroy(session, new PollError("timeout", message));
      });
      try {
        const flow = await session.cli.run(SHOW_VPN_FLOW);
        sessions.release(session);
        return { flow, haState: session.cli.haState };
      } catch (error) {
        const reason = toPollError(error);
        sessions.destroy(session, reason ?? ABANDONED);
        throw reason ?? error;
      }
    }

    /** Asks on the kept session, if that is there and alive. */
    async function askKept(): Promise<Answer | undefined> {
      const session = sessions.take();
      if (session === undefined) return undefined;
      try {
        return await ask(session);
      } catch (error) {
        // it had died before it printed any of the answer
        if (error instanceof PollError && error.reason === "session") {
          return undefined;
        }
        throw error;
      }
    }

    async function run(): Promise<Poll> {
      try {
        const answer = await askKept() ?? await ask(await login());
        lastSuccessAt = clock.unixSeconds();
        return { ok: true, ...answer, ...finished() };
      } catch (error) {
        if (!(error instanceof PollError)) throw error;
        const { reason, message } = error;
        return { ok: false, reason, message, ...finished() };
      } finally {
        deadline.clear();
        current = undefined;
      }
    }

    async function record(): Promise<Poll> {
      const poll = await run();
      last = { poll, at: now() };
      options.onPoll(poll);
      return poll;
    }

    return {
      deadline,
      done: record(),
      abandoned(): FailedPoll {
        const message =
          "Cannot wait longer for the poll under way: it goes on for others";
        return { ok: false, reason: "timeout", message, ...finished() };
      },
    };
  }

  return {
    target,
    get status(): Status {
      return statusWith(last?.poll);
    },
    poll,
    end: sessions.end,
  };
}

type Answer = Pick<GoodPoll, "flow" | "haState">;

/** @returns `undefined` for an error that is a bug of this program. */
function toPollError(error: unknown): PollError | undefined {
  if (error instanceof PollError) return error;
  if (!(error instanceof VpnFlowError)) return undefined;
  return new PollError(error.reason, error.explain(quote), { cause: error });
}
