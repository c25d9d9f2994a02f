/**
 * Tries the parser on new replies for a while: `deno task fuzz 60` takes a
 * minute, a quarter for the properties, the rest for damaged replies. A second
 * argument is the seed of the damage. Prints how many cases of each were
 * tried, or the case that fails, with exit status 1.
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

const [argument = "10", seedArgument = String(Date.now() % 1e9)] = Deno.args;
const seconds = Number(argument);
const seed = Number(seedArgument);
if (!(seconds > 0 && seed >= 0)) {
  print("Cannot fuzz: the arguments are SECONDS, above 0, and a SEED");
  Deno.exit(2);
}

const start = performance.now();
const tried = new Map<string, number>();
const tally: Tally = new Map();
print(`seed ${seed}`);
try {
  while (performance.now() < start + seconds * 250) tryProperties();
  for (let round = 0; performance.now() < start + seconds * 1_000; round++) {
    const random = createRandom(seed + round);
    const originals = inventOriginals(seed + round, ORIGINALS_PER_ROUND);
    for (const original of originals) {
      tryMutations(original, { times: MUTATIONS_PER_ORIGINAL, random, tally });
    }
    if (round % 100 === 99) print(`round ${round}, ${total(tally)} replies`);
  }
} catch (error) {
  print(String(error));
  Deno.exitCode = 1;
}
for (const [name, cases] of [...tried, ...tally]) {
  print(`${cases.toLocaleString("en").padStart(12)}  ${name}`);
}
print(`${total(tally)}  damaged replies`);

function tryProperties(): void {
  for (const [name, check] of Object.entries(properties)) {
    const failure = check(CASES_PER_ROUND);
    if (failure !== undefined) throw new Error(`${name}: ${failure}`);
    tried.set(name, (tried.get(name) ?? 0) + CASES_PER_ROUND);
  }
}

function total(tally: Tally): string {
  const sum = [...tally.values()].reduce((sum, count) => sum + count, 0);
  return sum.toLocaleString("en").padStart(12);
}

function print(line: string): void {
  // deno-lint-ignore no-console -- the report is what this program is for
  console.log(line);
}
