/**
 * What it means that a connection is lost.
 *
 * @module
 */

import { PollError } from "../model/poll.ts";

/** Why a session cannot go on that the exporter has ended itself. */
export const ENDED = new PollError(
  "session",
  "Cannot go on as the session was ended",
);

/** How far a login had come. */
export interface Progress {
  /** Host and port, for the message. */
  readonly where: string;
  readonly isAccepted: boolean;
  /** What the firewall was given and has not judged yet. */
  readonly given: "an answer" | "the credentials" | undefined;
  /** What it offered, if there was nothing in common; else empty. */
  readonly offer: string;
}

/**
 * Says what the loss of a connection is: a firewall that hangs up on a
 * credential has rejected it.
 *
 * @param what Happened: "it …".
 */
export function explainLoss(progress: Progress, what: string): PollError {
  const { where, isAccepted, given, offer } = progress;
  if (isAccepted) {
    return new PollError("session", `Lost the session on ${where}: ${what}`);
  }
  const reason = given === undefined ? "connect" : "auth";
  const when = given === undefined ? "" : `after it was given ${given}, `;
  const message = `Cannot log in to ${where}: ${when}${what}${offer}`;
  return new PollError(reason, message);
}
