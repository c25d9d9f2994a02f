/**
 * The dialogue with the command line of PAN-OS, over any stream of bytes.
 *
 * @module
 */

import type { HaState } from "../model/high_availability.ts";
import { type Form, PollError } from "../model/poll.ts";
import type { Shell } from "../model/shell.ts";
import type { Clock } from "../std/clock.ts";
import type { Quote } from "../std/quote.ts";
import type { Command } from "./command.ts";
import { type Ending, Exchange } from "./exchange.ts";
import { type Dialogue, type Greeting, prepareSession } from "./login.ts";
import type { Prompt } from "./prompt.ts";
import { Watch } from "./watch.ts";

/** A command line that has printed its prompt and waits. */
export interface Cli {
  /** As the last prompt says; `undefined` if it says none of PAN-OS' words. */
  readonly haState: HaState | undefined;
  /** Settles with the reason when nothing more will come from the shell. */
  readonly closed: Promise<PollError>;
  /**
   * Runs one command; there must not be another under way.
   *
   * @throws {PollError} With reason `session` if the session ended before any
   * of the answer came, with `parse` if it ended later or a pager waits. The
   * session cannot go on.
   * @throws What `command.parse` throws for the reply, once the prompt has
   * returned: the session can go on.
   */
  run<Value>(command: Command<Value>): Promise<Value>;
  /**
   * Has replies printed in a form.
   *
   * @returns Whether the firewall does so; if it refused, nothing has changed.
   * @throws {PollError} As `run` does; also `parse` if the answer tells neither.
   */
  setForm(form: Form): Promise<boolean>;
}

/** What the dialogue takes from its surroundings. */
export interface CliOptions {
  /** Quotes what the firewall prints. */
  readonly quote: Quote;
  readonly clock: Clock;
}

/**
 * Learns the prompt and prepares the session for a program.
 *
 * A command line that does not know a setting is used without it.
 *
 * @throws {PollError} With reason `auth` if the shell asks for a password;
 * nothing is sent to it then.
 */
export async function startCli(
  shell: Shell,
  { quote, clock }: CliOptions,
): Promise<Cli> {
  const dialogue = { shell, watch: new Watch(shell.output, clock), quote };
  const greeting = await prepareSession(dialogue);
  return new CommandLine(dialogue, greeting);
}

/** The settings by which a command line prints replies in a form. */
export const SET_FORM: Readonly<Record<Form, string>> = {
  text: "set cli op-command-xml-output off",
  xml: "set cli op-command-xml-output on",
};

/** What the CLI says of a setting that it does not know. */
const SETTING_REFUSED =
  /^ *(?:unknown command|invalid syntax|invalid command)/i;

class CommandLine implements Cli {
  readonly #dialogue: Dialogue;
  readonly #echoes: boolean;
  #prompt: Prompt;
  #isLastReplyWhole = true;

  constructor(dialogue: Dialogue, { prompt, echoes }: Greeting) {
    this.#dialogue = dialogue;
    this.#echoes = echoes;
    this.#prompt = prompt;
    dialogue.shell.expectOutput({ isExpected: false });
  }

  get haState(): HaState | undefined {
    return this.#prompt.haState;
  }

  get closed(): Promise<PollError> {
    return this.#dialogue.watch.closed;
  }

  async run<Value>(command: Command<Value>): Promise<Value> {
    const { shell, watch, quote } = this.#dialogue;
    const exchange = new Exchange(command, {
      screen: watch.screen,
      prompt: this.#prompt,
      echoes: this.#echoes,
      isLastReplyWhole: this.#isLastReplyWhole,
      quote,
    });
    this.#isLastReplyWhole = false;
    shell.expectOutput({ isExpected: true });
    watch.startOver(command.maxLineLength);
    shell.write(`${command.text}\n`);
    try {
      const ending = await watch.until(() => exchange.judge());
      return this.#take(ending);
    } catch (error) {
      if (!(error instanceof PollError) || error !== watch.end) throw error;
      throw exchange.cutOff(error);
    } finally {
      shell.expectOutput({ isExpected: false });
    }
  }

  async setForm(form: Form): Promise<boolean> {
    const { quote } = this.#dialogue;
    const text = SET_FORM[form];
    return await this.run({
      text,
      answer: /\S/,
      parse: (lines) => readSetting(text, lines, quote),
    });
  }

  #take<Value>({ prompt, result, isCertain }: Ending<Value>): Value {
    const { end } = this.#dialogue.watch;
    this.#prompt = prompt;
    this.#isLastReplyWhole = result.ok;
    if (result.ok) return result.value;
    // behind a prompt that is not certain, the end of the session is the reason
    throw end === undefined || isCertain ? result.error : end;
  }
}

/** Only the prompt comes back from a setting that is known. */
function readSetting(
  text: string,
  lines: readonly string[],
  quote: Quote,
): boolean {
  const said = lines.find((line) => line.trim() !== "");
  if (said === undefined) return true;
  if (lines.some((line) => SETTING_REFUSED.test(line))) return false;
  const message = `Cannot tell what "${text}" has done: the firewall answers ${
    quote(said.trim())
  }`;
  throw new PollError("parse", message);
}
