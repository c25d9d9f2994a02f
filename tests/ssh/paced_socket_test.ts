import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setImmediate } from "node:timers";
import { type Clock, systemClock } from "../../src/std/clock.ts";
import { PacedSocket } from "../../src/ssh/paced_socket.ts";
import { type RawServer, startRawServer } from "../support/raw_server.ts";

Deno.test("PacedSocket leaves a turn of the event loop between portions that take long", async () => {
  const sent = Buffer.alloc(300_000, "portion");
  await using server = await startRawServer((socket) => socket.end(sent));
  const socket = await reach(server);
  let turns = 0;
  let isOver = false;
  (function turn(): void {
    turns++;
    if (!isOver) setImmediate(turn);
  })();
  const received: { chunk: Buffer; turn: number }[] = [];
  const paced = new PacedSocket(socket, createSlowClock());
  paced.on("data", (chunk: Buffer) => received.push({ chunk, turn: turns }));
  await once(paced, "close");
  isOver = true;

  assert(Buffer.concat(received.map(({ chunk }) => chunk)).equals(sent));
  for (const { chunk } of received) assert(chunk.length <= 16 * 1024);
  const when = received.map(({ turn }) => turn);
  assert.equal(new Set(when).size, when.length, `portions came at ${when}`);
});

Deno.test("PacedSocket hands on less at once where it takes long", async () => {
  await using server = await startRawServer((socket) =>
    socket.end(Buffer.alloc(100_000))
  );
  const paced = new PacedSocket(await reach(server), createSlowClock());
  const sizes: number[] = [];
  paced.on("data", ({ length }: Buffer) => sizes.push(length));
  await once(paced, "close");
  assert.equal(sizes[0], 16 * 1024);
  assert.equal(sizes.at(-2), 512);
});

Deno.test("PacedSocket keeps nobody else's socket waiting", async () => {
  await using server = await startRawServer((socket) =>
    socket.end(Buffer.alloc(500_000))
  );
  await using mirror = await startRawServer((socket) => socket.pipe(socket));
  using other = await Deno.connect({ port: mirror.port });
  const paced = new PacedSocket(await reach(server), createSlowClock());
  let portions = 0;
  let isOver = false;
  paced.on("data", () => portions++);
  paced.on("close", () => isOver = true);
  let answers = 0;
  for (const byte = new Uint8Array(1); !isOver; answers++) {
    await other.write(byte);
    await other.read(byte);
  }
  assert(answers > portions, `${answers} answers in ${portions} portions`);
});

Deno.test("PacedSocket writes at once what it is given in parts, up to its end", async () => {
  await using server = await startRawServer(() => {});
  const socket = await reach(server);
  const written: string[] = [];
  const write = socket.write.bind(socket);
  socket.write = (packet: string | Uint8Array): boolean => {
    written.push(String(packet));
    return write(packet);
  };
  const paced = new PacedSocket(socket, systemClock);
  paced.resume();
  for (const part of ["one ", "two ", "three"]) paced.write(part);
  paced.end();
  await once(paced, "close");
  assert.deepEqual(written, ["one two three"]);
  assert.equal(server.received, "one two three");
});

/** A clock by which whatever is done takes 10 ms. */
function createSlowClock(): Clock {
  let now = 0;
  return {
    monotonicMs: () => now += 10,
    unixSeconds: () => systemClock.unixSeconds(),
    setTimer: (ms, ring) => systemClock.setTimer(ms, ring),
  };
}

async function reach({ port }: RawServer): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port });
  await once(socket, "connect");
  return socket;
}
