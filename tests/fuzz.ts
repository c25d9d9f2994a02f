/**
 * Tries the parser on new replies for a while: `deno task fuzz [SECONDS]
 * [SEED]`. A quarter of the time, but no more than a minute, is for the
 * properties, the rest for damaged replies; the seed is that of the damage.
 * Prints how many cases of each were tried, and how fast, or the case that
 * fails, with exit status 1.
 *
 * @module
 */

import {
  inventOriginals,
  type Tally,
  tryMutations,
} from "./support/misreads.ts";
import { createRandom } from "./support/mutations.ts";
import { properties } from "./support/vpn_flow_properties.ts";

const CASES_PER_ROUND = 200;
const ORIGINALS_PER_ROUND = 50;
const MUTATIONS_PER_ORIGINAL = 200;
const MAX_PROPERTIES_MS = 60_000;

const [argument = "10", seedArgument = String(Date.now() % 1e9)] = Deno.args;
const seconds = Number(argument);
const seed = Number(seedArgument);
if (!(seconds > 0 && seed >= 0)) {
  print("Cannot fuzz: the arguments are SECONDS, above 0, and a SEED");
  Deno.exit(2);
}

const start = performance.now();
const propertiesEnd = start + Math.min(seconds * 250, MAX_PROPERTIES_MS);
const tried = new Map<string, number>();
const tally: Tally = new Map();
print(`seed ${seed}`);
try {
  while (performance.now() < propertiesEnd) tryProperties();
  for (let round = 0; performance.now() < start + seconds * 1_000; round++) {
    const random = createRandom(seed + round);
    const originals = inventOriginals(seed + round, ORIGINALS_PER_ROUND);
    for (const original of originals) {
      tryMutations(original, { times: MUTATIONS_PER_ORIGINAL, random, tally });
    }
    if (round % 100 === 99) {
      print(`round ${round}, ${format(sum(tally))} replies`);
    }
  }
} catch (error) {
  print(String(error));
  Deno.exitCode = 1;
}
for (const [name, cases] of [...tried, ...tally]) {
  print(`${format(cases)}  ${name}`);
}
const rate = sum(tally) / (performance.now() - propertiesEnd) * 1_000;
print(`${format(sum(tally))}  damaged replies, ${Math.round(rate)} a second`);

function tryProperties(): void {
  for (const [name, check] of Object.entries(properties)) {
    const failure = check(CASES_PER_ROUND);
    if (failure !== undefined) throw new Error(`${name}: ${failure}`);
    tried.set(name, (tried.get(name) ?? 0) + CASES_PER_ROUND);
  }
}

function sum(tally: Tally): number {
  return [...tally.values()].reduce((sum, count) => sum + count, 0);
}

function format(count: number): string {
  return count.toLocaleString("en").padStart(12);
}

function print(line: string): void {
  // deno-lint-ignore no-console -- the report is what this program is for
  console.log(line);
}
