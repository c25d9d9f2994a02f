/**
 * Follows the polls of one firewall: since when, and what changed.
 *
 * @module
 */

import type { HaState } from "../model/high_availability.ts";
import type { Change, Failing, History, Since } from "../model/history.ts";
import type { GoodPoll, Poll } from "../model/poll.ts";
import { seriesKey, type Tunnel } from "../model/tunnel.ts";
import { describeState, monitorInWords } from "../model/tunnel_words.ts";

/** Changes that are remembered of each firewall. */
const MAX_CHANGES = 5;

interface Row {
  tunnel: Tunnel;
  since: Since;
  lastUpAt: number | undefined;
}

/** The memory of one firewall; its size is that of the last table. */
export class PollHistory implements History {
  #rows: Row[] = [];
  #haState: HaState | undefined;
  #changes: readonly Change[] = [];
  #failing: Failing | undefined;
  #hasTable = false;

  get sightings(): History["sightings"] {
    return this.#rows;
  }

  get haState(): HaState | undefined {
    return this.#haState;
  }

  get changes(): readonly Change[] {
    return this.#changes;
  }

  get failing(): Failing | undefined {
    return this.#failing;
  }

  /**
   * Takes in a poll that has finished.
   *
   * @param tunnels The rows of a good one, each tunnel once.
   * @returns What changed since the last good poll, in the firewall's order.
   */
  record(poll: Poll, tunnels: readonly Tunnel[]): readonly Change[] {
    if (!poll.ok) {
      const { sinceAt = poll.finishedAt, polls = 0 } = this.#failing ?? {};
      this.#failing = { sinceAt, polls: polls + 1 };
      return [];
    }
    this.#failing = undefined;
    const changes = [
      ...this.#compareHighAvailability(poll),
      ...this.#compareRows(tunnels, poll.finishedAt),
    ];
    this.#hasTable = true;
    this.#changes = [...changes.slice(-MAX_CHANGES).reverse(), ...this.#changes]
      .slice(0, MAX_CHANGES);
    return changes;
  }

  #compareHighAvailability({ haState, finishedAt }: GoodPoll): Change[] {
    const before = this.#haState;
    this.#haState = haState;
    if (!this.#hasTable || before === haState) return [];
    return [{ at: finishedAt, kind: "ha", from: before, to: haState }];
  }

  #compareRows(tunnels: readonly Tunnel[], at: number): Change[] {
    const known = this.#rows;
    const changes: Change[] = [];
    // Tables rarely change, so rows are looked for at their old place first.
    let byKey: Map<string, Row> | undefined;
    let found = 0;
    this.#rows = tunnels.map((tunnel, index) => {
      const there = known[index];
      const row = there !== undefined && isSameSeries(there.tunnel, tunnel)
        ? there
        : (byKey ??= new Map(known.map((row) => [seriesKey(row.tunnel), row])))
          .get(seriesKey(tunnel));
      if (row === undefined) return this.#add(tunnel, at, changes);
      found++;
      return update(row, tunnel, at, changes);
    });
    if (found < known.length) {
      const left = new Set(this.#rows);
      for (const row of known) {
        if (left.has(row)) continue;
        const { tunnel } = row;
        const state = describeState(tunnel);
        changes.push({ at, kind: "removed", tunnel, state });
      }
    }
    return changes;
  }

  #add(tunnel: Tunnel, at: number, changes: Change[]): Row {
    if (this.#hasTable) {
      const state = describeState(tunnel);
      changes.push({ at, kind: "added", tunnel, state });
    }
    return {
      tunnel,
      since: { at, isAtLeast: !this.#hasTable },
      lastUpAt: tunnel.state === "active" ? at : undefined,
    };
  }
}

function isSameSeries(one: Tunnel, other: Tunnel): boolean {
  return one.id === other.id && one.name === other.name &&
    one.interfaceName === other.interfaceName;
}

/** Notes in a row what the tunnel is, and what it was not before. */
function update(
  row: Row,
  tunnel: Tunnel,
  at: number,
  changes: Change[],
): Row {
  const [from, to] = [describeState(row.tunnel), describeState(tunnel)];
  if (from !== to) {
    changes.push({ at, kind: "state", tunnel, from, to });
    row.since = { at, isAtLeast: false };
  }
  const [seen, sees] = [monitorInWords(row.tunnel), monitorInWords(tunnel)];
  if (seen !== sees) {
    changes.push({ at, kind: "monitor", tunnel, from: seen, to: sees });
  }
  row.tunnel = tunnel;
  if (tunnel.state === "active") row.lastUpAt = at;
  return row;
}
