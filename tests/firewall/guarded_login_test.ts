import assert from "node:assert/strict";
import type { OpenSession } from "../../src/firewall/session.ts";
import { guardLogin } from "../../src/firewall/guarded_login.ts";
import { PollError } from "../../src/model/poll.ts";
import { createGuard } from "../support/fake_logins.ts";
import { stopTime } from "../support/fake_time.ts";

const PROGRESS = {
  beforeCredential: () => Promise.resolve(),
  onAccepted(): void {},
  onPhase(): void {},
};

Deno.test("guardLogin() says which credential alone may be sent", async () => {
  using time = stopTime();
  const guard = createGuard(time);
  const told: unknown[] = [];
  const rejected: OpenSession = async ({ only, beforeCredential }) => {
    told.push(only);
    await beforeCredential("key");
    await beforeCredential("password");
    throw new PollError("auth", "Cannot log in");
  };
  const logIn = guardLogin("fw-a", rejected, guard);
  const { signal } = new AbortController();
  await assert.rejects(logIn(PROGRESS, signal));
  await time.pass(66 * 60_000);
  await assert.rejects(logIn(PROGRESS, signal));
  assert.deepEqual(told, [undefined, "password"]);
});

Deno.test("guardLogin() tells the guard of a rejection, and asks it before the next login", async () => {
  using time = stopTime();
  const guard = createGuard(time);
  let logins = 0;
  const rejected: OpenSession = async ({ beforeCredential }) => {
    logins++;
    await beforeCredential("password");
    throw new PollError("auth", "Cannot log in");
  };
  const logIn = guardLogin("fw-a", rejected, guard);
  const { signal } = new AbortController();
  await assert.rejects(logIn(PROGRESS, signal), { message: "Cannot log in" });
  assert(guard.isHeld("fw-a"));
  await assert.rejects(logIn(PROGRESS, signal), { reason: "auth" });
  assert.equal(logins, 1);
});
