/**
 * What the firewalls of a world share.
 *
 * @module
 */

import type { AaaServer } from "./simulated_firewall.ts";
import type { SimulatedTime } from "./time.ts";
import type { Witness } from "./witness.ts";

/** A table that was printed as a whole. */
export interface Printed {
  readonly firewall: string;
  readonly atMs: number;
  readonly form: "text" | "xml";
  readonly haState: "active" | "passive";
  readonly isDown: boolean;
}

/** What a firewall shares with the rest of its world. */
export interface Surroundings {
  readonly time: SimulatedTime;
  readonly witness: Witness;
  readonly aaa: AaaServer;
  /** @returns The number that the table has to hold. */
  print(table: Printed): number;
  /** The most that a request waits that may share the poll of a command. */
  longestWaitMs(firewall: string): number;
  /** The most that a request waits that waits at this moment. */
  openWaitMs(firewall: string): number;
  readonly loginTimeoutMs: number;
  isStopping(): boolean;
  tell(what: string): void;
}
