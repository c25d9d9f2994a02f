/**
 * Plays histories until one breaks a rule, and prints which and how many it
 * took: for copies of the source that have a fault.
 *
 * @module
 */

import { simulate } from "./simulate.ts";

const { tally, finding } = await simulate(1, { seconds: Number(Deno.args[0]) });
const { histories, scrapes } = tally;
// deno-lint-ignore no-console -- read by the program that started it
console.log(JSON.stringify({ rule: finding?.rule, histories, scrapes }));
