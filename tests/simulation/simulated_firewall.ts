/**
 * A firewall at the seam of the login: what the SSH room would tell of it.
 *
 * @module
 */

import type {
  LoginProgress,
  OpenSession,
  Session,
} from "../../src/firewall/session.ts";
import { acceptFirst, type HostKeyCheck } from "../../src/ssh/host_key.ts";
import { PollError } from "../../src/model/poll.ts";
import { FormBook } from "./form_book.ts";
import { GOOD, type Manner } from "./plan.ts";
import { never, SimulatedSession } from "./simulated_session.ts";
import type { Surroundings } from "./surroundings.ts";
import type { Submission } from "./witness.ts";

/** A verdict at the instant of the login's limit may count or not: it is later. */
const APART_MS = 1;

/** The server that firewalls ask; it counts, and locks the account. */
export class AaaServer {
  verdict: "accept" | "reject" = "accept";
  readonly #lockAfter: number;
  #rejections = 0;

  constructor(lockAfter: number) {
    this.#lockAfter = lockAfter;
  }

  get isLocked(): boolean {
    return this.#rejections >= this.#lockAfter;
  }

  /** @returns Whether it accepts. */
  judge(): boolean {
    const isAccepted = this.verdict === "accept" && !this.isLocked;
    this.#rejections = isAccepted ? 0 : this.#rejections + 1;
    return isAccepted;
  }

  unlock(): void {
    this.#rejections = 0;
  }
}

/** A connection, from the TCP connect to its end. */
export interface Connection {
  readonly lost: PromiseWithResolvers<PollError>;
  isOpen: boolean;
  /** When the exporter gave it up. */
  abortedAtMs: number | undefined;
  /** Whether the exporter has seen the end of it. */
  isGone: boolean;
  /** Once the credentials have been sent. */
  submission: Submission | undefined;
  /** By the exporter itself. */
  isHeldBack: boolean;
  isAccepted: boolean;
  session: SimulatedSession | undefined;
  /** By which the exporter gives it up. */
  readonly signal: AbortSignal;
  /** Whether it waits for its turn to send the credentials. */
  isWaiting: boolean;
  /** By when it has to be open; put off by its wait for its turn. */
  limitOfLoginMs: number;
}

const END_LIMIT_MS = 3_000;
const OWN_KEY = "SHA256:own";

/** One firewall of the world. */
export class SimulatedFirewall {
  readonly name: string;
  haState: "active" | "passive" = "active";
  isTunnelDown = false;
  readonly forms: FormBook;
  readonly #world: Surroundings;
  #manner = GOOD;
  #isTroubled = false;
  readonly #hostKey: HostKeyCheck = acceptFirst(() => {});
  readonly #connections = new Set<Connection>();

  constructor(name: string, world: Surroundings) {
    this.name = name;
    this.forms = new FormBook(world.time, world.rules);
    this.#world = world;
    this.#hostKey.confirm(OWN_KEY); // as if it had been pinned
  }

  /** How it behaves. */
  get manner(): Manner {
    return this.#manner;
  }

  /** Whether it behaves in any way that is not good. */
  get isTroubled(): boolean {
    return this.#isTroubled;
  }

  /** It behaves in another way from now on. */
  change(change: Partial<Manner>): void {
    this.#manner = { ...this.#manner, ...change };
    // the keys are in the same order
    this.#isTroubled = JSON.stringify(this.#manner) !== JSON.stringify(GOOD);
  }

  /** Connections that the exporter has not let go of. */
  get connections(): number {
    return [...this.#connections].filter(({ isOpen }) => isOpen).length;
  }

  /** Whether a login or a command is under way. */
  get isBusy(): boolean {
    return [...this.#connections].some(({ isOpen, session }) =>
      isOpen && (session === undefined || session.isBusy)
    );
  }

  /** Drops what is connected. */
  kill(): void {
    for (const connection of this.#connections) this.lose(connection);
  }

  /** What the exporter logs in by. */
  readonly openSession: OpenSession = (progress, signal) => {
    const { witness, polls, tell } = this.#world;
    tell(`${this.name} is connected to`);
    witness.connects(this.name);
    polls.logsIn(this.name);
    this.#expectNoOther();
    const connection: Connection = {
      lost: Promise.withResolvers<PollError>(),
      isOpen: true,
      abortedAtMs: undefined,
      isGone: false,
      submission: undefined,
      isHeldBack: false,
      isAccepted: false,
      session: undefined,
      signal,
      isWaiting: false,
      limitOfLoginMs: this.#world.time.now + this.#world.loginTimeoutMs,
    };
    this.#connections.add(connection);
    signal.addEventListener("abort", () => this.#abort(connection, signal));
    const opened = Promise.withResolvers<Session>();
    const fail = (error: unknown): void => {
      // in the same moment: what comes later can change nothing
      if (!connection.isGone) this.#conclude(connection, error);
      opened.reject(error);
    };
    this.#logIn(connection, progress).then(opened.resolve, fail);
    connection.lost.promise.then(fail);
    return opened.promise;
  };

  /** A login has failed. */
  #conclude(connection: Connection, error: unknown): void {
    const { witness, tell } = this.#world;
    this.#forget(connection);
    if (!connection.isOpen && connection.abortedAtMs !== undefined) return;
    connection.isOpen = false;
    const { submission, isAccepted } = connection;
    this.#world.time.concludes();
    tell(`the login to ${this.name} fails: ${error}`);
    const isAuth = error instanceof PollError && error.reason === "auth";
    const isUnanswered = submission !== undefined && !isAccepted;
    if (isUnanswered) {
      if (isAuth) witness.rejected(this.name, submission);
      else witness.dropped(submission);
    } else if (isAuth && !connection.isHeldBack) {
      witness.refused(this.name, submission !== undefined);
    }
  }

  #expectNoOther(): void {
    const { rules, time } = this.#world;
    for (const { isGone, abortedAtMs = Infinity } of this.#connections) {
      rules.expect(
        isGone || time.now - abortedAtMs >= END_LIMIT_MS,
        "a firewall has one login or session",
        () => this.name,
      );
    }
  }

  /** The exporter gives the login or the session up. */
  #abort(connection: Connection, signal: AbortSignal): void {
    const { time, rules, witness, tell } = this.#world;
    if (connection.isGone || connection.abortedAtMs !== undefined) return;
    tell(`the exporter gives up its connection to ${this.name}`);
    connection.isOpen = false;
    connection.abortedAtMs = time.now;
    const { submission, isAccepted, session } = connection;
    const isLate = signal.reason instanceof PollError &&
      signal.reason.reason === "timeout";
    rules.expect(
      !isLate || session !== undefined ||
        (!connection.isWaiting && time.now >= connection.limitOfLoginMs),
      "the wait at the gate is no login time",
      () => this.name,
    );
    if (submission !== undefined && !isAccepted) {
      time.concludes();
      if (isLate) witness.silent(this.name, submission);
      else witness.dropped(submission);
    }
    // a session is closed from this side; of a login something may remain
    if (session !== undefined) {
      session.abort(signal.reason);
      this.#forget(connection);
      return connection.lost.resolve(signal.reason);
    }
    if (this.manner.end === "never closes") {
      return time.after(END_LIMIT_MS, () => this.#forget(connection));
    }
    time.after(this.manner.endMs, () => connection.lost.resolve(signal.reason));
  }

  /** The firewall closes a connection. */
  lose(connection: Connection): void {
    if (!connection.isOpen) return;
    const { submission, isAccepted, session } = connection;
    const before = submission === undefined ? "connect" : "auth";
    connection.isOpen = false;
    if (session !== undefined) {
      session.gone();
      this.#forget(connection);
    }
    connection.lost.resolve(
      new PollError(
        isAccepted || session !== undefined ? "session" : before,
        "The firewall has closed the connection",
      ),
    );
  }

  #forget(connection: Connection): void {
    connection.isGone = true;
    this.#connections.delete(connection);
  }

  async #logIn(
    connection: Connection,
    progress: LoginProgress,
  ): Promise<Session> {
    const { time, rules, witness, tell } = this.#world;
    progress.onPhase("connect");
    await time.take(this.manner.connectMs);
    await this.#connect();
    progress.onPhase("handshake");
    const key = this.manner.key === "another" ? "SHA256:other" : OWN_KEY;
    const objection = this.#hostKey.reject(key);
    if (objection !== undefined) throw new PollError("host_key", objection);
    rules.expect(key === OWN_KEY, "only an accepted key gets credentials");
    progress.onPhase("auth");
    await this.#authenticate(connection, progress);
    while (time.isConcluding) await undefined;
    if (!connection.isOpen) return await never();
    tell(`${this.name} lets the exporter in`);
    connection.isAccepted = true;
    const { submission } = connection;
    witness.accepted(this.name, submission);
    if (submission !== undefined) {
      this.#world.observer?.onAcceptance(submission);
    }
    progress.onAccepted();
    progress.onPhase("session");
    await time.take(this.manner.shellMs);
    await this.#openShell();
    if (!connection.isOpen) return await never();
    tell(`${this.name} has a session`);
    const session = new SimulatedSession(this, connection, this.#world);
    connection.session = session;
    return session.seam;
  }

  async #connect(): Promise<void> {
    const { connect } = this.manner;
    if (connect === "hangs") await never();
    if (connect === "accepts") return;
    throw new PollError("connect", `Cannot connect: ${this.name} ${connect}`);
  }

  async #authenticate(
    connection: Connection,
    progress: LoginProgress,
  ): Promise<void> {
    const { time, rules, witness, tell } = this.#world;
    const { verdict } = this.manner;
    if (verdict === "lets in unasked") return;
    if (verdict === "asks a question") {
      await time.take(this.manner.verdictMs + APART_MS);
      throw new PollError("auth", "it asks what is not answered");
    }
    const forget = witness.waits(this.name);
    const sinceMs = time.now;
    const stopWaiting = (): void => {
      if (connection.isWaiting) {
        connection.limitOfLoginMs += time.now - sinceMs;
      }
      connection.isWaiting = false;
      forget();
    };
    connection.isWaiting = true;
    // a login that is over waits no more, whatever becomes of its promise
    connection.signal.addEventListener("abort", stopWaiting);
    connection.lost.promise.then(stopWaiting);
    try {
      await progress.beforeCredential("password");
    } catch (error) {
      connection.isHeldBack = true;
      throw error;
    } finally {
      stopWaiting();
    }
    rules.expect(
      connection.abortedAtMs === undefined,
      "a login that is over sends nothing",
      () => this.name,
    );
    if (!connection.isOpen) return await never();
    tell(`${this.name} gets the password`);
    connection.submission = witness.submits(this.name);
    this.#world.observer?.onSubmission(connection.submission);
    if (!await this.#judge(connection)) {
      throw new PollError("auth", "it rejects the credentials");
    }
  }

  /** @returns Never, if the firewall says nothing. */
  async #judge(connection: Connection): Promise<boolean> {
    const { time, witness, aaa } = this.#world;
    const { verdict, verdictMs } = this.manner;
    if (verdict === "silent") return await never();
    if (verdict === "ask AAA") {
      const isAccepted = aaa.judge();
      await time.take(verdictMs + APART_MS);
      // a verdict that comes too late is a silence, which counts for nothing
      if (connection.isOpen) witness.aaaJudged(isAccepted);
      return isAccepted;
    }
    witness.ownJudged(this.name);
    await time.take(verdictMs + APART_MS);
    return false;
  }

  async #openShell(): Promise<void> {
    const { shell } = this.manner;
    if (shell === "opens") return;
    if (shell === "hangs") return await never();
    throw shell === "refuses"
      ? new PollError("session", "The shell was refused")
      : new PollError("auth", "the shell wants a new password");
  }
}
