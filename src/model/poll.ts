/**
 * What asking a firewall comes to: the values that pass from the session to
 * the metrics, the log and the status page.
 *
 * @module
 */

import type { HaState } from "./high_availability.ts";
import type { History } from "./history.ts";
import type { Negotiated } from "./negotiated.ts";
import type { TunnelTable } from "./tunnel.ts";

/** Why a poll can fail. These are values of a label: so the set is closed. */
export const REASONS = [
  "auth",
  "command",
  "connect",
  "held",
  "host_key",
  "parse",
  "session",
  "timeout",
] as const;

/** One of them. */
export type Reason = (typeof REASONS)[number];

/** What a poll consists of, in the order in which it happens. */
export const PHASES = [
  "connect",
  "handshake",
  "auth",
  "session",
  "command",
] as const;

/** One of them. */
export type Phase = (typeof PHASES)[number];

/** Seconds spent in each phase; 0 for a phase not reached or not needed. */
export type Durations = Readonly<Record<Phase, number>>;

/** What a firewall or a network did wrong. Anything else that is thrown is a bug. */
export class PollError extends Error {
  override readonly name = "PollError";
  readonly reason: Reason;

  constructor(reason: Reason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

interface Finished {
  readonly durations: Durations;
  /** Unix time in seconds. */
  readonly finishedAt: number;
}

/** In which form a table was read. */
export type FormRead =
  | { readonly form: "text" }
  | {
    readonly form: "xml";
    /** Why the text is not what was read, as a sentence for the operator. */
    readonly textProblem: string;
  };

/** How a firewall can print its tunnels. */
export type Form = FormRead["form"];

/** A poll that returned a complete table. */
export type GoodPoll = Finished & FormRead & {
  readonly ok: true;
  readonly flow: TunnelTable;
  /** What the prompt says in parentheses, such as `active`. */
  readonly haState: HaState | undefined;
};

/** A poll that did not, and why. */
export interface FailedPoll extends Finished {
  readonly ok: false;
  readonly reason: Reason;
  /** A sentence for the operator, safe to print. */
  readonly message: string;
}

/** What a poll comes to. */
export type Poll = GoodPoll | FailedPoll;

/** Everything known about one firewall. Moments are Unix times in seconds. */
export interface Status {
  /** `host`, `host:port` or `[v6]:port`, as configured. */
  readonly target: string;
  /** `undefined` before the first poll has finished. */
  readonly poll: Poll | undefined;
  /** `undefined` before the first success. */
  readonly lastSuccessAt: number | undefined;
  /** Seconds that the last login took that succeeded. */
  readonly loginDuration: number | undefined;
  /** What the last login that succeeded agreed on. */
  readonly negotiated: Negotiated | undefined;
  /** No login before this time; `undefined` when logins are allowed. */
  readonly authRetryAt: number | undefined;
  /** Logins attempted since the exporter started. */
  readonly logins: number;
  /** Since when it is so, and what has changed. */
  readonly history: History;
}

/** Logins that are held because several firewalls rejected them. */
export interface LoginHold {
  /** Unix time in seconds. */
  readonly endsAt: number;
  /** The firewalls that rejected the login. */
  readonly culprits: readonly string[];
}

/** How many logins there were, and whether the guard holds them back. */
export type Logins = Pick<Status, "authRetryAt" | "logins">;
