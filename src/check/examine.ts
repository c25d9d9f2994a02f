/**
 * Examines one firewall: logs in, and asks for the tunnels as text, in XML and
 * as text again, all in one session.
 *
 * @module
 */

import type { GuardedLogin } from "../firewall/guarded_login.ts";
import { limitLogin, type Session } from "../firewall/session.ts";
import { type Form, PollError } from "../model/poll.ts";
import { toSeconds } from "../model/stopwatch.ts";
import type { VpnFlow } from "../model/tunnel.ts";
import { type Cli, SET_FORM } from "../panos/cli.ts";
import type { Command } from "../panos/command.ts";
import { SHOW_AS_TEXT, SHOW_IN_XML } from "../panos/show_vpn_flow.ts";
import { VpnFlowError } from "../panos/vpn_flow_error.ts";
import { untilAborted } from "../std/abort.ts";
import type { Clock } from "../std/clock.ts";
import { Deadline, settledWithin } from "../std/deadline.ts";
import { type Mask, type Quote, quote } from "../std/quote.ts";
import type {
  Duration,
  Examined,
  Findings,
  Step,
  TableOrError,
} from "./findings.ts";
import { readColumns } from "./layout.ts";

/** A firewall, and how one logs in to it. */
export interface CheckedFirewall {
  readonly target: string;
  readonly openSession: GuardedLogin;
}

/** What an examination goes by. */
export interface ExamineOptions {
  readonly clock: Clock;
  /** From the TCP connect to the command line. */
  readonly loginTimeoutMs: number;
  /** For each question. */
  readonly scrapeTimeoutMs: number;
  /** Told of each step as it begins, in words. */
  readonly tell: (line: string) => void;
  /** Hides the password in what the firewall says. */
  readonly mask: Mask;
}

/** How long the end of the session is waited for. */
const END_LIMIT_MS = 3_000;

const COMMAND = SHOW_AS_TEXT.text;

const IN_WORDS: Readonly<Record<Step, string>> = {
  connect: "connecting",
  handshake: "agreeing on keys",
  auth: "logging in",
  session: "waiting for the command line",
  text: `asking "${COMMAND}" as text`,
  XML: `asking "${COMMAND}" in XML`,
  "text again": `asking "${COMMAND}" as text again`,
};

const NO_TEXT_AGAIN = new PollError(
  "parse",
  `Cannot have the table printed as text again: the firewall does not know "${SET_FORM.text}"`,
);

const OVER = new PollError("session", "The examination is over");

/** Never rejects for what a firewall or a network does. */
export async function examine(
  firewall: CheckedFirewall,
  options: ExamineOptions,
): Promise<Findings> {
  return await new Examination(firewall, options).run();
}

type Replies = Pick<Examined, "text" | "xml" | "textAgain">;

class Examination {
  readonly #firewall: CheckedFirewall;
  readonly #options: ExamineOptions;
  readonly #controller = new AbortController();
  readonly #durations: Duration[] = [];
  #step: { readonly step: Step; readonly sinceMs: number } | undefined;
  #credential: Findings["credential"] = "not sent";

  constructor(firewall: CheckedFirewall, options: ExamineOptions) {
    this.#firewall = firewall;
    this.#options = options;
  }

  async run(): Promise<Findings> {
    let session: Session;
    try {
      session = await this.#logIn();
    } catch (error) {
      this.#controller.abort(error);
      const loginError = this.#toPollError(error);
      return { loginError, ...this.#finish() };
    }
    const { negotiated, cli } = session;
    const replies = await this.#askAll(cli);
    const { haState } = cli;
    const common = this.#finish();
    await settledWithin(END_LIMIT_MS, session.end(), this.#options.clock);
    this.#controller.abort(OVER);
    return {
      loginError: undefined,
      negotiated,
      haState,
      ...replies,
      ...common,
    };
  }

  async #logIn(): Promise<Session> {
    const { signal } = this.#controller;
    using _countdown = limitLogin(this.#controller, this.#options);
    return await this.#firewall.openSession({
      beforeCredential: () => {
        this.#credential = "sent";
        return Promise.resolve();
      },
      onAccepted: () => {
        this.#credential = "accepted";
      },
      onPhase: (phase) => this.#begin(phase),
    }, signal);
  }

  /** Asks, until the session cannot go on. */
  async #askAll(cli: Cli): Promise<Replies> {
    const text = await this.#ask(cli, "text");
    if (
      this.#isOver || (text instanceof PollError && text.reason !== "parse")
    ) {
      return { text, xml: undefined, textAgain: undefined };
    }
    const xml = await this.#setForm(cli, "xml") ??
      await this.#ask(cli, "XML");
    const isComparable = xml !== "none" && !(text instanceof PollError);
    if (!isComparable || this.#isOver) {
      return { text, xml, textAgain: undefined };
    }
    const problem = await this.#setForm(cli, "text");
    const textAgain = problem === "none"
      ? NO_TEXT_AGAIN
      : problem ?? await this.#ask(cli, "text again");
    return { text, xml, textAgain };
  }

  async #ask(cli: Cli, step: Step): Promise<TableOrError> {
    this.#begin(step);
    const question = step === "XML" ? SHOW_IN_XML : SHOW_AS_TEXT;
    let reply: readonly string[] = [];
    const command: Command<VpnFlow> = {
      ...question,
      parse(lines): VpnFlow {
        reply = lines;
        return question.parse(lines);
      },
    };
    try {
      const flow = await this.#inTime(COMMAND, () => cli.run(command));
      return { flow, columns: step === "XML" ? [] : readColumns(reply) };
    } catch (error) {
      return this.#toFailure(error);
    }
  }

  /**
   * @returns `undefined` if it is switched; `none` if the firewall does not know
   * how to.
   */
  async #setForm(
    cli: Cli,
    form: Form,
  ): Promise<PollError | "none" | undefined> {
    this.#begin(form === "xml" ? "XML" : "text again");
    try {
      const isDone = await this.#inTime(
        SET_FORM[form],
        () => cli.setForm(form),
      );
      return isDone ? undefined : "none";
    } catch (error) {
      return this.#toFailure(error);
    }
  }

  async #inTime<Value>(
    command: string,
    run: () => Promise<Value>,
  ): Promise<Value> {
    const { clock, scrapeTimeoutMs } = this.#options;
    const toError = (): PollError => {
      const seconds = scrapeTimeoutMs / 1_000;
      const message =
        `Cannot finish "${command}": no whole answer within ${seconds} s (SCRAPE_TIMEOUT)`;
      return new PollError("timeout", message);
    };
    const atMs = clock.monotonicMs() + scrapeTimeoutMs;
    using limit = new Deadline(clock, atMs, toError);
    return await untilAborted(run(), limit.signal);
  }

  /** A reply that cannot be read leaves the session as it is. */
  #toFailure(error: unknown): PollError {
    const failure = this.#toPollError(error);
    if (!(error instanceof VpnFlowError)) this.#controller.abort(failure);
    return failure;
  }

  #toPollError(error: unknown): PollError {
    const { mask } = this.#options;
    const hiding: Quote = (text, limit) => quote(mask(text), limit);
    if (error instanceof VpnFlowError) {
      return new PollError(error.reason, error.explain(hiding), {
        cause: error,
      });
    }
    if (error instanceof PollError) return error;
    throw error;
  }

  get #isOver(): boolean {
    return this.#controller.signal.aborted;
  }

  #begin(step: Step): void {
    if (this.#step?.step === step) return;
    this.#finishStep();
    this.#step = { step, sinceMs: this.#options.clock.monotonicMs() };
    this.#options.tell(`${this.#firewall.target}: ${IN_WORDS[step]}`);
  }

  #finishStep(): void {
    if (this.#step === undefined) return;
    const { step, sinceMs } = this.#step;
    const spentMs = this.#options.clock.monotonicMs() - sinceMs;
    this.#durations.push({ step, seconds: toSeconds(spentMs) });
    this.#step = undefined;
  }

  #finish(): Pick<Findings, "target" | "durations" | "credential"> {
    this.#finishStep();
    return {
      target: this.#firewall.target,
      durations: this.#durations,
      credential: this.#credential,
    };
  }
}
