/**
 * What a firewall asks for before it lets somebody in.
 *
 * @module
 */

/** A question of keyboard-interactive authentication (RFC 4256). */
export interface Question {
  readonly prompt: string;
  /** Whether the answer may be shown while it is typed. */
  readonly echo?: boolean | undefined;
}

/** What is asked for, if that is something the exporter answers. */
export type Asked = "acceptance" | "password";

/**
 * A question that asks for the password one logs in with, and for nothing
 * else: not for an old or a new one, a passcode or a token.
 */
const PASSWORD = new RegExp(
  [
    String.raw`^(?:\(\S+@\S+\)\s*)?`,
    String.raw`(?:(?:please\s+)?enter\s+)?(?:(?:your|the)\s+)?`,
    String.raw`(?:\S+@\S+'s\s+|(?:login|ssh|unix|ldap|radius|tacacs\+?)\s+)?`,
    String.raw`password(?:\s+for\s+\S+)?\s*:?$`,
  ].join(""),
  "i",
);

/** A longer question is no plain one; the pattern would take long to say so. */
const MAX_PASSWORD_LENGTH = 256;

// "Do you accept and acknowledge the statement above ? (yes/no) : "
const ACCEPT = words("accept", "acknowledge");
const STATEMENT = words("statement", "banner", "terms", "notice");

/** What makes it a question for something else, or an offer of one. */
const SECRET = words(
  "pass(?:word|code|phrase)s?",
  "pins?",
  "tokens?",
  "codes?",
  "otps?",
  "new",
  "options?",
);

/** Reads one question; `undefined` is one that must not be answered. */
export function readQuestion({ prompt, echo }: Question): Asked | undefined {
  if (SECRET.test(prompt)) {
    const isPlain = echo !== true && prompt.length <= MAX_PASSWORD_LENGTH &&
      PASSWORD.test(prompt.trim());
    return isPlain ? "password" : undefined;
  }
  const isAcceptance = ACCEPT.test(prompt) && STATEMENT.test(prompt);
  return isAcceptance ? "acceptance" : undefined;
}

/** Finds one of these, with no letter before or behind it. */
function words(...alternatives: readonly string[]): RegExp {
  const list = alternatives.join("|");
  return new RegExp(String.raw`(?<!\p{L})(?:${list})(?!\p{L})`, "iu");
}
