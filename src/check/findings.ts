/**
 * What an examination of a firewall has found.
 *
 * @module
 */

import type { HaState } from "../model/high_availability.ts";
import type { Negotiated } from "../model/negotiated.ts";
import type { PollError } from "../model/poll.ts";
import type { VpnFlow } from "../model/tunnel.ts";
import type { Column } from "./layout.ts";

/** Part of an examination, in the order in which they happen. */
export type Step =
  | "connect"
  | "handshake"
  | "auth"
  | "session"
  | "text"
  | "XML"
  | "text again";

/** How long a step took. */
export interface Duration {
  readonly step: Step;
  readonly seconds: number;
}

/** A reply that was read. */
export interface Table {
  readonly flow: VpnFlow;
  /** Of the text; empty for XML. */
  readonly columns: readonly Column[];
}

/** A reply, or why there is none. */
export type Reading = Table | PollError;

export interface Findings {
  /** `host`, `host:port` or `[v6]:port`, as configured. */
  readonly target: string;
  readonly durations: readonly Duration[];
  /** How far the account's credentials came. */
  readonly credential: "not sent" | "sent" | "accepted";
  /** Why there is no session, if that is so. */
  readonly loginError: PollError | undefined;
  readonly negotiated: Negotiated | undefined;
  readonly haState: HaState | undefined;
  /** `undefined` where it was not asked for, as is each reading. */
  readonly text: Reading | undefined;
  /** `none` if the firewall does not know XML. */
  readonly xml: Reading | "none" | undefined;
  readonly textAgain: Reading | undefined;
}
