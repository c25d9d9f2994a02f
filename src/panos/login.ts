/**
 * From the login to a session that is ready for a program.
 *
 * @module
 */

import { PollError } from "../model/poll.ts";
import type { Shell } from "../model/shell.ts";
import type { Quote } from "../std/quote.ts";
import {
  isUsualPrompt,
  learnPrompt,
  looksLikePrompt,
  MAX_PROMPT_LENGTH,
  type Prompt,
} from "./prompt.ts";
import { asksForSecret } from "./question.ts";
import { Reply } from "./reply.ts";
import type { Screen } from "./screen.ts";
import type { ScreenVerdict, Watch } from "./watch.ts";

// Scripting mode first: until it is on, each blank of a command makes the
// command line redraw itself, prompt and all.
const SETTINGS = ["set cli scripting-mode on", "set cli pager off"];

// How long nothing may follow a prompt before it counts. Behind an echo it counts
// at once. Elsewhere it may be part of a banner, or of a line that is drawn again.
// At the login a prompt of the usual shape counts at once, too: if it was part of
// a banner, the prompts after it show that.
const CERTAIN_MS = 0;
const WITHOUT_ECHO_MS = 150;
const STANDING_MS = 300;
/** Another prompt than the one that was learned. */
const OTHER_MS = 3_000;

/** What the login has shown of the command line. */
export interface Greeting {
  readonly prompt: Prompt;
  /** Whether it prints what is typed. */
  readonly echoes: boolean;
}

/** The two ends of a session, and how what is read is quoted. */
export interface Dialogue {
  readonly shell: Shell;
  readonly watch: Watch;
  readonly quote: Quote;
}

/**
 * Learns the prompt, switches scripting mode on and the pager off.
 *
 * @throws {PollError} With reason `auth` if the shell asks for a secret.
 */
export async function prepareSession(
  { shell, watch, quote }: Dialogue,
): Promise<Greeting> {
  let prompt = await watch.until((screen) => findFirst(screen, quote));
  let echoes = true;
  for (const setting of SETTINGS) {
    const reply = new Reply(watch.screen, {
      text: setting,
      prompt,
      needsEcho: false,
    });
    const before: Greeting = { prompt, echoes };
    watch.startOver();
    shell.write(`${setting}\n`);
    // learned anew each time, as the first one may have been part of a banner
    prompt = await watch.until((screen) =>
      refuseQuestion(screen, quote) ?? findNext(screen, reply, before)
    );
    echoes = reply.isEchoed;
  }
  return { prompt, echoes };
}

function findFirst(
  screen: Screen,
  quote: Quote,
): ScreenVerdict<Prompt> | undefined {
  const refusal = refuseQuestion(screen, quote);
  if (refusal !== undefined) return refusal;
  // a message of the day may be long, and not end its last line
  const line = screen.lineEnd.slice(-MAX_PROMPT_LENGTH);
  if (!looksLikePrompt(line)) return findBehindMessage(screen);
  return {
    quietMs: isUsualPrompt(line) ? CERTAIN_MS : STANDING_MS,
    conclude: () => learnPrompt(line),
  };
}

/** A message to all may come right behind the first prompt. */
function findBehindMessage(screen: Screen): ScreenVerdict<Prompt> | undefined {
  // an unfinished line may become a prompt, or a question
  if (screen.line.trim() !== "") return undefined;
  const shown = screen.lines.findLast(isUsualPrompt);
  if (shown === undefined) return undefined;
  return { quietMs: OTHER_MS, conclude: () => learnPrompt(shown) };
}

function findNext(
  screen: Screen,
  reply: Reply,
  { prompt, echoes }: Greeting,
): ScreenVerdict<Prompt> | undefined {
  const [ended] = reply.scan();
  if (ended !== undefined && reply.isEchoed) {
    // something was printed behind the prompt
    return { quietMs: CERTAIN_MS, conclude: () => ended.prompt };
  }
  const line = screen.lineEnd;
  const known = prompt.match(line);
  if (known === undefined) {
    if (!looksLikePrompt(line)) return undefined;
    return { quietMs: OTHER_MS, conclude: () => learnPrompt(line) };
  }
  const withoutEchoMs = screen.lines.length > 0
    ? STANDING_MS
    : echoes
    ? WITHOUT_ECHO_MS
    : CERTAIN_MS;
  return {
    quietMs: reply.isEchoed ? CERTAIN_MS : withoutEchoMs,
    conclude: () => known,
  };
}

/** A forced change of the password comes before the first prompt. */
function refuseQuestion(
  screen: Screen,
  quote: Quote,
): ScreenVerdict<never> | undefined {
  const line = screen.lineEnd;
  if (!asksForSecret(line)) return undefined;
  return {
    quietMs: STANDING_MS,
    conclude(): never {
      const message = `Cannot log in as the firewall asks ${
        quote(line.trim())
      } after the login: log in by hand and answer it`;
      throw new PollError("auth", message);
    },
  };
}
