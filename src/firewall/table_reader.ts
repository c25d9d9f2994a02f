/**
 * How the tunnels of one firewall are asked for: as text, and in XML on the
 * same session where the text cannot be read.
 *
 * @module
 */

import { type FormRead, type GoodPoll, PollError } from "../model/poll.ts";
import { mergeRows, type TunnelTable, type VpnFlow } from "../model/tunnel.ts";
import type { Command } from "../panos/command.ts";
import { SHOW_AS_TEXT, SHOW_IN_XML } from "../panos/show_vpn_flow.ts";
import { VpnFlowError } from "../panos/vpn_flow_error.ts";
import type { Clock } from "../std/clock.ts";
import type { Quote } from "../std/quote.ts";
import { FormMemory } from "./form_memory.ts";
import type { Session } from "./session.ts";

/** A table, and how it was read. */
export type Reading = FormRead & Pick<GoodPoll, "flow">;

/**
 * Waits for an answer as long as a command may take.
 *
 * @param question In words, for messages.
 * @throws {PollError} With reason `timeout`, past the limit.
 */
export type WithinLimit = <Value>(
  question: string,
  answer: Promise<Value>,
) => Promise<Value>;

/** The command, in words for a message. */
const SHOW = SHOW_AS_TEXT.text;

const UNKNOWN_SETTING =
  'the firewall does not know "set cli op-command-xml-output"';

/** There is no XML that can be read, and the session can go on. */
interface WithoutXml {
  readonly xmlProblem: string;
}

/** Who is asked, and how long it is waited for. */
interface Asked {
  readonly session: Session;
  readonly within: WithinLimit;
}

/** Reads the table of one firewall, and remembers in which form it can. */
export class TableReader {
  readonly #showAsText = rememberLast(SHOW_AS_TEXT);
  readonly #showInXml = rememberLast(SHOW_IN_XML);
  readonly #memory: FormMemory;
  readonly #quote: Quote;
  /** The session that was switched to XML, if there is one. */
  #inXml: Session | undefined;
  /** A session that was switched back, and has printed no good text since. */
  #doubted: Session | undefined;
  /** What was wrong with the last text. */
  #lastProblem: string | undefined;

  /** @param quote Puts what the firewall says into a message. */
  constructor(clock: Clock, quote: Quote) {
    this.#memory = new FormMemory(clock);
    this.#quote = quote;
  }

  /**
   * Asks for the table.
   *
   * @returns An error if the table cannot be read and the session can go on.
   * @throws {PollError} If the session cannot.
   */
  async read(
    session: Session,
    within: WithinLimit,
  ): Promise<Reading | PollError> {
    const asked = { session, within };
    const { textProblem } = this.#memory;
    if (textProblem === undefined) return await this.#readText(asked);
    const reading = await this.#readXml(asked, textProblem);
    if ("flow" in reading) return reading;
    return await this.#readText(asked, reading.xmlProblem);
  }

  /** @param xmlProblem What was wrong with the XML, if that was asked for. */
  async #readText(
    asked: Asked,
    xmlProblem?: string,
  ): Promise<Reading | PollError> {
    const { session, within } = asked;
    this.#memory.noteTextAsked();
    if (this.#inXml === session) await this.#switchBack(asked);
    try {
      const flow = await within(`"${SHOW}"`, session.cli.run(this.#showAsText));
      this.#memory.noteTextRead();
      this.#doubted = undefined;
      return { flow, form: "text" };
    } catch (error) {
      if (!(error instanceof VpnFlowError)) throw error;
      return await this.#replaceText(asked, error, xmlProblem);
    }
  }

  /** Asks for XML in place of a text that cannot be read, where that may help. */
  async #replaceText(
    asked: Asked,
    error: VpnFlowError,
    xmlProblem: string | undefined,
  ): Promise<Reading | PollError> {
    const { session } = asked;
    const problem = error.explain(this.#quote);
    this.#noteProblem(session, problem);
    if (error.reason === "parse" && this.#memory.allowsXml) {
      const reading = await this.#readXml(asked, problem);
      if ("flow" in reading) return reading;
      return new PollError("parse", inNeither(problem, reading.xmlProblem));
    }
    const message = xmlProblem === undefined
      ? problem
      : inNeither(problem, xmlProblem);
    const failure = new PollError(error.reason, message, { cause: error });
    if (this.#doubted === session) throw failure;
    return failure;
  }

  /**
   * After the switch back to text, what cannot be read may still be XML: then the
   * session is not used again. A text with the same problem as the one before is
   * no XML, and keeps the session.
   */
  #noteProblem(session: Session, problem: string): void {
    if (problem === this.#lastProblem) this.#doubted = undefined;
    if (this.#doubted !== session) this.#lastProblem = problem;
  }

  /** @throws {PollError} If the session cannot go on. */
  async #readXml(
    { session, within }: Asked,
    textProblem: string,
  ): Promise<Reading | WithoutXml> {
    const wasInXml = this.#inXml === session;
    try {
      const answer = this.#askInXml(session);
      const flow = await within(`"${SHOW}" in XML`, answer);
      if (flow !== undefined) {
        this.#memory.noteXmlRead(textProblem);
        return { flow, form: "xml", textProblem };
      }
      this.#memory.noteXmlFailed();
      return { xmlProblem: UNKNOWN_SETTING };
    } catch (error) {
      if (error instanceof VpnFlowError) {
        this.#memory.noteXmlFailed();
        return { xmlProblem: error.explain(this.#quote) };
      }
      if (!(error instanceof PollError)) throw error;
      // XML that was read before is not what has ended the session
      const isTrusted = this.#memory.textProblem !== undefined;
      if (error.reason === "session" && isTrusted) {
        if (!wasInXml) this.#memory.noteXmlLost();
        throw error;
      }
      this.#memory.noteXmlFailed();
      const message = inNeither(textProblem, error.message);
      throw new PollError("parse", message, { cause: error });
    }
  }

  /** @returns `undefined` if the firewall has no XML. */
  async #askInXml(session: Session): Promise<TunnelTable | undefined> {
    const { cli } = session;
    if (this.#inXml !== session) {
      if (!(await cli.setForm("xml"))) return undefined;
      this.#inXml = session;
    }
    return await cli.run(this.#showInXml);
  }

  /** @throws {PollError} If the session does not print text any more. */
  async #switchBack({ session, within }: Asked): Promise<void> {
    const question = `"${SHOW}" as text again`;
    const isDone = await within(question, session.cli.setForm("text"));
    if (!isDone) {
      const message =
        `Cannot have the table printed as text again: ${UNKNOWN_SETTING}`;
      throw new PollError("parse", message);
    }
    this.#inXml = undefined;
    this.#doubted = session;
  }
}

/**
 * Makes a command return the same table for the same reply. Tables rarely change:
 * so a large one is not read again in each poll, and not rendered again either.
 */
function rememberLast(command: Command<VpnFlow>): Command<TunnelTable> {
  let last: readonly string[] = [];
  let table: TunnelTable | undefined;
  return {
    ...command,
    parse(lines): TunnelTable {
      if (table === undefined || !isSame(lines, last)) {
        table = mergeRows(command.parse(lines));
        last = lines;
      }
      return table;
    },
  };
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length &&
    one.every((line, index) => line === other[index]);
}

function inNeither(textProblem: string, xmlProblem: string): string {
  return `${textProblem}; XML does not help either: ${xmlProblem}`;
}
