import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
// @ts-types="@types/ssh2"
import {
  type AnyAuthMethod,
  Client,
  type ClientChannel,
  type ConnectConfig,
} from "ssh2";
import {
  type SimulatedFirewall,
  startFirewall,
  type Step,
} from "./firewall.ts";
import { ACKNOWLEDGEMENT, passwordQuestion } from "./firewall_login.ts";
import { startFleet } from "./fleet.ts";
import { createKeyPair } from "./key_pair.ts";
import {
  closeAtOnce,
  hangInHandshake,
  sendGarbage,
  startRawServer,
  staySilent,
} from "./raw_server.ts";
import { VpnFlowError } from "../../src/panos/vpn_flow.ts";
import { inventTunnels, printVpnFlow, readVpnFlow } from "./vpn_flow_reply.ts";
import {
  printUnknownLayout,
  printVpnFlowXml,
  readVpnFlowXml,
  XML_FAULTS,
} from "./vpn_flow_xml.ts";

const PROMPT = "monitor@fw-a(active)> ";

Deno.test("the firewall logs in with keyboard-interactive and counts it", async () => {
  await using firewall = await startFirewall();
  await using client = await logIn(firewall);
  await using _shell = await openShell(client);
  await firewall.waitFor(({ openSessions }) => openSessions === 1);

  assert.equal(firewall.logins, 1);
  assert.deepEqual(firewall.credentials, [{
    connection: 1,
    method: "keyboard-interactive",
    username: firewall.username,
    prompt: "Password: ",
    value: firewall.password,
  }]);
});

Deno.test("the firewall accepts none of the methods that it does not offer", async () => {
  await using firewall = await startFirewall();
  const { username, password } = firewall;
  await assert.rejects(
    logIn(firewall, {
      methods: [
        { type: "none", username },
        { type: "password", username, password },
      ],
    }),
    /authentication methods failed/,
  );
  assert.deepEqual(firewall.credentials, []);
  assert.equal(firewall.logins, 0);
});

Deno.test("the firewall counts how often a wrong password is sent", async () => {
  await using firewall = await startFirewall({ methods: ["password"] });
  const { username } = firewall;
  const wrong = { type: "password", username, password: "wrong" } as const;
  await assert.rejects(logIn(firewall, { methods: [wrong, wrong] }));
  assert.deepEqual(
    firewall.credentials.map(({ value }) => value),
    ["wrong", "wrong"],
  );
});

Deno.test("the firewall asks to acknowledge its banner, in one round or two", async (t) => {
  const password = passwordQuestion("pass phrase");
  const cases = {
    "one round": [[ACKNOWLEDGEMENT, password]],
    "two rounds": [[ACKNOWLEDGEMENT], [password]],
  };
  for (const [name, rounds] of Object.entries(cases)) {
    await t.step(name, async () => {
      await using firewall = await startFirewall({ rounds });
      await using _client = await logIn(firewall, {
        answer: (prompt) => prompt.startsWith("Do you") ? "yes" : "pass phrase",
      });
      assert.deepEqual(
        firewall.credentials.map(({ value }) => value),
        ["yes", "pass phrase"],
      );
    });
  }
});

Deno.test("the firewall accepts the key that it was given and no other", async () => {
  const key = createKeyPair();
  const other = createKeyPair();
  await using firewall = await startFirewall({
    methods: ["publickey"],
    authorizedKey: key.publicKey,
  });
  const { username } = firewall;
  function withKey(key: string): LoginOptions {
    return { methods: [{ type: "publickey", username, key }] };
  }
  await assert.rejects(logIn(firewall, withKey(other.privateKey)));
  assert.equal(firewall.credentials.length, 0);
  await using _client = await logIn(firewall, withKey(key.privateKey));
  assert.match(firewall.credentials[0]?.value ?? "", /^SHA256:/);
});

Deno.test("the firewall can ask for a new password", async () => {
  await using firewall = await startFirewall({
    methods: ["password"],
    changeRequest: "Enter a new password",
  });
  const { username, password } = firewall;
  await using _client = await logIn(firewall, {
    methods: [{ type: "password", username, password }],
    newPassword: "next",
  });
  assert.deepEqual(
    firewall.credentials.map(({ value }) => value),
    [password, "next"],
  );
});

Deno.test("the firewall redraws what is typed until scripting mode is on", async () => {
  await using firewall = await startFirewall({ loginText: "Welcome\n" });
  await using client = await logIn(firewall);
  await using shell = await openShell(client);

  assert.equal(await shell.readTo(PROMPT), `Welcome\r\n${PROMPT}`);
  const redrawn = await shell.run("set cli scripting-mode on", { times: 4 });
  assert.equal(
    redrawn,
    `set \r\x1b[K${PROMPT}set cli \r\x1b[K${PROMPT}set cli ` +
      `scripting-mode \r\x1b[K${PROMPT}set cli scripting-mode on\r\n${PROMPT}`,
  );
  assert.equal(
    await shell.run("set cli pager off"),
    `set cli pager off\r\n${PROMPT}`,
  );
  assert.equal(
    await shell.run("show vpn flow"),
    `show vpn flow${printVpnFlow(inventTunnels(6))}${PROMPT}`
      .replace("show vpn flow", "show vpn flow\n").replaceAll("\n", "\r\n"),
  );
  assert.deepEqual(firewall.commands, [
    "set cli scripting-mode on",
    "set cli pager off",
    "show vpn flow",
  ]);
});

Deno.test("the firewall can be a release that does not know a setting", async () => {
  await using firewall = await startFirewall({ settings: [], echo: "none" });
  await using client = await logIn(firewall);
  await using shell = await openShell(client);
  await shell.readTo(PROMPT);
  assert.equal(
    await shell.run("set cli pager off"),
    `Unknown command: set cli pager off\r\n${PROMPT}`,
  );
});

Deno.test("the firewall answers in XML while that is switched on", async () => {
  const six = inventTunnels(6);
  await using firewall = await startFirewall({
    echo: "none",
    reply: () => printUnknownLayout(six),
    replyXml: () => printVpnFlowXml(six),
  });
  await using client = await logIn(firewall);
  await using shell = await openShell(client);
  await shell.readTo(PROMPT);
  await shell.run("set cli pager off");
  const asText = await shell.run("show vpn flow");
  assert.throws(() => readVpnFlow(asText), VpnFlowError);
  assert.equal(await shell.run("set cli op-command-xml-output on"), PROMPT);
  const asXml = await shell.run("show vpn flow");
  assert.equal(readVpnFlowXml(asXml).tunnels.length, 6);
  assert.equal(await shell.run("set cli op-command-xml-output off"), PROMPT);
  assert.equal(await shell.run("show vpn flow"), asText);
});

Deno.test("a firewall without XML does not know the setting", async () => {
  await using firewall = await startFirewall({ echo: "none" });
  await using client = await logIn(firewall);
  await using shell = await openShell(client);
  await shell.readTo(PROMPT);
  const command = "set cli op-command-xml-output on";
  assert.equal(
    await shell.run(command),
    `Unknown command: ${command}\r\n${PROMPT}`,
  );
});

Deno.test("the firewall can keep XML on, and answer wrongly in it", async (t) => {
  const reasons = new Map([
    ["an error response", "command"],
    ["a refusal as text", "command"],
  ]);
  for (const [fault, answer] of Object.entries(XML_FAULTS)) {
    await t.step(fault, async () => {
      await using firewall = await startFirewall({
        echo: "none",
        keepsXml: true,
        replyXml: () => answer,
      });
      await using client = await logIn(firewall);
      await using shell = await openShell(client);
      await shell.readTo(PROMPT);
      await shell.run("set cli pager off");
      await shell.run("set cli op-command-xml-output on");
      await shell.run("set cli op-command-xml-output off");
      const said = await shell.run("show vpn flow");
      assert.throws(() => readVpnFlowXml(said.replace(PROMPT, "")), {
        name: VpnFlowError.name,
        reason: reasons.get(fault) ?? "parse",
      });
    });
  }
});

Deno.test("the firewall can say other things in XML than in text", async () => {
  const [first, ...others] = inventTunnels(3);
  assert(first !== undefined);
  await using firewall = await startFirewall({
    echo: "none",
    reply: () => printVpnFlow([first, ...others]),
    replyXml: () => printVpnFlowXml([{ ...first, name: "other" }, ...others]),
  });
  await using client = await logIn(firewall);
  await using shell = await openShell(client);
  await shell.readTo(PROMPT);
  await shell.run("set cli pager off");
  const asText = await shell.run("show vpn flow");
  await shell.run("set cli op-command-xml-output on");
  const asXml = await shell.run("show vpn flow");
  const names = [
    ...readVpnFlow(asText).tunnels,
    ...readVpnFlowXml(asXml).tunnels,
  ].map(({ name }) => name);
  assert.deepEqual(names.filter((name) => !/-[23]$/.test(name)), [
    "branch-1",
    "other",
  ]);
});

Deno.test("the firewall waits at the end of a page until the pager is off", async () => {
  await using firewall = await startFirewall({
    echo: "plain",
    reply: () => printVpnFlow(inventTunnels(30)),
  });
  await using client = await logIn(firewall);
  await using shell = await openShell(client);
  await shell.readTo(PROMPT);
  const page = await shell.run("show vpn flow", { end: "\x1b[27m" });
  assert.match(page, /branch-14 /);
  assert.doesNotMatch(page, /branch-15 /);
});

Deno.test("the prompt can change in a session that is kept", async () => {
  await using firewall = await startFirewall({
    echo: "plain",
    prompt: (answered) => answered === 0 ? "a@b(passive)> " : "a@b(active)> ",
  });
  await using client = await logIn(firewall);
  await using shell = await openShell(client);
  await shell.readTo("(passive)> ");
  assert.match(
    await shell.run("show vpn flow", { end: "(active)> " }),
    /branch-6/,
  );
});

Deno.test("the firewall can split what it prints at every byte", async () => {
  await using firewall = await startFirewall({
    bytesPerWrite: 1,
    reply: () => "Zürich\n",
  });
  await using client = await logIn(firewall);
  await using shell = await openShell(client);
  await shell.readTo(PROMPT);
  const before = shell.chunks;
  const text = await shell.run("zürich");
  assert.equal(text, `zürich\r\nZürich\r\n${PROMPT}`);
  assert(shell.chunks - before >= text.length, `${shell.chunks} chunks`);
});

Deno.test("a reply can be bytes, silence, or the end of channel or connection", async (t) => {
  await using firewall = await startFirewall({
    echo: "none",
    reply: (command) => {
      switch (command) {
        case "bytes":
          return [{ bytes: [0xff] }, { bytes: [0x0a] }];
        case "hang":
          return ["half a ", { hang: true }];
        case "end":
          return ["half a ", { end: true }];
        default:
          return ["half a ", { drop: true }];
      }
    },
  });
  await t.step("bytes", async () => {
    await using client = await logIn(firewall);
    await using shell = await openShell(client);
    await shell.readTo(PROMPT);
    assert.equal(await shell.run("bytes"), `\ufffd\n${PROMPT}`);
  });
  await t.step("hang", async () => {
    await using client = await logIn(firewall);
    await using shell = await openShell(client);
    await shell.readTo(PROMPT);
    assert.equal(await shell.run("hang", { end: "half a " }), "half a ");
    assert.equal(firewall.openSessions, 1);
  });
  for (const command of ["end", "drop"]) {
    await t.step(command, async () => {
      await using client = await logIn(firewall);
      await using shell = await openShell(client);
      await shell.readTo(PROMPT);
      const { openSessions } = firewall;
      const closed = once(shell.channel, "close");
      shell.channel.write(`${command}\n`);
      await closed;
      await firewall.waitFor((now) => now.openSessions < openSessions);
    });
  }
});

Deno.test("exit ends the session, unless it is told to be ignored", async () => {
  for (const exit of ["proceed", "hang"] as const) {
    await using firewall = await startFirewall({ faults: { exit } });
    await using client = await logIn(firewall);
    await using shell = await openShell(client);
    await shell.readTo(PROMPT);
    shell.channel.write("exit\n");
    await firewall.waitFor(({ commands }) => commands.includes("exit"));
    if (exit === "proceed") await once(shell.channel, "close");
    else assert.equal(firewall.openSessions, 1);
  }
});

Deno.test("the first prompt can be held back", async () => {
  const gate = Promise.withResolvers<"proceed">();
  await using firewall = await startFirewall({
    loginText: "Welcome\n",
    faults: { prompt: () => gate.promise },
  });
  await using client = await logIn(firewall);
  await using shell = await openShell(client);
  assert.equal(await shell.readTo("Welcome\r\n"), "Welcome\r\n");
  gate.resolve("proceed");
  assert.equal(await shell.readTo(PROMPT), PROMPT);
});

Deno.test("the firewall can go wrong at every step of a login", async (t) => {
  const cases: readonly {
    readonly step: Step;
    readonly action: "refuse" | "drop";
    readonly message: RegExp;
  }[] = [
    { step: "ident", action: "drop", message: /closed|lost|RESET/ },
    { step: "verdict", action: "refuse", message: /methods failed/ },
    { step: "verdict", action: "drop", message: /closed/ },
    { step: "channel", action: "refuse", message: /open failure/i },
    { step: "pty", action: "refuse", message: /pseudo-terminal/ },
    { step: "shell", action: "refuse", message: /shell/ },
    { step: "prompt", action: "refuse", message: /the channel closed/ },
    { step: "prompt", action: "drop", message: /the channel closed/ },
  ];
  for (const { step, action, message } of cases) {
    await t.step(`${action} at ${step}`, async () => {
      await using firewall = await startFirewall({
        faults: { [step]: action },
      });
      await assert.rejects(async () => {
        await using client = await logIn(firewall);
        await using shell = await openShell(client);
        await shell.readTo(PROMPT);
      }, message);
      await firewall.waitFor(({ openConnections }) => openConnections === 0);
    });
  }
});

Deno.test("the firewall can fall silent at every step of a login", async (t) => {
  const steps = ["ident", "verdict", "channel", "pty", "shell"] as const;
  for (const step of steps) {
    await t.step(step, async () => {
      const reached = Promise.withResolvers<void>();
      await using firewall = await startFirewall({
        faults: {
          [step]: () => {
            reached.resolve();
            return "hang";
          },
        },
      });
      const client = new Client();
      client.on("error", () => {});
      client.once("connect", () => client.setNoDelay());
      client.once("ready", () => client.shell(() => {}));
      client.connect(configure(firewall, {}));
      await reached.promise;
      assert.equal(firewall.openConnections, 1);
      client.destroy();
      await firewall.waitFor(({ openConnections }) => openConnections === 0);
    });
  }
});

Deno.test("the firewall can drop connections, end channels and fall silent", async () => {
  await using firewall = await startFirewall();
  await using first = await logIn(firewall);
  await using shell = await openShell(first);
  await firewall.waitFor(({ openSessions }) => openSessions === 1);
  const channelClosed = once(shell.channel, "close");
  firewall.endChannels();
  await channelClosed;
  await firewall.waitFor(({ openSessions }) => openSessions === 0);
  assert.equal(firewall.openConnections, 1);

  const closed = once(first.connection, "close");
  firewall.killSessions();
  await closed;
  await firewall.waitFor(({ openConnections }) => openConnections === 0);

  await using second = await logIn(firewall);
  firewall.freezeSessions();
  second.connection.shell((error) => {
    if (error === undefined) assert.fail("a frozen firewall answered");
  });
  // A login needs more round trips than an answer, so it would have come.
  await using _third = await logIn(firewall);
  assert.equal(firewall.openConnections, 2);
});

Deno.test("the firewall can renegotiate its keys in a session", async () => {
  await using firewall = await startFirewall({ echo: "plain" });
  await using client = await logIn(firewall);
  await using shell = await openShell(client);
  await shell.readTo(PROMPT);
  await firewall.rekey();
  assert.match(await shell.run("show vpn flow"), /branch-6/);
  assert.equal(client.handshakes(), 2);
});

Deno.test("the firewall can come back at the same port with another key", async () => {
  const rsa = createKeyPair("rsa");
  const first = await startFirewall();
  const { port } = first;
  await using client = await logIn(first);
  assert.equal(client.hostKey(), first.fingerprint);
  const closed = once(client.connection, "close");
  await first[Symbol.asyncDispose]();
  await closed;

  await using second = await startFirewall({ port, hostKeys: [rsa] });
  assert.equal(second.port, port);
  await using again = await logIn(second);
  assert.equal(again.hostKey(), rsa.fingerprint);
});

Deno.test("a raw server does one thing to each connection", async (t) => {
  const cases = [
    { name: "silent", behaviour: staySilent, sends: /^$/ },
    { name: "closing", behaviour: closeAtOnce, sends: /^$/ },
    { name: "hanging", behaviour: hangInHandshake, sends: /^SSH-2\.0-\w+\r\n/ },
    { name: "garbage", behaviour: sendGarbage("hello"), sends: /^hello.*garb/ },
  ];
  for (const { name, behaviour, sends } of cases) {
    await t.step(name, async () => {
      await using server = await startRawServer(behaviour);
      const socket = connect(server.port, "127.0.0.1");
      await once(socket, "connect");
      let received = "";
      if (name === "closing") await once(socket.resume(), "close");
      else if (name !== "silent") {
        const [data] = await once(socket, "data");
        received = new TextDecoder("latin1").decode(data);
      }
      const closed = socket.closed ? undefined : once(socket, "close");
      socket.destroy();
      await closed;
      assert.match(received, sends);
      assert.equal(server.connections, 1);
    });
  }
});

Deno.test("a fleet counts what all of its firewalls have seen", async () => {
  await using fleet = await startFleet({ size: 2, tunnels: 1 });
  const ports = fleet.targets.map((target) => Number(target.split(":").at(-1)));
  assert.equal(new Set(ports).size, 2);
  for (const port of ports) {
    await using _client = await logIn({ ...fleet, port });
  }
  const { connections, logins, credentials } = await fleet.count();
  assert.deepEqual({ connections, logins, credentials }, {
    connections: 2,
    logins: 2,
    credentials: 2,
  });
});

interface LoginOptions {
  /** Tried in order; by default keyboard-interactive alone. */
  readonly methods?: readonly AnyAuthMethod[];
  /** Answers a question of keyboard-interactive. */
  readonly answer?: (prompt: string) => string;
  readonly newPassword?: string;
}

interface LoggedIn extends AsyncDisposable {
  readonly connection: Client;
  /** Fingerprint of the key that the firewall showed. */
  hostKey(): string;
  handshakes(): number;
}

/** Where to log in. */
type Account = Pick<SimulatedFirewall, "port" | "username" | "password">;

function configure(
  firewall: Account,
  options: LoginOptions,
): ConnectConfig {
  const { username, password, port } = firewall;
  const {
    answer = () => password,
    methods = [{
      type: "keyboard-interactive",
      username,
      prompt: (_name, _instructions, _language, prompts, finish) =>
        finish(prompts.map(({ prompt }) => answer(prompt))),
    }],
  } = options;
  const host = "127.0.0.1";
  // The client reads the password from here when it is asked to change it.
  return { host, port, username, password, authHandler: [...methods] };
}

async function logIn(
  firewall: Account,
  options: LoginOptions = {},
): Promise<LoggedIn> {
  const connection = new Client();
  const { newPassword } = options;
  let hostKey = "";
  let handshakes = 0;
  if (newPassword !== undefined) {
    connection.on("change password", (_message, done) => done(newPassword));
  }
  connection.on("handshake", () => handshakes++);
  connection.on("connect", () => connection.setNoDelay());
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  connection.once("ready", resolve);
  connection.on("error", reject);
  connection.once("close", () => reject(new Error("the connection closed")));
  connection.connect({
    ...configure(firewall, options),
    hostHash: "sha256",
    hostVerifier: (digest: string) => {
      const base64 = btoa(
        String.fromCharCode(...Uint8Array.fromHex(digest)),
      );
      hostKey = `SHA256:${base64.replace(/=+$/, "")}`;
      return true;
    },
  });
  const closed = new Promise<void>((done) => connection.once("close", done));
  try {
    await promise;
  } catch (error) {
    connection.destroy();
    throw error;
  }
  return {
    connection,
    hostKey: () => hostKey,
    handshakes: () => handshakes,
    [Symbol.asyncDispose]: async () => {
      connection.destroy();
      await closed;
    },
  };
}

interface Shell extends AsyncDisposable {
  readonly channel: ClientChannel;
  /** Pieces in which the text came so far. */
  readonly chunks: number;
  /** The text up to and with the end given, from where the last one ended. */
  readTo(end: string, times?: number): Promise<string>;
  /** Types a command and reads to the next prompt. */
  run(
    command: string,
    until?: { readonly end?: string; readonly times?: number },
  ): Promise<string>;
}

async function openShell({ connection }: LoggedIn): Promise<Shell> {
  const channel = await new Promise<ClientChannel>((resolve, reject) => {
    connection.shell({ rows: 24 }, (error, channel) => {
      if (error) reject(error);
      else resolve(channel);
    });
  });
  const decoder = new TextDecoder();
  let text = "";
  let chunks = 0;
  let wake = (): void => {};
  let open = true;
  channel.on("data", (chunk: Uint8Array) => {
    text += decoder.decode(chunk, { stream: true });
    chunks++;
    wake();
  });
  channel.once("close", () => {
    open = false;
    wake();
  });

  async function readTo(end: string, times = 1): Promise<string> {
    for (;;) {
      const pieces = text.split(end);
      if (pieces.length > times) {
        text = pieces.slice(times).join(end);
        return pieces.slice(0, times).map((piece) => piece + end).join("");
      }
      if (!open) throw new Error(`the channel closed after: ${text}`);
      await new Promise<void>((resolve) => wake = resolve);
    }
  }
  return {
    channel,
    get chunks() {
      return chunks;
    },
    readTo,
    run(command, { end = PROMPT, times } = {}): Promise<string> {
      channel.write(`${command}\n`);
      return readTo(end, times);
    },
    [Symbol.asyncDispose]: (): Promise<void> => {
      channel.close();
      return Promise.resolve();
    },
  };
}
