/**
 * What the firewalls of a world share.
 *
 * @module
 */

import type { PollWitness } from "./poll_witness.ts";
import type { Rules } from "./rules.ts";
import type { AaaServer } from "./simulated_firewall.ts";
import type { SimulatedTime } from "./time.ts";
import type { Witness } from "./witness.ts";

/** The world as a firewall sees it. */
export interface Surroundings {
  readonly time: SimulatedTime;
  readonly rules: Rules;
  /** Of the guard's rules. */
  readonly witness: Witness;
  /** Of the rules of polls. */
  readonly polls: PollWitness;
  readonly aaa: AaaServer;
  readonly loginTimeoutMs: number;
  /** Whether the exporter is being stopped. */
  isStopping: boolean;
  /** Adds a line to the timeline. */
  tell(what: string): void;
}
