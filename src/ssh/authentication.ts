/**
 * Which credential is sent, and when none is.
 *
 * A login sends the password once at most: firewalls lock accounts.
 *
 * @module
 */

import { PollError } from "../model/poll.ts";
import { quote } from "../std/quote.ts";
import type { Secret } from "../std/secret.ts";

/** The methods of RFC 4252 and RFC 4256 that are used, best first. */
export type Method = "publickey" | "keyboard-interactive" | "password";

/** A question of a keyboard-interactive round. */
export interface Question {
  readonly prompt: string;
  /** Whether the answer may be shown while it is typed. */
  readonly echo?: boolean | undefined;
}

/** The state of one login's authentication. */
export interface Authentication {
  /** Whether something was sent that the firewall can reject. */
  readonly credentialSent: boolean;
  /**
   * Chooses the next method.
   *
   * @param offered What the firewall says can continue.
   * @throws {PollError} If nothing is left to try.
   */
  choose(offered: readonly string[]): Method;
  /** Notes that the method is about to be used. */
  begin(method: Method): void;
  /**
   * Answers one keyboard-interactive round, completely or not at all.
   *
   * @throws {PollError} If there is a question that must not be answered.
   */
  answer(questions: readonly Question[]): string[];
}

/**
 * A question that asks for the password one logs in with, and for nothing
 * else: not for an old or a new one, a passcode or a token.
 */
const PASSWORD_QUESTION = new RegExp(
  [
    String.raw`^(?:\(\S+@\S+\)\s*)?`,
    String.raw`(?:(?:please\s+)?enter\s+)?(?:(?:your|the)\s+)?`,
    String.raw`(?:\S+@\S+'s\s+|(?:login|ssh|unix|ldap|radius|tacacs\+?)\s+)?`,
    String.raw`password(?:\s+for\s+\S+)?\s*:?$`,
  ].join(""),
  "i",
);

/** A longer question is no plain one, and is not looked into. */
const MAX_PASSWORD_QUESTION = 256;

/** "Do you accept and acknowledge the statement above ? (yes/no) : " */
const ACKNOWLEDGEMENT = /accept|acknowledge/i;

/** What a question without echo must not mention to be answered "yes". */
const SECRET = /pass/i;

/** Begins the authentication of one login. */
export function createAuthentication(
  { hasKey, password }: { hasKey: boolean; password: Secret | undefined },
): Authentication {
  const tried = new Set<Method>();
  let passwordSent = false;
  let credentialSent = false;

  function choose(offered: readonly string[]): Method {
    const method = methods().find((method) =>
      offered.includes(method) && !tried.has(method)
    );
    if (method === undefined) {
      throw new PollError("auth", explain(offered));
    }
    return method;
  }

  function begin(method: Method): void {
    tried.add(method);
    if (method === "password") passwordSent = true;
    if (method !== "keyboard-interactive") credentialSent = true;
  }

  function methods(): readonly Method[] {
    return [
      ...(hasKey ? ["publickey" as const] : []),
      ...(password !== undefined && !passwordSent
        ? ["keyboard-interactive" as const, "password" as const]
        : []),
    ];
  }

  function explain(offered: readonly string[]): string {
    const used = [...tried].join(" and ");
    if (credentialSent) {
      return `it rejected the credentials (${used}): check them before the account is locked`;
    }
    if (tried.size > 0) {
      return `it ended ${used} without asking for the password: log in by hand and see`;
    }
    const list = quote(offered.join(", "));
    const owned = [
      ...(hasKey ? ["a key"] : []),
      ...(password === undefined ? [] : ["a password"]),
    ].join(" and ");
    return `it offers ${list} and the exporter has ${owned}`;
  }

  function answer(questions: readonly Question[]): string[] {
    let secretsGiven = 0;
    const answers = questions.map(({ prompt, echo }) => {
      const isSecret = echo !== true && SECRET.test(prompt);
      if (ACKNOWLEDGEMENT.test(prompt) && !isSecret) return "yes";
      const isPassword = echo !== true &&
        prompt.length <= MAX_PASSWORD_QUESTION &&
        PASSWORD_QUESTION.test(prompt.trim());
      if (
        isPassword && password !== undefined && !passwordSent &&
        secretsGiven === 0
      ) {
        secretsGiven++;
        return password.reveal();
      }
      throw new PollError(
        "auth",
        `it asks ${quote(prompt.trim())}, which is not answered${
          passwordSent ? " after the password was sent" : ""
        }: log in by hand and see`,
      );
    });
    if (secretsGiven > 0) passwordSent = credentialSent = true;
    return answers;
  }

  return {
    get credentialSent(): boolean {
      return credentialSent;
    },
    choose,
    begin,
    answer,
  };
}
