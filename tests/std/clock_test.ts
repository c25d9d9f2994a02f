import assert from "node:assert/strict";
import { systemClock } from "../../src/std/clock.ts";

Deno.test("timers ring in the order of their times, and not before these", async () => {
  const rung: number[] = [];
  await Promise.all(
    [300, 100, 200, 0].map((ms) =>
      new Promise<void>((resolve) => {
        const atMs = systemClock.monotonicMs() + ms;
        systemClock.setTimer(ms, () => {
          rung.push(ms);
          resolve();
          assert(systemClock.monotonicMs() >= Math.floor(atMs));
        });
      })
    ),
  );
  assert.deepEqual(rung, [0, 100, 200, 300]);
});

Deno.test("a timer that is cancelled does not ring, and its like do", async () => {
  const rung: string[] = [];
  const cancel = systemClock.setTimer(1, () => rung.push("cancelled"));
  systemClock.setTimer(2, () => rung.push("kept"));
  const last = Promise.withResolvers<void>();
  systemClock.setTimer(3, last.resolve);
  cancel();
  cancel();
  await last.promise;
  cancel();
  assert.deepEqual(rung, ["kept"]);
});

Deno.test("a timer can cancel and set others as it rings", async () => {
  const rung: string[] = [];
  const last = Promise.withResolvers<void>();
  systemClock.setTimer(1, () => {
    rung.push("first");
    cancel();
    systemClock.setTimer(1, () => {
      rung.push("third");
      last.resolve();
    });
  });
  const cancel = systemClock.setTimer(1, () => rung.push("second"));
  await last.promise;
  assert.deepEqual(rung, ["first", "third"]);
});

Deno.test("100,000 timers that are cancelled leave none behind", async () => {
  const cancels = Array.from(
    { length: 100_000 },
    (_, index) => systemClock.setTimer(60_000 + index, () => {}),
  );
  const { promise, resolve } = Promise.withResolvers<void>();
  systemClock.setTimer(0, resolve);
  for (const cancel of cancels) cancel();
  await promise; // and the test ends: the runtime counts what it left
});
