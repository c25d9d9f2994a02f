/**
 * A value that does not print itself.
 *
 * @module
 */

const REDACTED = "[redacted]";

/** Holds a password or a key; only {@linkcode Secret.reveal} gives it away. */
export class Secret<Value = string> {
  readonly #value: Value;

  constructor(value: Value) {
    this.#value = value;
  }

  /** The secret itself: to be called where it is used, and nowhere else. */
  reveal(): Value {
    return this.#value;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [Symbol.for("Deno.customInspect")](): string {
    return REDACTED;
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return REDACTED;
  }
}
