/**
 * Reads environment variables one by one, and keeps what is wrong with them.
 *
 * @module
 */

import { maskOf, quote } from "../std/quote.ts";
import { Secret } from "../std/secret.ts";

/**
 * Looks up one variable.
 *
 * @throws If the value is not UTF-8, perhaps with the value in the message.
 */
export type Environment = (name: string) => string | undefined;

/** Thrown with every fault found, so that one restart is enough. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(`Cannot start with this environment:\n  ${faults.join("\n  ")}`);
    this.faults = faults;
  }
}

/** A variable, and the form of its name that is set. */
export interface Variable {
  readonly name: string;
  readonly value: string | undefined;
}

/** What the values of secrets in the example file begin with. */
const PLACEHOLDER = /^change me\b/i;

/** Text of a key or a certificate never looks like this. */
const PATH = /^(?:~|\.{0,2}\/|[A-Za-z]:\\)\S*$/;

/** Variables whose values may have been set in the place of another's. */
const SECRETS = [
  "PE_PASSWORD",
  "PASSWORD",
  "HTTP_PASSWORD",
  "SSH_PRIVATE_KEY_PASSPHRASE",
] as const;

/** What stands between `user:` and `@host` in a URL, or in a key. */
const SECRET_PART = /(?<=:)[^:@/]*(?=@)|(?<=PRIVATE KEY-----)[^]*/;

/** Reads variables; an empty one counts as not set. */
export class Reader {
  readonly faults: string[] = [];
  readonly #env: Environment;
  /** Variables that are set to something that is no text. */
  readonly #unreadable = new Set<string>();

  constructor(env: Environment) {
    this.#env = env;
  }

  /** Notes what is wrong with a variable. */
  fault(name: string, problem: string): void {
    this.faults.push(`${name} ${problem}`);
  }

  /** Quotes a value for a message, without a secret that stands in it. */
  quote(value: string): string {
    let text = value;
    for (const name of SECRETS) {
      const secret = this.text(name);
      if (secret !== undefined) text = maskOf(new Secret(secret))(text);
    }
    return quote(text.replace(SECRET_PART, "***"));
  }

  /** Whether there is a value, be it one that cannot be read. */
  isSet(name: string): boolean {
    return this.text(name) !== undefined || this.#unreadable.has(name);
  }

  /** The value; `undefined` if there is none, or none that can be read. */
  text(name: string): string | undefined {
    if (this.#unreadable.has(name)) return undefined;
    try {
      return this.#env(name) || undefined;
    } catch (error) {
      if (error instanceof Error && error.name === "NotCapable") throw error;
      // the error may hold the value: it is forgotten here
      this.#unreadable.add(name);
      this.fault(name, "must be UTF-8: it has bytes that are not");
      return undefined;
    }
  }

  /** The `PE_` form, or else the plain one. */
  either(name: string): Variable {
    const own = `PE_${name}`;
    const chosen = this.isSet(own) ? own : name;
    return { name: chosen, value: this.text(chosen) };
  }

  /** Refuses what the example file says in place of a secret. */
  notPlaceholder({ name, value }: Variable): void {
    if (value === undefined || !PLACEHOLDER.test(value)) return;
    this.fault(name, "must be your own: it is the text of the example file");
  }

  /**
   * The text of a key or a certificate. It may stand on one line, its line ends
   * written as `\n`.
   */
  pem(name: string): string | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    if (PATH.test(value)) {
      const problem =
        "must be the text of the file: it looks like a path, and no file is read";
      this.fault(name, problem);
      return undefined;
    }
    return `${value.replaceAll("\\n", "\n").replaceAll("\r", "").trim()}\n`;
  }

  /** What commas separate; at least one entry, if it is set at all. */
  list(name: string): readonly string[] | undefined {
    const value = this.text(name);
    const entries = value?.split(",").map((entry) => entry.trim())
      .filter((entry) => entry !== "");
    if (value !== undefined && entries?.length === 0) {
      this.fault(name, `must have an entry: it is ${this.quote(value)}`);
    }
    return entries;
  }

  /** @returns The fallback also for a wrong value, once that is noted. */
  port({ name, value }: Variable, fallback: number): number {
    const text = value ?? String(fallback);
    const isValid = /^\d{1,5}$/.test(text) && Number(text) >= 1 &&
      Number(text) <= 65_535;
    if (isValid) return Number(text);
    this.fault(
      name,
      `must be a port from 1 to 65535: it is ${this.quote(text)}`,
    );
    return fallback; // so that no firewall's name is blamed for it, too
  }

  /** @returns Milliseconds. */
  seconds(
    name: string,
    fallback: number,
    [min, max]: readonly [min: number, max: number],
  ): number {
    const value = this.text(name) ?? String(fallback);
    const isValid = /^\d{1,9}(\.\d{1,9})?$/.test(value) &&
      Number(value) >= min && Number(value) <= max;
    if (!isValid) {
      const wanted = `must be a number of seconds from ${min} to ${max}`;
      this.fault(name, `${wanted}: it is ${this.quote(value)}`);
    }
    return Number(value) * 1_000;
  }

  /** One of a set of words; the first is the default, if no other is given. */
  word<Word extends string>(
    name: string,
    words: readonly [Word, ...Word[]],
    fallback = words[0],
  ): Word {
    const value = this.text(name) ?? fallback;
    const found = words.find((word) => word === value);
    if (found === undefined) {
      const wanted = `must be one of ${words.join(", ")}`;
      this.fault(name, `${wanted}: it is ${this.quote(value)}`);
    }
    return found ?? fallback;
  }

  /** Notes which of two variables is missing, if the other one is set. */
  both(one: string, other: string): void {
    const pairs = [[one, other], [other, one]] as const;
    for (const [there, missing] of pairs) {
      if (this.isSet(there) && !this.isSet(missing)) {
        this.fault(missing, `is not set: ${there} needs it`);
      }
    }
  }
}
