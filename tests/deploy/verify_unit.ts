/**
 * What systemd says of a unit.
 *
 * @module
 */

import { execute, type Outcome } from "../support/program.ts";

/** Settings that systemd 254 and newer know; others ignore them, and say so. */
const NEWER = /^.*Unknown key (?:name )?'Restart(?:Steps|MaxDelaySec)' .*\n?/gm;

/** Lets `systemd-analyze verify` judge a unit, by any release of systemd. */
export async function verifyUnit(path: string): Promise<Outcome> {
  const { code, stdout, stderr } = await execute("systemd-analyze", [
    "verify",
    path,
  ]);
  return { code, stdout, stderr: stderr.replace(NEWER, "") };
}
