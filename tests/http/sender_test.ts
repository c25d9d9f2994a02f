import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import { type Answer, encode, plain } from "../../src/http/answer.ts";
import { Sender } from "../../src/http/sender.ts";
import { type FakeTime, stopTime } from "../support/fake_time.ts";

const LARGE_SIZE = 2_310_000;
/** How long the place of such a body is kept. */
const READ_MS = 770;

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
  await sent[0]?.bytes();
  await time.pass(READ_MS - 1);
  assert(!isSent, "the kernel may have it all, and nobody have read it");
  await time.pass(1);
  assert.equal((await (await next).bytes()).length, LARGE_SIZE);
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
  assert.equal((await (await send(LARGE)).bytes()).length, LARGE_SIZE);
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
    await (await send(LARGE, "one")).bytes();
  }
  assert.equal(time.timers, 1);
});

Deno.test("who comes once after another waits no longer than one needs to read", async () => {
  using time = stopTime();
  const { send } = start(time);
  for (let count = 1; count <= 100; count++) {
    const since = time.now;
    assert.equal(await receive(await time.until(send(LARGE))), 200);
    assert(time.now - since <= READ_MS, `number ${count} at ${time.now} ms`);
  }
  await time.pass(READ_MS);
  assert.equal(time.timers, 0);
});

Deno.test("twice as many as there are places are served at once", async () => {
  using time = stopTime();
  const { send } = start(time);
  const sent = Array.from({ length: 64 }, () => send(LARGE).then(receive));
  const statuses = await time.until(Promise.all(sent));
  assert.deepEqual(new Set(statuses), new Set([200]));
  assert.equal(time.now, READ_MS);
});

Deno.test("a crowd that asks for little is served", async () => {
  using time = stopTime();
  const { send } = start(time);
  const little: Answer = { ...LARGE, parts: [encode("x".repeat(180_000))] };
  const sent = Array.from({ length: 400 }, () => send(little).then(receive));
  const statuses = await time.until(Promise.all(sent));
  assert.deepEqual(new Set(statuses), new Set([200]));
  assert.equal(time.now, 12 * 60);
});

Deno.test("a crowd gets 32 bodies, and the next crowd none while that one stays", async () => {
  using time = stopTime();
  const { send } = start(time);
  assert.equal(await comeInCrowd(time, send), 32);
  assert.equal(await comeInCrowd(time, send), 0);
});

Deno.test("after a crowd who comes alone gets the place of its oldest", async () => {
  using time = stopTime();
  const { send } = start(time);
  await comeInCrowd(time, send);
  for (let count = 1; count <= 40; count++) {
    const since = time.now;
    assert.equal(await receive(await time.until(send(LARGE))), 200);
    assert(time.now - since <= READ_MS, `number ${count} at ${time.now} ms`);
  }
  await time.pass(READ_MS);
  // of the crowd only the first has lost its place
  assert.equal(await comeInCrowd(time, send), 1);
});

Deno.test("one of a crowd that asks again gives its place at once", async () => {
  using time = stopTime();
  const { send } = start(time);
  await comeInCrowd(time, send);
  await send(plain(200, "Healthy"), "7");
  const since = time.now;
  assert.equal(await receive(await time.until(send(LARGE))), 200);
  assert.equal(time.now, since);
});

Deno.test("an hour after a crowd its places are free", async () => {
  using time = stopTime();
  const { send } = start(time);
  await comeInCrowd(time, send);
  assert.equal(await receive(await time.until(send(LARGE))), 200);
  await time.pass(3_500_000);
  assert.equal(await comeInCrowd(time, send), 1);
  await time.pass(3_600_000);
  assert.equal(time.timers, 0);
  assert.equal(await comeInCrowd(time, send), 32);
});

Deno.test("a large body is compressed for who wants it", async () => {
  using time = stopTime();
  const { sender } = start(time);
  const headers = { "accept-encoding": "gzip" };
  const request = new Request(URL, { headers });
  const response = await sender.send(LARGE, request, { remoteAddr: {} });
  const body = await response.bytes();
  assert.equal(response.headers.get("content-encoding"), "gzip");
  assert.equal(response.headers.get("content-length"), String(body.length));
  assert.equal(gunzipSync(body).length, LARGE_SIZE);
  await time.pass(1_000);
  assert.equal(time.timers, 0);
});

Deno.test("HEAD tells what GET would send, and needs no place", async () => {
  using time = stopTime();
  const { sender } = start(time);
  for (const coding of ["identity", "gzip"]) {
    const headers = { "accept-encoding": coding };
    const ask = async (method: string): Promise<Response> =>
      await sender.send(LARGE, new Request(URL, { method, headers }), {
        remoteAddr: { method, coding },
      });
    const head = await ask("HEAD");
    assert.equal(head.body, null);
    assert.equal(time.timers, 0);
    const got = await ask("GET");
    assert.deepEqual([...head.headers], [...got.headers]);
    await got.bytes();
    await time.pass(1_000);
  }
});

const URL = "http://127.0.0.1/metrics";

const LARGE: Answer = {
  ...plain(200, ""),
  parts: [encode("x".repeat(LARGE_SIZE))],
};

/** Lets the kernel take all of an answer, whoever may read it. */
async function receive(response: Response): Promise<number> {
  await response.bytes();
  return response.status;
}

/**
 * Lets 400 ask within 400 ms, each on a connection of its own.
 *
 * @returns How many got a body; the others were refused after 5 s.
 */
async function comeInCrowd(
  time: FakeTime,
  send: (answer: Answer) => Promise<Response>,
): Promise<number> {
  let served = 0;
  const ask = async (): Promise<void> => {
    const since = time.now;
    const status = await receive(await send(LARGE));
    if (status === 200) served++;
    else assert.deepEqual([status, time.now - since], [503, 5_000]);
  };
  const asked: Promise<void>[] = [];
  for (let count = 1; count <= 400; count++) {
    asked.push(ask());
    await time.pass(1);
  }
  await time.until(Promise.all(asked));
  return served;
}

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
      sender.send(answer, new Request(URL), { remoteAddr: { connection } }),
  };
}
