import assert from "node:assert/strict";
import { setAlarm } from "../../src/std/alarm.ts";
import { stopTime } from "../support/fake_time.ts";

Deno.test("alarms ring when they are due, each once", async () => {
  using time = stopTime();
  const rung: string[] = [];
  for (const ms of [30, 10, 20, 10]) {
    setAlarm(ms, () => void rung.push(`${ms} at ${time.now}`));
  }
  await time.pass(15);
  setAlarm(1, () => void rung.push(`1 at ${time.now}`));
  await time.pass(100);
  assert.deepEqual(
    rung,
    ["10 at 10", "10 at 10", "1 at 16", "20 at 20", "30 at 30"],
  );
  assert.equal(time.timers, 0);
});

Deno.test("a cancelled alarm does not ring, and no timer is left of it", async () => {
  using time = stopTime();
  const rung: string[] = [];
  const cancel = setAlarm(10, () => void rung.push("cancelled"));
  const cancelLater = setAlarm(20, () => void rung.push("cancelled later"));
  cancel();
  await time.pass(15);
  cancelLater();
  assert.equal(time.timers, 0);
  await time.pass(100);
  assert.deepEqual(rung, []);
});

Deno.test("an alarm that another one cancels at the same moment does not ring", async () => {
  using time = stopTime();
  const rung: string[] = [];
  setAlarm(10, () => {
    rung.push("first");
    cancel();
  });
  const cancel = setAlarm(10, () => void rung.push("second"));
  await time.pass(100);
  assert.deepEqual(rung, ["first"]);
  assert.equal(time.timers, 0);
});

Deno.test("an alarm that is set by another one rings in its turn", async () => {
  using time = stopTime();
  const rung: number[] = [];
  setAlarm(10, () => {
    setAlarm(10, () => void rung.push(time.now));
    setAlarm(0, () => void rung.push(time.now));
  });
  await time.pass(100);
  assert.deepEqual(rung, [10, 20]);
});
