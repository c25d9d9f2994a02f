import assert from "node:assert/strict";
import type { Config } from "../../src/config/config.ts";
import { createFleet } from "../../src/firewall/fleet.ts";
import { type Poll, PollError, type Reason } from "../../src/model/poll.ts";
import { parsePrivateKey } from "../../src/ssh/private_key.ts";
import { Secret } from "../../src/std/secret.ts";
import {
  type Action,
  type FirewallOptions,
  type SimulatedFirewall,
  startFirewall,
  type Step,
} from "../support/firewall.ts";
import {
  ACKNOWLEDGEMENT,
  passwordQuestion,
} from "../support/firewall_login.ts";
import {
  createConfig,
  createFleetOfOne,
  type FleetOfOne,
  toTarget,
} from "../support/fleet_of_one.ts";
import { createKeyPair } from "../support/key_pair.ts";
import {
  createPassingClock,
  type PassingClock,
} from "../support/passing_clock.ts";
import {
  closeAtOnce,
  hangInHandshake,
  type RawBehaviour,
  sendGarbage,
  startRawServer,
  staySilent,
} from "../support/raw_server.ts";
import type { Output } from "../support/panos_output.ts";
import { eventually, reservePort } from "../support/system.ts";
import { inventTunnels, printVpnFlow } from "../support/vpn_flow_reply.ts";

const TABLE = printVpnFlow(inventTunnels(3));
const OTHER_KEY = `SHA256:${"A".repeat(43)}`;

const MINUTE_MS = 60_000;

/** A way to fail, and what is to come of it. */
interface Row {
  readonly firewall?: FirewallOptions;
  /** The step that the firewall never gets over. */
  readonly silentAt?: Step;
  readonly raw?: RawBehaviour;
  /** What the client has said when the server has fallen silent. */
  readonly silentAfter?: string;
  readonly changes?: Partial<Config>;
  readonly reason: Reason;
  readonly message: RegExp;
  /** Passwords and other answers that may reach the server. */
  readonly sent?: number;
  readonly isHeld?: true;
  /** The prompt has returned: only the text is at fault. */
  readonly keepsSession?: true;
  /** The connection ends within a packet: ssh2 leaves the packet's cipher. */
  readonly isCutOff?: true;
}

const FAULTS: Readonly<Record<string, Row>> = {
  "the connection is closed before a byte is sent": {
    raw: closeAtOnce,
    reason: "connect",
    message: /^Cannot log in to 127\.0\.0\.1 port \d+: .*lost/,
  },
  "the connection is dropped in the handshake": {
    firewall: { faults: { ident: "drop" } },
    reason: "connect",
    message: /^Cannot log in to 127\.0\.0\.1 port \d+: /,
  },
  "garbage without end": {
    raw: sendGarbage(""),
    reason: "connect",
    message: /^Cannot log in to 127\.0\.0\.1 port \d+: /,
  },
  "garbage without end behind a greeting": {
    raw: sendGarbage("SSH-2.0-Simulated\r\n"),
    reason: "connect",
    message: /^Cannot log in to 127\.0\.0\.1 port \d+: /,
  },
  "lines without end before the greeting": {
    raw: sendLines,
    reason: "connect",
    message: /^Cannot log in to 127\.0\.0\.1 port \d+: /,
  },
  "no common key exchange": {
    firewall: { algorithms: { kex: ["diffie-hellman-group14-sha1"] } },
    reason: "connect",
    message: /no matching.*it offers "KEX.*diffie-hellman-group14-sha1/,
  },
  "no common cipher": {
    firewall: { algorithms: { cipher: ["aes256-cbc"] } },
    reason: "connect",
    message: /no matching.*it offers ".*cipher.*aes256-cbc/,
  },
  "silence behind the TCP connection": {
    raw: staySilent,
    silentAfter: "SSH-2.0-",
    reason: "timeout",
    message: /within 60 s \(SSH_LOGIN_TIMEOUT\)/,
  },
  "silence in the handshake": {
    raw: hangInHandshake,
    silentAfter: "curve25519",
    reason: "timeout",
    message: /SSH_LOGIN_TIMEOUT/,
  },
  "another host key than the one that is pinned": {
    changes: { hostKeys: [{ fingerprint: OTHER_KEY, target: undefined }] },
    reason: "host_key",
    message: /SSH_HOST_KEY is SHA256:A{43}, and the firewall shows SHA256:/,
  },
  "a host key where none is pinned for this firewall": {
    changes: { hostKeys: [] },
    reason: "host_key",
    message: /SSH_HOST_KEY has no entry for this firewall/,
  },
  "the password is wrong": {
    firewall: { password: "another" },
    reason: "auth",
    message: /rejected the credentials/,
    sent: 1,
    isHeld: true,
  },
  "the password is wrong, and two methods would take it": {
    firewall: {
      password: "another",
      methods: ["password", "keyboard-interactive"],
    },
    reason: "auth",
    message: /rejected the credentials/,
    sent: 1,
    isHeld: true,
  },
  "a question for a passcode": {
    firewall: {
      rounds: [[{ prompt: "Passcode: ", echo: false, answer: "1" }]],
    },
    reason: "auth",
    message: /asks "Passcode:", which is not answered/,
    isHeld: true,
  },
  "a question for a new password behind the password": {
    firewall: {
      rounds: [
        [ACKNOWLEDGEMENT],
        [passwordQuestion("correct horse")],
        [passwordQuestion("correct horse")],
      ],
    },
    reason: "auth",
    message: /asks "Password:", which is not answered after the password/,
    sent: 2,
    isHeld: true,
  },
  "a demand for another password": {
    firewall: { methods: ["password"], changeRequest: "Choose a new one" },
    reason: "auth",
    message: /demands a new password/,
    sent: 1,
    isHeld: true,
  },
  "nothing but keys is accepted": {
    firewall: { methods: ["publickey"] },
    reason: "auth",
    message: /offers "publickey" and the exporter has a password/,
    isHeld: true,
  },
  "the connection is dropped behind the password": {
    firewall: { faults: { verdict: "drop" } },
    reason: "auth",
    message: /after it was given the credentials, .*closed/,
    sent: 1,
    isHeld: true,
  },
  "the connection is dropped in place of a question": {
    firewall: { rounds: [], faults: { verdict: "drop" } },
    reason: "connect",
    message: /port \d+: it closed the connection$/,
  },
  "the connection is dropped behind an acknowledgement": {
    firewall: { rounds: [[ACKNOWLEDGEMENT]], faults: { verdict: "drop" } },
    reason: "auth",
    message: /after it was given an answer, it closed the connection$/,
    sent: 1,
    isHeld: true,
  },
  "the shell asks for a new password": {
    firewall: { prompt: "Enter old password : " },
    reason: "auth",
    message: /asks "Enter old password :" after the login/,
    sent: 1,
    isHeld: true,
  },
  "the channel is refused": refusedAt("channel"),
  "the terminal is refused": refusedAt("pty"),
  "the shell is refused": refusedAt("shell"),
  "the shell ends at once": refusedAt("prompt"),
  "the connection is dropped at the channel": droppedAt("channel"),
  "the connection is dropped before the prompt": droppedAt("prompt"),
  "the channel is not answered": silentAt("channel"),
  "the terminal is not answered": silentAt("pty"),
  "the shell is not answered": silentAt("shell"),
  "the prompt does not come": silentAt("prompt"),
  "the command is not known": unread("Unknown command: show vpn\n", "command"),
  "the syntax is not known": unread("Invalid syntax.\n", "command"),
  "the server of the firewall fails": unread("Server error : x\n", "command"),
  "there is no table": unread("nothing\n", "parse"),
  "a row is missing": unread(TABLE.replace(/^2 .*\n/m, ""), "parse"),
  "a row does not fit": unread(TABLE.replace(/^2 .*$/m, "2 ?"), "parse"),
  "the session ends within the table": replies(
    [TABLE.slice(0, -100), { end: true }],
    "parse",
  ),
  "the connection is dropped within the table": replies(
    [TABLE.slice(0, -100), { drop: true }],
    "parse",
  ),
  "the session ends before the table": replies(
    [{ end: true }],
    "session",
  ),
  "the output has no end": {
    ...replies([{ endless: `${"x".repeat(79)}\n`.repeat(2 ** 13) }], "parse"),
    isCutOff: true,
  },
  "a line has no end": {
    ...replies([{ endless: "x".repeat(2 ** 19) }], "parse"),
    isCutOff: true,
  },
};

for (const [situation, row] of Object.entries(FAULTS)) {
  const name = `${situation}: ${row.reason}`;
  const sanitizeResources = row.isCutOff !== true;
  Deno.test({ name, sanitizeResources }, async () => {
    const { reason, message, sent = row.reason === "host_key" ? 0 : -1 } = row;
    const clock = createPassingClock();
    const giveUp = (): void => clock.pass(MINUTE_MS);
    if (row.raw !== undefined) {
      await using server = await startRawServer(row.raw);
      await using exporter = createFleetOfOne(server, {
        ...row.changes,
        clock,
      });
      const polled = exporter.poll();
      const { silentAfter } = row;
      if (silentAfter !== undefined) {
        assert(await eventually(() => server.received.includes(silentAfter)));
        giveUp();
      }
      assertFailure(await polled, reason, message);
      assert.equal(server.connections, 1);
      assert(await eventually(() => server.openConnections === 0));
      return;
    }
    await using firewall = await startFirewall(
      row.silentAt === undefined
        ? row.firewall
        : { faults: { [row.silentAt]: never(giveUp) } },
    );
    await using exporter = createFleetOfOne(
      { port: firewall.port },
      { ...row.changes, clock },
    );
    assertFailure(await exporter.poll(), reason, message);
    if (row.keepsSession) assert.equal(firewall.openSessions, 1);
    else await firewall.waitFor(({ openSessions }) => openSessions === 0);
    const left = row.keepsSession ? 1 : 0;
    await firewall.waitFor(({ openConnections }) => openConnections === left);
    assert.equal(firewall.connections, 1);
    const answers = firewall.credentials.length;
    assert.equal(answers, sent < 0 ? defaultSent(row) : sent);

    const { authRetryAt } = exporter.firewall.status;
    assert.equal(authRetryAt !== undefined, row.isHeld === true);
    if (row.isHeld) {
      assertFailure(await exporter.poll(), "auth", /Cannot log in before/);
      assert.equal(firewall.connections, 1, "a connection was opened");
      assert.equal(firewall.credentials.length, answers);
      assert.equal(exporter.firewall.status.logins, 1);
    }
  });
}

Deno.test("nobody listens: connect", async () => {
  using reserved = await reservePort();
  await using exporter = createFleetOfOne(reserved);
  assertFailure(
    await exporter.poll(),
    "connect",
    /^Cannot connect to 127\.0\.0\.1 port \d+: ".*refused/i,
  );
});

Deno.test("silence behind the password, twice in a row: timeout, then auth", async () => {
  const clock = createPassingClock();
  const verdict = never(() => clock.pass(MINUTE_MS));
  await using firewall = await startFirewall({ faults: { verdict } });
  await using exporter = createFleetOfOne(firewall, { clock });
  assertFailure(await exporter.poll(), "timeout", /SSH_LOGIN_TIMEOUT/);
  assert.equal(exporter.firewall.status.authRetryAt, undefined);
  assertFailure(await exporter.poll(), "auth", /not answered, twice in a row/);
  assert(exporter.firewall.status.authRetryAt !== undefined);
  assertFailure(await exporter.poll(), "auth", /Cannot log in before/);
  assert.equal(firewall.credentials.length, 2);
  assert.equal(firewall.connections, 2);
  await firewall.waitFor(({ openConnections }) => openConnections === 0);
});

Deno.test("a key and a password that are wrong: two submissions in the first hour, three in the first day", async () => {
  await using scene = await startWithKey();
  const { sentUntil, exporter } = scene;
  const inFirstHour = ["publickey", "keyboard-interactive"];
  assert.deepEqual(await sentUntil(1), inFirstHour);
  const inFirstDay = [...inFirstHour, "keyboard-interactive"];
  assert.deepEqual(await sentUntil(24), inFirstDay);
  exporter.fleet.forgetHolds();
  assert.deepEqual(await sentUntil(25), [...inFirstDay, ...inFirstHour]);
  const told = exporter.events.map(({ message }) => message)
    .filter((message) => message.includes(" sent to "));
  const name = exporter.firewall.target;
  assert.deepEqual(told.slice(0, 3), [
    `key sent to ${name}`,
    `password sent to ${name}`,
    `password sent to ${name}, the 2nd in a row that nobody accepted`,
  ]);
});

Deno.test("a firewall that had accepted the key gets the key again, and not the password", async () => {
  let isKnown = true;
  await using scene = await startWithKey({ knowsKey: () => isKnown });
  const { firewall, exporter, clock } = scene;
  assert((await exporter.poll()).ok);
  isKnown = false;
  assertFailure(await exporter.poll(), "auth", /rejected the credentials/);
  isKnown = true;
  clock.pass(66 * MINUTE_MS);
  assert((await exporter.poll()).ok);
  const passwords = firewall.credentials.filter(({ value }) => value !== "");
  assert.equal(passwords.length, 1);
});

Deno.test("a key that is known only later is sent again, in its turn", async () => {
  let isKnown = false;
  await using scene = await startWithKey({ knowsKey: () => isKnown });
  const { exporter, clock } = scene;
  assertFailure(await exporter.poll(), "auth", /rejected the credentials/);
  isKnown = true;
  clock.pass(66 * MINUTE_MS);
  assertFailure(
    await exporter.poll(),
    "auth",
    /the key, which it has rejected/,
  );
  clock.pass(24 * 60 * MINUTE_MS);
  assert((await exporter.poll()).ok);
});

Deno.test("a key that was never rejected goes first, and the password behind it", async () => {
  await using scene = await startWithKey({
    password: "correct horse",
    faults: { verdict: (attempt) => attempt === 1 ? "drop" : "proceed" },
  });
  const { firewall, exporter, clock } = scene;
  assertFailure(await exporter.poll(), "auth", /closed/);
  clock.pass(66 * MINUTE_MS);
  assert((await exporter.poll()).ok);
  assert.deepEqual(
    firewall.credentials.map(({ method }) => method),
    ["publickey", "publickey", "keyboard-interactive"],
  );
});

Deno.test("a host key that changes gets no credential", async () => {
  using reserved = await reservePort();
  const { port } = reserved;
  const first = await startFirewall({ port });
  await using exporter = createFleetOfOne(first);
  assert((await exporter.poll()).ok);
  await first[Symbol.asyncDispose]();

  // with a key of its own
  await using impostor = await startFirewall({ port });
  for (let attempt = 1; attempt <= 3; attempt++) {
    const poll = await exporter.poll();
    assertFailure(
      poll,
      "host_key",
      /was SHA256:\S+ since the exporter started/,
    );
    assert.equal(impostor.connections, attempt, "it is tried again");
  }
  assert.deepEqual(impostor.credentials, []);
  assert.equal(impostor.logins, 0);
  assert.equal(exporter.firewall.status.authRetryAt, undefined);
});

Deno.test("a login is asked for its banner and the password, once each", async () => {
  await using firewall = await startFirewall({
    rounds: [[ACKNOWLEDGEMENT, passwordQuestion("correct horse")]],
  });
  await using exporter = createFleetOfOne(firewall);
  assert((await exporter.poll()).ok);
  assert.deepEqual(
    firewall.credentials.map(({ value }) => value),
    ["yes", "correct horse"],
  );
});

Deno.test("a kept session that is dead costs one login, and no poll", async (t) => {
  const deaths = {
    "the connections are dropped": (firewall: SimulatedFirewall) =>
      firewall.killSessions(),
    "the shells are ended": (firewall: SimulatedFirewall) =>
      firewall.endChannels(),
  };
  for (const [name, kill] of Object.entries(deaths)) {
    await t.step(name, async () => {
      await using firewall = await startFirewall();
      await using exporter = createFleetOfOne(firewall);
      for (let poll = 1; poll <= 3; poll++) {
        assert((await exporter.poll()).ok);
        assert.equal(firewall.logins, poll);
        kill(firewall);
      }
      assert.equal(firewall.mostSessions, 1);
    });
  }
});

Deno.test("a failover shows in the poll in which it happens, on a kept session", async () => {
  const states = ["passive", "passive", "active"];
  await using firewall = await startFirewall({
    prompt: (answered) => `monitor@fw-a(${states[answered] ?? "active"})> `,
  });
  await using exporter = createFleetOfOne(firewall);
  const seen: (string | undefined)[] = [];
  for (let scrape = 0; scrape < 3; scrape++) {
    const poll = await exporter.poll();
    assert(poll.ok);
    seen.push(poll.haState);
  }
  assert.deepEqual(seen, ["passive", "active", "active"]);
  assert.equal(firewall.logins, 1);
});

Deno.test("a login per poll has one session at a time, and leaves none", async () => {
  await using firewall = await startFirewall();
  await using exporter = createFleetOfOne(firewall, {
    sessionIdleTimeoutMs: 0,
  });
  for (let poll = 1; poll <= 5; poll++) {
    assert((await exporter.poll()).ok);
    assert.equal(firewall.logins, poll);
  }
  await firewall.waitFor(({ openConnections }) => openConnections === 0);
  assert.equal(firewall.mostSessions, 1);
  assert.equal(firewall.commands.at(-1), "exit");
});

Deno.test("the end of the fleet ends everything, whatever is under way", async () => {
  const cases: Readonly<Record<string, FirewallOptions>> = {
    "an idle session": {},
    "a login without a verdict": { faults: { verdict: "hang" } },
    "a login without a prompt": { faults: { prompt: "hang" } },
    "a command": {
      reply: () => [TABLE.slice(0, 300), { hang: true }],
    },
  };
  await Promise.all(
    Object.entries(cases).map(async ([name, options]) => {
      await using firewall = await startFirewall(options);
      const exporter = createFleetOfOne(firewall);
      const polled = exporter.poll();
      if (name === "a command") {
        await firewall.waitFor(({ commands }) => commands.length === 3);
      } else if (name.startsWith("a login")) {
        await firewall.waitFor(({ credentials }) => credentials.length === 1);
      } else await polled;
      await exporter.fleet[Symbol.asyncDispose]();
      await polled;
      await firewall.waitFor(({ openConnections }) => openConnections === 0);
      assertFailure(await exporter.poll(), "session", /stopping/);
      assert.equal(firewall.connections, 1, name);
    }),
  );
});

interface KeyScene extends AsyncDisposable {
  readonly firewall: SimulatedFirewall;
  readonly exporter: FleetOfOne;
  readonly clock: PassingClock;
  /** Polls every quarter of an hour; the methods that were tried so far. */
  sentUntil(hour: number): Promise<readonly string[]>;
}

/**
 * A firewall that knows neither the password nor, unless the test says so, the
 * key; each poll needs a login.
 */
async function startWithKey(
  options: FirewallOptions = {},
): Promise<KeyScene> {
  await using stack = new AsyncDisposableStack();
  const clock = createPassingClock();
  const firewall = stack.use(
    await startFirewall({
      password: "another",
      methods: ["publickey", "keyboard-interactive"],
      ...options,
    }),
  );
  const credentials = {
    username: firewall.username,
    password: new Secret("correct horse"),
    privateKey: parsePrivateKey(createKeyPair().privateKey, undefined),
  };
  const sessionIdleTimeoutMs = 0;
  const changes = { clock, credentials, sessionIdleTimeoutMs };
  const exporter = stack.use(createFleetOfOne(firewall, changes));
  const owned = stack.move();
  let hours = 0;
  return {
    firewall,
    exporter,
    clock,
    async sentUntil(hour): Promise<readonly string[]> {
      for (; hours < hour; hours += 0.25) {
        assertFailure(await exporter.poll(), "auth", /Cannot log in/);
        clock.pass(15 * MINUTE_MS);
      }
      return firewall.credentials.map(({ method }) => method);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function refusedAt(step: Step): Row {
  return {
    firewall: { faults: { [step]: "refuse" } },
    reason: "session",
    message: /refused|closed the session/,
  };
}

function droppedAt(step: Step): Row {
  return {
    firewall: { faults: { [step]: "drop" } },
    reason: "session",
    message: /^Lost the session on 127\.0\.0\.1 port \d+: .*closed/,
  };
}

function silentAt(step: Step): Row {
  return {
    silentAt: step,
    reason: "timeout",
    message: /SSH_LOGIN_TIMEOUT/,
  };
}

/** Silence at a step, once it is reached, for as long as anybody waits. */
function never(pass: () => void): () => Action {
  return () => {
    pass();
    return "hang";
  };
}

function replies(
  reply: Output,
  reason: "command" | "parse" | "session",
): Row {
  return {
    firewall: { reply: () => reply },
    reason,
    message: reason === "session" ? /closed the session/ : /^Cannot r/,
  };
}

/** A whole reply that is no table of tunnels. */
function unread(reply: string, reason: "command" | "parse"): Row {
  return { ...replies(reply, reason), keepsSession: true };
}

/** The password, once, in every row that gets so far. */
function defaultSent({ reason, firewall }: Row): number {
  const isEarly = reason === "connect" || firewall?.rounds !== undefined ||
    firewall?.methods !== undefined;
  return isEarly ? 0 : 1;
}

function sendLines(socket: Parameters<RawBehaviour>[0]): void {
  const lines = "this is not SSH\r\n".repeat(1_000);
  function send(): void {
    while (!socket.destroyed && socket.write(lines));
  }
  socket.on("drain", send);
  send();
}

function assertFailure(poll: Poll, reason: Reason, message: RegExp): void {
  assert(!poll.ok, "the poll succeeded");
  assert.equal(poll.reason, reason, new PollError(poll.reason, poll.message));
  assert.match(poll.message, message);
}

Deno.test("firewalls that never answer delay no other", async () => {
  await using stack = new AsyncDisposableStack();
  const silent = await Promise.all(
    Array.from(
      { length: 20 },
      async () => stack.use(await startRawServer(staySilent)),
    ),
  );
  const healthy = stack.use(await startFirewall());
  const fleet = createFleet(
    createConfig(healthy, { targets: silent.map(toTarget) }),
    () => {},
  );
  stack.use(fleet);
  let isAnySilentDone = false;
  const polls = fleet.firewalls
    .filter((firewall) => firewall !== fleet.main)
    .map(async (firewall) => {
      await firewall.poll(15_000);
      isAnySilentDone = true;
    });
  const status = await fleet.main?.poll(15_000);
  assert(status?.poll?.ok);
  assert(!isAnySilentDone);
  await fleet[Symbol.asyncDispose]();
  await Promise.all(polls);
});
