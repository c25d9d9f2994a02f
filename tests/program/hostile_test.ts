import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createServer, type Socket } from "node:net";
// @ts-types="@types/ssh2"
import { Server } from "ssh2";
import { runExporter, startExporter } from "../support/exporter.ts";
import { type FirewallOptions, startFirewall } from "../support/firewall.ts";
import { passwordQuestion } from "../support/firewall_login.ts";
import {
  FLOOD_BYTES,
  startFloodingFirewall,
} from "../support/flooding_firewall.ts";
import { disconnect } from "../support/disconnect.ts";
import { createKeyPair } from "../support/key_pair.ts";
import { closeServer, listen } from "../support/listener.ts";
import {
  damageHostKey,
  damageSignature,
  forwardTo,
  startRawServer,
} from "../support/raw_server.ts";
import { eventually } from "../support/system.ts";
import { inventTunnels, printVpnFlow } from "../support/vpn_flow_reply.ts";

Deno.test("a handshake with a damaged byte fails a scrape, and not the next one", async (t) => {
  const damages = {
    "in the host key": damageHostKey,
    "in its signature": damageSignature,
  };
  for (const [where, damage] of Object.entries(damages)) {
    await t.step(where, async () => {
      await using firewall = await startFirewall();
      await using wire = await startRawServer(
        forwardTo(
          firewall.port,
          (chunk, connection) => connection === 1 ? damage(chunk) : chunk,
        ),
      );
      await using exporter = await startExporter({
        USERNAME: firewall.username,
        PASSWORD: firewall.password,
        HOSTNAME: "127.0.0.1",
        SSH_PORT: String(wire.port),
        MIN_POLL_INTERVAL: "0",
      });
      assert.equal((await exporter.scrape()).verdict, "connect");
      assert.deepEqual(firewall.credentials, []);
      assert.equal((await exporter.scrape()).verdict, "up");
      const pin = `SSH_HOST_KEY=${firewall.fingerprint}`;
      assert((await exporter.logged(/SSH_HOST_KEY=SHA256:/)).includes(pin));
      const { shown } = await exporter.stop();
      assert.equal(shown.match(/SSH_HOST_KEY=SHA256:/g)?.length, 1);
    });
  }
});

Deno.test("a flood on a kept session keeps nobody else waiting, and ends it", async () => {
  await using flooding = await startFloodingFirewall();
  let flooded = 0;
  await using wire = await startRawServer(
    forwardTo(flooding.port, (chunk) => {
      flooded += chunk.length;
      return chunk;
    }),
  );
  await using exporter = await startExporter({
    USERNAME: "monitor",
    PASSWORD: "correct horse",
    HOSTNAME: "127.0.0.1",
    SSH_PORT: String(wire.port),
    MIN_POLL_INTERVAL: "0",
  });
  assert.equal((await exporter.scrape()).verdict, "up");
  const isFlooding = (): boolean => flooded > FLOOD_BYTES / 10;
  assert(await eventually(isFlooding, { seconds: 30 }), "there is no flood");
  let answers = 0;
  for (; wire.openConnections > 0; answers++) {
    assert(answers < 10_000, "the session was not ended");
    assert.equal((await exporter.get("/-/healthy")).status, 200);
  }
  assert(answers >= 5, `${answers} answers while 1 MiB was read`);
});

for (const password of ["correct & horse", "a&b"]) {
  const name = `a password of ${password.length} characters`;
  Deno.test(`${name} that the firewall says back is nowhere to be read`, async () => {
    await Promise.all([
      ...Object.values(ECHOES).map(async (echo) => {
        const { hint, ...options } = echo(password);
        await using firewall = await startFirewall({ password, ...options });
        await assertMasks(firewall.port, { password, hint });
      }),
      (async () => {
        const hint = "is locked on this firewall";
        await using rude = await startRudeServer(`${password} ${hint}`);
        await assertMasks(rude.port, { password, hint });
      })(),
    ]);
  });

  Deno.test(`${name} that is the name of a tunnel is read in the labels alone`, async () => {
    const tunnels = inventTunnels(2).map((tunnel) => ({
      ...tunnel,
      name: password,
    }));
    await using firewall = await startFirewall({
      password,
      reply: (_command, answered) =>
        printVpnFlow(tunnels).replace(
          "active ",
          answered === 0 ? "active " : "rekey  ",
        ),
    });
    await using exporter = await startExporter({
      ...account(firewall.port, password),
      MIN_POLL_INTERVAL: "0",
    });
    for (const state of [1, 3]) {
      const { states, series } = await exporter.scrape();
      assert.equal(states[0], state);
      const [labels] = series("ifIPsecOperStatus").map(({ labels }) => labels);
      assert.equal(labels?.["ifAlias"], password);
    }
    const { text } = await exporter.get("/");
    assert.match(text, /tunnel\.2/);
    assert(!holds(text, password), text);
    await exporter.logged(/not known/);
    const { log } = await exporter.stop();
    assert(!holds(log.join("\n"), password), log.join("\n"));
  });
}

Deno.test("clients that do not read cost no more than a few answers", async () => {
  const table = printVpnFlow(inventTunnels(10_000));
  await using firewall = await startFirewall({ reply: () => table });
  await using exporter = await startExporter(
    account(firewall.port, firewall.password),
  );
  const { pid, port } = exporter;
  const isServed = async (): Promise<boolean> =>
    (await exporter.get("/metrics")).status === 200;
  for (let warm = 0; warm < 3; warm++) await exporter.scrape();
  const before = await residentBytes(pid);
  {
    using clients = new DisposableStack();
    let unread = 0;
    // the second crowd comes while the first one stays
    for (const [crowd, most] of [[1, 192], [2, 16]] as const) {
      clients.use(await askWithoutReading(port));
      const areAnswered = async (): Promise<boolean> =>
        (await queuesAt(port)).filter(({ isAnswer }) => isAnswer).length >=
          crowd * CLIENTS;
      assert(await eventually(areAnswered, { seconds: 60 }), "no answer");
      const now = await unreadBytes(port);
      // in resident memory garbage would hide what a second crowd may cost
      const more = (now - unread) / MIB;
      assert(more < most, `${more} MiB more are not read in crowd ${crowd}`);
      unread = now;
      const grown = (await residentBytes(pid) - before + unread) / MIB;
      assert(grown < 192, `it grew by ${grown} MiB in crowd ${crowd}`);
      assert(
        await eventually(isServed, { seconds: 60 }),
        "no reader is served",
      );
    }
  }
  const isGone = async (): Promise<boolean> => await unreadBytes(port) === 0;
  assert(await eventually(isGone, { seconds: 60 }), "connections stay");
  assert(await isServed());
});

/** A firewall that says a password back, and what stands beside it. */
type Echo = (password: string) => FirewallOptions & { readonly hint: string };

const TABLE = printVpnFlow(inventTunnels(3));

const ECHOES: Readonly<Record<string, Echo>> = {
  "in a second question": (password) => ({
    rounds: [
      [passwordQuestion(password)],
      [{ prompt: `${password} is old, the token: `, echo: false, answer: "" }],
    ],
    hint: "is old, the token",
  }),
  "in a question of the shell": (password) => ({
    prompt: `${password} has expired, the new password: `,
    hint: "has expired, the new",
  }),
  "in a refusal of the command": (password) => ({
    reply: () => `Server error : ${password} may not do that`,
    hint: "may not do that",
  }),
  "in a row that cannot be read": (password) => ({
    reply: () => TABLE.replace(/^2 .*$/m, `2 ${password} stands here`),
    hint: "stands here",
  }),
  "in XML that cannot be read": (password) => ({
    reply: () => "no table\n",
    replyXml: () =>
      `<response status="error"><msg><line>${
        escapeXml(password)
      } is not a node</line></msg></response>\n`,
    hint: "is not a node",
  }),
};

/** Fails to poll and to check a firewall, and looks at all that is said. */
async function assertMasks(
  port: number,
  { password, hint }: { readonly password: string; readonly hint: string },
): Promise<void> {
  const environment = { ...account(port, password), LOG_LEVEL: "debug" };
  await using exporter = await startExporter(environment);
  assert.notEqual((await exporter.scrape()).verdict, "up");
  await exporter.get("/");
  await exporter.logged(/poll failed/);
  const { stdout, stderr } = await runExporter(["--check"], environment);
  const ended = await exporter.stop();
  for (const shown of [ended.shown, stdout + stderr]) {
    assert(!holds(shown, password), shown);
    // of a short one the text around it is left out
    assert.equal(shown.includes(`*** ${hint}`), password.length >= 4, shown);
    assert.equal(shown.includes(hint), password.length >= 4, shown);
  }
}

function account(port: number, password: string): Record<string, string> {
  return {
    USERNAME: "monitor",
    PASSWORD: password,
    HOSTNAME: "127.0.0.1",
    SSH_PORT: String(port),
  };
}

/** Whether a text holds a password, in whatever way it is written. */
function holds(text: string, password: string): boolean {
  return [password, escapeXml(password), encodeURIComponent(password)]
    .some((spelling) => text.includes(spelling));
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;");
}

/** Starts a server that hangs up on a password, and says something. */
async function startRudeServer(
  text: string,
): Promise<AsyncDisposable & { readonly port: number }> {
  const { privateKey } = createKeyPair();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {}); // a client that hangs up is no failure
    socket.on("close", () => sockets.delete(socket));
    new Server({ hostKeys: [privateKey] }, (client) => {
      client.on("error", () => {});
      client.on("authentication", (attempt) => {
        if (attempt.method === "password") disconnect(client, text);
        else attempt.reject(["password"]);
      });
    }).injectSocket(socket);
  });
  return {
    port: await listen(server, 0),
    [Symbol.asyncDispose]: () => closeServer(server, sockets),
  };
}

const MIB = 1024 * 1024;

/** A hundred connections of HTTP/1, and two of HTTP/2. */
const CLIENTS = 102;

/** Asks for /metrics once in each of HTTP/1, and 100 times in each of HTTP/2. */
async function askWithoutReading(port: number): Promise<Disposable> {
  using connections = new DisposableStack();
  const ask = async (bytes: Uint8Array): Promise<void> => {
    const connection = connections.use(await Deno.connect({ port }));
    await connection.write(bytes);
  };
  const request = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
  for (let count = 1; count <= 100; count++) await ask(Buffer.from(request));
  for (let count = 1; count <= 2; count++) await ask(requestsOfHttp2());
  return connections.move();
}

/** A connection of HTTP/2 that asks 100 times, with windows of 0 bytes. */
function requestsOfHttp2(): Uint8Array {
  const frame = (
    type: number,
    flags: number,
    stream: number,
    payload: Buffer,
  ): Buffer => {
    const head = Buffer.alloc(9);
    head.writeUIntBE(payload.length, 0, 3);
    head[3] = type;
    head[4] = flags;
    head.writeUInt32BE(stream, 5);
    return Buffer.concat([head, payload]);
  };
  const INITIAL_WINDOW_SIZE = Buffer.from([0, 4, 0, 0, 0, 0]);
  // :method GET, :scheme http, :path, :authority
  const headers = Buffer.from("\x82\x86\x04\x08/metrics\x01\x01x", "latin1");
  return Buffer.concat([
    Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    frame(4, 0, 0, INITIAL_WINDOW_SIZE),
    ...Array.from(
      { length: 100 },
      (_, index) => frame(1, 5, 2 * index + 1, headers),
    ),
  ]);
}

async function residentBytes(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1_024;
}

/** Bytes that were sent in connections to a port, and not read. */
async function unreadBytes(port: number): Promise<number> {
  const queues = await queuesAt(port);
  return queues.reduce((sum, { bytes }) => sum + bytes, 0);
}

interface Queue {
  readonly bytes: number;
  /** Whether a client has these, and need only read them. */
  readonly isAnswer: boolean;
}

/** The queues that are not empty, of both ends of the connections to a port. */
async function queuesAt(port: number): Promise<readonly Queue[]> {
  const table = await Deno.readTextFile("/proc/net/tcp");
  const end = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return table.split("\n").slice(1).flatMap((line) => {
    const [, local, remote, , queues = ""] = line.trim().split(/\s+/);
    const isClient = remote?.endsWith(end) === true;
    if (!isClient && local?.endsWith(end) !== true) return [];
    const [sent = 0, received = 0] = queues.split(":")
      .map((size) => Number.parseInt(size, 16));
    return [
      { bytes: sent, isAnswer: false },
      { bytes: received, isAnswer: isClient },
    ].filter(({ bytes }) => bytes > 0);
  });
}
