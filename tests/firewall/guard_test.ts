import assert from "node:assert/strict";
import { type Attempt, Guard } from "../../src/firewall/guard.ts";
import { LoginHeldError } from "../../src/firewall/holds.ts";
import { PollError } from "../../src/model/poll.ts";
import type { Clock } from "../../src/std/clock.ts";
import { type FakeTime, stopTime } from "../support/fake_time.ts";

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const rejection = new PollError("auth", "it rejected the credentials");
const silence = new PollError("timeout", "Cannot log in within 60 s");
const unreachable = new PollError("connect", "Cannot connect");

Deno.test("until one is accepted, one login at a time may send credentials", async () => {
  using time = stopTime();
  const { start, sent } = createScene(time);
  const first = start("fw1");
  const others = ["fw2", "fw3", "fw4"].map((target) => start(target));
  await time.settle();
  assert.deepEqual(sent, ["fw1"], "the first one has no verdict yet");

  first.noteFailure(unreachable);
  await time.settle();
  assert.deepEqual(sent, ["fw1", "fw2"], "the turn goes to the next one");

  others[0]?.noteAccepted();
  await time.settle();
  assert.deepEqual(sent, ["fw1", "fw2", "fw3", "fw4"], "the rest is free");
});

Deno.test("a turn ends 10 s after the sending, and at most two have no verdict", async () => {
  using time = stopTime();
  const { start, sent } = createScene(time);
  const first = start("fw1");
  start("fw2");
  start("fw3");
  await time.pass(10 * SECOND_MS - 1);
  assert.deepEqual(sent, ["fw1"]);
  await time.pass(1);
  assert.deepEqual(sent, ["fw1", "fw2"]);
  await time.pass(30 * SECOND_MS);
  assert.deepEqual(sent, ["fw1", "fw2"]);
  first.noteFailure(silence);
  await time.settle();
  assert.deepEqual(sent, ["fw1", "fw2", "fw3"]);
});

Deno.test("a verdict that comes after the turn still counts", async (t) => {
  await t.step("an acceptance", async () => {
    using time = stopTime();
    const { start, sent } = createScene(time);
    const late = start("fw1");
    start("fw2");
    start("fw3");
    await time.pass(20 * SECOND_MS);
    late.noteAccepted();
    await time.settle();
    assert.deepEqual(sent, ["fw1", "fw2", "fw3"]);
  });
  await t.step("a rejection", async () => {
    using time = stopTime();
    const { start, guard } = createScene(time);
    const late = start("fw1");
    const other = start("fw2");
    await time.pass(20 * SECOND_MS);
    late.noteFailure(rejection);
    other.noteFailure(rejection);
    assert.equal(reasonFor(guard, "fw3"), "held");
  });
});

Deno.test("after a rejection one login at a time may be without a verdict", async () => {
  using time = stopTime();
  const { start, sent, logIn } = createScene(time);
  await logIn("fw1", rejection);
  start("fw2");
  start("fw3");
  await time.pass(50 * SECOND_MS);
  assert.deepEqual(sent, ["fw1", "fw2"]);
});

Deno.test("while the account is good, eight logins stand between sending and verdict", async () => {
  using time = stopTime();
  const { start, sent, logIn } = createScene(time);
  await logIn("fw0", "accepted");
  const fleet = startMany(start, 20);
  await time.settle();
  assert.equal(sent.length, 1 + 8);
  fleet[0]?.noteAccepted();
  fleet[1]?.noteFailure(unreachable);
  await time.settle();
  assert.equal(sent.length, 1 + 10);
  await time.pass(10 * SECOND_MS);
  assert.equal(sent.length, 1 + 18, "who says nothing loses the turn");
});

Deno.test("an acceptance shows for 60 s that the account is good", async (t) => {
  for (const [seconds, expected] of [[59, 3], [60, 1]] as const) {
    await t.step(`after ${seconds} s`, async () => {
      using time = stopTime();
      const { start, sent, logIn } = createScene(time);
      await logIn("fw0", "accepted");
      await time.pass(seconds * SECOND_MS);
      startMany(start, 3);
      await time.settle();
      assert.equal(sent.length, 1 + expected);
    });
  }
});

Deno.test("the first rejection closes the gate for all that have not sent", async () => {
  using time = stopTime();
  const { start, sent, logIn } = createScene(time);
  await logIn("fw1", "accepted");
  const [first, ...others] = startMany(start, 20);
  await time.settle();
  assert.equal(sent.length, 1 + 8);
  first?.noteFailure(rejection);
  await time.settle();
  assert.equal(sent.length, 1 + 8);
  others.slice(0, 7).forEach((attempt) => attempt.noteFailure(unreachable));
  await time.settle();
  assert.equal(sent.length, 1 + 9, "one at a time");
  others[7]?.noteAccepted();
  await time.settle();
  assert.equal(sent.length, 1 + 17, "it is good again");
});

Deno.test("a firewall that rejects for weeks does not close the gate", async () => {
  using time = stopTime();
  const { start, sent, logIn } = createScene(time);
  await logIn("fw1", rejection);
  await time.pass(65 * MINUTE_MS);
  await logIn("fw0", "accepted");
  await logIn("fw1", rejection);
  startMany(start, 9);
  await time.settle();
  assert.equal(sent.length, 3 + 8);
});

Deno.test("a wait at the gate ends, and says whose verdict was waited for", async () => {
  using time = stopTime();
  const { start, guard, sent } = createScene(time);
  start("fw1");
  start("fw2");
  const waiting = guard.attempt("fw3", new AbortController().signal);
  const waited = assert.rejects(waiting.beforeCredential("password"), {
    reason: "timeout",
    message: /waited for the verdict of fw1 and fw2, for 60 s/,
  });
  await time.pass(MINUTE_MS);
  await waited;
  assert.deepEqual(sent, ["fw1", "fw2"]);
  assert.equal(waiting.noteFailure(silence), silence);
  assert(!guard.isHeld("fw3"), "it has sent nothing");
});

Deno.test("a turn is given back, however and whenever its login is lost", async (t) => {
  const losses: Readonly<
    Record<string, (attempt: Attempt, controller: AbortController) => void>
  > = {
    aborted(attempt, controller): void {
      controller.abort(silence);
      attempt.noteFailure(silence);
    },
    "aborted, and told later"(_attempt, controller): void {
      controller.abort(silence);
    },
    failed: (attempt) => void attempt.noteFailure(unreachable),
    disposed: (attempt) => attempt[Symbol.dispose](),
  };
  for (const [how, lose] of Object.entries(losses)) {
    for (let behind = -5; behind <= 5; behind++) {
      await t.step(`${how}, ${behind} microtasks behind its turn`, async () => {
        using time = stopTime();
        const { start, sent, guard } = createScene(time);
        const first = start("fw1");
        const controller = new AbortController();
        const unlucky = guard.attempt("fw2", controller.signal);
        unlucky.beforeCredential("password").catch(() => {});
        start("fw3");
        await time.settle();

        if (behind >= 0) first.noteFailure(unreachable);
        else lose(unlucky, controller);
        await microtasks(Math.abs(behind));
        if (behind >= 0) lose(unlucky, controller);
        else first.noteFailure(unreachable);
        await time.settle();
        unlucky[Symbol.dispose]();
        await time.settle();
        assert(sent.includes("fw3"), `sent: ${sent}`);
        assert(!guard.isHeld("fw2"));
      });
    }
  }
});

Deno.test("a login that was lost in the moment of its turn sends nothing", async () => {
  using time = stopTime();
  const { start, sent, guard } = createScene(time);
  const first = start("fw1");
  const unlucky = guard.attempt("fw2", new AbortController().signal);
  const refused = assert.rejects(
    unlucky.beforeCredential("password"),
    PollError,
  );
  await time.settle();
  first.noteFailure(unreachable);
  unlucky.noteFailure(unreachable);
  await refused;
  assert.deepEqual(sent, ["fw1"]);
  await assert.rejects(unlucky.beforeCredential("password"), PollError);
});

Deno.test("the second method of a login needs no second turn", async () => {
  using time = stopTime();
  const { start, guard, lines } = createScene(time);
  const attempt = guard.attempt("fw1", new AbortController().signal);
  await attempt.beforeCredential("password");
  start("fw2");
  await attempt.beforeCredential("password");
  await time.settle();
  attempt.noteFailure(unreachable);
  await time.settle();
  assert.deepEqual(lines, [
    "info password sent to fw1",
    "info password sent to fw1, the 2nd in a row that nobody accepted",
    "info password sent to fw2, the 3rd in a row that nobody accepted",
  ]);
});

Deno.test("a firewall that lets in without a credential proves nothing", async () => {
  using time = stopTime();
  const { start, sent, guard } = createScene(time);
  guard.attempt("fw1", new AbortController().signal).noteAccepted();
  start("fw2");
  start("fw3");
  await time.settle();
  assert.deepEqual(sent, ["fw2"]);
});

Deno.test("a firewall that rejects is left alone for 65 minutes, then for 24 hours", async () => {
  using time = stopTime();
  const { scrape, guard } = createScene(time);
  const sent = await scrape(3 * DAY_MS, ["fw1"], () => rejection);
  assert.deepEqual(sent, [0, 65, 65 + 1_440, 65 + 2_880]);
  assert.equal(guard.retryAt(), undefined, "the others are not held");
});

Deno.test("an account that nobody accepts is sent twice in an hour, thrice in a day", async () => {
  using time = stopTime();
  const { scrape } = createScene(time);
  const fleet = Array.from({ length: 20 }, (_, index) => `fw${index}`);
  const sent = await scrape(3 * DAY_MS, fleet, () => rejection);
  assert.deepEqual(sent, [0, 0, 65, 65 + 1_440, 65 + 2_880]);
});

Deno.test("two firewalls that reject one after the other hold all logins", async () => {
  using time = stopTime();
  const { logIn, guard } = createScene(time);
  await logIn("fw1", "accepted");
  await logIn("fw2", rejection);
  assert(!guard.isHeld("fw1"));
  await time.pass(64 * MINUTE_MS);
  await logIn("fw3", rejection);
  assert.equal(reasonFor(guard, "fw1"), "held");
  assert.equal(guard.retryAt(), unixAt(time, 65 * MINUTE_MS));
});

Deno.test("two rejections hold only their own firewalls", async (t) => {
  await t.step("if somebody accepts between", async () => {
    using time = stopTime();
    const { logIn, guard } = createScene(time);
    await logIn("fw1", rejection);
    await logIn("fw3", "accepted");
    await logIn("fw2", rejection);
    assert(!guard.isHeld("fw3"));
  });
  await t.step("if more than 65 minutes lie between", async () => {
    using time = stopTime();
    const { logIn, guard } = createScene(time);
    await logIn("fw1", rejection);
    await time.pass(65 * MINUTE_MS + 1);
    await logIn("fw2", rejection);
    assert(!guard.isHeld("fw3"));
  });
  await t.step(
    "if one of them has not accepted since its last one",
    async () => {
      using time = stopTime();
      const { logIn, guard } = createScene(time);
      await logIn("fw1", rejection);
      await time.pass(65 * MINUTE_MS);
      await logIn("fw3", "accepted");
      await logIn("fw1", rejection);
      await logIn("fw2", rejection);
      assert(guard.isHeld("fw1"));
      assert(guard.isHeld("fw2"));
      assert(!guard.isHeld("fw3"));
    },
  );
});

Deno.test("an acceptance that was under way ends the hold of all", async () => {
  using time = stopTime();
  const { logIn, start, guard } = createScene(time);
  await logIn("fw0", "accepted");
  const [one, other, late] = startMany(start, 3);
  await time.settle();
  one?.noteFailure(rejection);
  other?.noteFailure(rejection);
  assert(guard.isHeld("fw0"));
  late?.noteAccepted();
  assert(!guard.isHeld("fw0"));
});

Deno.test("an acceptance of what was sent before a rejected one proves nothing", async () => {
  using time = stopTime();
  const { logIn, start, sent, guard } = createScene(time);
  await logIn("fw0", "accepted");
  const [early, one, other] = startMany(start, 20);
  await time.settle();
  one?.noteFailure(rejection);
  early?.noteAccepted();
  await time.settle();
  assert.equal(sent.length, 1 + 8, "the gate stays closed");
  other?.noteFailure(rejection);
  assert.equal(reasonFor(guard, "fw0"), "held");
  assert(guard.isHeld("fleet1"));
});

Deno.test("a password that is changed costs the logins in flight and one more", async (t) => {
  for (let apart = 0; apart <= 5; apart++) {
    await t.step(`verdicts ${apart} microtasks apart`, async () => {
      using time = stopTime();
      const { logIn, start, sent } = createScene(time);
      await logIn("fw0", "accepted");
      const fleet = startMany(start, 100);
      await time.settle();
      for (const attempt of fleet.slice(0, 8)) {
        attempt.noteFailure(rejection);
        await microtasks(apart);
      }
      await time.settle();
      for (const attempt of fleet.slice(8)) attempt.noteFailure(rejection);
      await time.pass(HOUR_MS);
      assert.equal(sent.length, 1 + 8);
    });
  }
});

Deno.test("logins that wait at the gate are told that all are held", async () => {
  using time = stopTime();
  const { start, guard, logIn } = createScene(time);
  await logIn("fw1", rejection);
  const second = start("fw2");
  const third = guard.attempt("fw3", new AbortController().signal);
  const refused = assert.rejects(
    third.beforeCredential("password"),
    LoginHeldError,
  );
  await time.settle();
  second.noteFailure(rejection);
  await refused;
});

Deno.test("a hold of all ends with one login, and its acceptance frees all", async () => {
  using time = stopTime();
  const { guard, start, sent } = await createHeldScene(time);
  await time.pass(65 * MINUTE_MS);
  const trial = start("fw3");
  start("fw4");
  await time.pass(30 * SECOND_MS);
  assert.deepEqual(sent.slice(-1), ["fw3"]);
  trial.noteAccepted();
  await time.settle();
  assert.deepEqual(sent.slice(-2), ["fw3", "fw4"]);
  assert(!guard.isHeld("fw1"));
});

Deno.test("a trial that is rejected holds all for 24 hours, each time", async () => {
  using time = stopTime();
  const { guard, start } = await createHeldScene(time);
  for (const target of ["fw3", "fw4"]) {
    const aheadMs = time.now;
    while (guard.isHeld(target)) await time.pass(MINUTE_MS);
    const heldMs = time.now - aheadMs;
    assert.equal(heldMs, (target === "fw3" ? 65 : 1_440) * MINUTE_MS);
    const trial = start(target);
    await time.settle();
    trial.noteFailure(rejection);
  }
  assert.equal(guard.retryAt(), unixAt(time, DAY_MS));
});

Deno.test("a trial that is lost leaves the next one to another", async () => {
  using time = stopTime();
  const { start, sent } = await createHeldScene(time);
  await time.pass(65 * MINUTE_MS);
  const lost = start("fw3");
  start("fw4");
  await time.settle();
  lost.noteFailure(unreachable);
  await time.settle();
  assert.deepEqual(sent.slice(-2), ["fw3", "fw4"]);
});

Deno.test("the trial falls to the best firewall that wants it", async (t) => {
  const cases: Readonly<Record<string, readonly [string[], string[]]>> = {
    "one that had accepted": [["old", "new", "fw1"], ["old"]],
    "else one that has not rejected": [["new", "fw1"], ["new"]],
    "else any": [["fw1", "fw2"], ["fw1", "fw2"]],
  };
  for (const [who, [asking, chosen]] of Object.entries(cases)) {
    await t.step(who, async () => {
      using time = stopTime();
      const { guard } = await createHeldScene(time);
      for (let minute = 0; minute < 65; minute++) {
        for (const target of asking) reasonFor(guard, target);
        await time.pass(MINUTE_MS);
      }
      const free = asking.filter((target) => !guard.isHeld(target));
      assert.deepEqual(free, chosen);
    });
  }
});

Deno.test("the trial does not wait longer than 5 minutes for a better firewall", async (t) => {
  await t.step("that does not ask any more", async () => {
    using time = stopTime();
    const { guard } = await createHeldScene(time);
    await time.pass(62 * MINUTE_MS);
    guard.isHeld("old");
    reasonFor(guard, "old");
    await time.pass(3 * MINUTE_MS);
    assert.equal(reasonFor(guard, "fw1"), "auth");
    await time.pass(2 * MINUTE_MS + 1);
    assert.equal(reasonFor(guard, "fw1"), undefined);
  });
  await t.step("that cannot be reached", async () => {
    using time = stopTime();
    const { guard, start } = await createHeldScene(time);
    await time.pass(65 * MINUTE_MS);
    for (let minute = 0; minute < 5; minute++) {
      reasonFor(guard, "old");
      assert.equal(reasonFor(guard, "new"), "held");
      start("old").noteFailure(unreachable);
      await time.pass(MINUTE_MS);
    }
    reasonFor(guard, "old");
    assert.equal(reasonFor(guard, "new"), undefined);
  });
});

Deno.test("who waits for the trial of a better firewall is held until that time is up", async () => {
  using time = stopTime();
  const { guard } = await createHeldScene(time);
  await time.pass(64 * MINUTE_MS);
  reasonFor(guard, "old");
  await time.pass(MINUTE_MS);
  assert.equal(guard.retryAt("old"), undefined, "it may try");
  for (const target of ["new", "fw1"]) {
    assert(guard.isHeld(target));
    assert.equal(guard.retryAt(target), unixAt(time, 5 * MINUTE_MS));
  }
  assert.equal(guard.retryAt(), undefined, "not all are held");
  await time.pass(5 * MINUTE_MS);
  assert.equal(guard.retryAt("fw1"), undefined);
});

Deno.test("two silences in a row hold their firewall for 15 minutes, each time", async () => {
  using time = stopTime();
  const { scrape, guard } = createScene(time);
  const sent = await scrape(HOUR_MS, ["fw1"], () => silence);
  assert.deepEqual(sent, [0, 1, 16, 31, 46]);
  assert(!guard.isHeld("fw2"));
});

Deno.test("one login without a verdict holds nothing back", async () => {
  using time = stopTime();
  const { logIn, guard } = createScene(time);
  await logIn("fw1", silence);
  await logIn("fw1", "accepted");
  await logIn("fw1", silence);
  assert(!guard.isHeld("fw1"));
});

Deno.test("the second silence in a row is reported as auth", async () => {
  using time = stopTime();
  const { start } = createScene(time);
  const first = start("fw1");
  await time.settle();
  assert.equal(first.noteFailure(silence), silence);
  const second = start("fw1");
  await time.settle();
  const reported = second.noteFailure(silence);
  assert(reported instanceof PollError);
  assert.equal(reported.reason, "auth");
  assert.match(reported.message, /not answered, twice in a row/);
});

Deno.test("silence counts towards nothing else", async () => {
  using time = stopTime();
  const { logIn, guard } = createScene(time);
  for (const target of ["fw1", "fw1", "fw2", "fw2"]) {
    await logIn(target, silence);
  }
  await logIn("fw3", rejection);
  assert(!guard.isHeld("fw4"));
  assert.equal(guard.retryAt("fw3"), unixAt(time, 65 * MINUTE_MS));
});

Deno.test("what cannot lock an account holds nothing back", async (t) => {
  using time = stopTime();
  const { guard, start } = createScene(time);
  const failures = {
    connect: unreachable,
    host_key: new PollError("host_key", "Cannot accept"),
    session: new PollError("session", "Cannot open a shell"),
  };
  for (const [name, failure] of Object.entries(failures)) {
    await t.step(name, async () => {
      const attempt = start("fw1");
      await time.settle();
      assert.equal(attempt.noteFailure(failure), failure);
      assert(!guard.isHeld("fw1"));
    });
  }
});

Deno.test("a login that is late before it sent anything holds nothing back", () => {
  using time = stopTime();
  const { guard } = createScene(time);
  for (let login = 0; login < 5; login++) {
    const attempt = guard.attempt("fw1", new AbortController().signal);
    assert.equal(attempt.noteFailure(silence), silence);
  }
  assert(!guard.isHeld("fw1"));
});

Deno.test("what is refused before anything is sent holds its own firewall alone", async () => {
  using time = stopTime();
  const { guard, logIn } = createScene(time);
  for (const target of ["fw1", "fw2"]) {
    const attempt = guard.attempt(target, new AbortController().signal);
    attempt.noteFailure(new PollError("auth", "it offers nothing we have"));
    assert.equal(guard.retryAt(target), unixAt(time, 65 * MINUTE_MS));
  }
  await logIn("fw3", rejection);
  assert(!guard.isHeld("fw4"));
});

Deno.test("what a firewall wants behind each accepted login holds it ever longer", async () => {
  using time = stopTime();
  const { guard, start } = createScene(time);
  const demand = new PollError("auth", "it demands a new password");
  for (const minutes of [65, 1_440, 1_440]) {
    const attempt = start("fw1");
    await time.settle();
    attempt.noteAccepted();
    attempt.noteFailure(demand);
    assert.equal(guard.retryAt("fw1"), unixAt(time, minutes * MINUTE_MS));
    await time.pass(minutes * MINUTE_MS);
  }
});

Deno.test("an accepted login makes the guard forget", async () => {
  using time = stopTime();
  const { guard, logIn } = createScene(time);
  await logIn("fw1", rejection);
  await time.pass(65 * MINUTE_MS);
  await logIn("fw1", "accepted");
  await logIn("fw1", rejection);
  assert.equal(guard.retryAt("fw1"), unixAt(time, 65 * MINUTE_MS));
});

Deno.test("check() says until when logins are held, because of whom, and what to do", async () => {
  using time = stopTime();
  const { guard, logIn } = createScene(time);
  await logIn("fw1", rejection);
  assert.throws(() => guard.check("fw1"), {
    name: "PollError",
    reason: "auth",
    message:
      /^Cannot log in before 2026-01-05 10:05 UTC, .*: it rejected the credentials; once .* reload the exporter; .* restart$/,
  });
  await time.pass(30 * SECOND_MS);
  await logIn("fw2", rejection);
  assert.throws(() => guard.check("fw1"), {
    reason: "auth",
    message:
      /^Cannot log in before 2026-01-05 10:06 UTC, .*: fw1 and fw2 rejected/,
  });
  assert.throws(() => guard.check("fw3"), {
    reason: "held",
    message:
      /^Cannot log in before 2026-01-05 10:06 UTC, .*: fw1 and fw2 rejected the credentials, one after the other; nothing was sent to this one, see those; once/,
  });
});

Deno.test("of many culprits five are named", async () => {
  using time = stopTime();
  const { guard, logIn, start } = createScene(time);
  await logIn("fw0", "accepted");
  const fleet = startMany(start, 6);
  await time.settle();
  for (const attempt of fleet) attempt.noteFailure(rejection);
  assert.throws(() => guard.check("fw0"), {
    message: /: fleet1, fleet2, fleet3, fleet4, fleet5 and 1 more rejected/,
  });
});

Deno.test("retryAt() is of a firewall, or of what holds for all", async () => {
  using time = stopTime();
  const { guard, logIn } = createScene(time);
  await logIn("fw1", rejection);
  assert.equal(guard.retryAt(), undefined);
  assert.equal(guard.retryAt("fw2"), undefined);
  assert.equal(guard.retryAt("fw1"), unixAt(time, 65 * MINUTE_MS));
  await time.pass(65 * MINUTE_MS);
  assert.equal(guard.retryAt("fw1"), undefined);
});

Deno.test("a clock that is set moves what is shown, and no hold", async () => {
  using time = stopTime();
  let setBack = 0;
  const clock: Clock = {
    ...time.clock,
    unixSeconds: () => time.clock.unixSeconds() - setBack,
  };
  const { guard, logIn } = createScene(time, clock);
  await logIn("fw1", rejection);
  setBack = 3_600;
  assert.equal(guard.retryAt("fw1"), unixAt(time, 5 * MINUTE_MS));
  await time.pass(65 * MINUTE_MS - 1);
  assert(guard.isHeld("fw1"));
  await time.pass(1);
  assert(!guard.isHeld("fw1"));
});

Deno.test("forget() ends all holds, and they begin anew", async () => {
  using time = stopTime();
  const { guard, logIn } = createScene(time);
  await logIn("fw1", rejection);
  await logIn("fw2", rejection);
  await logIn("fw3", silence);
  guard.forget();
  for (const target of ["fw1", "fw2", "fw3"]) assert(!guard.isHeld(target));
  assert.equal(guard.retryAt("fw1"), undefined);
  await logIn("fw1", rejection);
  assert.equal(guard.retryAt("fw1"), unixAt(time, 65 * MINUTE_MS));
  await logIn("fw2", rejection);
  assert.equal(reasonFor(guard, "fw3"), "held");
});

Deno.test("forget() lets in who waits for the verdict of a suspect", async () => {
  using time = stopTime();
  const { guard, logIn, start, sent } = createScene(time);
  await logIn("fw1", rejection);
  start("fw2");
  await time.pass(11 * SECOND_MS);
  start("fw3");
  await time.settle();
  assert.deepEqual(sent, ["fw1", "fw2"]);
  guard.forget();
  await time.settle();
  assert.deepEqual(sent, ["fw1", "fw2", "fw3"]);
});

Deno.test("the log counts what is sent and not accepted", async () => {
  using time = stopTime();
  const { logIn, lines } = createScene(time);
  await logIn("fw1", "accepted");
  await logIn("fw1", silence);
  await logIn("fw2", rejection);
  await logIn("fw3", "accepted");
  await logIn("fw4", "accepted");
  assert.deepEqual(lines, [
    "info password sent to fw1",
    "info password sent to fw1",
    "info password sent to fw2, the 2nd in a row that nobody accepted",
    "info password sent to fw3, the 3rd in a row that nobody accepted",
    "info password sent to fw4",
  ]);
});

interface Scene {
  readonly guard: Guard;
  /** To whom credentials were sent, in that order. */
  readonly sent: readonly string[];
  /** Of the log. */
  readonly lines: readonly string[];
  /** Begins a login, which sends the credentials as soon as it may. */
  start(target: string): Attempt;
  /** A login from beginning to end, if it is not held. */
  logIn(target: string, outcome: Outcome): Promise<void>;
  /**
   * Scrapes once a minute.
   *
   * @returns When credentials were sent, in minutes.
   */
  scrape(
    ms: number,
    targets: readonly string[],
    outcome: () => Outcome,
  ): Promise<readonly number[]>;
}

type Outcome = "accepted" | PollError;

function createScene(time: FakeTime, clock: Clock = time.clock): Scene {
  const lines: string[] = [];
  const sent: string[] = [];
  const sentAt: number[] = [];
  const guard = new Guard({
    clock,
    maxWaitMs: MINUTE_MS,
    log: (level, message) => void lines.push(`${level} ${message}`),
  });

  async function send(target: string, attempt: Attempt): Promise<boolean> {
    try {
      await attempt.beforeCredential("password");
    } catch (error) {
      assert(error instanceof PollError);
      assert.equal(attempt.noteFailure(error), error);
      return false;
    }
    sent.push(target);
    sentAt.push(time.now);
    return true;
  }

  async function logIn(target: string, outcome: Outcome): Promise<void> {
    if (reasonFor(guard, target) !== undefined) return;
    using attempt = guard.attempt(target, new AbortController().signal);
    if (!await send(target, attempt)) return;
    if (outcome === "accepted") attempt.noteAccepted();
    else attempt.noteFailure(outcome);
  }

  return {
    guard,
    sent,
    lines,
    logIn,
    start(target): Attempt {
      const attempt = guard.attempt(target, new AbortController().signal);
      void send(target, attempt);
      return attempt;
    },
    async scrape(ms, targets, outcome): Promise<readonly number[]> {
      const end = time.now + ms;
      const first = sentAt.length;
      while (time.now < end) {
        await Promise.all(targets.map((target) => logIn(target, outcome())));
        await time.pass(MINUTE_MS);
      }
      return sentAt.slice(first).map((at) => at / MINUTE_MS);
    },
  };
}

/** All are held by `fw1` and `fw2`; `old` had accepted before. */
async function createHeldScene(time: FakeTime): Promise<Scene> {
  const scene = createScene(time);
  for (const target of ["old", "fw1", "fw2"]) {
    await scene.logIn(target, target === "old" ? "accepted" : rejection);
  }
  assert(scene.guard.isHeld("old"));
  await time.pass(0);
  return scene;
}

function startMany(start: Scene["start"], count: number): readonly Attempt[] {
  return Array.from(
    { length: count },
    (_, index) => start(`fleet${index + 1}`),
  );
}

/** Asks for a login: why there is none; `undefined` if there may be one. */
function reasonFor(guard: Guard, target: string): string | undefined {
  try {
    guard.check(target);
    return undefined;
  } catch (error) {
    assert(error instanceof LoginHeldError);
    return error.reason;
  }
}

/** Unix time in so many milliseconds. */
function unixAt(time: FakeTime, ms: number): number {
  return time.clock.unixSeconds() + ms / 1_000;
}

async function microtasks(count: number): Promise<void> {
  for (let task = 0; task < count; task++) await Promise.resolve();
}
