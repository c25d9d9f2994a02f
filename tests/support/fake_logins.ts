/**
 * Logins and sessions without a network, which a test takes step by step.
 *
 * @module
 */

import type { Cli } from "../../src/panos/cli.ts";
import type { Command } from "../../src/panos/command.ts";
import { Guard } from "../../src/firewall/guard.ts";
import { createRateLimit } from "../../src/firewall/rate_limit.ts";
import type { PollError } from "../../src/model/poll.ts";
import {
  type LoginProgress,
  type OpenSession,
  type Session,
  SessionHolder,
  type SessionHolderOptions,
} from "../../src/firewall/session.ts";
import { ENDED } from "../../src/ssh/loss.ts";
import { Stopwatch } from "../../src/model/stopwatch.ts";
import type { FakeTime } from "./fake_time.ts";
import { NEGOTIATED } from "./status.ts";
import { inventTunnels, printVpnFlow } from "./vpn_flow_reply.ts";

/** What a session answers when the test does not say: two tunnels. */
export const TABLE = printVpnFlow(inventTunnels(2));

/** A login that a test decides about. */
export interface FakeLogin {
  readonly progress: LoginProgress;
  /** Of the login, and of the session that comes of it. */
  readonly signal: AbortSignal;
  /** Goes as far as the session phase. */
  authenticate(): Promise<void>;
  /** Opens the session. */
  open(): Promise<FakeSession>;
  /** Authenticates if that was not done, and opens the session. */
  succeed(): Promise<FakeSession>;
  fail(error: Error): Promise<void>;
}

/** A session that a test decides about. */
export interface FakeSession {
  readonly session: Session;
  /** Commands run so far. */
  readonly commands: number;
  /** Whether it was told to end. */
  readonly isEnding: boolean;
  /** Answers the command that runs. */
  answer(text?: string): Promise<void>;
  /** Makes the command that runs fail. */
  refuse(error: Error): Promise<void>;
  /** The far side ends it, also as the answer to the wish to end it. */
  close(reason: PollError): Promise<void>;
}

/** Sessions of one firewall, and what they asked for; disposed, they end. */
export interface Scene extends AsyncDisposable {
  readonly sessions: SessionHolder;
  readonly guard: Guard;
  /** In the order in which they began. */
  readonly logins: readonly FakeLogin[];
  /** Sessions that came of them. */
  readonly opened: readonly FakeSession[];
  /** What was told of logins that nobody waited for. */
  readonly unheard: readonly unknown[];
  /** Waits for a login as a poll does that never gives up. */
  wait(): Promise<Session>;
  /** Runs a login to its good end; its session is in use. */
  logIn(): Promise<FakeSession>;
}

/** A guard that tells nobody what is sent. */
export function createGuard({ clock }: Pick<FakeTime, "clock">): Guard {
  return new Guard({
    clock,
    maxWaitMs: 60_000,
    log(): void {},
  });
}

const HAS_XML = false;

/**
 * Prepares the sessions of the firewall `fw-a`.
 *
 * @param setForm Answers that setting; by default it is not known.
 */
export function createScene(
  time: FakeTime,
  options: Partial<SessionHolderOptions> = {},
  setForm: Cli["setForm"] = () => Promise.resolve(HAS_XML),
): Scene {
  const logins: FakeLogin[] = [];
  const unheard: unknown[] = [];
  const opened: FakeSession[] = [];
  const guard = options.guard ?? createGuard(time);
  const openSession: OpenSession = (progress, signal) => {
    const { promise, resolve, reject } = Promise.withResolvers<Session>();
    signal.addEventListener("abort", () => reject(signal.reason));
    logins.push(
      createLogin({
        time,
        progress,
        signal,
        resolve,
        reject,
        opened,
        setForm,
      }),
    );
    return promise;
  };
  const sessions = new SessionHolder({
    target: "fw-a",
    openSession,
    guard,
    clock: time.clock,
    rateLimit: createRateLimit(0, time.clock),
    idleTimeoutMs: 600_000,
    loginTimeoutMs: 60_000,
    onLoginFailed: (error) => void unheard.push(error),
    ...options,
  });
  const wait = (): Promise<Session> =>
    sessions.logIn(new Stopwatch(time.clock), new AbortController().signal);
  return {
    sessions,
    guard,
    logins,
    opened,
    unheard,
    wait,
    async logIn(): Promise<FakeSession> {
      const loggedIn = wait();
      await time.settle();
      const session = await nth(logins, -1).succeed();
      await loggedIn;
      return session;
    },
    async [Symbol.asyncDispose](): Promise<void> {
      const ended = sessions.end();
      for (const session of opened) await session.close(ENDED);
      await time.until(ended);
    },
  };
}

/** An element that must be there. */
export function nth<Value>(values: readonly Value[], index: number): Value {
  const value = values.at(index);
  if (value === undefined) {
    throw new RangeError(`Cannot find number ${index} of ${values.length}`);
  }
  return value;
}

function createLogin({
  time,
  progress,
  signal,
  resolve,
  reject,
  opened,
  setForm,
}: {
  readonly time: FakeTime;
  readonly progress: LoginProgress;
  readonly signal: AbortSignal;
  readonly resolve: (session: Session) => void;
  readonly reject: (reason: Error) => void;
  readonly opened: FakeSession[];
  readonly setForm: Cli["setForm"];
}): FakeLogin {
  let isAuthenticated = false;

  async function authenticate(): Promise<void> {
    progress.onPhase("connect");
    progress.onPhase("handshake");
    progress.onPhase("auth");
    await progress.beforeCredential("password");
    progress.onAccepted();
    progress.onPhase("session");
    isAuthenticated = true;
    await time.settle();
  }

  async function open(): Promise<FakeSession> {
    const session = createSession(time, signal, setForm);
    opened.push(session);
    resolve(session.session);
    await time.settle();
    return session;
  }

  return {
    progress,
    signal,
    authenticate,
    open,
    async succeed(): Promise<FakeSession> {
      if (!isAuthenticated) await authenticate();
      return await open();
    },
    async fail(error): Promise<void> {
      reject(error);
      await time.settle();
    },
  };
}

function createSession(
  time: FakeTime,
  signal: AbortSignal,
  setForm: Cli["setForm"],
): FakeSession {
  const closed = Promise.withResolvers<PollError>();
  let running = Promise.withResolvers<string>();
  let commands = 0;
  let isEnding = false;

  function close(reason: PollError): void {
    closed.resolve(reason);
    running.promise.catch(() => {}); // there may be no command
    running.reject(reason);
  }
  signal.addEventListener("abort", () => close(signal.reason));

  return {
    session: {
      negotiated: NEGOTIATED,
      cli: {
        haState: "active",
        closed: closed.promise,
        async run<Reply>({ parse }: Command<Reply>): Promise<Reply> {
          commands++;
          return parse((await running.promise).split(/\r?\n/));
        },
        async setForm(form): Promise<boolean> {
          return await Promise.race([
            setForm(form),
            closed.promise.then((reason) => Promise.reject(reason)),
          ]);
        },
      },
      async end(): Promise<void> {
        isEnding = true;
        await closed.promise;
      },
    },
    get commands() {
      return commands;
    },
    get isEnding() {
      return isEnding;
    },
    async answer(text = TABLE): Promise<void> {
      running.resolve(text);
      running = Promise.withResolvers();
      await time.settle();
    },
    async refuse(error): Promise<void> {
      running.reject(error);
      running = Promise.withResolvers();
      await time.settle();
    },
    async close(reason): Promise<void> {
      close(reason);
      await time.settle();
    },
  };
}
