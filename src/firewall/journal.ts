/**
 * What is worth a line in the log: that something changed.
 *
 * @module
 */

import type { Fields, Log } from "../std/log.ts";
import { mergeRows, seriesKey } from "../model/tunnel.ts";
import {
  type FailedPoll,
  type GoodPoll,
  type Poll,
  PollError,
} from "../model/poll.ts";
import type { Tunnel } from "../model/tunnel.ts";

/** Follows the polls of one firewall. */
export interface Journal {
  record(poll: Poll): void;
  /** Notes a login that failed when nobody waited for it any more. */
  recordLogin(error: unknown): void;
}

/** Tunnels named one by one in a poll; the others are counted. */
const MAX_CHANGES = 20;

/** Oddities remembered, so that each is told once. */
const MAX_REMEMBERED = 1_000;

/**
 * Begins to follow a firewall.
 *
 * @param log Where to, with the firewall's name already in it.
 */
export function createJournal(log: Log): Journal {
  const told = new Set<string>();
  let failure: FailedPoll | undefined;
  let failedPolls = 0;
  let states: ReadonlyMap<string, string> | undefined;
  let lastLoginFailure: string | undefined;

  function recordFailure(poll: FailedPoll): void {
    failedPolls++;
    if (failure?.reason === poll.reason) {
      log("debug", "poll failed again", { reason: poll.reason });
    } else {
      const { reason, message: error } = poll;
      log("error", "poll failed", { reason, error });
    }
    failure = poll;
  }

  function recordSuccess({ flow }: GoodPoll): void {
    if (failure !== undefined) {
      log("info", "poll recovered", {
        ["failed_polls"]: failedPolls,
        tunnels: flow.tunnels.length,
      });
    } else if (states === undefined) {
      log("info", "first poll", { tunnels: flow.tunnels.length });
    }
    failure = undefined;
    failedPolls = 0;
    lastLoginFailure = undefined;

    const { tunnels, contradictions } = mergeRows(flow);
    recordChanges(tunnels);
    for (const { id, name } of contradictions) {
      tellOnce("rows of one tunnel contradict each other", {
        tunnel: name,
        id,
      });
    }
    const contradicted = new Set(contradictions);
    for (const tunnel of tunnels) {
      const { name, state, stateWord } = tunnel;
      if (state === "unknown" && !contradicted.has(tunnel)) {
        tellOnce("state is not known", { tunnel: name, state: stateWord });
      }
    }
  }

  function recordChanges(tunnels: readonly Tunnel[]): void {
    const before = states;
    states = new Map(
      tunnels.map((tunnel) => [seriesKey(tunnel), tunnel.stateWord]),
    );
    if (before === undefined) return;
    const changed = tunnels.filter((tunnel) => {
      const from = before.get(seriesKey(tunnel));
      return from !== undefined && from !== tunnel.stateWord;
    });
    for (const tunnel of changed.slice(0, MAX_CHANGES)) {
      log(tunnel.state === "active" ? "info" : "warn", "tunnel changed state", {
        tunnel: tunnel.name,
        from: before.get(seriesKey(tunnel)) ?? "",
        to: tunnel.stateWord,
      });
    }
    const others = changed.length - MAX_CHANGES;
    if (others > 0) log("warn", "more tunnels changed state", { others });
  }

  function tellOnce(message: string, fields: Fields): void {
    const key = JSON.stringify([message, fields]);
    if (told.has(key) || told.size >= MAX_REMEMBERED) return;
    told.add(key);
    log("warn", message, fields);
  }

  return {
    record: (poll) => poll.ok ? recordSuccess(poll) : recordFailure(poll),
    recordLogin(error): void {
      if (!(error instanceof PollError)) throw error;
      if (error.message === lastLoginFailure) return;
      lastLoginFailure = error.message;
      const { reason, message } = error;
      log("error", "login failed in the background", {
        reason,
        error: message,
      });
    },
  };
}
