/**
 * What the firewalls of a world share.
 *
 * @module
 */

import type { Status } from "../../src/model/poll.ts";
import type { PollWitness } from "./poll_witness.ts";
import type { Rules } from "./rules.ts";
import type { AaaServer } from "./simulated_firewall.ts";
import type { SimulatedTime } from "./time.ts";
import type { Submission, Witness } from "./witness.ts";

/** Who counts what happens. */
export interface Observer {
  /** The credentials have reached a firewall. */
  onSubmission(submission: Submission): void;
  /** They are right. */
  onAcceptance(submission: Submission): void;
  /** A scraper is told something. */
  onAnswer(status: Status): void;
}

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
  readonly observer: Observer | undefined;
  /** Adds a line to the timeline. */
  tell(what: string): void;
}
