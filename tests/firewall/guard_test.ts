import assert from "node:assert/strict";
import { type Clock, systemClock } from "../../src/std/clock.ts";
import {
  type Attempt,
  createLockout,
  LoginHeldError,
} from "../../src/firewall/guard.ts";
import { PollError } from "../../src/model/poll.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const rejection = new PollError("auth", "it rejected the credentials");
const silence = new PollError("timeout", "Cannot log in within 60 s");
const unreachable = new PollError("connect", "Cannot connect");

Deno.test("a wrong password is submitted three times a day at most", async () => {
  const { lockout, clock, logIn } = createScene();
  const submissions = await scrapeFor(DAY_MS, clock, async () => {
    return await logIn("fw-a", rejection);
  });
  assert.deepEqual(submissions.map(toMinutes), [0, 15, 255]);
  assert.equal(lockout.retryAt("fw-a"), clock.unixAt(255 * MINUTE_MS + DAY_MS));
});

Deno.test("after the third submission it is one a day", async () => {
  const { clock, logIn } = createScene();
  const submissions = await scrapeFor(4 * DAY_MS, clock, async () => {
    return await logIn("fw-a", rejection);
  });
  assert.deepEqual(
    submissions.map(toMinutes),
    [0, 15, 255, 255 + 1_440, 255 + 2_880, 255 + 4_320],
  );
});

Deno.test("a firewall that falls silent gets the password three times a day at most", async () => {
  const { clock, logIn } = createScene();
  const submissions = await scrapeFor(DAY_MS, clock, async () => {
    return await logIn("fw-a", silence, MINUTE_MS);
  });
  assert.deepEqual(submissions.map(toMinutes), [0, 1, 17]);
});

Deno.test("one login without a verdict holds nothing back", async () => {
  const { lockout, logIn } = createScene();
  assert(await logIn("fw-a", silence));
  assert.equal(lockout.retryAt("fw-a"), undefined);
  assert(await logIn("fw-a", "accepted"));
  assert(await logIn("fw-a", silence));
  assert.equal(lockout.retryAt("fw-a"), undefined);
});

Deno.test("the second login in a row without a verdict is reported as auth", async () => {
  const { lockout, begin } = createScene();
  const first = await begin("fw-a");
  assert.equal(first.failed(silence), silence);
  const second = await begin("fw-a");
  const reported = second.failed(silence);
  assert(reported instanceof PollError);
  assert.equal(reported.reason, "auth");
  assert.match(reported.message, /not answered, twice in a row/);
  assert(lockout.isHeld("fw-a"));
});

Deno.test("what cannot lock an account holds nothing back", async (t) => {
  const { lockout, begin } = createScene();
  const failures = {
    connect: unreachable,
    host_key: new PollError("host_key", "Cannot accept"),
    session: new PollError("session", "Cannot open a shell"),
    bug: new TypeError("a bug"),
  };
  for (const [name, failure] of Object.entries(failures)) {
    await t.step(name, async () => {
      const attempt = await begin("fw-a");
      assert.equal(attempt.failed(failure), failure);
      assert(!lockout.isHeld("fw-a"));
      lockout.check("fw-a");
    });
  }
});

Deno.test("a login that is late before it sent anything holds nothing back", () => {
  const { lockout } = createScene();
  for (let login = 0; login < 5; login++) {
    const attempt = lockout.attempt("fw-a", new AbortController().signal);
    assert.equal(attempt.failed(silence), silence);
  }
  assert(!lockout.isHeld("fw-a"));
});

Deno.test("check() says until when logins are held", async () => {
  const { lockout, logIn } = createScene();
  await logIn("fw-a", rejection);
  assert.throws(() => lockout.check("fw-a"), {
    name: "PollError",
    reason: "auth",
    message: /^Cannot log in before 2026-01-05T09:15:00\.000Z, /,
  });
});

Deno.test("an accepted login makes the guard forget", async () => {
  const { lockout, clock, logIn } = createScene();
  await logIn("fw-a", rejection);
  clock.pass(15 * MINUTE_MS);
  assert(await logIn("fw-a", "accepted"));
  assert.equal(lockout.retryAt(), undefined);
  await logIn("fw-a", rejection);
  assert.equal(lockout.retryAt("fw-a"), clock.unixAt(30 * MINUTE_MS));
});

Deno.test("what a firewall wants behind every accepted login is asked ever more rarely", async () => {
  const { lockout, clock, begin } = createScene();
  const attempts = await scrapeFor(2 * DAY_MS, clock, async () => {
    lockout.check("fw-a");
    const attempt = await begin("fw-a");
    attempt.accepted();
    attempt.failed(new PollError("auth", "it demands a new password"));
    return true;
  });
  assert.deepEqual(attempts.map(toMinutes), [0, 15, 255, 255 + 1_440]);
});

Deno.test("a question that is not answered before anything is sent holds its own target", () => {
  const { lockout } = createScene();
  const attempt = lockout.attempt("fw-a", new AbortController().signal);
  attempt.failed(new PollError("auth", "it offers nothing we have"));
  assert(lockout.isHeld("fw-a"));
  assert(!lockout.isHeld("fw-b"));
  assert.equal(lockout.retryAt(), undefined);
});

Deno.test("a firewall that lets in without a credential proves nothing", async () => {
  const { lockout, begin, logIn } = createScene();
  lockout.attempt("fw-a", new AbortController().signal).accepted();
  const first = await begin("fw-b");
  const second = begin("fw-c");
  first.failed(rejection);
  await assert.rejects(second, LoginHeldError);
  assert(!await logIn("fw-c", rejection));
});

Deno.test("until one is accepted, one login at a time may send credentials", async () => {
  const { begin } = createScene();
  const order: string[] = [];
  const first = await begin("fw-a");
  const others = ["fw-b", "fw-c", "fw-d"].map(async (target) => {
    const attempt = await begin(target);
    order.push(target);
    return attempt;
  });
  await settle();
  assert.deepEqual(order, [], "the first one has no verdict yet");

  first.failed(unreachable);
  await settle();
  assert.deepEqual(order, ["fw-b"], "the turn goes to the next one");

  (await others[0])?.accepted();
  await settle();
  assert.deepEqual(order, ["fw-b", "fw-c", "fw-d"], "the rest is free");
});

Deno.test("a rejection at the start of a fleet of 100 is the only submission", async () => {
  const { begin } = createScene();
  const targets = Array.from({ length: 100 }, (_, index) => `fw-${index}`);
  let submissions = 0;
  const results = await Promise.all(targets.map(async (target) => {
    try {
      const attempt = await begin(target);
      submissions++;
      await settle();
      return attempt.failed(rejection);
    } catch (error) {
      return error;
    }
  }));
  assert.equal(submissions, 1);
  assert.equal(
    results.filter((error) => error instanceof LoginHeldError).length,
    99,
  );
});

Deno.test("a login that was held back is no rejection of its own target", async () => {
  const { lockout, clock, begin } = createScene();
  const first = await begin("fw-a");
  const waiting = lockout.attempt("fw-b", new AbortController().signal);
  const held = waiting.beforeCredential();
  held.catch(() => {});
  first.failed(rejection);
  await assert.rejects(held, LoginHeldError);
  await held.catch((error) => assert.equal(waiting.failed(error), error));
  clock.pass(15 * MINUTE_MS);
  assert(!lockout.isHeld("fw-b"));
  assert.equal(lockout.retryAt("fw-b"), undefined);
});

Deno.test("once one has accepted, a rejection holds its own target", async () => {
  const { lockout, logIn } = createScene();
  await logIn("fw-a", "accepted");
  await logIn("fw-b", rejection);
  await logIn("fw-c", rejection);
  assert(lockout.isHeld("fw-b"));
  assert(lockout.isHeld("fw-c"));
  assert.equal(lockout.retryAt(), undefined);
  assert(await logIn("fw-a", "accepted"));
  assert(await logIn("fw-d", "accepted"));
});

Deno.test("two rejections in a row by firewalls that had accepted hold all", async () => {
  const { lockout, clock, logIn } = createScene();
  for (const target of ["fw-a", "fw-b", "fw-c"]) {
    await logIn(target, "accepted");
  }
  await logIn("fw-a", rejection);
  assert(!lockout.isHeld("fw-c"));
  await logIn("fw-b", rejection);
  assert(lockout.isHeld("fw-c"));
  // the account has been rejected twice
  assert.equal(lockout.retryAt(), clock.unixAt(4 * HOUR_MS));
});

Deno.test("an acceptance between two rejections leaves the others alone", async () => {
  const { lockout, logIn } = createScene();
  for (const target of ["fw-a", "fw-b", "fw-c"]) {
    await logIn(target, "accepted");
  }
  await logIn("fw-a", rejection);
  await logIn("fw-c", "accepted");
  await logIn("fw-b", rejection);
  assert(!lockout.isHeld("fw-c"));
});

Deno.test("one firewall that rejects again and again holds no other", async () => {
  const { lockout, clock, logIn } = createScene();
  await logIn("fw-a", "accepted");
  await logIn("fw-b", "accepted");
  const submissions = await scrapeFor(DAY_MS, clock, async () => {
    return await logIn("fw-a", rejection);
  });
  assert.deepEqual(submissions.map(toMinutes), [0, 15, 255]);
  assert(!lockout.isHeld("fw-b"));
});

Deno.test("a changed password is submitted three times a day at most, fleet or not", async () => {
  const { clock, logIn } = createScene();
  const targets = Array.from({ length: 20 }, (_, index) => `fw-${index}`);
  for (const target of targets) await logIn(target, "accepted");
  let submissions = 0;
  await scrapeFor(DAY_MS, clock, async () => {
    for (const target of targets) {
      if (await logIn(target, rejection)) submissions++;
    }
    return false;
  });
  assert.equal(submissions, 3);
});

Deno.test("the end of a hold is tried on a firewall that had accepted", async () => {
  const { lockout, clock, logIn } = createScene();
  await logIn("fw-a", "accepted");
  await logIn("fw-b", "accepted");
  await logIn("fw-a", rejection);
  await logIn("fw-b", rejection);
  clock.pass(4 * HOUR_MS - MINUTE_MS);
  assert(!await logIn("fw-a", "accepted"), "the hold has not ended");
  clock.pass(MINUTE_MS);
  assert.throws(() => lockout.check("fw-new"), /has accepted them again/);
  assert(await logIn("fw-a", "accepted"));
  assert(await logIn("fw-new", "accepted"));
});

Deno.test("a firewall that had accepted and cannot be reached is not waited for long", async () => {
  const { lockout, clock, logIn } = createScene();
  await logIn("fw-a", "accepted");
  await logIn("fw-b", "accepted");
  await logIn("fw-a", rejection);
  await logIn("fw-b", rejection);
  clock.pass(4 * HOUR_MS);
  const start = clock.monotonicMs();
  const waited = await scrapeFor(HOUR_MS, clock, async () => {
    await logIn("fw-a", unreachable);
    await logIn("fw-b", unreachable);
    lockout.check("fw-new");
    return true;
  });
  const [first = Infinity] = waited;
  assert(first > 0, "it was not waited for at all");
  assert(first <= 6 * MINUTE_MS, `waited ${toMinutes(first)} minutes`);
  assert(clock.monotonicMs() > start);
});

Deno.test("a hold of one target leaves retryAt() of the process at 0", async () => {
  const { lockout, clock, logIn } = createScene();
  await logIn("fw-a", "accepted");
  await logIn("fw-b", rejection);
  assert.equal(lockout.retryAt(), undefined);
  assert.equal(lockout.retryAt("fw-a"), undefined);
  assert.equal(lockout.retryAt("fw-b"), clock.unixAt(15 * MINUTE_MS));
  clock.pass(15 * MINUTE_MS);
  assert.equal(lockout.retryAt("fw-b"), undefined);
});

Deno.test("a signal takes a login out of the queue, and the next one is served", async () => {
  const { lockout, begin } = createScene();
  const first = await begin("fw-a");
  const controller = new AbortController();
  const impatient = lockout.attempt("fw-b", controller.signal);
  const waiting = impatient.beforeCredential();
  const patient = begin("fw-c");
  controller.abort(silence);
  await assert.rejects(waiting, silence);
  assert.equal(impatient.failed(silence), silence);
  first.failed(unreachable);
  (await patient).accepted();
});

Deno.test("a login that ends in the moment of its turn does not keep the turn", async () => {
  const { lockout, begin } = createScene();
  const first = await begin("fw-a");
  const controller = new AbortController();
  const unlucky = lockout.attempt("fw-b", controller.signal);
  const waiting = unlucky.beforeCredential();
  waiting.catch(() => {});
  first.failed(unreachable);
  controller.abort(silence);
  unlucky.failed(silence);
  await assert.rejects(waiting, silence);
  (await begin("fw-c")).accepted();
});

Deno.test("a second method of the same login needs no second turn", async () => {
  const { begin } = createScene();
  const attempt = await begin("fw-a");
  await attempt.beforeCredential();
  attempt.failed(unreachable);
  (await begin("fw-b")).accepted();
});

interface TestClock extends Clock {
  pass(ms: number): void;
  /** Unix time at so many milliseconds. */
  unixAt(ms: number): number;
}

interface Scene {
  readonly lockout: ReturnType<typeof createLockout>;
  readonly clock: TestClock;
  /** A login up to the moment at which it may send the credentials. */
  begin(target: string): Promise<Attempt>;
  /** @returns Whether the credentials were sent. */
  logIn(
    target: string,
    outcome: "accepted" | Error,
    ms?: number,
  ): Promise<boolean>;
}

function createScene(): Scene {
  const clock = createClock();
  const lockout = createLockout(clock);

  async function begin(target: string): Promise<Attempt> {
    const attempt = lockout.attempt(target, new AbortController().signal);
    await attempt.beforeCredential();
    return attempt;
  }

  return {
    lockout,
    clock,
    begin,
    async logIn(target, outcome, ms = 0): Promise<boolean> {
      try {
        lockout.check(target);
      } catch (error) {
        assert(error instanceof LoginHeldError);
        return false;
      }
      const attempt = await begin(target);
      clock.pass(ms);
      if (outcome === "accepted") attempt.accepted();
      else attempt.failed(outcome);
      return true;
    },
  };
}

/** 2026-01-05 09:00:00 UTC is its beginning. */
function createClock(): TestClock {
  const start = 1_767_603_600;
  let now = 0;
  return {
    monotonicMs: () => now,
    setTimer: systemClock.setTimer,
    unixSeconds: () => start + now / 1_000,
    pass: (ms) => void (now += ms),
    unixAt: (ms) => start + ms / 1_000,
  };
}

/**
 * Scrapes once a minute.
 *
 * @returns When the scrape returned true, in milliseconds since the first.
 */
async function scrapeFor(
  ms: number,
  clock: TestClock,
  scrape: () => Promise<boolean>,
): Promise<readonly number[]> {
  const start = clock.monotonicMs();
  const moments: number[] = [];
  while (clock.monotonicMs() - start < ms) {
    const moment = clock.monotonicMs() - start;
    try {
      if (await scrape()) moments.push(moment);
    } catch (error) {
      if (!(error instanceof LoginHeldError)) throw error;
    }
    const elapsed = clock.monotonicMs() - start - moment;
    clock.pass(Math.max(0, MINUTE_MS - elapsed));
  }
  return moments;
}

function toMinutes(ms: number): number {
  return ms / MINUTE_MS;
}

/** Lets everything happen that waits for nothing. */
async function settle(): Promise<void> {
  await new Promise<void>((resolve) => setTimeout(resolve, 0));
}
