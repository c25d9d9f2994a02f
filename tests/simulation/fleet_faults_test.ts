import assert from "node:assert/strict";
import {
  type Outcome,
  type Scenario,
  SCENARIOS,
  simulate,
} from "./fleet_faults.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const SEED = 1;

/** Past the hold that a fault leaves behind, and a scrape or two. */
const AFTER_HOLD_MS = 10 * MINUTE_MS;
/** Logins that stood beside the first one that was rejected. */
const IN_FLIGHT = 7;

const EXPECTATIONS: Readonly<
  Record<keyof typeof SCENARIOS, (outcome: Outcome) => void>
> = {
  "wrong password from the start"(outcome): void {
    assertSubmissions(outcome, { hour: 2, day: 3 });
  },
  "password changed, sessions live"(outcome): void {
    assertSubmissions(outcome, { hour: 2, day: 3 });
  },
  "password changed, every acceptance fresh"(outcome): void {
    assertSubmissions(outcome, { hour: 2 + IN_FLIGHT, day: 3 + IN_FLIGHT });
  },
  "password changed, no session kept"(outcome): void {
    assertSubmissions(outcome, { hour: 2 + IN_FLIGHT, day: 3 + IN_FLIGHT });
  },
  "one firewall broken for two weeks"(outcome): void {
    assertSubmissions(outcome, { hour: 1, day: 2 });
    assert.deepEqual([...outcome.darkMs.keys()], ["fw1"]);
  },
  "two firewalls broken for two weeks"(outcome): void {
    assertSubmissions(outcome, { hour: 2, day: 4 });
    for (const [name, darkMs] of outcome.darkMs) {
      const isCulprit = name === "fw1" || name === "fw2";
      assert(isCulprit || darkMs <= AFTER_HOLD_MS, `${name}: ${darkMs} ms`);
    }
  },
  "AAA down for the first hour"(outcome): void {
    assertSubmissions(outcome, { hour: 2, day: 2 });
    assert(outcome.recoveryMs <= AFTER_HOLD_MS);
  },
  "AAA down for an hour, sessions live"(outcome): void {
    assertSubmissions(outcome, { hour: 2, day: 2 });
    assert(outcome.darkMs.size <= 5, "only those whose sessions were ended");
    assert(outcome.recoveryMs <= AFTER_HOLD_MS);
  },
  "AAA down for an hour, no session kept"(outcome): void {
    assertSubmissions(outcome, { hour: 2 + IN_FLIGHT, day: 2 + IN_FLIGHT });
    assert(outcome.recoveryMs <= AFTER_HOLD_MS);
  },
  "ten take the password and say nothing"(outcome): void {
    // two, and then one each quarter of an hour and the minute of its login
    assert(outcome.inAnyDayAtOne <= 2 + 24 * 60 / 16);
    assert.equal(outcome.darkMs.size, 10, "they darken nobody else");
    assert(outcome.recoveryMs <= 20 * MINUTE_MS);
  },
  "200 firewalls started at once"(outcome): void {
    assertSubmissions(outcome, { hour: 0, day: 0 });
    assert(outcome.recoveryMs <= MINUTE_MS);
  },
};

for (const [name, expect] of Object.entries(EXPECTATIONS)) {
  Deno.test(`fleet: ${name}`, async () => {
    const scenario: Scenario | undefined = Object.entries(SCENARIOS)
      .find(([other]) => other === name)?.[1];
    assert(scenario !== undefined);
    const outcome = await simulate(scenario, SEED);
    assert(outcome.recoveryMs <= HOUR_MS, "not all are up again");
    expect(outcome);
  });
}

function assertSubmissions(
  { inFirstHour, inFirstDay, inAnyDay }: Outcome,
  { hour, day }: { readonly hour: number; readonly day: number },
): void {
  assert(inFirstHour <= hour, `${inFirstHour} in the first hour`);
  assert(inFirstDay <= day, `${inFirstDay} in the first day`);
  assert(inAnyDay <= day, `${inAnyDay} within 24 hours`);
}
