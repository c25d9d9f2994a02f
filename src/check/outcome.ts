/**
 * How the program ends, and what is left of a run that only prints.
 *
 * @module
 */

/** The exit codes of the program. */
export const EXIT = {
  good: 0,
  /** Something is wrong, or cannot be done. */
  failure: 1,
  /** The command line is wrong, or names no firewall that is configured. */
  usage: 2,
  /** `EX_CONFIG` of sysexits.h; the unit does not restart on it. */
  config: 78,
} as const;

/** One of them. */
export type ExitCode = typeof EXIT[keyof typeof EXIT];

/** What to print, and how to end. */
export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: ExitCode;
}
