import assert from "node:assert/strict";
import { LineQueue } from "../../src/std/line_queue.ts";

Deno.test("lines are written in their order, those that wait in one piece", async () => {
  const { queue, written, release } = start();
  for (const line of ["one", "two", "three"]) queue.push(line);
  release();
  await queue.flushed();
  assert.deepEqual(written, ["one\n", "two\nthree\n"]);
});

Deno.test("a write that takes a part only is gone on with", async () => {
  const written: string[] = [];
  const queue = new LineQueue((bytes) => {
    written.push(new TextDecoder().decode(bytes.subarray(0, 2)));
    return Promise.resolve(Math.min(2, bytes.length));
  }, String);
  queue.push("abc");
  await queue.flushed();
  assert.deepEqual(written, ["ab", "c\n"]);
});

Deno.test("what does not fit is dropped, and its count is written next", async () => {
  const { queue, written, release } = start();
  const line = "x".repeat(1_000);
  for (let count = 0; count < 1_500; count++) queue.push(line);
  release();
  await queue.flushed();
  queue.push("later");
  await queue.flushed();
  const lines = written.join("").trimEnd().split("\n");
  const kept = lines.filter((each) => each === line).length;
  assert(kept >= 999 && kept <= 1_001, `${kept} were kept`);
  // the first line was being written already
  assert.deepEqual(lines.filter((each) => each !== line), [
    `dropped ${1_500 - kept}`,
    "later",
  ]);
  assert.equal(lines[1], `dropped ${1_500 - kept}`);
});

Deno.test("a write that fails is forgotten, and the next one is tried", async () => {
  const written: string[] = [];
  let isFull = true;
  const queue = new LineQueue((bytes) => {
    if (isFull) return Promise.reject(new Error("No space left on device"));
    written.push(new TextDecoder().decode(bytes));
    return Promise.resolve(bytes.length);
  }, String);
  queue.push("lost");
  await queue.flushed();
  isFull = false;
  queue.push("kept");
  await queue.flushed();
  assert.deepEqual(written, ["kept\n"]);
});

/** A queue to a reader who reads nothing until he is released. */
function start(): {
  readonly queue: LineQueue;
  readonly written: readonly string[];
  release(): void;
} {
  const written: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const queue = new LineQueue(async (bytes) => {
    written.push(new TextDecoder().decode(bytes));
    await promise;
    return bytes.length;
  }, (count) => `dropped ${count}`);
  return { queue, written, release: resolve };
}
