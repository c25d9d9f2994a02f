import assert from "node:assert/strict";
// @ts-types="@types/ssh2"
import { Client } from "ssh2";
import { sayGoodbye } from "../../src/ssh/shell.ts";
import { stopTime } from "../support/fake_time.ts";

Deno.test("a goodbye is over after three seconds, whatever the firewall does", async () => {
  using time = stopTime();
  const never = new Promise<void>(() => {});
  let destroyedAt: number | undefined;
  await time.until(
    sayGoodbye(
      {
        client: new Client(),
        closed: never,
        destroy: () => void (destroyedAt = time.now),
      },
      never,
      time.clock,
    ),
  );
  assert.equal(destroyedAt, 2_000);
  assert.equal(time.now, 3_000);
  assert.equal(time.timers, 0);
});
