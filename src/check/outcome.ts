/**
 * What is left of a run that only prints.
 *
 * @module
 */

/** What to print, and how to end. */
export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  /** The exit code. */
  readonly code: number;
}
