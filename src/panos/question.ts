/**
 * What a shell asks after the login, in place of a prompt.
 *
 * @module
 */

const SECRET_QUESTION =
  /\b(?:pass(?:word|code|phrase)|pin|token|otp|retype|re-enter)\b.*[:?]\s*$/i;

/**
 * Whether a line asks for a secret, as at a forced change of the password.
 *
 * @param line A line that has not ended, or its end.
 */
export function asksForSecret(line: string): boolean {
  return SECRET_QUESTION.test(line);
}
