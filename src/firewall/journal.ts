/**
 * What is remembered of a firewall's polls, and what of it is worth a line in
 * the log: that something changed.
 *
 * @module
 */

import { ADVICE, UNKNOWN_LAYOUT } from "../model/advice.ts";
import type { Change, History } from "../model/history.ts";
import {
  type FailedPoll,
  type Form,
  type GoodPoll,
  type Poll,
  PollError,
} from "../model/poll.ts";
import {
  CONDITIONS,
  countConditions,
  groupTunnels,
} from "../model/tunnel_group.ts";
import type { Fields, Log } from "../std/log.ts";
import { PollHistory } from "./history.ts";

/** Changes told one by one in a poll; the others are counted. */
const MAX_CHANGES = 20;

/** Oddities remembered, so that each is told once. */
const MAX_REMEMBERED = 1_000;

/** Follows the polls of one firewall. */
export class Journal {
  readonly #log: Log;
  readonly #history = new PollHistory();
  readonly #told = new Set<string>();
  #failure: FailedPoll | undefined;
  #hasSucceeded = false;
  /** In which the last good poll was read. */
  #form: Form = "text";
  #lastLoginFailure: string | undefined;

  /** @param log Where to, with the firewall's name already in it. */
  constructor(log: Log) {
    this.#log = log;
  }

  get history(): History {
    return this.#history;
  }

  /** Takes in a poll that has finished, and logs what is new in it. */
  record(poll: Poll): void {
    if (!poll.ok) {
      this.#history.record(poll, []);
      this.#recordFailure(poll);
      return;
    }
    const { tunnels, contradictions } = poll.flow;
    const failedPolls = this.#history.failing?.polls;
    const changes = this.#history.record(poll, tunnels);
    this.#recordRecovery(poll, failedPolls);
    this.#recordForm(poll);
    this.#recordChanges(changes);
    for (const { id, name } of contradictions) {
      const message = "rows of one tunnel contradict each other";
      this.#tellOnce(message, { tunnel: name, id });
    }
    for (const tunnel of tunnels) {
      const isOdd = tunnel.state === "unknown";
      if (!isOdd || contradictions.includes(tunnel)) continue;
      const { name, stateWord: state } = tunnel;
      this.#tellOnce("state is not known", { tunnel: name, state });
    }
  }

  /** Notes a login that failed when nobody waited for it any more. */
  recordLogin(error: unknown): void {
    if (!(error instanceof PollError)) throw error;
    if (error.message === this.#lastLoginFailure) return;
    this.#lastLoginFailure = error.message;
    const { reason, message } = error;
    this.#log("error", "login failed in the background", {
      reason,
      error: message,
      advice: ADVICE[reason].remedy,
    });
  }

  #recordFailure(poll: FailedPoll): void {
    const { reason, message: error } = poll;
    if (this.#failure?.reason === reason) {
      this.#log("debug", "poll failed again", { reason });
    } else {
      const advice = ADVICE[reason].remedy;
      this.#log("error", "poll failed", { reason, error, advice });
    }
    this.#failure = poll;
  }

  #recordRecovery(
    { finishedAt }: GoodPoll,
    failedPolls: number | undefined,
  ): void {
    if (failedPolls !== undefined) {
      this.#log("info", "poll recovered", {
        ["failed_polls"]: failedPolls,
        ...countTunnels(this.#history, finishedAt),
      });
    } else if (!this.#hasSucceeded) {
      this.#log("info", "first poll", countTunnels(this.#history, finishedAt));
    }
    this.#hasSucceeded = true;
    this.#failure = undefined;
    this.#lastLoginFailure = undefined;
  }

  #recordForm(poll: GoodPoll): void {
    const { form } = poll;
    if (form === this.#form) return;
    this.#form = form;
    if (poll.form === "text") {
      return this.#log("info", "text can be read again");
    }
    this.#log("warn", "text cannot be read, XML is read instead", {
      error: poll.textProblem,
      advice: UNKNOWN_LAYOUT,
    });
  }

  #recordChanges(changes: readonly Change[]): void {
    for (const change of changes.slice(0, MAX_CHANGES)) {
      const [level, message, fields] = describe(change);
      this.#log(level, message, fields);
    }
    const others = changes.length - MAX_CHANGES;
    if (others > 0) this.#log("warn", "more changes", { others });
  }

  #tellOnce(message: string, fields: Fields): void {
    const key = JSON.stringify([message, fields]);
    if (this.#told.has(key) || this.#told.size >= MAX_REMEMBERED) return;
    this.#told.add(key);
    this.#log("warn", message, fields);
  }
}

/** How many tunnels there are, and how many in each condition that there is. */
function countTunnels({ sightings }: History, now: number): Fields {
  const tunnels = groupTunnels(sightings, now);
  const counts = countConditions(tunnels);
  const present = CONDITIONS.filter((condition) => counts[condition] > 0)
    .map((condition) => [condition.replaceAll(" ", "_"), counts[condition]]);
  return { tunnels: tunnels.length, ...Object.fromEntries(present) };
}

function describe(
  change: Change,
): readonly [level: "info" | "warn", message: string, fields: Fields] {
  switch (change.kind) {
    case "state": {
      const { tunnel, from, to } = change;
      const level = to === "up" ? "info" : "warn";
      return [level, "tunnel changed state", { tunnel: tunnel.name, from, to }];
    }
    case "monitor": {
      const { tunnel, from, to } = change;
      const level = to === "down" ? "warn" : "info";
      const fields = { tunnel: tunnel.name, from, to };
      return [level, "tunnel monitor changed", fields];
    }
    case "added": {
      const { tunnel, state } = change;
      return ["info", "tunnel added", { tunnel: tunnel.name, state }];
    }
    case "removed": {
      const { tunnel, state } = change;
      return ["warn", "tunnel removed", { tunnel: tunnel.name, state }];
    }
    case "ha": {
      const { from = "none", to = "none" } = change;
      return ["warn", "high availability changed", { from, to }];
    }
  }
}
