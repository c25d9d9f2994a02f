/**
 * Tries the parser's properties on new cases for a while:
 * `deno run tests/fuzz.ts 60` takes a minute. Prints how many cases of each
 * were tried, or the case that fails, with exit status 1.
 *
 * @module
 */

import { properties } from "./support/vpn_flow_properties.ts";

const CASES_PER_ROUND = 200;

const [argument = "10"] = Deno.args;
const seconds = Number(argument);
if (!(seconds > 0)) {
  print(`Cannot fuzz for "${argument}" seconds: it must be a number above 0`);
  Deno.exit(2);
}

const tried = new Map<string, number>();
const end = performance.now() + seconds * 1_000;
while (performance.now() < end) {
  for (const [name, check] of Object.entries(properties)) {
    const failure = check(CASES_PER_ROUND);
    if (failure !== undefined) {
      print(`${name}: ${failure}`);
      Deno.exit(1);
    }
    tried.set(name, (tried.get(name) ?? 0) + CASES_PER_ROUND);
  }
}
for (const [name, cases] of tried) {
  print(`${cases.toLocaleString("en").padStart(12)}  ${name}`);
}

function print(line: string): void {
  // deno-lint-ignore no-console -- the report is what this program is for
  console.log(line);
}
