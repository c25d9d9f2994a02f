/**
 * A login that no poll shares.
 *
 * @module
 */

import { PollError } from "../model/poll.ts";
import { untilAborted } from "../std/abort.ts";
import type { Guard } from "./guard.ts";
import type { LoginProgress, OpenSession, Session } from "./session.ts";

/** Logs in, as {@linkcode OpenSession} does. */
export type GuardedLogin = (
  progress: LoginProgress,
  signal: AbortSignal,
) => Promise<Session>;

/** Makes of a way to log in one that goes by the rules of the guard. */
export function guardLogin(
  target: string,
  openSession: OpenSession,
  guard: Guard,
): GuardedLogin {
  return async (progress, signal) => {
    guard.check(target);
    using attempt = guard.attempt(target, signal);
    const opened = openSession({
      only: guard.onlyFor(target),
      onPhase: progress.onPhase,
      async beforeCredential(credential): Promise<void> {
        await attempt.beforeCredential(credential);
        await progress.beforeCredential(credential);
      },
      onAccepted(): void {
        attempt.noteAccepted();
        progress.onAccepted();
      },
    }, signal);
    try {
      return await untilAborted(opened, signal);
    } catch (error) {
      throw error instanceof PollError ? attempt.noteFailure(error) : error;
    }
  };
}
