/**
 * Errors of the operating system, for people.
 *
 * @module
 */

const WORDS: Readonly<Record<string, string>> = {
  EAI_AGAIN: "its name cannot be looked up now",
  ECONNREFUSED: "it refuses the connection",
  EHOSTUNREACH: "there is no route to it",
  ENETUNREACH: "there is no route to its network",
  ENOTFOUND: "its name is not known",
  ETIMEDOUT: "it does not answer",
};

/** What the code of a system error means to somebody who does not program. */
export function inWords(error: Error): string {
  const words = "code" in error ? WORDS[String(error.code)] : undefined;
  return words === undefined ? "" : ` (${words})`;
}
