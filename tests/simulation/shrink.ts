/**
 * Finds the shortest history that still breaks a rule.
 *
 * @module
 */

import type { Plan, Planned } from "./plan.ts";
import { play } from "./world.ts";

/** Plays at most so many histories. */
const MAX_TRIES = 2_000;

/** Chances that a shorter history gets to break the same rule. */
const SEEDS = 3;

/** Leaves out whatever the breaking of the rule does not need. */
export async function shrink(plan: Plan, rule: string): Promise<Plan> {
  let best = plan;
  let tries = 0;

  async function tryPlan(candidate: Plan): Promise<boolean> {
    for (let seed = 0; seed < SEEDS && tries < MAX_TRIES; seed++) {
      tries++;
      const changed = { ...candidate, seed: candidate.seed + seed };
      const { broken } = await play(changed);
      if (broken?.rule !== rule) continue;
      best = changed;
      return true;
    }
    return false;
  }

  /** Halves, quarters and so on down to single ones are left out. */
  async function leaveOut(): Promise<boolean> {
    let hasShrunk = false;
    let size = Math.ceil(best.events.length / 2);
    while (size > 0 && tries < MAX_TRIES) {
      for (let from = 0; from < best.events.length;) {
        const events = best.events.toSpliced(from, size);
        if (await tryPlan({ ...best, events })) hasShrunk = true;
        else from += size;
      }
      size = size === 1 ? 0 : Math.ceil(size / 2);
    }
    return hasShrunk;
  }

  await cutOff();
  while (await leaveOut() && tries < MAX_TRIES);
  await simplify();
  return best;

  /** What comes after the rule was broken is not needed. */
  async function cutOff(): Promise<void> {
    const { simulatedMs } = await play(best);
    const events = best.events.filter(({ atMs }) => atMs <= simulatedMs);
    await tryPlan({ ...best, events });
  }

  /** The plain settings, where they do as well. */
  async function simplify(): Promise<void> {
    const changes: Partial<Plan>[] = [
      { stopAtMs: undefined },
      { minPollIntervalMs: 0 },
      { idleTimeoutMs: 600_000 },
      { loginTimeoutMs: 60_000 },
      { firewalls: 1 + Math.max(0, ...best.events.map(firewallOf)) },
    ];
    for (const change of changes) await tryPlan({ ...best, ...change });
  }
}

function firewallOf({ deed }: Planned): number {
  return "firewall" in deed ? deed.firewall : 0;
}
