import assert from "node:assert/strict";
import { createRateLimit } from "../../src/firewall/rate_limit.ts";
import { PollError } from "../../src/model/poll.ts";
import { createScene, nth } from "../support/fake_logins.ts";
import { stopTime } from "../support/fake_time.ts";

const MINUTE_MS = 60_000;
const hungUp = new PollError("session", "The firewall closed the session");
const rejection = new PollError("auth", "it rejected the credentials");

Deno.test("login() keeps the session for take()", async () => {
  using time = stopTime();
  await using scene = createScene(time);
  const { sessions, logIn } = scene;
  assert.equal(sessions.take(), undefined);
  const { session } = await logIn();
  assert.equal(sessions.take(), session);
  assert.equal(sessions.take(), session);
  assert.equal(sessions.logins, 1);
});

Deno.test("whoever asks during a login shares it", async () => {
  using time = stopTime();
  await using scene = createScene(time);
  const { sessions, logins } = scene;
  const asked = [sessions.login(), sessions.login()];
  await time.pass(1_000);
  asked.push(sessions.login());
  await nth(logins, 0).succeed();
  await Promise.all(asked);
  assert.equal(logins.length, 1);
});

Deno.test("whoever asks during a login shares its failure", async () => {
  using time = stopTime();
  await using scene = createScene(time);
  const { sessions, logins } = scene;
  const asked = [sessions.login(), sessions.login()];
  const failed = Promise.allSettled(asked);
  await time.settle();
  const unreachable = new PollError("connect", "Cannot connect");
  await nth(logins, 0).fail(unreachable);
  assert.deepEqual(
    (await failed).map((outcome) => "reason" in outcome && outcome.reason),
    [unreachable, unreachable],
  );
  assert(nth(logins, 0).signal.aborted, "what is left of it is destroyed");
  assert.equal(sessions.take(), undefined);
});

Deno.test("a session is ended when nobody has used it for its age", async () => {
  using time = stopTime();
  await using scene = createScene(time, { maxAgeMs: 5 * MINUTE_MS });
  const { sessions, logIn } = scene;
  const kept = await logIn();
  sessions.release(kept.session);
  await time.pass(5 * MINUTE_MS - 1);
  assert(!kept.isEnding);
  await time.pass(1);
  assert(kept.isEnding);
  assert.equal(sessions.take(), undefined);
});

Deno.test("a session that is taken does not end for lack of use", async () => {
  using time = stopTime();
  await using scene = createScene(time);
  const { sessions, logIn } = scene;
  const kept = await logIn();
  sessions.release(kept.session);
  sessions.take();
  await time.pass(60 * MINUTE_MS);
  assert(!kept.isEnding);
});

Deno.test("a session past its age serves one last poll, and its successor logs in", async () => {
  using time = stopTime();
  await using scene = createScene(time);
  const { sessions, logins, logIn } = scene;
  const old = await logIn();
  for (let poll = 0; poll < 4; poll++) {
    sessions.release(old.session);
    await time.pass(2 * MINUTE_MS);
    assert.equal(sessions.take(), old.session);
  }
  await time.pass(4 * MINUTE_MS);
  sessions.release(old.session);
  await time.settle();
  assert(old.isEnding);
  assert.equal(logins.length, 1, "the old session has not ended");
  await old.close(hungUp);
  assert.equal(logins.length, 2);
  const successor = await nth(logins, 1).succeed();
  assert.equal(sessions.take(), successor.session);
});

Deno.test("a failure of the successor is told, as nobody waits for it", async () => {
  using time = stopTime();
  await using scene = createScene(time);
  const { sessions, logins, logIn, unheard } = scene;
  const old = await logIn();
  sessions.take();
  await time.pass(12 * MINUTE_MS);
  sessions.release(old.session);
  await old.close(hungUp);
  await nth(logins, 1).fail(rejection);
  assert.deepEqual(unheard, [rejection]);
  await assert.rejects(sessions.login(), { reason: "auth" });
  assert.equal(logins.length, 2);
});

Deno.test("ages differ by a tenth, so that a fleet does not log in all at once", async () => {
  using time = stopTime();
  const ages: number[] = [];
  for (let firewall = 0; firewall < 40; firewall++) {
    await using scene = createScene(time);
    const { sessions, logIn } = scene;
    const start = time.now;
    const { session } = await logIn();
    while (sessions.take() === session) {
      await time.pass(MINUTE_MS / 6);
      sessions.release(session);
    }
    ages.push((time.now - start) / MINUTE_MS);
  }
  assert(Math.min(...ages) >= 9, `one lived ${Math.min(...ages)} minutes`);
  assert(Math.max(...ages) <= 11.2, `one lived ${Math.max(...ages)} minutes`);
  assert(new Set(ages).size > 3, `all of them lived ${ages[0]} minutes`);
});

Deno.test("without an age a session serves one poll and has no successor", async () => {
  using time = stopTime();
  await using scene = createScene(time, { maxAgeMs: 0 });
  const { sessions, logins, logIn } = scene;
  const first = await logIn();
  assert.equal(sessions.take(), first.session);
  sessions.release(first.session);
  await time.pass(MINUTE_MS);
  assert(first.isEnding);
  assert.equal(logins.length, 1);
});

Deno.test("a session that no poll has used is kept as long as a login may take", async (t) => {
  for (const [ms, isKept] of [[MINUTE_MS - 1, true], [MINUTE_MS, false]]) {
    await t.step(
      `${ms} ms later it is ${isKept ? "kept" : "ended"}`,
      async () => {
        using time = stopTime();
        await using scene = createScene(time, { maxAgeMs: 0 });
        const unused = await scene.logIn();
        await time.pass(Number(ms));
        assert.equal(unused.isEnding, !isKept);
        assert.equal(scene.sessions.take() === unused.session, isKept);
      },
    );
  }
});

Deno.test("there is no login before the last session has ended", async () => {
  using time = stopTime();
  await using scene = createScene(time, { maxAgeMs: 0 });
  const { sessions, logins, logIn } = scene;
  const first = await logIn();
  sessions.release(first.session);
  const loggedIn = sessions.login();
  await time.pass(30_000);
  assert.equal(logins.length, 1);
  await first.close(hungUp);
  assert.equal(logins.length, 2);
  await nth(logins, 1).succeed();
  await loggedIn;
});

Deno.test("a session that dies is not kept", async () => {
  using time = stopTime();
  await using scene = createScene(time);
  const { sessions, logins, logIn } = scene;
  const dead = await logIn();
  await dead.close(hungUp);
  assert.equal(sessions.take(), undefined);
  assert(nth(logins, 0).signal.aborted, "the connection is destroyed");
  assert.equal(time.timers, 0);
  sessions.release(dead.session);
  assert.equal(sessions.take(), undefined);
  assert.equal(time.timers, 0);
});

Deno.test("destroy() destroys its own session and no other", async () => {
  using time = stopTime();
  await using scene = createScene(time);
  const { sessions, logins, logIn } = scene;
  const first = await logIn();
  const late = new PollError("timeout", "Cannot finish");
  sessions.destroy(first.session, late);
  assert.equal(nth(logins, 0).signal.reason, late);
  assert.equal(sessions.take(), undefined);
  assert(!first.isEnding, "there is no politeness towards what is broken");

  const second = await logIn();
  sessions.destroy(first.session, late);
  assert.equal(sessions.take(), second.session);
  assert(!nth(logins, 1).signal.aborted);
});

Deno.test("a login is given up after its time, and counted", async () => {
  using time = stopTime();
  await using scene = createScene(time, { loginTimeoutMs: 20_000 });
  const { sessions, logins } = scene;
  const failed = assert.rejects(sessions.login(), {
    reason: "timeout",
    message: "Cannot log in within 20 s (SSH_LOGIN_TIMEOUT)",
  });
  await time.pass(19_999);
  assert(!nth(logins, 0).signal.aborted);
  await time.pass(1);
  assert(nth(logins, 0).signal.aborted);
  await failed;
  assert.equal(sessions.logins, 1);
  assert.equal(sessions.loginDuration, undefined);
  assert.equal(time.timers, 0);
});

Deno.test("a login that waits for its turn is given up too, and sends nothing", async () => {
  using time = stopTime();
  await using scene = createScene(time);
  const { guard, logIn, logins, sessions } = scene;
  const first = guard.attempt("fw-c", new AbortController().signal);
  await first.beforeCredential();
  first.failed(rejection);
  const other = guard.attempt("fw-b", new AbortController().signal);
  await other.beforeCredential();
  const failed = assert.rejects(sessions.login(), { reason: "timeout" });
  await time.settle();
  const authenticated = assert.rejects(nth(logins, 0).authenticate());
  await time.pass(2 * MINUTE_MS);
  await Promise.all([failed, authenticated]);
  other.failed(hungUp);
  await logIn();
});

Deno.test("a login is timed as a whole", async () => {
  using time = stopTime();
  await using scene = createScene(time);
  const { sessions, logins } = scene;
  const loggedIn = sessions.login();
  await time.pass(1_500);
  await nth(logins, 0).authenticate();
  await time.pass(1_000);
  await nth(logins, 0).succeed();
  await loggedIn;
  assert.equal(sessions.loginDuration, 2.5);
  assert.deepEqual(
    sessions.marks.map(({ phase, at }) => [phase, at]),
    [["connect", 1_500], ["handshake", 1_500], ["auth", 1_500], [
      "session",
      1_500,
    ]],
  );
});

Deno.test("while logins are held none begins, and nothing is opened", async () => {
  using time = stopTime();
  await using scene = createScene(time);
  const { sessions, logins } = scene;
  const failed = assert.rejects(sessions.login(), rejection);
  await time.settle();
  const first = nth(logins, 0);
  await first.progress.beforeCredential();
  await first.fail(rejection);
  await failed;
  for (let minute = 0; minute < 65; minute++) {
    await assert.rejects(sessions.login(), { reason: "auth" });
    await time.pass(MINUTE_MS);
  }
  assert.equal(logins.length, 1);
  assert.equal(sessions.logins, 1);
  sessions.login().catch(() => {});
  await time.settle();
  assert.equal(logins.length, 2);
  await sessions.end();
});

Deno.test("a login that is waiting to begin does not when logins come to be held", async () => {
  using time = stopTime();
  const rateLimit = createRateLimit(10_000, time.clock);
  await using scene = createScene(time, { rateLimit });
  const { sessions, guard, logins } = scene;
  await rateLimit(new AbortController().signal);
  const failed = assert.rejects(sessions.login(), { reason: "held" });
  await time.pass(5_000);
  for (const target of ["fw-b", "fw-c"]) {
    const other = guard.attempt(target, new AbortController().signal);
    await other.beforeCredential();
    other.failed(rejection);
  }
  await time.pass(5_000);
  await failed;
  assert.equal(logins.length, 0);
  assert.equal(sessions.logins, 0);
});

Deno.test("a kept session does not age out while logins are held", async (t) => {
  for (const maxAgeMs of [10 * MINUTE_MS, 0]) {
    await t.step(`kept for ${maxAgeMs} ms`, async () => {
      using time = stopTime();
      await using scene = createScene(time, { maxAgeMs });
      const { sessions, guard, logIn } = scene;
      const kept = await logIn();
      sessions.take();
      // the password is changed, and two others notice
      for (const target of ["fw-b", "fw-c"]) {
        const attempt = guard.attempt(target, new AbortController().signal);
        await attempt.beforeCredential();
        attempt.accepted();
      }
      for (const target of ["fw-b", "fw-c"]) {
        const attempt = guard.attempt(target, new AbortController().signal);
        await attempt.beforeCredential();
        attempt.failed(rejection);
      }
      assert(guard.isHeld("fw-a"));
      for (let poll = 0; poll < 4; poll++) {
        sessions.release(kept.session);
        await time.pass(15 * MINUTE_MS);
        assert.equal(sessions.take(), kept.session);
      }
      sessions.release(kept.session);
      await time.pass(2 * 60 * MINUTE_MS);
      assert(kept.isEnding, "the hold has ended");
    });
  }
});

Deno.test("a session kept because logins are held does not keep the computer busy", async () => {
  using time = stopTime();
  await using scene = createScene(time, { maxAgeMs: 0 });
  const { sessions, guard, logIn } = scene;
  const kept = await logIn();
  sessions.take();
  guard.attempt("fw-a", new AbortController().signal).failed(rejection);
  assert(guard.isHeld("fw-a"));
  sessions.release(kept.session);
  const looks = countCalls(guard, "isHeld");
  await time.pass(MINUTE_MS);
  assert(!kept.isEnding);
  assert(looks.count <= 61, `it looked ${looks.count} times in a minute`);
});

Deno.test("end() ends the kept session, and waits for that", async () => {
  using time = stopTime();
  await using scene = createScene(time);
  const { sessions, logIn } = scene;
  const kept = await logIn();
  let hasEnded = false;
  const ended = sessions.end().then(() => hasEnded = true);
  await time.settle();
  assert(kept.isEnding);
  assert(!hasEnded);
  await kept.close(hungUp);
  await ended;
  assert.equal(time.timers, 0);
  await assert.rejects(sessions.login(), {
    reason: "session",
    message: /stopping/,
  });
});

Deno.test("end() gives up a login, wherever it is", async (t) => {
  const places = ["in the queue", "connecting", "in its session phase"];
  for (const place of places) {
    await t.step(place, async () => {
      using time = stopTime();
      const rateLimit = createRateLimit(10_000, time.clock);
      await using scene = createScene(time, { rateLimit });
      const { sessions, logins } = scene;
      if (place === "in the queue") {
        await rateLimit(new AbortController().signal);
      }
      const failed = assert.rejects(sessions.login(), {
        reason: "session",
        message: /stopping/,
      });
      await time.pass(1_000);
      if (place === "in its session phase") {
        await nth(logins, 0).authenticate();
      }
      await sessions.end();
      await failed;
      assert.equal(logins.length, place === "in the queue" ? 0 : 1);
      assert(logins.every(({ signal }) => signal.aborted));
      assert.equal(time.timers, 0);
    });
  }
});

Deno.test("end() waits for the login that it gave up", async () => {
  using time = stopTime();
  const closed = Promise.withResolvers<never>();
  await using scene = createScene(time, { openSession: () => closed.promise });
  const failed = assert.rejects(scene.sessions.login(), hungUp);
  await time.settle();
  let hasEnded = false;
  const ended = scene.sessions.end().then(() => hasEnded = true);
  await time.settle();
  assert(!hasEnded);
  closed.reject(hungUp);
  await Promise.all([failed, ended]);
});

Deno.test("end() leaves nothing behind when it meets the end of a login", async () => {
  using time = stopTime();
  await using scene = createScene(time);
  const { sessions, logins } = scene;
  const loggedIn = sessions.login();
  loggedIn.catch(() => {});
  await time.settle();
  await nth(logins, 0).authenticate();
  const succeeded = nth(logins, 0).succeed();
  const ended = sessions.end();
  await Promise.all([succeeded, ended]);
  await time.settle();
  assert.equal(sessions.take(), undefined);
  assert(nth(logins, 0).signal.aborted);
  assert.equal(time.timers, 0);
});

function countCalls<Name extends string>(
  object: Record<Name, (target: string) => boolean>,
  name: Name,
): { readonly count: number } {
  const original = object[name];
  const calls = { count: 0 };
  object[name] = (target) => {
    calls.count++;
    return original.call(object, target);
  };
  return calls;
}
