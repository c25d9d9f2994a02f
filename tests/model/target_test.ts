import assert from "node:assert/strict";
import {
  isSameTarget,
  parseTarget,
  type Target,
} from "../../src/model/target.ts";

Deno.test("parseTarget() reads each way to name a firewall", async (t) => {
  const cases: Readonly<Record<string, readonly [string, number]>> = {
    "fw-a.example.net": ["fw-a.example.net", 22],
    "fw_a": ["fw_a", 22],
    "fw-a.example.net:2222": ["fw-a.example.net", 2222],
    "192.0.2.1": ["192.0.2.1", 22],
    "192.0.2.1:65535": ["192.0.2.1", 65_535],
    "2001:db8::1": ["2001:db8::1", 22],
    "[2001:db8::1]": ["2001:db8::1", 22],
    "[2001:db8::1]:1": ["2001:db8::1", 1],
  };
  for (const [text, [host, port]] of Object.entries(cases)) {
    await t.step(text, () => {
      assert.deepEqual(parseTarget(text, 22), { name: text, host, port });
    });
  }
});

Deno.test("spellings of one firewall are the same target", async (t) => {
  const cases: Readonly<Record<string, readonly string[]>> = {
    "fw-a.example.net": [
      "FW-A.Example.NET",
      "fw-a.example.net.",
      "fw-a.example.net:22",
      "fw-a.example.net:00022",
    ],
    "192.0.2.1": ["192.0.2.1:22", "192.0.2.1:0022"],
    "2001:db8::1": [
      "[2001:db8::1]",
      "[2001:DB8::1]:22",
      "2001:db8:0:0:0:0:0:1",
      "[2001:0db8::0.0.0.1]",
    ],
  };
  for (const [text, others] of Object.entries(cases)) {
    for (const other of others) {
      await t.step(`${text} and ${other}`, () => {
        assert(isSameTarget(read(text), read(other)));
      });
    }
  }
});

Deno.test("another port or host is another target", async (t) => {
  for (const other of ["fw-a:2222", "fw-b", "fw-a.example.net"]) {
    await t.step(other, () => {
      assert(!isSameTarget(read("fw-a"), read(other)));
    });
  }
});

Deno.test("parseTarget() gives a host without a port the default one", () => {
  assert.equal(parseTarget("fw-a", 2222)?.port, 2222);
  assert(!isSameTarget(read("fw-a:22"), read("fw-a", 2222)));
});

Deno.test("parseTarget() reads nothing else", async (t) => {
  const cases = [
    "",
    " ",
    ".",
    ":22",
    "fw-a:",
    "fw-a:0",
    "fw-a:65536",
    "fw-a:123456",
    "fw-a:-1",
    "fw-a:ssh",
    "fw-a:22:22",
    " fw-a",
    "fw-a\n",
    "fw a",
    "fw-a,fw-b",
    "ssh://fw-a",
    "https://fw-a/",
    "fw-a/",
    "fw-a?x",
    "fw-a#x",
    "admin@fw-a",
    "fw%2da",
    "fw-a\0",
    "fẃ-a",
    "192.0.2.256",
    "010.1.2.3",
    "010.001.002.003:22",
    "1234",
    "0x7f000001",
    "0xc0.0.2.1",
    "127.1",
    "192.0.2.1.",
    "fw.1",
    "::ffff:010.1.2.3",
    "[::ffff:127.1]:22",
    "2001:db8::1:22:",
    "2001:db8::g",
    "[2001:db8::1",
    "[2001:db8::1]22",
    "[2001:db8::1]:",
    "[]",
    "[fw-a]",
    "[192.0.2.1]",
    "fe80::1%eth0",
  ];
  for (const text of cases) {
    await t.step(JSON.stringify(text), () => {
      assert.equal(parseTarget(text, 22), undefined);
    });
  }
});

function read(text: string, defaultPort = 22): Target {
  const target = parseTarget(text, defaultPort);
  assert(target !== undefined, text);
  return target;
}
