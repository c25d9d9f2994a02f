import assert from "node:assert/strict";
import { FAULTS } from "./faults/faults.ts";
import { findLeak } from "./memory.ts";
import { createPlan } from "./plan.ts";
import { play } from "./world.ts";
import { simulate, tellFinding } from "./simulate.ts";

const SCRAPES = 20_000;
const SECONDS = 60;
const ROOT = new URL("../../", import.meta.url);

Deno.test("no rule is broken in 20,000 simulated scrapes", async () => {
  const seed = 1;
  const { tally, finding } = await simulate(seed, {
    seconds: SECONDS,
    scrapes: SCRAPES,
  });
  assert(tally.scrapes > 0);
  assert(finding === undefined, finding && await tellFinding(finding));
});

Deno.test("a history replays to the letter", async () => {
  for (const seed of [3, 24, 52]) {
    const first = await play(createPlan(seed), { isTold: true });
    const second = await play(createPlan(seed), { isTold: true });
    assert(first.timeline.length > 0);
    assert.deepEqual(first.timeline, second.timeline);
  }
});

Deno.test("memory does not grow with the number of events", async () => {
  assert.equal(await findLeak(), undefined);
});

for (const { name, file, find } of FAULTS) {
  Deno.test(`the fault can be put in: ${name}`, async () => {
    const text = await Deno.readTextFile(new URL(file, ROOT));
    assert.equal(text.split(find).length, 2, `${file} holds it once`);
  });
}
