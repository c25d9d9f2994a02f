/**
 * Lines of the PAN-OS command line that are no part of any table: prompts, the
 * echo of the command, refusals, the pager, messages of the system.
 *
 * @module
 */

/** A prompt with whatever was typed at it: `user@fw(active)> exit`. */
const PROMPT = /^[^ @]+@[^>#]*[>#]/;

/** The command as it was typed and echoed. */
const ECHO = /(?:^|[>#]) *show vpn flow *$/;

/** What the pager prints when it was not switched off. */
const PAGER = /^ *(?:lines [0-9]+-[0-9]+|-+ ?more ?-+|\(END\))/i;

/** How the CLI begins when it refuses a command or fails to run it. */
const REFUSAL = new RegExp(
  `^ *(?:${
    [
      "invalid (?:syntax|command)",
      "unknown command",
      "server error *:?",
      "validation error",
      "(?:permission|access) denied",
      "not authorized",
      "you do not have",
      "you need .* privileges",
      "command not (?:allowed|permitted)",
      // These stand behind "Server error :" or alone.
      "op command for client ",
      "timed out while getting config lock",
      "dataplane is not up",
      "an error occurr?ed\\.",
      "failed to inter?pret the dp response",
      "failed to execute op command",
      "client \\S+ not ready",
      "no such node",
    ].join("|")
  })`,
  "i",
);

/** Whole lines that the system sends to whoever is logged in. */
const MESSAGE =
  /^(?:Broadcast message from [^()]+ \([^()]*\) \([^()]*\):|The system is going down for [^!]{1,60} NOW!) *$/;

/** How they begin, also within a line, where one came into what was printed. */
export const MESSAGE_WITHIN =
  /broadcast message from|the system is going down|your device is still configured with/i;

/** Whether a line is a prompt, with or without what was typed at it. */
export function isPrompt(line: string): boolean {
  return PROMPT.test(line);
}

/** Whether a line ends in the command, as it was typed and echoed. */
export function isCommandEcho(line: string): boolean {
  return ECHO.test(line);
}

/** Whether a line is the prompt of a pager that waits for a key. */
export function isPagerPrompt(line: string): boolean {
  return PAGER.test(line);
}

/** Whether the CLI says that it does not run the command. */
export function isRefusal(line: string): boolean {
  return REFUSAL.test(line);
}

/** Whether the system says something to everybody, and nothing else. */
export function isSystemMessage(line: string): boolean {
  return MESSAGE.test(line);
}

/** Whether a message of the system may stand anywhere in a line. */
export function holdsSystemMessage(line: string): boolean {
  return MESSAGE_WITHIN.test(line);
}
