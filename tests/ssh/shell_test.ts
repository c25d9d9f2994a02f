import assert from "node:assert/strict";
// @ts-types="@types/ssh2"
import { Client } from "ssh2";
import { sayGoodbye } from "../../src/ssh/shell.ts";
import { inWords } from "../../src/ssh/system_error.ts";
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

Deno.test("what the system says of a host is said in words", () => {
  const error = (code?: string): Error =>
    Object.assign(new Error("x"), { code });
  assert.equal(inWords(error("EHOSTUNREACH")), " (there is no route to it)");
  assert.equal(inWords(error("ENOTFOUND")), " (its name is not known)");
  assert.equal(inWords(error("EPROTO")), "");
  assert.equal(inWords(new Error("x")), "");
});
