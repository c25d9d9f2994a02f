import assert from "node:assert/strict";
import { once } from "node:events";
import { dial } from "../../src/ssh/dial.ts";
import { PollError } from "../../src/model/poll.ts";
import { systemClock as clock } from "../../src/std/clock.ts";
import { startRawServer, staySilent } from "../support/raw_server.ts";
import { reservePort } from "../support/system.ts";

const never = new AbortController().signal;
const late = new PollError("timeout", "Cannot log in within 1 s");

Deno.test("dial() connects to an address", async () => {
  await using server = await startRawServer(staySilent);
  const socket = await dial("127.0.0.1", server.port, never, { clock });
  assert.equal(socket.remotePort, server.port);
  await close(socket);
});

Deno.test("dial() connects to a name", async () => {
  await using server = await startRawServer(staySilent);
  const socket = await dial("localhost", server.port, never, { clock });
  assert.equal(socket.remotePort, server.port);
  await close(socket);
});

Deno.test("dial() connects to the live one of several addresses", async (t) => {
  // nothing listens at 127.0.0.2, and nothing at all is at 192.0.2.1
  const cases: Readonly<Record<string, readonly string[]>> = {
    "the first refuses": ["127.0.0.2", "127.0.0.1"],
    "the first is dead": ["192.0.2.1", "127.0.0.1"],
    "the first two are": ["127.0.0.2", "192.0.2.1", "127.0.0.1"],
    "the last refuses": ["127.0.0.1", "127.0.0.2"],
    "the last is dead": ["127.0.0.1", "192.0.2.1"],
  };
  for (const [name, addresses] of Object.entries(cases)) {
    await t.step(name, async () => {
      await using server = await startRawServer(staySilent);
      const socket = await dial(
        "fw.example",
        server.port,
        never,
        { clock, resolveHost: () => Promise.resolve([...addresses]) },
      );
      assert.equal(socket.remoteAddress, "127.0.0.1");
      assert.equal(socket.remotePort, server.port);
      await close(socket);
    });
  }
});

Deno.test("dial() does not wait for an address that does not answer", async () => {
  await using server = await startRawServer(staySilent);
  using silent = await listenInVain(server.port);
  const socket = await dial(
    "fw.example",
    server.port,
    never,
    {
      clock,
      resolveHost: () => Promise.resolve([silent.address, "127.0.0.1"]),
    },
  );
  assert.equal(socket.remoteAddress, "127.0.0.1");
  await close(socket);
});

Deno.test("dial() keeps one connection when several addresses answer", async () => {
  await using server = await startRawServer(staySilent);
  const socket = await dial(
    "fw.example",
    server.port,
    never,
    {
      clock,
      resolveHost: () =>
        Promise.resolve(["127.0.0.1", "127.0.0.1", "127.0.0.1"]),
    },
  );
  assert.equal(server.connections, 1);
  await close(socket);
});

Deno.test("dial() fails as the last address did when none answers", async () => {
  using reserved = await reservePort();
  await assert.rejects(
    dial(
      "fw.example",
      reserved.port,
      never,
      { clock, resolveHost: () => Promise.resolve(["127.0.0.1", "127.0.0.2"]) },
    ),
    (error: Error) => /refused/i.test(error.message),
  );
});

Deno.test("dial() fails for a name that nobody knows", async () => {
  const unknown = new Error("getaddrinfo ENOTFOUND fw.example");
  await assert.rejects(
    dial("fw.example", 22, never, {
      clock,
      resolveHost: () => Promise.reject(unknown),
    }),
    unknown,
  );
});

Deno.test("dial() ends with the signal's reason", async (t) => {
  await t.step("before it begins", async () => {
    await assert.rejects(
      dial("127.0.0.1", 1, AbortSignal.abort(late), { clock }),
      late,
    );
  });
  await t.step("while the name is looked up", async () => {
    const controller = new AbortController();
    const dialled = dial("fw.example", 1, controller.signal, {
      clock,
      resolveHost(): Promise<string[]> {
        controller.abort(late);
        return new Promise(() => {});
      },
    });
    await assert.rejects(dialled, late);
  });
  await t.step("while an address does not answer", async () => {
    await using server = await startRawServer(staySilent);
    using silent = await listenInVain(server.port);
    const controller = new AbortController();
    const dialled = dial(silent.address, server.port, controller.signal, {
      clock,
    });
    controller.abort(late);
    await assert.rejects(dialled, late);
  });
});

async function close(socket: Awaited<ReturnType<typeof dial>>): Promise<void> {
  const closed = once(socket, "close");
  socket.destroy();
  await closed;
}

/** An address at which a connection is neither accepted nor refused. */
async function listenInVain(
  port: number,
): Promise<Disposable & { readonly address: string }> {
  const address = "127.0.0.3";
  const listener = Deno.listen({ hostname: address, port, tcpBacklog: 1 });
  // as nobody takes them out, two connections fill the queue
  const waiting = await Promise.all([
    Deno.connect({ hostname: address, port }),
    Deno.connect({ hostname: address, port }),
  ]);
  return {
    address,
    [Symbol.dispose](): void {
      for (const connection of waiting) connection.close();
      listener.close();
    },
  };
}
