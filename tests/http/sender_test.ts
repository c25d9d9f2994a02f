import assert from "node:assert/strict";
import { type Answer, encode, plain } from "../../src/http/answer.ts";
import { Sender } from "../../src/http/sender.ts";
import { type FakeTime, stopTime } from "../support/fake_time.ts";

const LARGE_SIZE = 200_000;

Deno.test("a large body arrives as it is, whatever its parts", async () => {
  using time = stopTime();
  const { send } = start(time);
  const parts = ["a".repeat(100_000), "b".repeat(65_536), "", "c"].map(encode);
  const response = await send({ ...LARGE, parts });
  assert.equal(response.headers.get("content-length"), "165537");
  assert.equal(response.status, 200);
  const text = await response.text();
  assert.equal(text, `${"a".repeat(100_000)}${"b".repeat(65_536)}c`);
  await time.pass(1_000);
  assert.equal(time.timers, 0);
});

Deno.test("32 large bodies are sent at once, and the next one when one is done", async () => {
  using time = stopTime();
  const { send } = start(time);
  const sent = await Promise.all(Array.from({ length: 32 }, () => send(LARGE)));
  let isSent = false;
  const next = send(LARGE).then((response) => {
    isSent = true;
    return response;
  });
  await time.settle();
  assert(!isSent);
  assert.equal((await sent[0]?.text())?.length, LARGE_SIZE);
  await time.pass(499);
  assert(!isSent, "the kernel may have it all, and nobody have read it");
  await time.pass(1);
  assert.equal((await (await next).text()).length, LARGE_SIZE);
});

Deno.test("who waits 5 s for a place is told to come again", async () => {
  using time = stopTime();
  const { send } = start(time);
  await Promise.all(Array.from({ length: 32 }, () => send(LARGE)));
  const response = send(LARGE);
  await time.pass(5_000);
  const { status, headers } = await response;
  assert.deepEqual([status, headers.get("retry-after")], [503, "1"]);
});

Deno.test("small answers need no place", async () => {
  using time = stopTime();
  const { send } = start(time);
  await Promise.all(Array.from({ length: 32 }, () => send(LARGE)));
  assert.equal(await (await send(plain(200, "Healthy"))).text(), "Healthy\n");
});

Deno.test("a body that nobody reads for 30 s is cancelled, and gives its place", async () => {
  using time = stopTime();
  const { send } = start(time);
  const sent = await Promise.all(Array.from({ length: 32 }, () => send(LARGE)));
  const [unread, slow] = sent.map(({ body }) => body?.getReader());
  assert(unread && slow);
  await time.pass(29_000);
  assert(!(await slow.read()).done);
  await time.pass(1_000);
  await assert.rejects(unread.read(), /nobody reads/);
  assert(!(await slow.read()).done, "it had moved a second before");
  assert.equal((await (await send(LARGE)).text()).length, LARGE_SIZE);
});

Deno.test("a client that goes away gives its place, once", async () => {
  using time = stopTime();
  const { send } = start(time);
  for (let round = 1; round <= 3; round++) {
    const sent = await Promise.all(
      Array.from({ length: 32 }, () => send(LARGE)),
    );
    for (const { body } of sent) await body?.cancel();
  }
  await Promise.all(Array.from({ length: 32 }, () => send(LARGE)));
  const response = send(LARGE);
  await time.pass(5_000);
  assert.equal((await response).status, 503);
});

Deno.test("a connection that asks for more has read what it was sent", async () => {
  using time = stopTime();
  const { send } = start(time);
  for (let round = 1; round <= 100; round++) {
    assert.equal((await (await send(LARGE, "one")).text()).length, LARGE_SIZE);
  }
  assert.equal(time.timers, 1);
});

Deno.test("HEAD tells the size of a large body, and needs no place", async () => {
  using time = stopTime();
  const { sender } = start(time);
  const response = await sender.send(LARGE, "HEAD", "1");
  assert.equal(response.headers.get("content-length"), String(LARGE_SIZE));
  assert.equal(response.body, null);
  assert.equal(time.timers, 0);
});

const LARGE: Answer = {
  ...plain(200, ""),
  parts: [encode("x".repeat(LARGE_SIZE))],
};

function start({ clock }: FakeTime): {
  readonly sender: Sender;
  /** On a connection of its own, unless one is given. */
  send(answer: Answer, connection?: string): Promise<Response>;
} {
  const sender = new Sender(clock);
  let connections = 0;
  return {
    sender,
    send: (answer, connection = `${++connections}`) =>
      sender.send(answer, "GET", connection),
  };
}
