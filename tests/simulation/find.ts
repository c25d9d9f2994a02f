/**
 * Plays histories until one breaks a rule, and prints which and how many it
 * took: for copies of the source that have a fault. With `leak` it measures
 * the memory instead.
 *
 * @module
 */

import { findLeak } from "./memory.ts";
import { simulate } from "./simulate.ts";

/** What it took to find a fault. */
export interface Found {
  /** The rule that it breaks; `undefined` if it was not found. */
  readonly rule?: string | undefined;
  readonly histories: number;
  readonly scrapes: number;
}

async function find(seconds: string | undefined): Promise<Found> {
  if (seconds === "leak") {
    return { rule: await findLeak(), histories: 1, scrapes: 0 };
  }
  const { tally, finding } = await simulate(1, { seconds: Number(seconds) });
  const { histories, scrapes } = tally;
  return { rule: finding?.rule, histories, scrapes };
}

if (import.meta.main) {
  // deno-lint-ignore no-console -- read by the program that started it
  console.log(JSON.stringify(await find(Deno.args[0])));
}
