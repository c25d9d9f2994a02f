import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { connect } from "node:net";
import { setImmediate } from "node:timers";
import { type Clock, systemClock } from "../../src/std/clock.ts";
import { PacedSocket } from "../../src/ssh/paced_socket.ts";
import { startRawServer } from "../support/raw_server.ts";

Deno.test("PacedSocket leaves a turn of the event loop between portions that take long", async () => {
  const sent = Buffer.alloc(300_000, "portion");
  await using server = await startRawServer((socket) => socket.end(sent));
  const socket = connect({ host: "127.0.0.1", port: server.port });
  await once(socket, "connect");

  let turns = 0;
  let isOver = false;
  (function turn(): void {
    turns++;
    if (!isOver) setImmediate(turn);
  })();
  const received: { chunk: Buffer; turn: number }[] = [];
  let now = 0;
  const slow: Clock = { ...systemClock, monotonicMs: () => now += 10 };
  const paced = new PacedSocket(socket, slow);
  paced.on("data", (chunk: Buffer) => received.push({ chunk, turn: turns }));
  await once(paced, "close");
  isOver = true;

  assert(Buffer.concat(received.map(({ chunk }) => chunk)).equals(sent));
  for (const { chunk } of received) assert(chunk.length <= 16 * 1024);
  const when = received.map(({ turn }) => turn);
  assert.equal(new Set(when).size, when.length, `portions came at ${when}`);
});

Deno.test("PacedSocket writes what it is given, up to its end", async () => {
  await using server = await startRawServer(() => {});
  const socket = connect({ host: "127.0.0.1", port: server.port });
  await once(socket, "connect");
  const paced = new PacedSocket(socket);
  paced.resume();
  for (const part of ["one ", "two ", "three"]) paced.write(part);
  paced.end();
  await once(paced, "close");
  assert.equal(server.received, "one two three");
});
