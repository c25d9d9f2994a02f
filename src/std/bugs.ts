/**
 * Errors that nothing should have thrown.
 *
 * @module
 */

import type { Log } from "./log.ts";

/** Tells the log of a bug, and with the stack where it is. */
export function logBug(log: Log, cause: unknown): void {
  const stack = cause instanceof Error ? cause.stack : undefined;
  log("error", "bug: please report it as an issue of this project", {
    error: stack ?? String(cause),
  });
}

/** Keeps a bug in one request or session from ending the process. */
export function surviveBugs(log: Log): void {
  const survive = (event: Event, cause: unknown): void => {
    event.preventDefault();
    logBug(log, cause);
  };
  addEventListener(
    "unhandledrejection",
    (event) => survive(event, event.reason),
  );
  addEventListener("error", (event) => survive(event, event.error));
}
