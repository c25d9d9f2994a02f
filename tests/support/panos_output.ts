/**
 * What a firewall prints, and what goes wrong while it does: the words that the
 * simulated firewall and the login shell of OpenSSH have in common.
 *
 * @module
 */

/** Text, with `\n` as line end, or one thing after another. */
export type Output = string | readonly Step[];

/** One write to the terminal, or something else that a firewall does. */
export type Step =
  | string
  /** Text for ever. */
  | { readonly endless: string }
  | Ending;

/** What comes in place of the next prompt. */
export type Ending =
  /** Silence for ever. */
  | { readonly hang: true }
  /** The end of the shell. */
  | { readonly end: true }
  /** The end of the TCP connection. */
  | { readonly drop: true };

/** What only the login shell of OpenSSH does, in the terminal that it has. */
export type TerminalOutput = string | readonly (Step | TerminalStep)[];

export type TerminalStep =
  /** Text in writes of so many bytes, with a pause in seconds after each. */
  | {
    readonly dribble: string;
    readonly size: number;
    readonly pause?: number;
  }
  /** Seconds of silence. */
  | { readonly pause: number };
