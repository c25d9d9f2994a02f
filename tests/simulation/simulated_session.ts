/**
 * A session of a simulated firewall, as the room `panos` would tell of it.
 *
 * @module
 */

import { getEventListeners } from "node:events";
import type { Session } from "../../src/firewall/session.ts";
import type { Command } from "../../src/panos/command.ts";
import { PollError } from "../../src/model/poll.ts";
import { printTable, UNREADABLE } from "./printed_table.ts";
import type { Connection, SimulatedFirewall } from "./simulated_firewall.ts";
import type { Surroundings } from "./surroundings.ts";

/** What the exporter wants to know; in XML it takes two commands. */
interface Question {
  readonly isXml: boolean;
  readonly sentAtMs: number;
  /** Before it there is no reason to give up. */
  readonly limitAtMs: number;
}

/** Those of the simulated firewall itself. */
const OWN_LISTENERS = 2;

const MIN_COMMAND_MS = 5_000;
const REFUSAL: readonly string[] = ["Invalid syntax.", ""];
const NEGOTIATED = {
  kex: "curve25519-sha256",
  hostKey: "ssh-ed25519",
  cipher: "aes256-gcm@openssh.com",
  mac: "",
} as const;

/** A session, from the first prompt to its end. */
export class SimulatedSession {
  readonly #firewall: SimulatedFirewall;
  readonly #connection: Connection;
  readonly #world: Surroundings;
  readonly #openedAtMs: number;
  #question: Question | undefined;
  #hasBeenAsked = false;
  /** Whether the last question was answered, so that a poll has ended. */
  #isKept = false;
  #printsXml = false;
  /** In which form it prints by what the exporter was told. */
  #isSaidToPrintXml = false;
  /** The text cannot be read, and XML has not been asked for yet. */
  #isTextUnreadable = false;
  /** When a table was read; if the session is lost then, it may not have been. */
  #readAtMs = -Infinity;
  /** Nobody can tell any more in which form it prints. */
  #isSpoiled = false;
  /** A question for XML for which the output has been switched. */
  #half: Question | undefined;
  /** The output has been switched to text, and the text is asked for next. */
  #isSwitchedBack = false;
  readonly #closed: Promise<PollError>;
  #loss: PollError | undefined;
  #onLost: (error: PollError) => void = () => {};
  /** As the last prompt says. */
  #haState: "active" | "passive";

  constructor(
    firewall: SimulatedFirewall,
    connection: Connection,
    world: Surroundings,
  ) {
    this.#firewall = firewall;
    this.#connection = connection;
    this.#world = world;
    this.#openedAtMs = world.time.now;
    this.#haState = firewall.haState;
    this.#closed = this.#close();
  }

  /** Whether a question is under way. */
  get isBusy(): boolean {
    return this.#question !== undefined;
  }

  /** What the exporter is given. */
  get seam(): Session {
    const haState = (): "active" | "passive" => this.#haState;
    return {
      negotiated: NEGOTIATED,
      cli: {
        get haState(): "active" | "passive" {
          return haState();
        },
        closed: this.#closed,
        run: (command) => this.#run(command),
        setForm: (form) => this.#setXmlOutput(form === "xml"),
      },
      end: () => this.#end(),
    };
  }

  /** The exporter gives it up. */
  abort(reason: unknown): void {
    const { time, rules } = this.#world;
    const question = this.#question;
    if (question === undefined || this.#world.isStopping) return;
    rules.expect(
      time.now >= question.limitAtMs,
      "a command has its whole limit from when it was sent",
      () =>
        `${this.#firewall.name} had ${question.limitAtMs - time.now} ms left`,
    );
    rules.expect(
      reason instanceof PollError &&
        reason.reason === (question.isXml ? "parse" : "timeout"),
      "a hung question for text is a timeout, and for XML unreadable",
      () => `${reason}`,
    );
    this.gone();
    if (question.isXml) this.#firewall.forms.xmlFailed();
  }

  /** The connection is gone, and the answer that was under way with it. */
  gone(): void {
    const isJustRead = this.#readAtMs === this.#world.time.now;
    const question = this.#question ?? this.#half;
    if (isJustRead || question?.isXml) this.#firewall.forms.lost();
    this.#question = undefined;
  }

  async #end(): Promise<void> {
    const { time, rules, witness, loginTimeoutMs } = this.#world;
    const { name, manner } = this.#firewall;
    if (!this.#world.isStopping) {
      rules.expect(
        !witness.areAllHeld,
        "a session is kept while logins are held",
        () => name,
      );
      rules.expect(
        this.#hasBeenAsked || time.now - this.#openedAtMs >= loginTimeoutMs,
        "a session that no poll has used is kept",
        () => name,
      );
    }
    this.#readAtMs = -Infinity; // it was, or it would not be ended
    if (manner.end === "never closes") return await never();
    await time.take(manner.endMs);
    this.#firewall.lose(this.#connection);
  }

  /** Tells the question under way that the connection is lost. */
  async #close(): Promise<PollError> {
    const { time } = this.#world;
    const error = await this.#connection.lost.promise;
    await time.lag();
    this.#loss = error;
    this.#onLost(error);
    await time.lag();
    return error;
  }

  async #run<Value>(command: Command<Value>): Promise<Value> {
    const { forms } = this.#firewall;
    const isXml = command.maxLineLength !== undefined;
    const isSecondHalf = this.#half !== undefined;
    this.#world.rules.expect(
      isXml === this.#isSaidToPrintXml,
      "a session is asked in the form in which it prints",
      () => this.#firewall.name,
    );
    if (!isXml && !this.#isSwitchedBack) forms.asksText();
    if (isXml && !isSecondHalf) forms.asksXml(this.#isTextUnreadable);
    this.#isSwitchedBack = false;
    return await this.#ask(command.text, isXml, async () => {
      const lines = await this.#print();
      try {
        const value = command.parse(lines);
        if (this.#connection.isOpen) this.#noteRead(isXml);
        return value;
      } catch (error) {
        const isRefused = lines === REFUSAL;
        if (!isXml && !isRefused) this.#isTextUnreadable = true;
        // a session that is gone may have told nobody
        if (this.#connection.isOpen) this.#noteUnreadable(isXml, isRefused);
        throw error;
      }
    });
  }

  #noteRead(isXml: boolean): void {
    const { forms } = this.#firewall;
    this.#readAtMs = this.#world.time.now;
    this.#isKept = true;
    if (isXml) forms.xmlRead();
    else forms.textRead();
  }

  #noteUnreadable(isXml: boolean, isRefused: boolean): void {
    const { forms, name } = this.#firewall;
    const { time, rules } = this.#world;
    this.#isKept = isRefused;
    if (isXml) return forms.xmlFailed();
    if (isRefused || !forms.owesXml) return;
    time.after(1, () =>
      rules.expect(
        !this.#isTextUnreadable || !this.#connection.isOpen ||
          this.#world.isStopping,
        "text that cannot be read is asked for in XML on the same session",
        () => name,
      ));
  }

  async #setXmlOutput(isOn: boolean): Promise<boolean> {
    const { forms } = this.#firewall;
    if (isOn) forms.asksXml(this.#isTextUnreadable);
    else forms.asksText();
    const command = `set cli op-command-xml-output ${isOn ? "on" : "off"}`;
    return await this.#ask(command, isOn, async () => {
      await this.#world.time.take(this.#firewall.manner.replyMs);
      const { xml } = this.#firewall.manner;
      if (xml === "hangs") return await never();
      if (xml === "leaves the form unknown") throw this.#spoil();
      if (xml === "is not known") {
        if (isOn && this.#connection.isOpen) forms.xmlFailed();
        return false;
      }
      if (isOn) this.#half = this.#question;
      else this.#isSwitchedBack = true;
      this.#isSaidToPrintXml = isOn;
      this.#printsXml = isOn || (xml === "stays on" && this.#printsXml);
      return true;
    });
  }

  /** Nobody can tell in which form it prints: it has to be ended. */
  #spoil(): PollError {
    const { time, rules } = this.#world;
    this.#isSpoiled = true;
    time.after(1, () =>
      rules.expect(
        !this.#connection.isOpen,
        "a session is ended when its form is unknown",
        () => this.#firewall.name,
      ));
    return new PollError("parse", "The answer tells neither");
  }

  /** A command is sent. */
  async #ask<Value>(
    text: string,
    isXml: boolean,
    answer: () => Promise<Value>,
  ): Promise<Value> {
    const { rules, tell } = this.#world;
    const { name, manner } = this.#firewall;
    const connection = this.#connection;
    tell(`${name} is asked "${text}"`);
    rules.expect(
      getEventListeners(connection.signal, "abort").length <= OWN_LISTENERS,
      "a login that has succeeded leaves no listeners",
    );
    this.#hasBeenAsked = true;
    this.#isTextUnreadable = false;
    this.#question = this.#half ?? this.#begin(isXml);
    this.#half = undefined;
    if (manner.reply === "dies before it") this.#firewall.lose(connection);
    const lost = Promise.withResolvers<never>();
    this.#onLost = lost.reject;
    if (this.#loss !== undefined) lost.reject(this.#loss);
    try {
      return await Promise.race([answer(), lost.promise]);
    } catch (error) {
      if (error instanceof PollError) this.#fail(error, isXml);
      throw error;
    } finally {
      this.#question = undefined;
    }
  }

  #begin(isXml: boolean): Question {
    const { time, polls } = this.#world;
    const waitMs = polls.openWaitMs(this.#firewall.name);
    const limitMs = Math.max(MIN_COMMAND_MS, waitMs);
    const sentAtMs = time.now;
    const question = { isXml, sentAtMs, limitAtMs: sentAtMs + limitMs };
    this.#watch(question);
    return question;
  }

  /** The session cannot go on. */
  #fail({ reason }: PollError, isXml: boolean): void {
    const firewall = this.#firewall;
    const connection = this.#connection;
    if (!this.#isSpoiled) firewall.lose(connection);
    if (isXml && reason === "parse") firewall.forms.xmlFailed();
    else if (isXml) firewall.forms.lost();
    const isLost = reason === "session" && connection.abortedAtMs === undefined;
    if (this.#isKept && isLost) this.#world.polls.losesKept(firewall.name);
  }

  /** A hung question is given up within the longest wait. */
  #watch(question: Question): void {
    const { time, rules, polls } = this.#world;
    const { name } = this.#firewall;
    const look = (): void => {
      const isOver = question !== this.#question && question !== this.#half;
      if (isOver || !this.#connection.isOpen) return;
      const limitMs = Math.max(MIN_COMMAND_MS, polls.longestWaitMs(name));
      const leftMs = question.sentAtMs + limitMs + 1 - time.now;
      if (leftMs > 0) return time.after(leftMs, look);
      rules.breaks(
        "a hung command is ended within the longest wait",
        `${name} still hangs after ${limitMs / 1_000} s`,
      );
    };
    time.after(MIN_COMMAND_MS + 1, look);
  }

  /** @returns Lines, in the form in which the session prints. */
  async #print(): Promise<readonly string[]> {
    const { time, polls, tell } = this.#world;
    const { name: firewall, manner: { replyMs } } = this.#firewall;
    await time.take(replyMs);
    const { manner: { reply, xml }, haState, isTunnelDown: isDown } =
      this.#firewall;
    const form = this.#printsXml ? "xml" : "text";
    if (reply === "hangs" || reply === "dies before it") return await never();
    if (reply === "cut") throw new PollError("parse", "The reply was cut off");
    if (reply === "refused") return REFUSAL;
    if (reply === "unreadable" && form === "text") return UNREADABLE;
    if (xml === "is unreadable" && form === "xml") return [""];
    const number = polls.prints({
      firewall,
      atMs: time.now,
      form,
      haState,
      isDown,
    });
    this.#haState = haState;
    tell(`${firewall} prints table ${number} (${form})`);
    return printTable(form, number, isDown);
  }
}

/** A new one each time: what waits for it has to go with its history. */
export function never(): Promise<never> {
  return new Promise(() => {});
}
