/**
 * The dialogue with the command line of PAN-OS, over any stream of bytes.
 *
 * @module
 */

import { watch } from "./watch.ts";
import type { Verdict } from "./watch.ts";
import { PollError } from "../model/poll.ts";
import { quote } from "../std/quote.ts";
import type { Shell } from "../model/shell.ts";
import { isPagerPrompt } from "./vpn_flow.ts";

/** A command, and how its reply is understood. */
export interface Command<Reply> {
  readonly text: string;
  /** What some line of every answer holds, from its first line on. */
  readonly answer: RegExp;
  /**
   * Throws for a reply that is not complete.
   *
   * @param lines Without their ends; the last one is what has come since the
   * last line end.
   */
  parse(lines: readonly string[]): Reply;
}

/** A command line that has printed its prompt and waits. */
export interface Cli {
  /** What the last prompt said in parentheses, such as `active`. */
  readonly haState: string | undefined;
  /** Settles with the reason when nothing more will come from the shell. */
  readonly closed: Promise<PollError>;
  /**
   * Runs one command; there must not be another under way.
   *
   * @throws {PollError} With reason `session` if the session ended before any
   * of the answer came, with `parse` if it ended later or a pager waits.
   * @throws What `command.parse` throws for the reply.
   */
  run<Reply>(command: Command<Reply>): Promise<Reply>;
}

// Scripting mode first: until it is on, each blank of a command makes the
// command line redraw itself, prompt and all.
const SETTINGS = ["set cli scripting-mode on", "set cli pager off"];

// A prompt is certain behind the echo of a command or behind a complete reply.
// Elsewhere it may be part of a banner or of a redraw, and has to be followed
// by the more quiet, the more there is to say against it. The usual one at the
// login is believed: if it was a banner's after all, the next ones tell.
const CERTAIN = 0;
const WITHOUT_ECHO_MS = 150;
const UNCERTAIN_MS = 300;
const INCOMPLETE_MS = 500;
const EMPTY_MS = 3_000;

/** A longer line is neither a prompt nor a question. */
const MAX_PROMPT_LENGTH = 256;
/** Lines looked at again with each chunk, lest the work grow with their square. */
const MAX_LINES_READ = 100;
const PROMPT = /[>#$%]\s*$/;
/** `user@host> `, `user@host(active)> `: nothing else is on the line. */
const USUAL_PROMPT = /^[^\s@]+@[^@>#]+[>#] ?$/;
const SECRET_QUESTION =
  /\b(?:pass(?:word|code|phrase)|retype|re-enter|token|pin|otp)\b.*[:?]\s*$/i;

/**
 * Learns the prompt and prepares the session for a program.
 *
 * A command line that does not know a setting is used without it.
 *
 * @throws {PollError} With reason `auth` if the shell asks for a password;
 * nothing is sent to it then.
 */
export async function startCli(shell: Shell): Promise<Cli> {
  const dialogue = watch(shell.output);
  const { screen, closed } = dialogue;

  await dialogue.until(({ line }) => {
    if (asksForSecret(line)) return secretRefused(line);
    if (!isPrompt(line)) return undefined;
    return { quietMs: USUAL_PROMPT.test(line) ? CERTAIN : UNCERTAIN_MS };
  });

  let echoes = true;
  for (const setting of SETTINGS) {
    const isEchoed = (lines: readonly string[]): boolean =>
      lines.slice(-MAX_LINES_READ).some((line) => isEcho(line, setting));
    // learned anew each time, as the first one may have been part of a banner
    const { matches } = learnPrompt(screen.line);
    say(setting);
    await dialogue.until(({ line, lines }) => {
      if (asksForSecret(line)) return secretRefused(line);
      if (!isPrompt(line)) return undefined;
      if (matches(line) && isEchoed(lines)) return { quietMs: CERTAIN };
      if (!matches(line) || lines.length > 0) return { quietMs: UNCERTAIN_MS };
      return { quietMs: echoes ? WITHOUT_ECHO_MS : CERTAIN };
    });
    shell.expectOutput?.(false);
    echoes = isEchoed(screen.lines);
  }
  let prompt = learnPrompt(screen.line);

  function say(command: string): void {
    screen.clear();
    shell.expectOutput?.(true);
    shell.write(`${command}\n`);
  }

  async function run<Reply>(command: Command<Reply>): Promise<Reply> {
    let parsed: { readonly value: Reply } | undefined;
    let worthTrying = 0;

    const reply = (): readonly string[] => [...screen.lines, ""];

    /** Whether something was printed that can be an answer. */
    function isAnswered(lines: readonly string[]): boolean {
      const first = lines.slice(0, MAX_LINES_READ);
      const echo = first.findLastIndex((line) => isEcho(line, command.text));
      // what stands before the echo was not asked for: a message to all, say
      if (echoes && echo === -1) return false;
      return first.slice(echo + 1).some((line) =>
        line.trim() !== "" && !isPrompt(line)
      );
    }

    function isComplete(): boolean {
      // what looks like a prompt may come often: the work has to stay linear
      if (screen.size < worthTrying) return false;
      worthTrying = screen.size * 1.25;
      try {
        parsed = { value: command.parse(reply()) };
        return true;
      } catch {
        return false; // what is wrong with it is said once no more comes
      }
    }

    say(command.text);
    try {
      await dialogue.until(({ line, lines }) => {
        if (isPagerPrompt(line)) return pagerRefused(line);
        if (!isPrompt(line)) return undefined;
        if (!isComplete()) {
          return { quietMs: isAnswered(lines) ? INCOMPLETE_MS : EMPTY_MS };
        }
        return { quietMs: prompt.matches(line) ? CERTAIN : UNCERTAIN_MS };
      });
    } catch (error) {
      const text = [...screen.lines, screen.line];
      if (!isClosed(error) || !text.some((line) => command.answer.test(line))) {
        throw error;
      }
      const message =
        `Cannot read the reply to "${command.text}": it is cut off, as the session ended after ${text.length} lines`;
      throw new PollError("parse", message, { cause: error });
    }
    shell.expectOutput?.(false);
    prompt = learnPrompt(screen.line);
    return parsed === undefined ? command.parse(reply()) : parsed.value;
  }

  return {
    get haState(): string | undefined {
      return prompt.haState;
    },
    closed,
    run,
  };
}

function isClosed(error: unknown): boolean {
  return error instanceof PollError && error.reason === "session";
}

function asksForSecret(line: string): boolean {
  return line.length <= MAX_PROMPT_LENGTH && SECRET_QUESTION.test(line);
}

function secretRefused(line: string): Verdict {
  const message = `Cannot log in as the firewall asks ${
    quote(line.trim())
  } behind the login: log in by hand and answer it`;
  return { quietMs: UNCERTAIN_MS, failure: new PollError("auth", message) };
}

function pagerRefused(line: string): Verdict {
  const message = `Cannot read the reply as a pager waits at ${
    quote(line.trim())
  }: this command line does not know "set cli pager off"`;
  return { quietMs: UNCERTAIN_MS, failure: new PollError("parse", message) };
}

interface Prompt {
  readonly haState: string | undefined;
  /** Whatever is in parentheses may have changed: a failover changes it. */
  matches(line: string): boolean;
}

function learnPrompt(line: string): Prompt {
  const { before, state, after } = splitPrompt(line);
  return {
    haState: state,
    matches(line): boolean {
      const other = splitPrompt(line);
      return other.before === before && other.after === after;
    },
  };
}

/** Takes `user@fw(active)> ` apart into `user@fw`, `active` and `>`. */
function splitPrompt(
  line: string,
): { before: string; state: string | undefined; after: string } {
  const text = line.trimEnd();
  const groups = /^(?<before>.*)\((?<state>[^()]*)\)(?<after>[^()]*)$/
    .exec(text)?.groups;
  if (groups === undefined) {
    return {
      before: text.slice(0, -1),
      state: undefined,
      after: text.slice(-1),
    };
  }
  const { before = "", state = "", after = "" } = groups;
  return { before, state, after };
}

function isPrompt(line: string): boolean {
  return line.length <= MAX_PROMPT_LENGTH && PROMPT.test(line);
}

function isEcho(line: string, command: string): boolean {
  return line.trimEnd().endsWith(command);
}
