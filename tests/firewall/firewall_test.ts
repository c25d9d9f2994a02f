import { quote } from "../../src/std/quote.ts";
import assert from "node:assert/strict";
import { NO_HISTORY } from "../../src/model/history.ts";
import { type Firewall, PolledFirewall } from "../../src/firewall/firewall.ts";
import { type Poll, PollError, type Reason } from "../../src/model/poll.ts";
import type { SessionHolderOptions } from "../../src/firewall/session.ts";
import {
  createScene,
  type FakeSession,
  nth,
  type Scene,
} from "../support/fake_logins.ts";
import { type FakeTime, stopTime } from "../support/fake_time.ts";

const hungUp = new PollError("session", "The firewall closed the session");
const rejection = new PollError("auth", "it rejected the credentials");

Deno.test("fifty simultaneous polls make one login and one command", async () => {
  using time = stopTime();
  await using scene = createFirewallScene(time);
  const polls = Array.from({ length: 50 }, () => scene.firewall.poll(10_000));
  await time.settle();
  const session = await nth(scene.logins, 0).succeed();
  await session.answer();
  for (const { poll } of await Promise.all(polls)) {
    assert(poll?.ok);
    assert.equal(poll.flow.tunnels.length, 2);
    assert.equal(poll.haState, "active");
  }
  assert.equal(scene.logins.length, 1);
  assert.equal(session.commands, 1);
  assert.equal(scene.polls.length, 1);
});

Deno.test("whoever waits less than the others gets timeout alone, at once", async () => {
  using time = stopTime();
  await using scene = createFirewallScene(time);
  const patient = scene.firewall.poll(10_000);
  await time.pass(1_000);
  const impatient = scene.firewall.poll(250);
  await time.pass(250);
  const { poll } = await impatient;
  assert.equal(reasonOf(poll), "timeout");
  assert.match(
    messageOf(poll),
    /waited 0\.3 s for the login: raise scrape_timeout/,
  );
  const session = await nth(scene.logins, 0).succeed();
  await session.answer();
  assert((await patient).poll?.ok);
  assert.deepEqual(scene.polls.map(({ ok }) => ok), [true]);
});

Deno.test("a login that waits for the verdicts of others says whose", async () => {
  using time = stopTime();
  await using scene = createFirewallScene(time);
  const others = ["fw-b", "fw-c"].map((target) =>
    scene.guard.attempt(target, new AbortController().signal)
  );
  for (const other of others) void other.beforeCredential("password");
  await time.pass(10_000); // the second is let through beside the first
  const impatient = scene.firewall.poll(4_000);
  await time.settle();
  const authenticated = nth(scene.logins, 0).authenticate();
  await time.pass(4_000);
  assert.match(
    messageOf((await impatient).poll),
    /waited 4 s for the login, which sends no credentials before the verdict of fw-b and fw-c: see why there is none$/,
  );
  await time.pass(1_000);
  assert.match(
    scene.messages().at(-1) ?? "",
    /longer than 5 s for the login, which sends no .* fw-b and fw-c: it goes on/,
  );
  for (const other of others) other.noteAccepted();
  await authenticated;
  const late = scene.firewall.poll(250);
  await time.pass(250);
  assert.match(messageOf((await late).poll), /for the login: raise/);
});

Deno.test("a request that has given up is told what it waited for", async () => {
  using time = stopTime();
  await using scene = createFirewallScene(time);
  const cold = scene.firewall.poll(3_500);
  const patient = scene.firewall.poll(20_000);
  await time.settle();
  const session = await nth(scene.logins, 0).succeed();
  await time.pass(3_500);
  assert.match(
    messageOf((await cold).poll),
    /waited 3\.5 s for the login and the answer to "show vpn flow"/,
  );
  await session.answer();
  await patient;
  const warm = scene.firewall.poll(3_500);
  await time.pass(3_500);
  assert.match(
    messageOf((await warm).poll),
    /waited 3\.5 s for the answer to "show vpn flow"/,
  );
});

Deno.test("an impatient request does not end the session that others share", async () => {
  using time = stopTime();
  await using scene = createFirewallScene(time);
  const session = await scene.pollWell();
  const impatient = scene.firewall.poll(250);
  await time.pass(4_000);
  assert.equal(reasonOf((await impatient).poll), "timeout");
  const other = scene.firewall.poll(9_500);
  await time.pass(900);
  await session.answer();
  assert((await other).poll?.ok);
  assert.equal(session.commands, 2);
  assert.equal(scene.logins.length, 1);
});

Deno.test("an impatient request does not end the login that others share", async () => {
  using time = stopTime();
  await using scene = createFirewallScene(time);
  const impatient = scene.firewall.poll(250);
  await time.pass(4_000);
  await impatient;
  const other = scene.firewall.poll(9_500);
  await time.pass(4_000);
  const session = await nth(scene.logins, 0).succeed();
  await session.answer();
  assert((await other).poll?.ok);
  assert.equal(scene.polls.length, 1);
});

Deno.test("an answer that came when nobody waited is a failed poll for all", async () => {
  using time = stopTime();
  await using scene = createFirewallScene(time, { minPollIntervalMs: 1_000 });
  const session = await scene.pollWell();
  await time.pass(15_000);
  const before = scene.firewall.status.lastSuccessAt;
  const scrape = scene.firewall.poll(3_500);
  await time.pass(4_500);
  await session.answer();
  assert.equal(reasonOf((await scrape).poll), "timeout");

  const { poll, lastSuccessAt } = scene.firewall.status;
  assert.equal(reasonOf(poll), "timeout");
  assert.match(
    messageOf(poll),
    /answered after 4\.5 s, the scraper waits 3\.5 s: raise scrape_timeout$/,
  );
  assert.equal(lastSuccessAt, before);
  assert.equal(poll?.durations.command, 4.5);
  assert.equal(scene.polls.at(-1), poll);

  const next = scene.firewall.poll(3_500);
  await time.settle();
  assert.equal(session.commands, 3, "it is not answered again");
  await session.answer();
  assert((await next).poll?.ok);
  assert.equal(scene.logins.length, 1, "the session is kept");
});

Deno.test("a failure that came when nobody waited is timeout for all, and says why", async () => {
  using time = stopTime();
  await using scene = createFirewallScene(time, { minPollIntervalMs: 1_000 });
  const scrape = scene.firewall.poll(3_500);
  await time.pass(4_200);
  await nth(scene.logins, 0).fail(hungUp);
  assert.equal(reasonOf((await scrape).poll), "timeout");
  const { poll } = scene.firewall.status;
  assert.equal(reasonOf(poll), "timeout");
  assert.match(
    messageOf(poll),
    /failed after 4\.2 s, the scraper waits 3\.5 s: The firewall closed/,
  );
  await scene.pollWell();
});

Deno.test("whoever joins with more time raises the limit of the command", async () => {
  using time = stopTime();
  await using scene = createFirewallScene(time);
  const first = scene.firewall.poll(6_000);
  await time.settle();
  const session = await nth(scene.logins, 0).succeed();
  await time.pass(3_000);
  const second = scene.firewall.poll(20_000);
  await time.pass(16_999);
  assert.equal(reasonOf((await first).poll), "timeout");
  await session.answer();
  assert((await second).poll?.ok);
});

Deno.test("whoever joins does not restart the limit of the command", async () => {
  using time = stopTime();
  await using scene = createFirewallScene(time);
  await scene.pollWell();
  const first = scene.firewall.poll(6_000);
  await time.pass(5_000);
  const second = scene.firewall.poll(6_000);
  await time.pass(1_000);
  assert.equal(reasonOf((await first).poll), "timeout");
  const { poll } = await second;
  assert.equal(time.now, 6_000);
  assert.equal(reasonOf(poll), "timeout");
  assert.match(
    messageOf(poll),
    /"show vpn flow": no whole answer within 6 s: raise scrape_timeout/,
  );
});

Deno.test("a hung command is ended although scrapes overlap", async () => {
  using time = stopTime();
  await using scene = createFirewallScene(time);
  const { firewall, logins } = scene;
  await scene.pollWell();
  const scrapes: Promise<unknown>[] = [];
  // two servers, 15 s interval, 10 s timeout, 7 s apart
  for (const ms of [7_000, 8_000, 7_000]) {
    scrapes.push(firewall.poll(9_500));
    await time.pass(ms);
    if (logins.length > 1) break;
  }
  assert(nth(logins, 0).signal.aborted);
  assert.equal(logins.length, 2, "the third scrape logs in");
  const session = await nth(logins, 1).succeed();
  await session.answer();
  await time.until(Promise.all(scrapes));
  assert(firewall.status.poll?.ok);
});

Deno.test("a slow login leaves the command its time, under scrapes that follow closely", async () => {
  using time = stopTime();
  await using scene = createFirewallScene(time);
  const { firewall, logins } = scene;
  const loggedIn = (async () => {
    await time.settle();
    await time.pass(6_000);
    const session = await nth(logins, 0).succeed();
    await time.pass(1_500);
    await session.answer();
  })();
  const verdicts: boolean[] = [];
  while (time.now < 7_500) {
    verdicts.push((await firewall.poll(4_000)).poll?.ok === true);
  }
  await loggedIn;
  assert.deepEqual(verdicts, [false, true]);
  assert.equal(logins.length, 1);
});

Deno.test("a command has its whole limit however long the login took", async () => {
  using time = stopTime();
  await using scene = createFirewallScene(time);
  const scrape = scene.firewall.poll(9_500);
  await time.pass(9_000);
  const session = await nth(scene.logins, 0).succeed();
  await time.pass(9_000);
  assert.equal(reasonOf((await scrape).poll), "timeout");
  assert(!nth(scene.logins, 0).signal.aborted);
  await session.answer();
  assert.match(scene.messages().at(-1) ?? "", /answered after 18 s/);
  const next = scene.firewall.poll(9_500);
  await session.answer();
  assert((await next).poll?.ok);
  assert.equal(scene.logins.length, 1);
});

Deno.test("no scrape fails once the session of a slow login stands", async () => {
  using time = stopTime();
  await using scene = createFirewallScene(time);
  const { firewall, logins } = scene;
  const verdicts: boolean[] = [];
  for (let seconds = 0; seconds < 7_200; seconds += 15) {
    const scrape = firewall.poll(9_500);
    await time.settle();
    if (seconds === 30) await nth(logins, 0).succeed();
    if (seconds >= 30) await nth(scene.opened, 0).answer();
    await time.pass(15_000);
    verdicts.push((await scrape).poll?.ok === true);
  }
  assert.deepEqual(verdicts.slice(0, 2), [false, false]);
  assert(verdicts.slice(2).every((isUp) => isUp));
  assert.equal(logins.length, 1);
});

Deno.test("a request that comes as a poll ends is answered, by that poll or another", async () => {
  for (let turns = 0; turns < 40; turns++) {
    using time = stopTime();
    await using scene = createFirewallScene(time);
    const session = await scene.pollWell();
    const first = scene.firewall.poll(10_000);
    const answered = session.answer();
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    const second = scene.firewall.poll(10_000);
    await answered;
    if (session.commands === 3) await session.answer();
    assert((await first).poll?.ok);
    assert((await second).poll?.ok, `${turns} turns after the answer`);
    assert(scene.firewall.status.poll?.ok);
    assert.equal(time.timers, 1, "that of the idle session");
  }
});

Deno.test("whoever joins with less time does not bring the deadline forward", async () => {
  using time = stopTime();
  await using scene = createFirewallScene(time);
  const first = scene.firewall.poll(20_000);
  await time.settle();
  const session = await nth(scene.logins, 0).succeed();
  const second = scene.firewall.poll(6_000);
  await time.pass(19_999);
  assert.equal(reasonOf((await second).poll), "timeout");
  await session.answer();
  assert((await first).poll?.ok);
});

Deno.test("a finished poll is answered again for the interval, and not after", async () => {
  using time = stopTime();
  await using scene = createFirewallScene(time, { minPollIntervalMs: 1_000 });
  const session = await scene.pollWell();
  await time.pass(999);
  const before = await scene.firewall.poll(10_000);
  assert(before.poll?.ok);
  assert.equal(before.poll, scene.polls[0]);
  assert.equal(session.commands, 1);
  await time.pass(1);
  const after = scene.firewall.poll(10_000);
  await session.answer();
  assert.notEqual((await after).poll, scene.polls[0]);
  assert.equal(session.commands, 2);
});

Deno.test("a failed poll is answered again too", async () => {
  using time = stopTime();
  await using scene = createFirewallScene(time, { minPollIntervalMs: 1_000 });
  const failed = scene.firewall.poll(10_000);
  await time.settle();
  await nth(scene.logins, 0).fail(hungUp);
  await failed;
  await time.pass(500);
  assert.equal(reasonOf((await scene.firewall.poll(10_000)).poll), "session");
  assert.equal(scene.logins.length, 1);
});

Deno.test("a slow login goes on and serves the next poll, with none beside it", async () => {
  using time = stopTime();
  await using scene = createFirewallScene(time, { idleTimeoutMs: 0 });
  for (let scrape = 0; scrape < 3; scrape++) {
    const late = scene.firewall.poll(9_500);
    await time.pass(9_600);
    assert.match(scene.messages().at(-1) ?? "", /login: it goes on and serves/);
    const { poll } = await late;
    assert.equal(reasonOf(poll), "timeout");
    assert.match(messageOf(poll), /waited 9\.5 s for the login/);
    await time.pass(400);
  }
  const login = nth(scene.logins, 0);
  assert(!login.signal.aborted);
  const session = await login.succeed();
  const polled = scene.firewall.poll(9_500);
  await time.settle();
  await session.answer();
  assert((await polled).poll?.ok);
  assert.equal(scene.logins.length, 1);
  assert.equal(scene.sessions.loginSeconds, 30);
});

Deno.test("a command past its deadline costs the session", async () => {
  using time = stopTime();
  await using scene = createFirewallScene(time);
  await scene.pollWell();
  const late = scene.firewall.poll(6_000);
  await time.pass(6_000);
  const { poll } = await late;
  assert.equal(reasonOf(poll), "timeout");
  assert.match(messageOf(poll), /show vpn flow/);
  assert.match(scene.messages().at(-1) ?? "", /show vpn flow/);
  assert(nth(scene.logins, 0).signal.aborted);
  assert.equal(scene.logins.length, 1, "there is no second try");
  await scene.pollWell();
  assert.equal(scene.logins.length, 2);
});

Deno.test("the deadline of a poll does not reach into the next one", async () => {
  using time = stopTime();
  await using scene = createFirewallScene(time);
  const session = await scene.pollWell(6_000);
  await time.pass(5_999);
  const next = scene.firewall.poll(6_000);
  await time.pass(5_999);
  assert(!nth(scene.logins, 0).signal.aborted);
  await session.answer();
  assert((await next).poll?.ok);
});

Deno.test("a kept session that is dead costs one new login in the same poll", async () => {
  using time = stopTime();
  await using scene = createFirewallScene(time);
  const dead = await scene.pollWell();
  const polled = scene.firewall.poll(10_000);
  await time.pass(1_000);
  await dead.close(hungUp);
  assert.equal(scene.logins.length, 2);
  const session = await nth(scene.logins, 1).succeed();
  await session.answer();
  assert((await polled).poll?.ok);
});

Deno.test("the command behind the new login of a dead session has its whole limit", async () => {
  using time = stopTime();
  await using scene = createFirewallScene(time);
  const dead = await scene.pollWell();
  const polled = scene.firewall.poll(9_500);
  await time.pass(9_000);
  await dead.close(hungUp);
  const other = scene.firewall.poll(9_500);
  const session = await nth(scene.logins, 1).succeed();
  await time.pass(9_000);
  assert.equal(reasonOf((await polled).poll), "timeout");
  await session.answer();
  assert((await other).poll?.ok);
});

Deno.test("a fresh session that dies is a failure, and not tried again", async () => {
  using time = stopTime();
  await using scene = createFirewallScene(time);
  const polled = scene.firewall.poll(10_000);
  await time.settle();
  const session = await nth(scene.logins, 0).succeed();
  await session.close(hungUp);
  assert.equal(reasonOf((await polled).poll), "session");
  assert.equal(scene.logins.length, 1);
});

Deno.test("a session that dies behind its re-login is not tried a third time", async () => {
  using time = stopTime();
  await using scene = createFirewallScene(time);
  const dead = await scene.pollWell();
  const polled = scene.firewall.poll(10_000);
  await dead.close(hungUp);
  const session = await nth(scene.logins, 1).succeed();
  await session.close(hungUp);
  assert.equal(reasonOf((await polled).poll), "session");
  assert.equal(scene.logins.length, 2);
});

Deno.test("a text that cannot be read, or a refusal, keeps the session", async (t) => {
  const replies: Readonly<Record<string, readonly [string, Reason]>> = {
    "a refusal": ["Invalid syntax.\n", "command"],
    "no table": ["", "parse"],
    "a row too few": ["total IPSec tunnel shown: 2\n", "parse"],
  };
  for (const [name, [text, reason]] of Object.entries(replies)) {
    await t.step(name, async () => {
      using time = stopTime();
      await using scene = createFirewallScene(time);
      const session = await scene.pollWell();
      const polled = scene.firewall.poll(10_000);
      await session.answer(text);
      assert.equal(reasonOf((await polled).poll), reason);
      const again = scene.firewall.poll(10_000);
      await session.answer();
      assert((await again).poll?.ok);
      assert.equal(scene.logins.length, 1);
    });
  }
});

Deno.test("a session that failed once, in any other way, is never used again", async (t) => {
  for (const reason of ["parse", "connect", "timeout"] as const) {
    await t.step(reason, async () => {
      using time = stopTime();
      await using scene = createFirewallScene(time);
      const session = await scene.pollWell();
      const polled = scene.firewall.poll(10_000);
      await session.refuse(new PollError(reason, "Cannot go on"));
      assert.equal(reasonOf((await polled).poll), reason);
      assert(nth(scene.logins, 0).signal.aborted);
      assert.equal(scene.logins.length, 1, "there is no second try");
      await scene.pollWell();
      assert.equal(scene.logins.length, 2);
    });
  }
});

Deno.test("a bug is thrown to all who wait, and the next poll works", async () => {
  using time = stopTime();
  await using scene = createFirewallScene(time);
  const session = await scene.pollWell();
  const thrown = [1, 2].map(() =>
    assert.rejects(scene.firewall.poll(10_000), TypeError)
  );
  await session.refuse(new TypeError("a bug"));
  await Promise.all(thrown);
  await scene.pollWell();
  assert.equal(scene.logins.length, 2);
});

Deno.test("while logins are held a kept session goes on serving", async () => {
  using time = stopTime();
  await using scene = createFirewallScene(time);
  const session = await scene.pollWell();
  scene.guard.attempt("fw-a", new AbortController().signal).noteFailure(
    rejection,
  );
  const polled = scene.firewall.poll(10_000);
  await session.answer();
  const status = await polled;
  assert(status.poll?.ok);
  assert(status.authRetryAt !== undefined);
});

Deno.test("while logins are held a poll without a session is auth, at once", async () => {
  using time = stopTime();
  await using scene = createFirewallScene(time);
  const failed = scene.firewall.poll(10_000);
  await time.settle();
  const login = nth(scene.logins, 0);
  await login.progress.beforeCredential("password");
  await login.fail(rejection);
  assert.equal(reasonOf((await failed).poll), "auth");
  const before = time.now;
  const { poll, authRetryAt, logins } = await scene.firewall.poll(10_000);
  assert.match(reasonOf(poll) ?? "", /^(?:auth|held)$/);
  assert.equal(time.now, before);
  assert(authRetryAt !== undefined);
  assert(authRetryAt > time.clock.unixSeconds());
  assert.equal(logins, 1);
  assert.equal(scene.logins.length, 1);
});

Deno.test("the phases of a poll are timed, and are 0 where they are not needed", async () => {
  using time = stopTime();
  await using scene = createFirewallScene(time);
  const cold = scene.firewall.poll(30_000);
  await time.settle();
  const login = nth(scene.logins, 0);
  await time.pass(100);
  for (const phase of ["connect", "handshake", "auth"] as const) {
    login.progress.onPhase(phase);
    await time.pass(1_000);
  }
  await login.progress.beforeCredential("password");
  login.progress.onAccepted();
  login.progress.onPhase("session");
  await time.pass(4_000);
  const session = await login.open();
  await time.pass(2_000);
  await session.answer();
  const first = await cold;
  assert.deepEqual(first.poll?.durations, {
    connect: 1,
    handshake: 1,
    auth: 1,
    session: 4,
    command: 2,
  });
  assert.equal(first.loginDuration, 7.1);

  const warm = scene.firewall.poll(30_000);
  await time.pass(500);
  await session.answer();
  const second = await warm;
  assert.deepEqual(second.poll?.durations, {
    connect: 0,
    handshake: 0,
    auth: 0,
    session: 0,
    command: 0.5,
  });
  assert.equal(second.loginDuration, 7.1);
});

Deno.test("a login per poll ends each session before the next begins", async () => {
  using time = stopTime();
  await using scene = createFirewallScene(time, { idleTimeoutMs: 0 });
  const first = await scene.pollWell();
  assert(first.isEnding);
  const polled = scene.firewall.poll(10_000);
  await time.pass(900);
  assert.equal(scene.logins.length, 1);
  await first.close(hungUp);
  const second = await nth(scene.logins, 1).succeed();
  await second.answer();
  assert((await polled).poll?.ok);
  assert.equal(scene.firewall.status.logins, 2);
});

Deno.test("status says what is known and asks nothing", async () => {
  using time = stopTime();
  await using scene = createFirewallScene(time);
  assert.deepEqual(scene.firewall.status, {
    target: "fw-a",
    poll: undefined,
    lastSuccessAt: undefined,
    loginDuration: undefined,
    negotiated: undefined,
    authRetryAt: undefined,
    logins: 0,
    history: NO_HISTORY,
  });
  await time.pass(5_000);
  await scene.pollWell();
  const succeededAt = time.clock.unixSeconds();
  await time.pass(5_000);
  const failed = scene.firewall.poll(10_000);
  await time.pass(10_000);
  await failed;
  const { poll, lastSuccessAt } = scene.firewall.status;
  assert.equal(reasonOf(poll), "timeout");
  assert.equal(lastSuccessAt, succeededAt);
  assert.equal(scene.logins.length, 1);
});

Deno.test("end() ends the poll under way, wherever it is", async (t) => {
  for (const place of ["in the login", "in the command", "on a kept session"]) {
    await t.step(place, async () => {
      using time = stopTime();
      await using scene = createFirewallScene(time);
      if (place === "on a kept session") await scene.pollWell();
      const polled = scene.firewall.poll(30_000);
      await time.settle();
      if (place === "in the command") await nth(scene.logins, 0).succeed();
      const ended = scene.firewall.end();
      await time.settle();
      await scene.opened.at(-1)?.close(hungUp);
      await time.until(ended);
      assert.equal(reasonOf((await polled).poll), "session");
      assert.equal(scene.logins.length, 1);
      assert.equal(time.timers, 0);
    });
  }
});

Deno.test("no timer is left behind by polls of any outcome", async () => {
  using time = stopTime();
  await using scene = createFirewallScene(time, { idleTimeoutMs: 0 });
  const session = await scene.pollWell();
  await session.close(hungUp);
  assert.equal(time.timers, 0);
  const failed = scene.firewall.poll(10_000);
  await time.settle();
  await nth(scene.logins, 1).fail(hungUp);
  await failed;
  assert.equal(time.timers, 0);
});

interface FirewallScene extends Scene {
  readonly firewall: Firewall;
  /** What it told its journal. */
  readonly polls: readonly Poll[];
  messages(): readonly string[];
  /** Polls once, with a login if there is no session. */
  pollWell(waitMs?: number): Promise<FakeSession>;
}

function createFirewallScene(
  time: FakeTime,
  options: Partial<SessionHolderOptions> & {
    readonly minPollIntervalMs?: number;
  } = {},
): FirewallScene {
  const scene = createScene(time, options);
  const { sessions, guard, logins } = scene;
  const polls: Poll[] = [];
  const firewall = new PolledFirewall({
    quote,
    target: "fw-a",
    holder: sessions,
    guard,
    clock: time.clock,
    minPollIntervalMs: options.minPollIntervalMs ?? 0,
    journal: {
      history: NO_HISTORY,
      record: (poll) => void polls.push(poll),
    },
  });
  return {
    ...scene,
    firewall,
    polls,
    messages: () => polls.map(messageOf),
    async pollWell(waitMs = 10_000): Promise<FakeSession> {
      const polled = firewall.poll(waitMs);
      await time.settle();
      const session = await nth(logins, -1).succeed();
      await session.answer();
      assert((await polled).poll?.ok);
      return session;
    },
  };
}

function reasonOf(poll: Poll | undefined): Reason | undefined {
  return poll === undefined || poll.ok ? undefined : poll.reason;
}

function messageOf(poll: Poll | undefined): string {
  return poll === undefined || poll.ok ? "" : poll.message;
}
