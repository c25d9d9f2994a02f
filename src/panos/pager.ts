/**
 * The pager of the PAN-OS command line.
 *
 * @module
 */

/** What it prints when it was not switched off: `lines 1-23`, `--more--`. */
const PAGER = /^ *(?:lines [0-9]+-[0-9]+|-+ ?more ?-+|\(END\))/i;

/** Whether a line is the prompt of a pager that waits for a key. */
export function isPagerPrompt(line: string): boolean {
  return PAGER.test(line);
}
