/**
 * What is remembered of a firewall from one poll to the next.
 *
 * @module
 */

import type { HaState } from "./high_availability.ts";
import type { Tunnel } from "./tunnel.ts";
import type { MonitorWord } from "./tunnel_words.ts";

/** When something began. */
export interface Since {
  /** Unix time in seconds. */
  readonly at: number;
  /** Whether it was so already when this process first looked. */
  readonly isAtLeast: boolean;
}

/** A row of the last table that was read. */
export interface Sighting {
  readonly tunnel: Tunnel;
  /** Since when it is in its state. */
  readonly since: Since;
  /** Unix time in seconds at which it was last seen up, if ever. */
  readonly lastUpAt: number | undefined;
}

/** Something that differs between two tables in a row. */
export type Change =
  & {
    /** Unix time in seconds of the poll that found it. */
    readonly at: number;
  }
  & (TunnelChange | HaChange);

/** The tunnel is as the later table has it; a removed one as the earlier. */
type TunnelChange =
  & { readonly tunnel: Tunnel }
  & (
    | {
      readonly kind: "added" | "removed";
      /** In words. */
      readonly state: string;
    }
    | {
      readonly kind: "state";
      /** In words. */
      readonly from: string;
      readonly to: string;
    }
    | {
      readonly kind: "monitor";
      readonly from: MonitorWord;
      readonly to: MonitorWord;
    }
  );

interface HaChange {
  readonly kind: "ha";
  /** `undefined` where the prompt showed, or shows, no such state. */
  readonly from: HaState | undefined;
  readonly to: HaState | undefined;
}

/** Polls that failed one after the other. */
export interface Failing {
  /** Unix time in seconds of the first of them. */
  readonly sinceAt: number;
  readonly polls: number;
}

/** All that is remembered of a firewall. */
export interface History {
  /** The tunnels as last read, in the firewall's order. */
  readonly sightings: readonly Sighting[];
  /** As last read. */
  readonly haState: HaState | undefined;
  /** The last few, newest first. */
  readonly changes: readonly Change[];
  /** `undefined` while the last poll is good. */
  readonly failing: Failing | undefined;
}

/** The history of a firewall that has not been polled. */
export const NO_HISTORY: History = {
  sightings: [],
  haState: undefined,
  changes: [],
  failing: undefined,
};
