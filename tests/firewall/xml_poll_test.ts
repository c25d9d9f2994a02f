import { quote } from "../../src/std/quote.ts";
import assert from "node:assert/strict";
import { PolledFirewall } from "../../src/firewall/firewall.ts";
import { Journal } from "../../src/firewall/journal.ts";
import type { SessionHolderOptions } from "../../src/firewall/session.ts";
import {
  type Form,
  type GoodPoll,
  type Poll,
  PollError,
} from "../../src/model/poll.ts";
import { createScene, nth, type Scene } from "../support/fake_logins.ts";
import { type FakeTime, stopTime } from "../support/fake_time.ts";
import { inventTunnels, printVpnFlow } from "../support/vpn_flow_reply.ts";
import {
  printUnknownLayout,
  printVpnFlowXml,
  XML_FAULTS,
} from "../support/vpn_flow_xml.ts";

const TUNNELS = inventTunnels(3);
const TEXT = printVpnFlow(TUNNELS);
const UNKNOWN = printUnknownLayout(TUNNELS);
const XML = printVpnFlowXml(TUNNELS);

const HOUR_MS = 60 * 60_000;
const DAY_MS = 24 * HOUR_MS;
const WAIT_MS = 10_000;

const LOST = new PollError("session", "The firewall closed the session");
const CUT = new PollError("parse", "Cannot read the reply: it is cut off");
const UNCLEAR = new PollError("parse", "Cannot tell what it has done");

Deno.test("a table whose text can be read is asked for once, as text", async () => {
  using time = stopTime();
  await using device = new Device(time, { text: TEXT });
  for (let polls = 0; polls < 3; polls++) {
    assert.equal(readingOf(await device.poll()).form, "text");
  }
  assert.deepEqual(device.asked, ["login", "text", "text", "text"]);
  assert.deepEqual(device.warnings, []);
});

Deno.test("where the text cannot be read the same session is asked in XML", async () => {
  using time = stopTime();
  await using device = new Device(time);
  const { form, flow } = readingOf(await device.poll());
  assert.equal(form, "xml");
  assert.deepEqual(
    flow.tunnels.map(({ name }) => name),
    TUNNELS.map(({ name }) => name),
  );
  assert.deepEqual(device.asked, ["login", "text", "on", "xml"]);
});

Deno.test("of the same reply comes the same table, in either form", async (t) => {
  const others = TUNNELS.map((tunnel, index) =>
    index === 1 ? { ...tunnel, peerIp: "198.51.100.99" } : tunnel
  );
  for (const form of ["text", "xml"] as const) {
    await t.step(form, async () => {
      using time = stopTime();
      await using device = new Device(
        time,
        form === "text" ? { text: TEXT } : {},
      );
      const { flow } = readingOf(await device.poll());
      assert.equal(readingOf(await device.poll()).flow, flow);
      device.text = form === "text" ? printVpnFlow(others) : UNKNOWN;
      device.xml = printVpnFlowXml(others);
      const { tunnels } = readingOf(await device.poll()).flow;
      assert.equal(tunnels[1]?.peerIp, "198.51.100.99");
    });
  }
});

Deno.test("that XML is read is told once, with the line and what to do", async () => {
  using time = stopTime();
  await using device = new Device(time);
  for (let polls = 0; polls < 3; polls++) await device.poll();
  assert.equal(device.warnings.length, 1);
  assert.match(device.warnings[0] ?? "", /^text cannot be read.*"198\.51\.100/);
  assert.match(device.warnings[0] ?? "", /--redact, and send it in/);
});

Deno.test("once XML was read, later polls and logins ask in XML at once", async () => {
  using time = stopTime();
  await using device = new Device(time);
  await device.poll();
  device.asked.length = 0;
  await device.poll();
  assert.deepEqual(device.asked, ["xml"]);
  await device.session().close(LOST);
  await device.poll();
  assert.deepEqual(device.asked, ["xml", "login", "on", "xml"]);
});

Deno.test("the text is tried again once in 24 hours", async (t) => {
  for (const readable of [false, true]) {
    await t.step(readable ? "it can be read" : "it cannot", async () => {
      using time = stopTime();
      await using device = new Device(time);
      await device.poll();
      for (let hours = 1; hours < 24; hours++) {
        await time.pass(HOUR_MS);
        await device.poll();
      }
      assert.equal(count(device.asked, "text"), 1);
      if (readable) device.text = TEXT;
      await device.poll(); // keeps the session
      await time.pass(HOUR_MS);
      device.asked.length = 0;
      const form = readable ? "text" : "xml";
      assert.equal(readingOf(await device.poll()).form, form);
      assert.equal(readingOf(await device.poll()).form, form);
      const kept = device.asked.filter((asked) => asked !== "login");
      assert.deepEqual(
        kept,
        readable ? ["text", "text"] : ["text", "on", "xml", "xml"],
      );
    });
  }
});

Deno.test("a kept session is switched back before its text is tried again", async () => {
  using time = stopTime();
  await using device = new Device(time, {}, { idleTimeoutMs: 2 * DAY_MS });
  await device.poll();
  await time.pass(DAY_MS);
  device.asked.length = 0;
  assert.equal(readingOf(await device.poll()).form, "xml");
  assert.deepEqual(device.asked, ["off", "text", "on", "xml"]);
  device.text = TEXT;
  await time.pass(DAY_MS);
  device.asked.length = 0;
  assert.equal(readingOf(await device.poll()).form, "text");
  assert.equal(readingOf(await device.poll()).form, "text");
  assert.deepEqual(device.asked, ["off", "text", "text"]);
});

Deno.test("XML that stays on is never taken for text, and the tunnels go on", async () => {
  using time = stopTime();
  await using device = new Device(time, { keepsXml: true }, {
    idleTimeoutMs: 2 * DAY_MS,
  });
  await device.poll();
  await time.pass(DAY_MS);
  assert.equal(readingOf(await device.poll()).form, "xml");
  assert.deepEqual(device.asked.slice(-4), ["off", "xml", "on", "xml"]);
});

Deno.test("XML that stays on and cannot be read ends its session", async () => {
  using time = stopTime();
  await using device = new Device(time, { keepsXml: true, xml: "\n" });
  assert.match(
    problemOf(await device.poll()),
    /XML does not help either:.*blank/,
  );
  device.text = TEXT;
  assert.match(problemOf(await device.poll()), /holds no table/);
  assert.equal(readingOf(await device.poll()).form, "text");
  assert.equal(device.logins, 2);
});

Deno.test("a session that prints another text than before it was switched back is ended", async () => {
  using time = stopTime();
  await using device = new Device(time, { xml: "\n" });
  problemOf(await device.poll());
  device.text = "A new release\n";
  problemOf(await device.poll());
  assert(device.signal().aborted);
  for (let polls = 0; polls < 3; polls++) problemOf(await device.poll());
  assert.equal(device.logins, 2);
  await time.pass(HOUR_MS);
  device.asked.length = 0;
  for (let polls = 0; polls < 3; polls++) problemOf(await device.poll());
  const asked = ["login", "text", "on", "xml", "off", "text", "text"];
  assert.deepEqual(device.asked, asked, "this text is known");
});

Deno.test("XML that cannot be read either keeps the session, and is left alone for an hour", async (t) => {
  for (const [fault, xml] of Object.entries(XML_FAULTS)) {
    await t.step(fault, async () => {
      using time = stopTime();
      await using device = new Device(time, { xml }, {
        idleTimeoutMs: DAY_MS,
      });
      const problem = problemOf(await device.poll());
      assert.match(
        problem,
        /holds no table, but "198.*; XML does not help either: /,
      );
      assert.equal(device.logins, 1);
      assert(!device.signal().aborted);
      await time.pass(HOUR_MS - 1);
      problemOf(await device.poll());
      problemOf(await device.poll());
      assert.equal(count(device.asked, "xml"), 1);
      assert.equal(device.logins, 1);
      device.xml = XML;
      await time.pass(1);
      assert.equal(readingOf(await device.poll()).form, "xml");
    });
  }
});

Deno.test("a firewall without XML keeps its session, and is asked as always", async () => {
  using time = stopTime();
  await using device = new Device(time, { hasXml: false });
  for (let polls = 0; polls < 3; polls++) {
    assert.match(problemOf(await device.poll()), /holds no table, but/);
  }
  assert.deepEqual(device.asked, ["login", "text", "on", "text", "text"]);
});

Deno.test("XML that leaves the session in doubt ends it, with the text's problem", async (t) => {
  for (const [fault, xml] of Object.entries({ "cut off": CUT, lost: LOST })) {
    await t.step(fault, async () => {
      using time = stopTime();
      await using device = new Device(time, { xml });
      const problem = problemOf(await device.poll());
      assert.match(
        problem,
        /holds no table, but "198.*; XML does not help either: /,
      );
      assert(device.signal().aborted);
      problemOf(await device.poll());
      const after = ["login", "text", "on", "xml", "login", "text"];
      assert.deepEqual(device.asked, after, "XML is left alone");
    });
  }
  await t.step(
    "not answered, which its only request has not waited for",
    async () => {
      using time = stopTime();
      await using device = new Device(time, { xml: undefined });
      problemOf(await device.poll(), "timeout");
      assert(device.signal().aborted);
      const told = problemOf(device.firewall.status, "timeout");
      assert.match(
        told,
        /holds no table, but "198.*; XML does not help either: .*no whole/,
      );
      assert.match(problemOf(await device.poll()), /holds no table/);
    },
  );
  await t.step("the setting is not answered as it should be", async () => {
    using time = stopTime();
    await using device = new Device(time, { setting: UNCLEAR });
    assert.match(
      problemOf(await device.poll()),
      /XML does not help either: Cannot tell/,
    );
    assert(device.signal().aborted);
  });
});

Deno.test("the question in XML has a limit of its own, as long as a command's", async () => {
  using time = stopTime();
  await using device = new Device(time, { text: undefined, xml: undefined });
  const scrape = device.firewall.poll(WAIT_MS);
  await device.logIn();
  await time.pass(9_000);
  await device.session().answer(UNKNOWN);
  await time.pass(9_999);
  assert(!device.signal().aborted);
  await time.pass(1);
  assert(device.signal().aborted);
  assert.match(
    problemOf((await scrape).poll, "timeout"),
    /in XML: raise scrape_timeout/,
  );
});

Deno.test("requests that overlap share the question in XML, and keep no hung one alive", async () => {
  using time = stopTime();
  await using device = new Device(time, { text: undefined, xml: undefined });
  const scrapes = [device.firewall.poll(WAIT_MS)];
  await device.logIn();
  await device.session().answer(UNKNOWN);
  for (let others = 0; others < 3; others++) {
    await time.pass(3_000);
    scrapes.push(device.firewall.poll(WAIT_MS));
  }
  await time.pass(1_000);
  assert(device.signal().aborted, "10 s after it was asked in XML");
  const polls = (await Promise.all(scrapes)).map(({ poll }) => poll);
  for (const poll of polls.slice(1)) {
    assert.match(
      problemOf(poll),
      /holds no table.*no whole answer within 10 s/,
    );
  }
  assert.equal(device.session().commands, 2);
});

Deno.test("no other failure of the text leads to XML", async (t) => {
  const failures: Readonly<Record<string, Reply>> = {
    parse: CUT,
    command: "Server error : busy\n",
    session: LOST,
    timeout: undefined,
  };
  for (const [reason, text] of Object.entries(failures)) {
    await t.step(reason, async () => {
      using time = stopTime();
      await using device = new Device(time, { text });
      const { poll } = await device.poll();
      assert(poll?.ok === false);
      assert.equal(poll.reason, reason);
      assert.deepEqual(device.asked, ["login", "text"]);
    });
  }
});

Deno.test("XML that fails once it was read is followed by the text, in the same poll", async () => {
  using time = stopTime();
  await using device = new Device(time);
  await device.poll();
  device.xml = "\n";
  device.text = TEXT;
  device.asked.length = 0;
  assert.equal(readingOf(await device.poll()).form, "text");
  assert.equal(readingOf(await device.poll()).form, "text");
  assert.deepEqual(device.asked, ["xml", "off", "text", "text"]);
});

Deno.test("a session that cannot be switched back is ended, and XML goes on", async () => {
  using time = stopTime();
  await using device = new Device(time, {}, { idleTimeoutMs: 2 * DAY_MS });
  await device.poll();
  await time.pass(DAY_MS);
  device.hasXml = false;
  assert.match(problemOf(await device.poll()), /printed as text again/);
  assert(device.signal().aborted);
  device.hasXml = true;
  assert.equal(readingOf(await device.poll()).form, "xml");
});

Deno.test("a command that is refused in both forms is a refusal", async () => {
  using time = stopTime();
  await using device = new Device(time);
  await device.poll();
  device.xml = device.text = "Server error : busy\n";
  const message = problemOf(await device.poll(), "command");
  assert.match(
    message,
    /Server error.*; XML does not help either: .*Server error/,
  );
});

Deno.test("XML that hangs once it was read ends the session, and the text is asked next", async () => {
  using time = stopTime();
  await using device = new Device(time);
  await device.poll();
  device.xml = undefined;
  device.asked.length = 0;
  problemOf(await device.poll(), "timeout");
  assert.match(
    problemOf(device.firewall.status, "timeout"),
    /holds no table.*XML does not help either/,
  );
  device.text = TEXT;
  assert.equal(readingOf(await device.poll()).form, "text");
  assert.deepEqual(device.asked, ["xml", "login", "text"]);
});

Deno.test("a session that died unnoticed is replaced, and XML asked for at once", async () => {
  using time = stopTime();
  await using device = new Device(time);
  await device.poll();
  device.asked.length = 0;
  device.xml = LOST;
  device.onLogin = () => device.xml = XML;
  assert.equal(readingOf(await device.poll()).form, "xml");
  assert.deepEqual(device.asked, ["xml", "login", "on", "xml"]);
});

Deno.test("sessions that end whenever they are asked in XML do not do so for ever", async () => {
  using time = stopTime();
  await using device = new Device(time);
  await device.poll();
  device.xml = LOST;
  device.text = TEXT;
  await device.poll();
  assert.equal(readingOf(await device.poll()).form, "text");
});

/** What is printed, or why not; `undefined` is silence. */
type Reply = string | PollError | undefined;

/** A firewall that answers by itself, and what it was asked. */
class Device implements AsyncDisposable {
  text: Reply = UNKNOWN;
  xml: Reply = XML;
  hasXml = true;
  keepsXml = false;
  /** How it answers settings of the form, if not as always. */
  setting: PollError | undefined;
  onLogin = (): void => {};
  /** `login`, `text`, `xml`, and how XML was switched `on` and `off`. */
  readonly asked: string[] = [];
  readonly warnings: string[] = [];
  readonly firewall: PolledFirewall;
  readonly #time: FakeTime;
  readonly #scene: Scene;
  #isXml = false;
  #answered = 0;

  constructor(
    time: FakeTime,
    play: Partial<
      Pick<Device, "text" | "xml" | "hasXml" | "keepsXml" | "setting">
    > = {},
    options: Partial<SessionHolderOptions> = {},
  ) {
    Object.assign(this, play);
    this.#time = time;
    this.#scene = createScene(time, options, (form) => this.#set(form));
    const { sessions, guard } = this.#scene;
    this.firewall = new PolledFirewall({
      quote,
      target: "fw-a",
      holder: sessions,
      guard,
      clock: time.clock,
      minPollIntervalMs: 0,
      journal: new Journal((level, message, fields = {}) => {
        if (level !== "warn") return;
        this.warnings.push([message, ...Object.values(fields)].join(": "));
      }),
    });
  }

  get logins(): number {
    return this.#scene.logins.length;
  }

  session(): Scene["opened"][number] {
    return nth(this.#scene.opened, -1);
  }

  /** Of the last login and its session. */
  signal(): AbortSignal {
    return nth(this.#scene.logins, -1).signal;
  }

  async logIn(): Promise<void> {
    await this.#time.settle();
    this.asked.push("login");
    this.#isXml = false;
    this.#answered = 0;
    this.onLogin();
    await nth(this.#scene.logins, -1).succeed();
  }

  /** Polls, and answers whatever is asked meanwhile. */
  async poll(): Promise<PolledFirewall["status"]> {
    const { logins, opened } = this.#scene;
    const polled = this.firewall.poll(WAIT_MS);
    let isDone = false;
    polled.finally(() => isDone = true);
    await this.#time.settle();
    while (!isDone) {
      if (logins.length > opened.length) await this.logIn();
      else if (this.session().commands > this.#answered) await this.#answer();
      await this.#time.settle();
    }
    return await polled;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scene[Symbol.asyncDispose]();
  }

  async #answer(): Promise<void> {
    this.#answered++;
    const form = this.#isXml ? "xml" : "text";
    this.asked.push(form);
    const reply = this[form];
    const session = this.session();
    if (reply === undefined) await this.#time.pass(WAIT_MS);
    else if (reply instanceof PollError) await session.refuse(reply);
    else await session.answer(reply);
  }

  async #set(form: Form): Promise<boolean> {
    const isOn = form === "xml";
    this.asked.push(isOn ? "on" : "off");
    await Promise.resolve();
    if (this.setting !== undefined) throw this.setting;
    if (this.hasXml) this.#isXml = isOn || this.keepsXml;
    return this.hasXml;
  }
}

function readingOf(
  { poll }: { readonly poll: Poll | undefined },
): GoodPoll {
  assert(poll?.ok, poll?.ok === false ? poll.message : "it was not polled");
  return poll;
}

/** What is wrong with a table that cannot be read. */
function problemOf(
  outcome: { readonly poll: Poll | undefined } | Poll | undefined,
  reason = "parse",
): string {
  const poll = outcome && "poll" in outcome ? outcome.poll : outcome;
  assert(poll?.ok === false);
  assert.equal(poll.reason, reason, poll.message);
  return poll.message;
}

function count(asked: readonly string[], what: string): number {
  return asked.filter((each) => each === what).length;
}
