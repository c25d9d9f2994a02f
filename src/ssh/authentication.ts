/**
 * Which credential is sent, and when none is.
 *
 * Firewalls lock accounts: a login sends key and password once at most each, and
 * only one of them where it is told so.
 *
 * @module
 */

import { PollError } from "../model/poll.ts";
import type { Quote } from "../std/quote.ts";
import type { Secret } from "../std/secret.ts";
import type { PrivateKey } from "./private_key.ts";
import { type Asked, type Question, readQuestion } from "./questions.ts";

/** Who logs in, with at least one of the two secrets. */
export interface Credentials {
  readonly username: string;
  readonly password: Secret | undefined;
  /** Tried before the password. */
  readonly privateKey: PrivateKey | undefined;
}

/** The methods of RFC 4252 and RFC 4256 that are used, best first. */
export type Method = "publickey" | "keyboard-interactive" | "password";

/** One of the two secrets. */
export type Credential = "key" | "password";

/** The answers to one round of questions, in their order. */
export interface Answers {
  readonly texts: string[];
  readonly hasPassword: boolean;
}

/** The state of one login's authentication. */
export class Authentication {
  readonly #hasKey: boolean;
  readonly #password: Secret | undefined;
  readonly #quote: Quote;
  readonly #only: Credential | undefined;
  readonly #tried = new Set<Method>();
  /** What was asked for in this login: nothing is answered twice. */
  readonly #answered = new Set<Asked>();
  /** Whether it has accepted one method and wants another one besides. */
  #isPartial = false;

  /**
   * @param only The only credential that may be sent, unless the firewall does
   * not take it or wants the other one besides; `undefined` if both may.
   * @param quote Puts what the firewall says into a message.
   */
  constructor(
    { privateKey, password }: Credentials,
    only: Credential | undefined,
    quote: Quote,
  ) {
    this.#hasKey = privateKey !== undefined;
    this.#password = password;
    this.#quote = quote;
    this.#only = only;
  }

  /**
   * Chooses the next method; it counts as tried.
   *
   * @param offered What the firewall says can continue.
   * @param isPartial Whether it has accepted the method before this one, and
   * wants another one besides.
   * @throws {PollError} If nothing is left to try.
   */
  choose(offered: readonly string[], isPartial = false): Method {
    this.#isPartial ||= isPartial;
    const isOver = this.#isHeldBack && this.#hasSent;
    const methods = isOver ? [] : this.#methods();
    const method = methods.find((method) =>
      offered.includes(method) && !this.#tried.has(method)
    );
    if (method === undefined) {
      throw new PollError("auth", this.#explain(offered, isPartial));
    }
    this.#tried.add(method);
    return method;
  }

  /**
   * Answers one keyboard-interactive round, completely or not at all.
   *
   * @throws {PollError} If there is a question that must not be answered.
   */
  answer(questions: readonly Question[]): Answers {
    const answered = new Set(this.#answered);
    const texts = questions.map((question) => {
      const asked = readQuestion(question);
      const text = this.#textFor(asked);
      if (asked === undefined || text === undefined || answered.has(asked)) {
        throw this.#refuse(question);
      }
      answered.add(asked);
      return text;
    });
    const hasPassword = answered.has("password") && !this.#isPasswordUsed;
    for (const asked of answered) this.#answered.add(asked);
    return { texts, hasPassword };
  }

  #textFor(asked: Asked | undefined): string | undefined {
    if (asked === "acceptance") return "yes";
    if (asked === undefined || this.#isPasswordUsed) return undefined;
    return this.#password?.reveal();
  }

  get #isPasswordUsed(): boolean {
    return this.#answered.has("password") || this.#tried.has("password");
  }

  get #hasSent(): boolean {
    return this.#isPasswordUsed || this.#tried.has("publickey");
  }

  /** Whether one of two credentials is kept for another login. */
  get #isHeldBack(): boolean {
    return this.#only !== undefined && !this.#isPartial && this.#hasKey &&
      this.#password !== undefined;
  }

  #methods(): readonly Method[] {
    const forKey: readonly Method[] = this.#hasKey ? ["publickey"] : [];
    const forPassword: readonly Method[] =
      this.#password !== undefined && !this.#isPasswordUsed
        ? ["keyboard-interactive", "password"]
        : [];
    return this.#only === "password"
      ? [...forPassword, ...forKey]
      : [...forKey, ...forPassword];
  }

  #refuse({ prompt }: Question): PollError {
    const when = this.#isPasswordUsed ? " after the password was sent" : "";
    return new PollError(
      "auth",
      `it asks ${
        this.#quote(prompt.trim())
      }, which is not answered${when}: log in by hand and see`,
    );
  }

  #explain(offered: readonly string[], isPartial: boolean): string {
    const tried = [...this.#tried];
    const used = tried.join(" and ");
    if (isPartial) {
      const factors = this.#quote(offered.join(", "));
      return `it accepted ${
        tried.at(-1)
      } and asks for ${factors} besides, which the exporter cannot give: take the second factor off this account`;
    }
    if (this.#hasSent) {
      const other = this.#isPasswordUsed ? "key" : "password";
      const isOther = this.#isHeldBack
        ? `; the ${other}, which it has rejected before, was not sent again: reload the exporter to send both`
        : "";
      return `it rejected the credentials (${used}): check them before the account is locked${isOther}`;
    }
    if (this.#tried.size > 0) {
      return `it ended ${used} without asking for the password: log in by hand and see`;
    }
    const owned = [
      ...(this.#hasKey ? ["a key"] : []),
      ...(this.#password === undefined ? [] : ["a password"]),
    ].join(" and ");
    const list = this.#quote(offered.join(", "));
    return `it offers ${list} and the exporter has ${owned}`;
  }
}
