/**
 * Errors that nothing has caught.
 *
 * @module
 */

import type { Log } from "./log.ts";

/** Keeps a bug in one request or session from ending the process. */
export function surviveBugs(log: Log): void {
  const survive = (event: Event, cause: unknown): void => {
    event.preventDefault();
    const error = cause instanceof Error ? cause.stack : undefined;
    log("error", "bug: please report this", { error: error ?? String(cause) });
  };
  addEventListener(
    "unhandledrejection",
    (event) => survive(event, event.reason),
  );
  addEventListener("error", (event) => survive(event, event.error));
}
