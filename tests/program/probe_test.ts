import assert from "node:assert/strict";
import {
  environmentFor,
  type Exporter,
  type Page,
  startExporter,
} from "../support/exporter.ts";
import { type SimulatedFirewall, startFirewall } from "../support/firewall.ts";
import { startRawServer, staySilent } from "../support/raw_server.ts";
import { eventually } from "../support/system.ts";

Deno.test("a target that is refused receives no packet", async (t) => {
  await using listed = await startFirewall();
  await using trap = await startRawServer(staySilent);
  await using exporter = await startExporter({
    ...environmentFor(listed),
    HOSTNAME: "localhost",
    SSH_PORT: String(trap.port),
    TARGETS: nameOf(listed),
  });
  const mine = nameOf(listed);
  const other = `127.0.0.1:${trap.port}`;
  const queries: Readonly<Record<string, string>> = {
    "not listed": `target=${other}`,
    "HOSTNAME, which is not listed": "target=localhost",
    "no port, and so the default one": "target=127.0.0.1",
    "another name of a listed host": `target=localhost:${listed.port}`,
    "all interfaces": `target=0.0.0.0:${trap.port}`,
    "an address inside another": `target=[::ffff:127.0.0.1]:${trap.port}`,
    "a listed one first": `target=${mine}&target=${other}`,
    "a listed one last": `target=${other}&target=${mine}`,
    "twice, and once encoded": `target=${mine}&%74arget=${other}`,
    "an encoded separator": `target=${mine}%26target=${other}`,
    "encoded twice": `target=${encodeURIComponent(encodeURIComponent(mine))}`,
    "a user": `target=monitor@${other}`,
    "a listed one as the user": `target=${mine}@${other}`,
    "a listed one as the path": `target=${other}/${mine}`,
    "a listed one as the fragment": `target=${other}%23${mine}`,
    "a listed one behind a blank": `target=${other}+${mine}`,
    "a list": `target=${mine},${other}`,
    "a line end": `target=${mine}%0a${other}`,
    "a NUL": `target=${other}%00`,
    "bytes that are no text": `target=${other}%ff%fe`,
    "an unclosed escape": `target=${other}%`,
    "60,000 characters": `target=${other}${"0".repeat(60_000)}`,
  };
  for (const [what, query] of Object.entries(queries)) {
    await t.step(what, async () => {
      const { status, text } = await exporter.get(`/probe?${query}`);
      assert.equal(status, 400);
      assert.match(text, /^Cannot probe\b[^\n]+\n$/);
      assert(text.length < 250, "the answer repeats all of it");
    });
  }
  // connections are accepted in the order of their arrival
  const { text } = await exporter.get(`/probe?target=${mine}`);
  assert.match(text, /^panos_ipsec_up 1$/m);
  using last = await Deno.connect({ hostname: "127.0.0.1", port: trap.port });
  await last.write(new TextEncoder().encode("last"));
  assert(await eventually(() => trap.received.includes("last")));
  assert.equal(trap.connections, 1, "a refused target was connected to");
  assert.equal(listed.connections, 1);
});

Deno.test("all spellings of a listed target are one firewall with one session", async (t) => {
  await using firewall = await startFirewall();
  const port = String(firewall.port);
  const cases: Readonly<Record<string, readonly string[]>> = {
    "LocalHost": [
      "localhost",
      "LOCALHOST",
      "localhost.",
      `localhost:${port}`,
      `lOCALHOST.:${port}`,
    ],
    "127.0.0.1": [`127.0.0.1:${port}`],
    [`[::ffff:127.0.0.1]:${port}`]: [
      "::ffff:127.0.0.1",
      "[::FFFF:7f00:1]",
      `[0:0:0:0:0:ffff:7f00:0001]:${port}`,
    ],
  };
  for (const [listed, spellings] of Object.entries(cases)) {
    await t.step(listed, async () => {
      const before = firewall.logins;
      await using exporter = await startExporter({
        ...environmentFor(firewall),
        HOSTNAME: "",
        SSH_PORT: port,
        TARGETS: listed,
        MIN_POLL_INTERVAL: "0",
      });
      const pages = await probeAll(exporter, [
        listed,
        ...spellings,
        ...spellings,
      ]);
      for (const { status, text } of pages) {
        assert.equal(status, 200, text);
        assert.match(text, /^panos_ipsec_up 1$/m);
        assert.match(text, /^panos_ipsec_ssh_logins_total 1$/m);
      }
      const again = await exporter.get(`/probe?target=${listed}`);
      assert.match(again.text, /^panos_ipsec_ssh_logins_total 1$/m);
      assert.equal(firewall.logins - before, 1);
      assert.equal(firewall.mostSessions, 1);
    });
  }
});

async function probeAll(
  exporter: Exporter,
  targets: readonly string[],
): Promise<readonly Page[]> {
  return await Promise.all(
    targets.map((target) =>
      exporter.get(`/probe?${new URLSearchParams({ target })}`)
    ),
  );
}

function nameOf({ port }: SimulatedFirewall): string {
  return `127.0.0.1:${port}`;
}
