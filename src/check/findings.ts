/**
 * What an examination of a firewall has found.
 *
 * @module
 */

import type { HaState } from "../model/high_availability.ts";
import type { Negotiated } from "../model/negotiated.ts";
import { PollError } from "../model/poll.ts";
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
  /** The columns of the text; none for XML. */
  readonly columns: readonly Column[];
}

/** A reply, or why there is none. */
export type TableOrError = Table | PollError;

/** Whether a reply was asked for, came and was read. */
export function isTable(
  reply: TableOrError | "none" | undefined,
): reply is Table {
  return reply !== undefined && reply !== "none" &&
    !(reply instanceof PollError);
}

/** What an examination has found. */
export type Findings = FailedLogin | Examined;

interface Common {
  /** `host`, `host:port` or `[v6]:port`, as configured. */
  readonly target: string;
  readonly durations: readonly Duration[];
  /** How far the account's credentials came. */
  readonly credential: "not sent" | "sent" | "accepted";
}

/** There is no session, and nothing was asked. */
export interface FailedLogin extends Common {
  readonly loginError: PollError;
}

/** What the firewall answered in the session. */
export interface Examined extends Common {
  readonly loginError: undefined;
  readonly negotiated: Negotiated;
  readonly haState: HaState | undefined;
  readonly text: TableOrError;
  /** `none` if the firewall does not know XML; `undefined` if it was not asked. */
  readonly xml: TableOrError | "none" | undefined;
  /** `undefined` if it was not asked for. */
  readonly textAgain: TableOrError | undefined;
}
