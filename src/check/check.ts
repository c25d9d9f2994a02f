/**
 * `--check`: polls firewalls once, for people.
 *
 * @module
 */

import type { Firewall } from "../firewall/firewall.ts";
import { type Outcome, toOutcome } from "./outcome.ts";

/** Polls each firewall once; shows the exposition if there is one. */
export async function check(
  firewalls: readonly Firewall[],
  waitMs: number,
): Promise<Outcome> {
  const statuses = await Promise.all(
    firewalls.map((firewall) => firewall.poll(waitMs)),
  );
  return toOutcome(statuses);
}
