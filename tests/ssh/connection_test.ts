import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createServer, type Socket } from "node:net";
// @ts-types="@types/ssh2"
import {
  type Algorithms,
  type AuthContext,
  type Connection,
  Server,
  type ServerChannel,
} from "ssh2";
import { startCli } from "../../src/panos/cli.ts";
import { PollError } from "../../src/model/poll.ts";
import { systemClock } from "../../src/std/clock.ts";
import { quote } from "../../src/std/quote.ts";
import { Secret } from "../../src/std/secret.ts";
import type { Login } from "../../src/ssh/connection.ts";
import { openShell } from "../../src/ssh/shell.ts";
import { acceptFirst, acceptPinned } from "../../src/ssh/host_key.ts";
import { startFirewall } from "../support/firewall.ts";
import {
  ACKNOWLEDGEMENT,
  passwordQuestion,
  type Round,
} from "../support/firewall_login.ts";
import { disconnect } from "../support/disconnect.ts";
import { createKeyPair, parseKey } from "../support/key_pair.ts";
import { closeServer, listen } from "../support/listener.ts";
import {
  damageHostKey,
  forwardTo,
  startRawServer,
} from "../support/raw_server.ts";

const PROMPT = "monitor@fw-a> ";
const SURROUNDINGS = { quote, clock: systemClock };
const IS_RUNNING = true;
const late = new PollError("timeout", "Cannot log in within 60 s");
const never = new AbortController().signal;

Deno.test("openShell() tells of its phases in order", async () => {
  await using server = await startServer(({ channel }) => greet(channel));
  const told: string[] = [];
  const shell = await openShell(
    createLogin(server, {
      beforeCredential: () => Promise.resolve(void told.push("may I?")),
      onAccepted: () => void told.push("accepted"),
      onPhase: (phase) => void told.push(phase),
    }),
    never,
  );
  assert.deepEqual(told, [
    "connect",
    "handshake",
    "auth",
    "may I?",
    "accepted",
    "session",
  ]);
  await shell.end();
});

Deno.test("openShell() sends nothing while it may not", async () => {
  await using server = await startServer(({ channel }) => greet(channel));
  const mayI = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const opened = openShell(
    createLogin(server, {
      beforeCredential(): Promise<void> {
        asked.resolve();
        return mayI.promise;
      },
    }),
    never,
  );
  await asked.promise;
  assert.equal(server.passwords, 0);
  mayI.resolve();
  const shell = await opened;
  assert.equal(server.passwords, 1);
  await shell.end();
});

Deno.test("openShell() passes on why it may not, as it is", async () => {
  await using server = await startServer(({ channel }) => greet(channel));
  const held = new PollError("auth", "Cannot log in before tomorrow");
  await assert.rejects(
    openShell(
      createLogin(server, { beforeCredential: () => Promise.reject(held) }),
      never,
    ),
    (error) => error === held,
  );
  assert.equal(server.passwords, 0);
  await server.untilEmpty();
});

Deno.test("openShell() gives up with the signal's reason, and closes the connection", async (t) => {
  for (const phase of ["connect", "handshake", "auth", "session"] as const) {
    await t.step(`in phase ${phase}`, async () => {
      await using server = await startServer(() => {});
      const controller = new AbortController();
      const opened = openShell(
        createLogin(server, {
          onPhase(begun): void {
            if (begun === phase) queueMicrotask(() => controller.abort(late));
          },
        }),
        controller.signal,
      );
      await assert.rejects(opened, (error) => error === late);
      await server.untilEmpty();
    });
  }
});

Deno.test("a signal that is aborted later destroys the open session", async () => {
  await using server = await startServer(({ channel }) => converse(channel));
  const controller = new AbortController();
  const shell = await openShell(createLogin(server), controller.signal);
  const cli = await startCli(shell, SURROUNDINGS);
  controller.abort(late);
  assert.equal(await cli.closed, late);
  await server.untilEmpty();
});

Deno.test("end() settles once the connection is closed", async (t) => {
  const cases: Readonly<Record<string, Serve>> = {
    "politely": ({ channel }) => greet(channel),
    "although exit is ignored": ({ channel }) => void channel.write(PROMPT),
    "although nothing is read any more": ({ channel, socket }) => {
      greet(channel);
      socket.pause();
    },
  };
  await Promise.all(
    Object.entries(cases).map(async ([name, serve]) => {
      await using server = await startServer(serve);
      const shell = await openShell(createLogin(server), never);
      const startedAt = performance.now();
      await shell.end();
      const ms = performance.now() - startedAt;
      assert(ms < 2_500, `${name}: ${ms} ms`);
    }),
  );
  await t.step("it may be called again", async () => {
    await using server = await startServer(({ channel }) => greet(channel));
    const shell = await openShell(createLogin(server), never);
    await Promise.all([shell.end(), shell.end()]);
    await server.untilEmpty();
  });
});

Deno.test("the output ends where the firewall says that nothing more comes", async () => {
  await using server = await startServer(({ channel }) => {
    greet(channel);
    // says it, and leaves the channel open
    channel.once("data", () => {
      channel.write("set cli ");
      Reflect.apply(Reflect.get(channel, "eof"), channel, []);
    });
  });
  const shell = await openShell(createLogin(server), never);
  await assert.rejects(startCli(shell, SURROUNDINGS), { reason: "session" });
  await shell.end();
});

Deno.test("a channel that is closed in the packet of its prompt is a lost session", async () => {
  await using server = await startServer(({ channel, socket }) => {
    const send = socket.write;
    const packets: Uint8Array[] = [];
    socket.write = (packet: string | Uint8Array): boolean => {
      packets.push(Buffer.from(packet));
      return true;
    };
    greet(channel);
    channel.close();
    socket.write = send;
    socket.write(Buffer.concat(packets));
  });
  const shell = await openShell(createLogin(server), never);
  await assert.rejects(startCli(shell, SURROUNDINGS), { reason: "session" });
  await shell.end();
});

Deno.test("errors of the firewall are no output", async () => {
  await using server = await startServer(({ channel }) => {
    channel.stderr.write("x".repeat(100_000));
    channel.stderr.write(PROMPT);
    greet(channel);
  });
  const shell = await openShell(createLogin(server), never);
  const reader = shell.output.getReader();
  const { value } = await reader.read();
  assert.equal(new TextDecoder().decode(value), PROMPT);
  await shell.end();
});

Deno.test("a host key that was shown and not proved is not held", async () => {
  await using server = await startServer(({ channel }) => greet(channel));
  await using proxy = await startRawServer(
    forwardTo(
      server.port,
      (chunk, connection) => connection === 1 ? damageHostKey(chunk) : chunk,
    ),
  );
  const told: string[] = [];
  const hostKey = acceptFirst((fingerprint) => told.push(fingerprint));
  const login = createLogin(proxy, { hostKey });
  await assert.rejects(openShell(login, never), {
    reason: "connect",
    message: /signature verification failed/,
  });
  assert.deepEqual(told, []);
  const shell = await openShell(login, never);
  assert.deepEqual(told, [server.fingerprint]);
  await shell.end();
});

Deno.test("another host key in the same connection ends it", async () => {
  const other = createKeyPair();
  await using server = await startServer(({ channel, client }) => {
    channel.write(PROMPT);
    channel.once("data", () => {
      const key = parseKey(other.privateKey);
      Reflect.get(client, "_protocol")._hostKeys = { "ssh-ed25519": key };
      client.rekey();
    });
  });
  const hostKey = acceptPinned([server.fingerprint, other.fingerprint]);
  const shell = await openShell(createLogin(server, { hostKey }), never);
  await assert.rejects(startCli(shell, SURROUNDINGS), {
    reason: "host_key",
    message: new RegExp(
      `began with the host key ${RegExp.escape(server.fingerprint)} and shows ${
        RegExp.escape(other.fingerprint)
      }`,
    ),
  });
  await server.untilEmpty();
});

for (
  const { cipher, mac } of [
    { cipher: "aes256-gcm@openssh.com", mac: "" },
    { cipher: "aes256-ctr", mac: "hmac-sha2-256" },
  ] as const
) {
  Deno.test({
    name: `openShell() tells what was negotiated with ${cipher}`,
    // ssh2 does not finish ciphers in counter mode
    sanitizeResources: false,
    fn: async () => {
      await using server = await startServer(({ channel }) => greet(channel), {
        algorithms: {
          kex: ["ecdh-sha2-nistp256"],
          cipher: [cipher],
          hmac: ["hmac-sha2-256"],
        },
      });
      const shell = await openShell(createLogin(server), never);
      assert.deepEqual(shell.negotiated, {
        kex: "ecdh-sha2-nistp256",
        hostKey: "ssh-ed25519",
        cipher,
        mac,
      });
      await shell.end();
    },
  });
}

Deno.test("PAN-OS is answered however it asks", async (t) => {
  const password = passwordQuestion("correct horse");
  const unseen = { ...ACKNOWLEDGEMENT, echo: false };
  const cases: Readonly<Record<string, readonly Round[]>> = {
    "in separate rounds": [[ACKNOWLEDGEMENT], [password]],
    "in one round": [[ACKNOWLEDGEMENT, password]],
    "without echo": [[unseen], [password]],
    "without a banner": [[password]],
  };
  for (const [name, rounds] of Object.entries(cases)) {
    await t.step(name, async () => {
      await using firewall = await startFirewall({ rounds });
      const shell = await openShell(createLogin(firewall), never);
      assert.deepEqual(
        firewall.credentials.map(({ value }) => value),
        rounds.flat().map(({ answer }) => answer),
      );
      await shell.end();
    });
  }
});

Deno.test("a connection that is closed is judged by what was given before", async (t) => {
  const cases: Readonly<Record<string, Hangup>> = {
    "nothing: connect": {
      rounds: [],
      reason: "connect",
      message: /port \d+: it closed the connection$/,
    },
    "an acceptance: auth": {
      rounds: [ACKNOWLEDGEMENT],
      reason: "auth",
      message: /: after it was given an answer, it closed the connection$/,
    },
    "the password: auth": {
      rounds: [ACKNOWLEDGEMENT, passwordQuestion("correct horse")],
      reason: "auth",
      message: /: after it was given the credentials, it closed the connec/,
    },
  };
  for (const [name, { rounds, reason, message }] of Object.entries(cases)) {
    await t.step(name, async () => {
      await using server = await startServer(() => {}, {
        judge(attempt, socket): void {
          if (attempt.method !== "keyboard-interactive") {
            return attempt.reject(["keyboard-interactive"]);
          }
          const [...left] = rounds;
          const ask = (): void => {
            const question = left.shift();
            if (question === undefined) socket.destroy();
            else attempt.prompt([question], ask);
          };
          ask();
        },
      });
      await assert.rejects(openShell(createLogin(server), never), {
        reason,
        message,
      });
    });
  }
});

Deno.test("a password that the firewall says back is not shown", async (t) => {
  const password = "correct horse";
  const cases: Readonly<Record<string, Judge>> = {
    "in a question": (attempt) => {
      if (attempt.method !== "keyboard-interactive") {
        return attempt.reject(["keyboard-interactive"]);
      }
      attempt.prompt([passwordQuestion(password)], () => {
        attempt.prompt(`${password} is old, the token: `, () => {});
      });
    },
    "in a disconnect message": (attempt, _socket, client) => {
      if (attempt.method !== "password") return attempt.reject(["password"]);
      disconnect(client, `Account ${password} is locked`);
    },
    "among the methods": (attempt) =>
      Reflect.apply(attempt.reject, attempt, [[password]]),
  };
  for (const [name, judge] of Object.entries(cases)) {
    await t.step(name, async () => {
      await using server = await startServer(() => {}, { judge });
      await assert.rejects(
        openShell(createLogin(server), never),
        ({ message, cause }: Error) => {
          assert.match(message, /\*\*\*/);
          assert(!Deno.inspect([message, cause]).includes(password), message);
          return true;
        },
      );
    });
  }
});

Deno.test("a command may print more than 1 MiB, again and again", async () => {
  const text = `${"x".repeat(600)}\r\n`.repeat(1_000);
  await using server = await startServer(({ channel }) => {
    greet(channel);
    channel.on("data", (typed: Uint8Array) => {
      if (new TextDecoder().decode(typed) === "exit\n") return;
      channel.write(`${text}${text}${PROMPT}`);
    });
  });
  const shell = await openShell(createLogin(server), never);
  const reader = shell.output.getReader();
  await reader.read();
  for (let command = 0; command < 3; command++) {
    shell.expectOutput(IS_RUNNING);
    shell.write("show\n");
    let size = 0;
    while (size < 2 * text.length + PROMPT.length) {
      size += (await reader.read()).value?.length ?? NaN;
    }
    shell.expectOutput(!IS_RUNNING);
  }
  await shell.end();
});

Deno.test({
  name: "a kept session ends when it prints 1 MiB unasked",
  // ssh2 does not finish the cipher of a packet that is cut off
  sanitizeResources: false,
  fn: async () => {
    await using server = await startServer(({ channel }) => {
      channel.write(PROMPT);
      channel.once("data", () => {
        channel.write(PROMPT);
        channel.once("data", () => channel.write("x".repeat(1536 * 1024)));
      });
    });
    const shell = await openShell(createLogin(server), never);
    const reader = shell.output.getReader();
    await reader.read();
    shell.expectOutput(IS_RUNNING);
    shell.write("show\n");
    await reader.read();
    shell.expectOutput(!IS_RUNNING);
    shell.write("\n");
    await assert.rejects(
      async () => {
        while (!(await reader.read()).done);
      },
      {
        reason: "session",
        message: /it sends more than 1 MiB that is no output of a command$/,
      },
    );
    await server.untilEmpty();
  },
});

Deno.test({
  name: "a firewall that asks without end and does not listen is given up",
  // ssh2 does not finish the ciphers of this kind, which are the quick ones
  sanitizeResources: false,
  fn: async () => {
    await using server = await startServer(({ client, channel, socket }) => {
      channel.write(PROMPT);
      socket.pause();
      const protocol = Reflect.get(client, "_protocol");
      function ask(): void {
        if (socket.destroyed) return;
        socket.cork();
        for (let count = 0; count < 2_000; count++) protocol.ping();
        socket.uncork();
        setImmediate(ask);
      }
      ask();
    }, { algorithms: { cipher: ["aes128-ctr"] } });
    const shell = await openShell(createLogin(server), never);
    await assert.rejects(startCli(shell, SURROUNDINGS), {
      reason: "session",
      message: /sends more than 1 MiB that is no output of a command$/,
    });
    await server.untilEmpty();
  },
});

Deno.test("a host key is not accepted: nothing is asked, nothing is sent", async () => {
  await using server = await startServer(({ channel }) => greet(channel));
  let hasAsked = false;
  await assert.rejects(
    openShell(
      createLogin(server, {
        hostKey: {
          reject: (fingerprint) => `it shows ${fingerprint}`,
          confirm: () => {},
        },
        beforeCredential: () => Promise.resolve(void (hasAsked = true)),
      }),
      never,
    ),
    {
      reason: "host_key",
      message:
        `Cannot log in to 127.0.0.1 port ${server.port}: it shows ${server.fingerprint}`,
    },
  );
  assert(!hasAsked);
  assert.equal(server.passwords, 0);
  await server.untilEmpty();
});

Deno.test("a command costs no time beyond the firewall's own", async () => {
  await using server = await startServer(({ channel }) => {
    greet(channel);
    channel.on("data", (text: Uint8Array) => channel.write(text));
  });
  const shell = await openShell(createLogin(server), never);
  const reader = shell.output.getReader();
  await reader.read();
  let quickestMs = Infinity;
  for (let command = 0; command < 50; command++) {
    const startedAt = performance.now();
    shell.write("show\n");
    await reader.read();
    quickestMs = Math.min(quickestMs, performance.now() - startedAt);
  }
  // a delayed acknowledgement would cost each of them 40 ms
  assert(quickestMs < 20, `the quickest took ${quickestMs} ms`);
  await shell.end();
});

Deno.test("a session is lost when the firewall reacts to nothing any more", async () => {
  await using server = await startServer(({ channel, socket }) => {
    greet(channel);
    socket.pause();
  });
  const controller = new AbortController();
  const limit = setTimeout(() => controller.abort(late), 10_000);
  const shell = await openShell(createLogin(server), controller.signal, {
    keepaliveMs: 50,
  });
  const reader = shell.output.getReader();
  await reader.read();
  await assert.rejects(reader.read(), {
    name: "PollError",
    reason: "session",
    message: /"Keepalive timeout"$/,
  });
  clearTimeout(limit);
});

/** What a server does with the first shell of a connection. */
type Serve = (served: {
  readonly channel: ServerChannel;
  readonly client: Connection;
  readonly socket: Socket;
}) => void;

/** Lets somebody in, or does not. */
type Judge = (
  attempt: AuthContext,
  socket: Socket,
  client: Connection,
) => void;

interface ServerOptions {
  readonly algorithms?: Algorithms;
  /** By default every password is accepted. */
  readonly judge?: Judge;
}

/** A server that hangs up behind its questions, and what that is. */
interface Hangup {
  readonly rounds: Round;
  readonly reason: string;
  readonly message: RegExp;
}

interface TestServer extends AsyncDisposable {
  readonly port: number;
  readonly fingerprint: string;
  /** Passwords received so far. */
  readonly passwords: number;
  /** Settles when all connections are closed. */
  untilEmpty(): Promise<void>;
}

/** An SSH server without a command line. */
async function startServer(
  serve: Serve,
  { algorithms = {}, judge }: ServerOptions = {},
): Promise<TestServer> {
  const { privateKey, fingerprint } = createKeyPair();
  const sockets = new Set<Socket>();
  let passwords = 0;
  let emptied = Promise.withResolvers<void>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.setNoDelay();
    socket.on("error", () => {}); // a client that hangs up is no failure
    socket.once("close", () => {
      sockets.delete(socket);
      emptied.resolve();
      emptied = Promise.withResolvers();
    });
    const ssh = new Server({ hostKeys: [privateKey], algorithms }, (client) => {
      client.on("error", () => {});
      client.on("authentication", (attempt) => {
        if (judge !== undefined) return judge(attempt, socket, client);
        if (attempt.method !== "password") return attempt.reject(["password"]);
        passwords++;
        attempt.accept();
      });
      client.on("session", (accept) => {
        const session = accept();
        session.on("pty", (accept) => accept());
        session.on("shell", (accept) => {
          const channel = accept();
          channel.on("error", () => {});
          serve({ channel, client, socket });
        });
      });
    });
    ssh.injectSocket(socket);
  });
  return {
    port: await listen(server, 0),
    fingerprint,
    get passwords() {
      return passwords;
    },
    async untilEmpty(): Promise<void> {
      while (sockets.size > 0) await emptied.promise;
    },
    [Symbol.asyncDispose]: () => closeServer(server, sockets),
  };
}

/** Prints a prompt, and ends when it is told to. */
function greet(channel: ServerChannel): void {
  channel.write(PROMPT);
  channel.on("data", (typed: Uint8Array) => {
    if (new TextDecoder().decode(typed) === "exit\n") channel.close();
  });
}

function converse(channel: ServerChannel): void {
  greet(channel);
  channel.on("data", (typed: Uint8Array) => {
    const line = new TextDecoder().decode(typed).trimEnd();
    channel.write(`${line}\r\n${PROMPT}`);
  });
}

function createLogin(
  { port }: Pick<TestServer, "port">,
  changes: Partial<Login> = {},
): Login {
  return {
    credentials: {
      username: "monitor",
      password: new Secret("correct horse"),
      privateKey: undefined,
    },
    host: "127.0.0.1",
    port,
    legacyAlgorithms: false,
    hostKey: acceptFirst(() => {}),
    beforeCredential: () => Promise.resolve(),
    onAccepted: () => {},
    onPhase: () => {},
    ...changes,
  };
}
