/**
 * A firewall at the seam of the login: what the SSH room would tell of it.
 *
 * @module
 */

import { getEventListeners } from "node:events";
import type { Command } from "../../src/panos/cli.ts";
import type {
  LoginProgress,
  OpenSession,
  Session,
} from "../../src/firewall/session.ts";
import { acceptFirst, type HostKeyCheck } from "../../src/ssh/host_key.ts";
import { PollError } from "../../src/model/poll.ts";
import { inventTunnels, printVpnFlow } from "../support/vpn_flow_reply.ts";
import { GOOD, type Manner } from "./plan.ts";
import type { SimulatedTime } from "./time.ts";
import type { Submission, Witness } from "./witness.ts";

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

/** A table that was printed as a whole. */
export interface Printed {
  readonly firewall: string;
  readonly askedAtMs: number;
  readonly atMs: number;
  readonly haState: "active" | "passive";
  readonly isDown: boolean;
}

/** What a firewall shares with the rest of its world. */
export interface Surroundings {
  readonly time: SimulatedTime;
  readonly witness: Witness;
  readonly aaa: AaaServer;
  /** By the number that the table holds. */
  readonly printed: Map<number, Printed>;
  /** The most that a request waits that may share the poll of a command. */
  longestWaitMs(firewall: string): number;
  /** The most that a request waits that waits at this moment. */
  openWaitMs(firewall: string): number;
  readonly loginTimeoutMs: number;
  isStopping(): boolean;
  tell(what: string): void;
}

/** A connection, from the TCP connect to its end. */
interface Connection {
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
  isSession: boolean;
  /** By which the exporter gives it up. */
  readonly signal: AbortSignal;
  /** Of the command that runs: before it there is no reason to give up. */
  limitAtMs: number | undefined;
  /** Whether it waits for its turn to send the credentials. */
  isWaiting: boolean;
  /** By when it has to be open; put off by its wait for its turn. */
  limitOfLoginMs: number;
  commands: number;
  openedAtMs: number;
}

const MAX_LISTENERS = 10;
const MIN_COMMAND_MS = 5_000;
const END_LIMIT_MS = 3_000;
const OWN_KEY = "SHA256:own";
const NEGOTIATED = {
  kex: "curve25519-sha256",
  hostKey: "ssh-ed25519",
  cipher: "aes256-gcm@openssh.com",
  mac: "",
} as const;

/** One firewall of the world. */
export class SimulatedFirewall {
  readonly name: string;
  manner: Manner = GOOD;
  haState: "active" | "passive" = "active";
  isTunnelDown = false;
  /** A kept session was dead when it was asked; until the next login. */
  hasLostKept = false;
  readonly #world: Surroundings;
  readonly #hostKey: HostKeyCheck = acceptFirst(() => {});
  readonly #connections = new Set<Connection>();

  constructor(name: string, world: Surroundings) {
    this.name = name;
    this.#world = world;
    this.#hostKey.confirm(OWN_KEY); // as if it had been pinned
  }

  /** Connections that the exporter has not let go of. */
  get connections(): number {
    return [...this.#connections].filter(({ isOpen }) => isOpen).length;
  }

  /** Whether a login or a command is under way. */
  get isBusy(): boolean {
    return [...this.#connections].some(({ isOpen, isSession, limitAtMs }) =>
      isOpen && (!isSession || limitAtMs !== undefined)
    );
  }

  /** Drops what is connected. */
  kill(): void {
    for (const connection of this.#connections) this.#lose(connection);
  }

  /** What the exporter logs in by. */
  readonly openSession: OpenSession = (progress, signal) => {
    const { witness, tell } = this.#world;
    tell(`${this.name} is connected to`);
    witness.connects(this.name);
    this.#expectNoOther();
    const connection: Connection = {
      lost: Promise.withResolvers<PollError>(),
      isOpen: true,
      abortedAtMs: undefined,
      isGone: false,
      submission: undefined,
      isHeldBack: false,
      isAccepted: false,
      isSession: false,
      signal,
      limitAtMs: undefined,
      isWaiting: false,
      limitOfLoginMs: this.#world.time.now + this.#world.loginTimeoutMs,
      commands: 0,
      openedAtMs: 0,
    };
    this.hasLostKept = false;
    this.#connections.add(connection);
    signal.addEventListener("abort", () => this.#abort(connection, signal));
    const opened = Promise.race([
      this.#logIn(connection, progress),
      connection.lost.promise.then((error) => {
        throw error;
      }),
    ]);
    // before the exporter learns of it, and after nothing else
    opened.catch((error) => this.#conclude(connection, error));
    return opened;
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
    const { witness, time } = this.#world;
    for (const { isGone, abortedAtMs = Infinity } of this.#connections) {
      witness.expect(
        isGone || time.now - abortedAtMs >= END_LIMIT_MS,
        "a firewall has one login or session",
        () => this.name,
      );
    }
  }

  /** The exporter gives the login or the session up. */
  #abort(connection: Connection, signal: AbortSignal): void {
    const { time, witness, tell } = this.#world;
    if (connection.isGone || connection.abortedAtMs !== undefined) return;
    tell(`the exporter gives up its connection to ${this.name}`);
    connection.isOpen = false;
    connection.abortedAtMs = time.now;
    const { submission, isAccepted, isSession, limitAtMs } = connection;
    const isLate = signal.reason instanceof PollError &&
      signal.reason.reason === "timeout";
    witness.expect(
      !isLate || isSession ||
        (!connection.isWaiting && time.now >= connection.limitOfLoginMs),
      "the wait at the gate is no login time",
      () => this.name,
    );
    witness.expect(
      !isLate || limitAtMs === undefined || time.now >= limitAtMs,
      "a command has its whole limit from when it was sent",
      () => `${this.name} had ${(limitAtMs ?? 0) - time.now} ms left`,
    );
    if (submission !== undefined && !isAccepted) {
      time.concludes();
      if (isLate) witness.silent(this.name, submission);
      else witness.dropped(submission);
    }
    // a session is closed from this side; of a login something may remain
    if (isSession) this.#forget(connection);
    else if (this.manner.end === "never closes") return;
    time.after(this.manner.endMs, () => connection.lost.resolve(signal.reason));
  }

  /** The firewall closes the connection. */
  #lose(connection: Connection): void {
    if (!connection.isOpen) return;
    const { submission, isAccepted, isSession } = connection;
    const before = submission === undefined ? "connect" : "auth";
    connection.isOpen = false;
    if (isSession) this.#forget(connection);
    connection.lost.resolve(
      new PollError(
        isAccepted || isSession ? "session" : before,
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
    const { time, witness, tell } = this.#world;
    progress.onPhase("connect");
    await time.take(this.manner.connectMs);
    await this.#connect();
    progress.onPhase("handshake");
    const key = this.manner.key === "another" ? "SHA256:other" : OWN_KEY;
    const objection = this.#hostKey.reject(key);
    if (objection !== undefined) throw new PollError("host_key", objection);
    witness.expect(key === OWN_KEY, "only an accepted key gets credentials");
    progress.onPhase("auth");
    await this.#authenticate(connection, progress);
    await time.concluded();
    if (!connection.isOpen) return await never();
    tell(`${this.name} lets the exporter in`);
    connection.isAccepted = true;
    witness.accepted(this.name, connection.submission);
    progress.onAccepted();
    progress.onPhase("session");
    await time.take(this.manner.shellMs);
    await this.#openShell();
    if (!connection.isOpen) return await never();
    connection.isSession = true;
    connection.openedAtMs = time.now;
    tell(`${this.name} has a session`);
    return this.#createSession(connection);
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
    const { time, witness, tell } = this.#world;
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
      await progress.beforeCredential();
    } catch (error) {
      connection.isHeldBack = true;
      throw error;
    } finally {
      stopWaiting();
    }
    witness.expect(
      connection.abortedAtMs === undefined,
      "a login that is over sends nothing",
      () => this.name,
    );
    if (!connection.isOpen) return await never();
    tell(`${this.name} gets the password`);
    connection.submission = witness.submits(this.name);
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

  #createSession(connection: Connection): Session {
    return {
      negotiated: NEGOTIATED,
      cli: {
        haState: this.haState,
        closed: this.#settleLate(connection.lost.promise),
        run: (command) => this.#run(connection, command),
        // it knows no XML
        setXmlOutput: async () => {
          await this.#world.time.take(0);
          return false;
        },
      },
      end: async (): Promise<void> => {
        this.#expectReasonToEnd(connection);
        const { endMs, end } = this.manner;
        if (end === "never closes") return await never();
        await this.#world.time.take(endMs);
        this.#lose(connection);
      },
    };
  }

  #expectReasonToEnd({ commands, openedAtMs }: Connection): void {
    const { time, witness, loginTimeoutMs } = this.#world;
    if (this.#world.isStopping()) return;
    witness.expect(
      !witness.areAllHeld,
      "a session is kept while logins are held",
      () => this.name,
    );
    witness.expect(
      commands > 0 || time.now - openedAtMs >= loginTimeoutMs,
      "a session that no poll has used is kept",
      () => this.name,
    );
  }

  async #settleLate<Value>(promise: Promise<Value>): Promise<Value> {
    const value = await promise;
    await this.#world.time.lag();
    return value;
  }

  async #run<Value>(
    connection: Connection,
    command: Command<Value>,
  ): Promise<Value> {
    const { tell } = this.#world;
    tell(`${this.name} is asked "${command.text}"`);
    if (this.manner.reply === "dies before it") this.#lose(connection);
    let isDone = false;
    connection.commands++;
    const { time, witness, openWaitMs } = this.#world;
    witness.expect(
      getEventListeners(connection.signal, "abort").length <= MAX_LISTENERS,
      "a session gathers no listeners",
    );
    connection.limitAtMs = time.now +
      Math.max(MIN_COMMAND_MS, openWaitMs(this.name));
    this.#watchCommand(connection, () => isDone);
    try {
      return await Promise.race([
        this.#reply(command),
        this.#settleLate(connection.lost.promise).then((error) => {
          throw error;
        }),
      ]);
    } catch (error) {
      if (error instanceof PollError) {
        this.#lose(connection);
        this.hasLostKept = connection.commands > 1 &&
          error.reason === "session" && connection.abortedAtMs === undefined;
      }
      throw error;
    } finally {
      isDone = true;
      connection.limitAtMs = undefined;
    }
  }

  /** A hung command is ended within the longest wait. */
  #watchCommand(connection: Connection, isDone: () => boolean): void {
    const { time, witness } = this.#world;
    const sentAtMs = time.now;
    const look = (): void => {
      if (isDone() || !connection.isOpen) return;
      const limitMs = Math.max(
        MIN_COMMAND_MS,
        this.#world.longestWaitMs(this.name),
      );
      const leftMs = sentAtMs + limitMs + 1 - time.now;
      if (leftMs > 0) return time.after(leftMs, look);
      witness.breaks(
        "a hung command is ended within the longest wait",
        `${this.name} still hangs after ${limitMs / 1_000} s`,
      );
    };
    time.after(MIN_COMMAND_MS + 1, look);
  }

  async #reply<Value>(command: Command<Value>): Promise<Value> {
    const { time, printed, tell } = this.#world;
    const askedAtMs = time.now;
    await time.take(this.manner.replyMs);
    switch (this.manner.reply) {
      case "hangs":
      case "dies before it":
        return await never();
      case "cut":
        throw new PollError("parse", "The table was cut off");
      case "refused":
        return command.parse(["Invalid syntax.", ""]);
      case "unreadable":
        return command.parse(["no such table", ""]);
    }
    const number = printed.size + 1;
    const { name: firewall, haState, isTunnelDown: isDown } = this;
    const atMs = time.now;
    printed.set(number, { firewall, askedAtMs, atMs, haState, isDown });
    tell(`${firewall} prints table ${number}`);
    return command.parse(printTable(number, isDown));
  }
}

/** A new one each time: what waits for it has to go with its history. */
function never(): Promise<never> {
  return new Promise(() => {});
}

const TEMPLATE = printVpnFlow(inventTunnels(1));

/** A table of one tunnel; its peer's address is the table's number. */
function printTable(number: number, isDown: boolean): string[] {
  const bytes = [10, number >> 16, (number >> 8) & 255, number & 255];
  const peer = bytes.join(".").padEnd(15);
  return TEMPLATE.replace("198.51.100.1   ", peer)
    .replace("active ", isDown ? "inactiv" : "active ").split("\n");
}

/** The number of the table in which a peer's address stands. */
export function numberOf(peerIp: string): number {
  const [, high = 0, middle = 0, low = 0] = peerIp.split(".").map(Number);
  return (high << 16) + (middle << 8) + low;
}
