import assert from "node:assert/strict";
import { createRateLimit } from "../../src/firewall/rate_limit.ts";
import { PollError } from "../../src/model/poll.ts";
import { Stopwatch } from "../../src/model/stopwatch.ts";
import { createScene, nth, type Scene } from "../support/fake_logins.ts";
import { type FakeTime, stopTime } from "../support/fake_time.ts";

const MINUTE_MS = 60_000;
const hungUp = new PollError("session", "The firewall closed the session");
const rejection = new PollError("auth", "it rejected the credentials");
const late = new PollError("timeout", "Cannot wait longer");

Deno.test("a login's session is in use by the poll that waited for it", async () => {
  using time = stopTime();
  await using scene = createScene(time);
  const { sessions, logIn } = scene;
  assert.equal(sessions.take(), undefined);
  const { session } = await logIn();
  assert.equal(sessions.take(), undefined);
  sessions.release(session);
  assert.equal(sessions.take(), session);
  assert.equal(sessions.take(), undefined);
  assert.equal(sessions.logins, 1);
});

Deno.test("a login that is given up as it succeeds loses no session", async (t) => {
  for (const order of ["success first", "giving up first"]) {
    await t.step(order, async () => {
      using time = stopTime();
      await using scene = createScene(time);
      const { sessions, logins } = scene;
      const patience = new AbortController();
      const waited = sessions.logIn(new Stopwatch(time.clock), patience.signal);
      const outcome = waited.catch(() => undefined);
      await time.settle();
      await nth(logins, 0).authenticate();
      if (order === "giving up first") patience.abort(late);
      const opened = nth(logins, 0).open();
      if (order === "success first") patience.abort(late);
      const { session } = await opened;
      const used = await outcome ?? sessions.take();
      assert.equal(used, session);
      sessions.release(session);
      assert.equal(sessions.take(), session);
    });
  }
});

Deno.test("a login that fails is told to the poll that waits, or else aside", async (t) => {
  for (const isWaitedFor of [true, false]) {
    await t.step(isWaitedFor ? "waited for" : "given up", async () => {
      using time = stopTime();
      await using scene = createScene(time);
      const unreachable = new PollError("connect", "Cannot connect");
      if (isWaitedFor) {
        const failed = assert.rejects(scene.wait(), unreachable);
        await time.settle();
        await nth(scene.logins, 0).fail(unreachable);
        await failed;
      } else {
        await giveUp(scene, time);
        await nth(scene.logins, 0).fail(unreachable);
      }
      assert.deepEqual(scene.unheard, isWaitedFor ? [] : [unreachable]);
      assert(nth(scene.logins, 0).signal.aborted, "what is left is destroyed");
      assert.equal(scene.sessions.take(), undefined);
      assert.equal(time.timers, 0);
      await scene.logIn();
    });
  }
});

Deno.test("a session is ended once it has stood unused for its time", async () => {
  using time = stopTime();
  await using scene = createScene(time, { idleTimeoutMs: 5 * MINUTE_MS });
  const { sessions, logIn } = scene;
  const kept = await logIn();
  sessions.release(kept.session);
  await time.pass(5 * MINUTE_MS - 1);
  assert(!kept.isEnding);
  await time.pass(1);
  assert(kept.isEnding);
  assert.equal(sessions.take(), undefined);
});

Deno.test("a session in use does not age", async () => {
  using time = stopTime();
  await using scene = createScene(time);
  const { sessions, logins, logIn } = scene;
  const kept = await logIn();
  for (let day = 0; day < 3; day++) {
    await time.pass(24 * 60 * MINUTE_MS);
    sessions.release(kept.session);
    await time.pass(9 * MINUTE_MS);
    assert.equal(sessions.take(), kept.session);
  }
  assert(!kept.isEnding);
  assert.equal(logins.length, 1);
});

Deno.test("a session that no poll has used is kept as long as a login may take", async (t) => {
  for (const [ms, isKept] of [[MINUTE_MS - 1, true], [MINUTE_MS, false]]) {
    await t.step(
      `${ms} ms later it is ${isKept ? "kept" : "ended"}`,
      async () => {
        using time = stopTime();
        await using scene = createScene(time, { idleTimeoutMs: 0 });
        await giveUp(scene, time);
        const unused = await nth(scene.logins, 0).succeed();
        await time.pass(Number(ms));
        assert.equal(unused.isEnding, !isKept);
        assert.equal(scene.sessions.take() === unused.session, isKept);
      },
    );
  }
});

Deno.test("a session that never ends holds the next login up for three seconds", async () => {
  using time = stopTime();
  await using scene = createScene(time, { idleTimeoutMs: 0 });
  const { sessions, logins, logIn, wait } = scene;
  const deaf = await logIn();
  sessions.release(deaf.session);
  const loggedIn = wait();
  await time.pass(3_000);
  assert.equal(logins.length, 2);
  assert(nth(logins, 0).signal.aborted, "what is left of it is destroyed");
  await nth(logins, 1).succeed();
  await loggedIn;
});

Deno.test("a login that does not end when it is given up holds the next one up for three seconds", async () => {
  using time = stopTime();
  let begun = 0;
  await using scene = createScene(time, {
    loginTimeoutMs: 20_000,
    openSession: () => {
      begun++;
      return new Promise(() => {});
    },
  });
  const failed = assert.rejects(scene.wait(), { reason: "timeout" });
  await time.pass(20_000);
  await failed;
  const next = assert.rejects(scene.wait(), { reason: "timeout" });
  await time.pass(2_999);
  assert.equal(begun, 1);
  await time.pass(1);
  assert.equal(begun, 2);
  await time.pass(20_000);
  await next;
});

Deno.test("a session that dies is not kept, idle or in use", async (t) => {
  for (const isIdle of [true, false]) {
    await t.step(isIdle ? "idle" : "in use", async () => {
      using time = stopTime();
      await using scene = createScene(time);
      const { sessions, logins, logIn } = scene;
      const dead = await logIn();
      if (isIdle) sessions.release(dead.session);
      await dead.close(hungUp);
      assert.equal(sessions.take(), undefined);
      assert(nth(logins, 0).signal.aborted, "the connection is destroyed");
      assert.equal(time.timers, 0);
      sessions.release(dead.session);
      assert.equal(sessions.take(), undefined);
      assert.equal(time.timers, 0);
    });
  }
});

Deno.test("destroy() destroys its own session and no other", async () => {
  using time = stopTime();
  await using scene = createScene(time);
  const { sessions, logins, logIn } = scene;
  const first = await logIn();
  sessions.destroy(first.session, late);
  assert.equal(nth(logins, 0).signal.reason, late);
  assert.equal(sessions.take(), undefined);
  assert(!first.isEnding, "there is no politeness towards what is broken");

  const second = await logIn();
  sessions.destroy(first.session, late);
  assert(!nth(logins, 1).signal.aborted);
  sessions.release(second.session);
  assert.equal(sessions.take(), second.session);
});

Deno.test("destroy() does nothing to a session that is ending", async () => {
  using time = stopTime();
  await using scene = createScene(time, { idleTimeoutMs: 0 });
  const { sessions, logins, logIn, wait } = scene;
  const first = await logIn();
  sessions.release(first.session);
  sessions.destroy(first.session, late);
  assert(!nth(logins, 0).signal.aborted);
  const loggedIn = wait();
  await time.settle();
  assert.equal(logins.length, 1, "it has not ended");
  await first.close(hungUp);
  await nth(logins, 1).succeed();
  await loggedIn;
});

Deno.test("a login is given up after its time, and counted", async () => {
  using time = stopTime();
  await using scene = createScene(time, { loginTimeoutMs: 20_000 });
  const { sessions, logins, wait } = scene;
  const failed = assert.rejects(wait(), {
    reason: "timeout",
    message: "Cannot log in within 20 s (SSH_LOGIN_TIMEOUT)",
  });
  await time.pass(19_999);
  assert(!nth(logins, 0).signal.aborted);
  await time.pass(1);
  assert(nth(logins, 0).signal.aborted);
  await failed;
  assert.equal(sessions.logins, 1);
  assert.equal(sessions.loginSeconds, undefined);
  assert.equal(time.timers, 0);
});

Deno.test("what stands before the TCP connect is no login time", async () => {
  using time = stopTime();
  const rateLimit = createRateLimit(50_000, time.clock);
  await using scene = createScene(time, {
    idleTimeoutMs: 0,
    loginTimeoutMs: 20_000,
    rateLimit,
  });
  const { sessions, logins, logIn } = scene;
  const first = await logIn();
  sessions.release(first.session);
  const loggedIn = scene.wait();
  await time.pass(50_000);
  assert.equal(logins.length, 2);
  await time.pass(19_000);
  await nth(logins, 1).succeed();
  await loggedIn;
  assert.equal(sessions.loginSeconds, 19);
});

Deno.test("waiting for the verdict on another login is no login time", async () => {
  using time = stopTime();
  await using scene = createScene(time, { loginTimeoutMs: 20_000 });
  const { guard, logins, sessions, wait } = scene;
  const other = guard.attempt("fw-b", new AbortController().signal);
  await other.beforeCredential("password");
  const loggedIn = wait();
  await time.pass(5_000);
  const authenticated = nth(logins, 0).authenticate();
  // the other one gives its turn back ten seconds after it has sent
  await time.pass(4_999);
  other.noteFailure(hungUp);
  await authenticated;
  await time.pass(14_000);
  await nth(logins, 0).open();
  await loggedIn;
  assert.equal(sessions.loginSeconds, 19);
  assert.equal(time.timers, 0);
});

Deno.test("a login that waits at the guard and is lost leaves no timer", async () => {
  using time = stopTime();
  await using scene = createScene(time);
  const { guard, logins, wait } = scene;
  const other = guard.attempt("fw-b", new AbortController().signal);
  await other.beforeCredential("password");
  const failed = assert.rejects(wait(), hungUp);
  await time.settle();
  const authenticated = assert.rejects(nth(logins, 0).authenticate());
  await nth(logins, 0).fail(hungUp);
  await Promise.all([failed, authenticated]);
  other.noteFailure(hungUp);
  assert.equal(time.timers, 0);
  await scene.logIn();
});

Deno.test("whoever waits for a login has its phases timed from then on", async () => {
  using time = stopTime();
  await using scene = createScene(time);
  const { sessions, logins } = scene;
  const first = new Stopwatch(time.clock);
  const patience = new AbortController();
  const given = sessions.logIn(first, patience.signal).catch(() => {});
  await time.pass(1_500);
  await nth(logins, 0).authenticate();
  await time.pass(1_000);
  patience.abort(late);
  await given;
  first.stop();
  await time.pass(500);
  const second = new Stopwatch(time.clock);
  const joined = sessions.logIn(second, new AbortController().signal);
  await time.pass(2_000);
  await nth(logins, 0).open();
  await joined;
  assert.equal(first.durations.session, 1);
  assert.equal(second.durations.session, 2);
  assert.equal(sessions.loginSeconds, 5);
});

Deno.test("a login that is waiting to begin does not when logins come to be held", async () => {
  using time = stopTime();
  const rateLimit = createRateLimit(10_000, time.clock);
  await using scene = createScene(time, { rateLimit: rateLimit });
  const { sessions, guard, logins, wait } = scene;
  await rateLimit(new AbortController().signal);
  const failed = assert.rejects(wait());
  await time.pass(5_000);
  await holdAll(scene);
  assert(guard.isHeld("fw-a"));
  await time.pass(5_000);
  await failed;
  assert.equal(logins.length, 0);
  assert.equal(sessions.logins, 0);
});

Deno.test("a kept session is not ended while logins are held", async (t) => {
  for (const idleTimeoutMs of [10 * MINUTE_MS, 0]) {
    await t.step(`kept for ${idleTimeoutMs} ms`, async () => {
      using time = stopTime();
      await using scene = createScene(time, { idleTimeoutMs });
      const { sessions, guard, logIn } = scene;
      const kept = await logIn();
      await holdAll(scene);
      sessions.release(kept.session);
      await time.pass(14 * MINUTE_MS);
      assert(guard.isHeld("fw-a"));
      assert.equal(sessions.take(), kept.session);
      sessions.release(kept.session);
      while (guard.isHeld("fw-a")) await time.pass(MINUTE_MS);
      await time.pass(11 * MINUTE_MS);
      assert(kept.isEnding, "the hold has ended");
    });
  }
});

Deno.test("a session kept because logins are held does not keep the computer busy", async () => {
  using time = stopTime();
  await using scene = createScene(time, { idleTimeoutMs: 0 });
  const { sessions, guard, logIn } = scene;
  const kept = await logIn();
  await holdAll(scene);
  sessions.release(kept.session);
  const looks = countCalls(guard, "isHeld");
  await time.pass(MINUTE_MS);
  assert(!kept.isEnding);
  assert(looks.count <= 61, `it looked ${looks.count} times in a minute`);
});

Deno.test("end() ends an idle session politely, and waits for that", async () => {
  using time = stopTime();
  await using scene = createScene(time);
  const { sessions, logIn, wait } = scene;
  const kept = await logIn();
  sessions.release(kept.session);
  const hasEnded = isSettled(sessions.end());
  await time.settle();
  assert(kept.isEnding);
  assert(!hasEnded());
  await kept.close(hungUp);
  assert(hasEnded());
  assert.equal(time.timers, 0);
  await assert.rejects(wait(), { reason: "session", message: /stopping/ });
});

Deno.test("end() destroys a session in use, as its command may hang for longer than the stop", async () => {
  using time = stopTime();
  await using scene = createScene(time);
  const { sessions, logIn, wait } = scene;
  const { session } = await logIn();
  const hasEnded = isSettled(sessions.end());
  assert.match((await session.cli.closed).message, /stopping/);
  sessions.release(session);
  sessions.destroy(session, late);
  await time.settle();
  assert(hasEnded());
  assert.equal(time.timers, 0);
  await assert.rejects(wait(), { reason: "session", message: /stopping/ });
});

Deno.test("end() waits no longer than three seconds for what never ends", async (t) => {
  for (const place of ["idle session", "login", "session that is ending"]) {
    await t.step(place, async () => {
      using time = stopTime();
      await using scene = createScene(time, {
        ...(place === "session that is ending" && { idleTimeoutMs: 0 }),
        ...(place === "login" && { openSession: () => new Promise(() => {}) }),
      });
      const { sessions } = scene;
      if (place === "login") scene.wait().catch(() => {});
      else {
        const { session } = await scene.logIn();
        sessions.release(session);
      }
      await time.settle();
      const hasEnded = isSettled(sessions.end());
      await time.pass(2_999);
      assert(!hasEnded());
      await time.pass(1);
      assert(hasEnded());
      assert.equal(time.timers, 0);
    });
  }
});

Deno.test("end() gives up a login, wherever it is, and tells nobody but its poll", async (t) => {
  const places = ["in the queue", "connecting", "in its session phase"];
  for (const place of places) {
    await t.step(place, async () => {
      using time = stopTime();
      const rateLimit = createRateLimit(10_000, time.clock);
      await using scene = createScene(time, { rateLimit: rateLimit });
      const { sessions, logins, wait, unheard } = scene;
      if (place === "in the queue") {
        await rateLimit(new AbortController().signal);
      }
      const failed = assert.rejects(wait(), {
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
      assert.deepEqual(unheard, []);
    });
  }
});

Deno.test("end() waits for the login that it gave up", async () => {
  using time = stopTime();
  const closed = Promise.withResolvers<never>();
  await using scene = createScene(time, { openSession: () => closed.promise });
  const failed = assert.rejects(scene.wait(), { reason: "session" });
  await time.settle();
  const hasEnded = isSettled(scene.sessions.end());
  await time.settle();
  assert(!hasEnded());
  closed.reject(hungUp);
  await time.settle();
  assert(hasEnded());
  await failed;
});

Deno.test("end() leaves nothing behind when it meets the end of a login", async () => {
  using time = stopTime();
  await using scene = createScene(time);
  const { sessions, logins, wait } = scene;
  const failed = assert.rejects(wait(), { reason: "session" });
  await time.settle();
  const loggedIn = nth(logins, 0).succeed().catch(() => {});
  await Promise.all([loggedIn, sessions.end(), failed]);
  await time.settle();
  assert.equal(sessions.take(), undefined);
  assert(nth(logins, 0).signal.aborted);
  assert.equal(time.timers, 0);
});

/** Begins to wait for a login, and gives up. */
async function giveUp(
  { sessions }: Scene,
  time: FakeTime,
): Promise<void> {
  const patience = new AbortController();
  const waited = sessions.logIn(new Stopwatch(time.clock), patience.signal);
  const failed = assert.rejects(waited, late);
  await time.settle();
  patience.abort(late);
  await failed;
}

/** Two firewalls that had accepted the password reject it. */
async function holdAll({ guard }: Scene): Promise<void> {
  for (const target of ["fw-b", "fw-c"]) {
    const attempt = guard.attempt(target, new AbortController().signal);
    await attempt.beforeCredential("password");
    attempt.noteAccepted();
  }
  for (const target of ["fw-b", "fw-c"]) {
    const attempt = guard.attempt(target, new AbortController().signal);
    await attempt.beforeCredential("password");
    attempt.noteFailure(rejection);
  }
}

function isSettled(promise: Promise<unknown>): () => boolean {
  let hasSettled = false;
  const settle = (): void => void (hasSettled = true);
  promise.then(settle, settle);
  return () => hasSettled;
}

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
