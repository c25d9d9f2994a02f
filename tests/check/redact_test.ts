import { isMask } from "../../src/panos/vpn_flow_words.ts";
import { screenWidth } from "../../src/panos/words.ts";
import assert from "node:assert/strict";
import fc from "fast-check";
import { parse, readReply } from "../../src/check/parse.ts";
import { redact, redactText } from "../../src/check/redact.ts";
import { DEVICE, INTERFACE, VOCABULARY } from "../../src/check/vocabulary.ts";
import { Screen } from "../../src/panos/screen.ts";
import { renderTunnels } from "../support/status.ts";
import { entry, oddEntry, printReply, replyWith } from "../support/tables.ts";
import { inventTunnels, printVpnFlow } from "../support/vpn_flow_reply.ts";
import { printVpnFlowXml } from "../support/vpn_flow_xml.ts";

const KEY = new Uint8Array(32).fill(7);
const FIXTURES = new URL("../../fixtures/", import.meta.url);
const PROMPT = "monitor@fw-oslo(active)> ";

function textsIn(folder: string): readonly string[] {
  return Array.from(
    Deno.readDirSync(new URL(folder, FIXTURES)),
    ({ name }) => name,
  ).filter((name) => name.endsWith(".txt")).toSorted();
}

function redacted(text: string, key = KEY): string {
  const result = redactText(new TextEncoder().encode(text), key);
  assert(result !== undefined, "refused");
  return result.text;
}

/** What `--parse` says, but for names, addresses and interfaces. */
function parsed(text: string): readonly unknown[] {
  const { stdout, code } = parse(new TextEncoder().encode(text), 0);
  const values = stdout.replaceAll(
    /(ifAlias|ifDescr|ifName|local_ip|peer_ip)="(?:[^"\\]|\\.)*"/g,
    "$1",
  );
  return [code, values];
}

/** Columns on a screen, as far as tests need to know. */
function widthOf(text: string): number {
  return [...text].reduce((sum, character) => sum + screenWidth(character), 0);
}

/** A text with each letter, digit and picture made the same. */
function shapeOf(text: string): string {
  return text.replace(/[\p{L}\p{N}\u{1f300}-\u{1faff}]/gu, "x");
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}

function coreOf(word: string): string {
  return word.replaceAll(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, "");
}

/** All that has to hold of every text that is not refused. */
function assertRedacted(text: string, states: ReadonlySet<string>): void {
  const result = redacted(text);
  const [before, after] = [text.split("\n"), result.split("\n")];
  assert.equal(after.length, before.length);
  for (const [index, line] of before.entries()) {
    const other = after[index] ?? "";
    assert.equal(other.replace(/\S/gu, "x"), line.replace(/\S/gu, "x"));
    assert.equal(bytesOf(other), bytesOf(line));
    assert.equal(widthOf(other), widthOf(line));
    assert.equal(
      shapeOf(other),
      shapeOf(line),
    );
    if (isHeader(line)) assert.equal(other, line);
    else assertNoWordStands(line, other, states);
  }
  assert.deepEqual(parsed(result), parsed(text));
  assert.equal(redacted(text), result);
}

function isHeader(line: string): boolean {
  return /\bid\b/i.test(line) && /\bname\b/i.test(line) && !/\d/.test(line);
}

function assertNoWordStands(
  line: string,
  other: string,
  states: ReadonlySet<string>,
): void {
  const after = other.split(/[\s@]/u);
  for (const [index, word] of line.split(/[\s@]/u).entries()) {
    const core = coreOf(word).toLowerCase();
    // ids and counts are words of digits alone
    const isKept = VOCABULARY.has(core) || states.has(core) ||
      DEVICE.test(core) || /^[0-9]*$/.test(core) || isMask(word) ||
      /\((?:active|passive)\)/.test(word);
    const letters = core.match(/[a-z0-9]/gu) ?? [];
    if (isKept || letters.length < 3) continue;
    assert.notEqual(after[index], word, `in "${line}"`);
  }
}

const ODD_WORDS = new Set(["rekey", "n/a", "up", "established", "wait"]);

Deno.test("--redact keeps the shape and the meaning of every fixture", async (t) => {
  for (const folder of ["show_vpn_flow", "show_vpn_flow_xml"]) {
    const names = textsIn(folder);
    assert(names.length > 1, `found no fixtures in ${folder}`);
    for (const name of names) {
      await t.step(`${folder}/${name}`, () => {
        const text = Deno.readTextFileSync(
          new URL(`${folder}/${name}`, FIXTURES),
        );
        if (folder === "show_vpn_flow") return assertRedacted(text, ODD_WORDS);
        const result = redacted(text);
        assert.deepEqual(parsed(result), parsed(text));
        assert.equal(shapeOf(result), shapeOf(text));
      });
    }
  }
});

Deno.test("each reply in fixtures/redacted has the shape of its model and its metrics", async (t) => {
  const folder = new URL("redacted/", FIXTURES);
  const names = textsIn("redacted");
  assert(names.length > 10, "hardly any fixture was found");
  for (const name of names) {
    await t.step(name, () => {
      const text = Deno.readTextFileSync(new URL(name, folder));
      const model = name.startsWith("xml_")
        ? `show_vpn_flow_xml/${name.slice(4)}`
        : `show_vpn_flow/${name}`;
      const original = Deno.readTextFileSync(new URL(model, FIXTURES));
      const golden = new URL(name.replace(".txt", ".prom"), folder);
      assert.equal(shapeOf(text), shapeOf(original));
      const flow = readReply(text.split(/\r?\n/));
      assert.equal(renderTunnels(flow), Deno.readTextFileSync(golden));
    });
  }
});

Deno.test("--redact keeps the shape and the meaning of what any layout prints", () => {
  fc.assert(
    fc.property(
      replyWith(entry),
      (reply) => assertRedacted(printReply(reply), ODD_WORDS),
    ),
    { numRuns: 300 },
  );
});

Deno.test("--redact keeps the shape of tables with words nobody has seen", () => {
  fc.assert(
    fc.property(replyWith(oddEntry), (reply) => {
      const text = printReply(reply);
      const result = redacted(text);
      assert.deepEqual(parsed(result), parsed(text));
      assert.equal(
        shapeOf(result),
        shapeOf(text),
      );
    }),
    { numRuns: 300 },
  );
});

Deno.test("--redact makes equal beginnings of equal beginnings", () => {
  const name = fc.stringMatching(/^[a-z0-9_.:-]{4,63}$/);
  fc.assert(fc.property(name, fc.nat(60), (name, at) => {
    const cut = name.slice(0, 3 + at);
    const text = `${PROMPT}x\nzz ${name} zz\nzz ${cut} zz\nzz ${name} zz\n`;
    const [, whole = "", part = "", again = ""] = redacted(text).split("\n");
    assert.equal(again, whole);
    const word = (line: string): string => line.split(" ")[1] ?? "";
    if (VOCABULARY.has(coreOf(cut)) || VOCABULARY.has(coreOf(name))) return;
    if (DEVICE.test(coreOf(cut)) || DEVICE.test(coreOf(name))) return;
    if (INTERFACE.test(coreOf(cut)) || INTERFACE.test(coreOf(name))) return;
    if (isMask(cut) || isMask(name)) return;
    assert(word(whole).startsWith(word(part)), `${word(whole)} ${word(part)}`);
  }));
});

Deno.test("--redact makes other words under another key", () => {
  const text = printVpnFlow(inventTunnels(3));
  assert.notEqual(redacted(text), redacted(text, new Uint8Array(32)));
});

Deno.test("--redact makes the same names of text and XML in one session", () => {
  const tunnels = inventTunnels(4).map((tunnel, index) => ({
    ...tunnel,
    name: [
      "hq active",
      "Oslo & Bergen <north>",
      "n".repeat(63),
      "東京-ø-🐢:lan",
    ][index] ?? "",
  }));
  const session = `${PROMPT}show vpn flow\n${printVpnFlow(tunnels)}` +
    `${PROMPT}set cli op-command-xml-output on\n` +
    `${PROMPT}show vpn flow\n${printVpnFlowXml(tunnels)}${PROMPT}exit\n`;
  const result = redacted(session);
  const names = Array.from(
    result.matchAll(/<name>(.*)<\/name>/g),
    ([, name = ""]) =>
      name.replace("&amp;", "&").replace("&lt;", "<")
        .replace("&gt;", ">"),
  );
  assert.equal(names.length, 4);
  for (const name of names) assert(result.includes(` ${name} `), name);
  assert.match(names[0] ?? "", /^[a-z]{2} active$/);
  assert.doesNotMatch(result, /Oslo|Bergen|north|nnn|東京/);
  assert.deepEqual(parsed(result), parsed(session));
});

Deno.test("--redact takes names out of prompts, titles and redraws", () => {
  const capture = `\x1b]0;fw-oslo\x07${PROMPT}show \r\x1b[K${PROMPT}show vpn ` +
    `\r\x1b[K${PROMPT}show vpn flow\r\n` +
    printVpnFlow(inventTunnels(3)).replace(
      "branch-1",
      "bra\x1b[32mnch\x1b[0m-1",
    ).replace("active", "\x1b[1mact\x1b[0mive").replaceAll("\n", "\r\n") +
    "monitor@fw-oslo(passive)> exit\r\n";
  const result = redacted(capture);
  assert.doesNotMatch(result, /fw-oslo|oslo|branch|monitor@/);
  assert(!result.includes("bra\x1b"), result);
  assert(result.includes("\x1b[1mact\x1b[0mive"), result);
  const host = /@(?<host>[^(]+)\(passive\)> exit/.exec(result)?.groups;
  assert(host !== undefined, result);
  assert(result.startsWith(`\x1b]0;${host["host"]}\x07`), result.slice(0, 40));
  assert.equal(
    shapeOf(result),
    shapeOf(capture),
  );
  assert.deepEqual(parsed(result), parsed(capture));
});

Deno.test("--redact takes names out of whatever XML holds them", () => {
  const text = '<response status="success" customer="Oslo"><result>' +
    "<num_ipsec>1</num_ipsec><IPSec><entry><name><![CDATA[Oslo]]></name>" +
    "<id>4</id><state>odd</state><!-- Oslo --><x y='Oslo'>&#79;slo</x>" +
    "</entry></IPSec></result></response>Oslo@Oslo(active)> ";
  const result = redacted(text);
  assert.doesNotMatch(result, /Oslo|slo<|&#79/);
  assert.match(result, /<id>4<\/id><state>odd<\/state>/);
  assert.deepEqual(parsed(result), parsed(text));
});

Deno.test("--redact leaves addresses that look like addresses", () => {
  const text = `${PROMPT}x\n2001:db8:cafe::17 XXX.XX.XX.XX 198.51.100.7\n`;
  assert.match(
    redacted(text),
    /\n[0-9]{4}:[a-f]{2}[0-9]:[a-f]{4}::[0-9]{2} [A-Z]{3}\.[A-Z]{2}\.[A-Z]{2}\.[A-Z]{2} [0-9]{3}\.[0-9]{2}\.[0-9]{3}\.[0-9]\n/,
  );
});

Deno.test("--redact keeps the header of a layout that nobody knows", () => {
  const text = [
    "index  tunnel            phase2   peer-ip",
    "-----  ------            ------   -------",
    "1      acme-bank         active   198.51.100.7",
    `${PROMPT}exit`,
  ].join("\n");
  const lines = redacted(text).split("\n");
  assert.deepEqual(lines.slice(0, 2), text.split("\n").slice(0, 2));
  assert.match(lines[2] ?? "", /^1 {6}[a-z]{4}-[a-z]{4} {9}active {3}/);
});

Deno.test("--redact keeps ids that stand behind the name", () => {
  const text = [
    "name              id     state    local-ip      peer-ip     tunnel-i/f",
    "----------------------------------------------------------------------",
    "site 123 acme     4711   active   192.0.2.1     192.0.2.2   tunnel.3",
    "site 123 acme     4712   active   192.0.2.1     192.0.2.2",
  ].join("\n");
  const lines = redacted(text).split("\n");
  assert.match(lines[2] ?? "", / 4711 {3}active .* tunnel\.[0-9]$/);
  assert.match(lines[3] ?? "", / 4712 {3}active /);
  assert.doesNotMatch(lines.join(), /site|123|acme/);
});

Deno.test("--redact makes different words of different words", () => {
  const letters = fc.constantFrom(..."abcdefxyzABXZ0123456789.-:üøжя東京🐢𝐚");
  const word = fc.string({ unit: letters, minLength: 1, maxLength: 6 });
  const numbers = Array.from({ length: 100 }, (_, n) => String(n));
  const examples = [
    [..."abcdefghijklmnopqrstuvwxyz"],
    numbers.map((n) => `AWS-${n}`),
    numbers.map((n) => `10.9.${n}.1`),
    numbers.map((n) => `tunnel.${n}`),
    [..."abcdefghijklmnopqrstuvwxyz"].map((letter) => `o${letter}`),
    ["Oslo", "OSLO", "oslo", "osLo"],
    ["x".repeat(300), `${"x".repeat(299)}y`, `${"x".repeat(299)}a`],
  ];
  const words = fc.uniqueArray(word, { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(words, (words) => {
      const text = words.map((word) => `zz ${word} zz\n`).join("");
      const made = redacted(`${PROMPT}x\n${text}`).split("\n").slice(1, -1)
        .map((line) => line.split(" ")[1]);
      assert.equal(new Set(made).size, words.length, made.join(" "));
    }),
    { examples: examples.map((words) => [words]) },
  );
});

Deno.test("--redact leaves as many tunnels as there were", () => {
  const [tunnel] = inventTunnels(1);
  assert(tunnel !== undefined);
  const names = Array.from({ length: 90 }, (_, n) => `hq:net${n}`);
  const text = printVpnFlow(names.map((name) => ({ ...tunnel, name })));
  assert.deepEqual(parsed(redacted(text)), parsed(text));
});

Deno.test("--redact makes no word of the table", () => {
  const pairs = [..."abcdefghijklmnopqrstuvwxyz"].flatMap((first) =>
    [..."abcdefghijklmnopqrstuvwxyz"].map((second) => `${first}${second}`)
  ).filter((pair) => !VOCABULARY.has(pair));
  const made = redacted(`${PROMPT}x\n${pairs.join("\n")}`).split("\n").slice(1);
  assert.equal(new Set(made).size, pairs.length);
  assert.deepEqual(made.filter((word) => VOCABULARY.has(word)), []);
});

Deno.test("--redact keeps ids and headers in any order of the columns", async (t) => {
  const tables = [
    [
      "state   id      name              local-ip",
      "-----   --      ----              --------",
      "active  4711    oslo              192.0.2.1",
      "inactiv 5       hq oslo           192.0.2.1",
    ],
    [
      "monitor id      name              state   tunnel-i/f",
      "off     4711    4711              active  tunnel.4",
      "up      5       hq oslo           inactiv tunnel.5",
    ],
    [
      "enc     id      name              state   monitor tunnel-i/f",
      "aes128  4711    oslo              active  off     tunnel.4",
      "aes128  5       hq oslo           inactiv up",
    ],
    [
      "name              gwid   state   id      tunnel-i/f",
      "----              ----   -----   --      ----------",
      "oslo 4711         4      active  4711    tunnel.4",
      "hq oslo           4      inactiv 5       tunnel.5",
    ],
  ];
  for (const table of tables) {
    const [header = ""] = table;
    await t.step(header, () => {
      const text = "total IPSec tunnel configured: 2\n" +
        `total IPSec tunnel shown: 2\n\n${table.join("\n")}\n`;
      const result = redacted(text);
      assert(result.includes(`\n${header}\n`), result);
      assert.equal(result.match(/\b4711\b/g)?.length, 1, result);
      assert.deepEqual(parsed(result), parsed(text));
    });
  }
});

Deno.test("--redact keeps the id of a row that a title or a bell is in", () => {
  const text = printVpnFlow(inventTunnels(20))
    .replace("branch-11", "\x1b]0;Oslo\x07branch-11")
    .replace("branch-12", "bra\x07nch-12");
  const result = redacted(text);
  assert.doesNotMatch(result, /Oslo/);
  assert(result.includes("\n11    \x1b]0;"), result);
  assert.deepEqual(parsed(result), parsed(text));
});

Deno.test("--redact keeps counts behind tabs", () => {
  const text = printVpnFlow(inventTunnels(2)).replaceAll(
    /: +(?=[0-9])/g,
    ":\t ",
  );
  const result = redacted(text);
  assert.match(result, /total IPSec tunnel shown:\t 2\n/);
  assert.deepEqual(parsed(result), parsed(text));
});

Deno.test("--redact keeps messages of the system within a name", () => {
  const messages = [
    "Broadcast message from root@fw (Tue Apr 22 15:31:09 2025):",
    "The system is going down for reboot NOW!",
    "Warning: Your device is still configured with the default admin account",
  ];
  for (const message of messages) {
    const text = printVpnFlow(inventTunnels(2))
      .replace("branch-1", `Oslo${message}x`);
    const result = redacted(text);
    assert.equal(parsed(text)[0], 1);
    assert.deepEqual(parsed(result), parsed(text));
    assert.doesNotMatch(result, /Oslo|root@|@fw/);
  }
});

Deno.test("--redact keeps what an interface is, and not which", () => {
  const text = `${PROMPT}x\ntunnel.1234 (tunnel.1234) ae1.100 ethernet1/21 ` +
    "tunnel.xx dp0\n";
  const [, line = ""] = redacted(text).split("\n");
  assert.match(
    line,
    /^(tunnel\.[0-9]{4}) \(\1\) ae[0-9]\.[0-9]{3} ethernet[0-9]\/[0-9]{2} tunnel\.xx dp0$/,
  );
  assert.doesNotMatch(line, /1234|100|21/);
});

Deno.test("--redact keeps the declaration of XML, and numbers that it spells out", () => {
  const text = '<?xml version="1.0" encoding="utf-8"?>\n' +
    printVpnFlowXml(inventTunnels(1)).replace(
      /<id>[0-9]+/,
      "<id>&#52;&#x37;11",
    );
  const result = redacted(text);
  assert(result.startsWith('<?xml version="1.0" encoding="utf-8"?>\n'), result);
  assert(result.includes("<id>&#52;&#x37;11</id>"), result);
  assert.equal(parsed(text)[0], 0);
  assert.deepEqual(parsed(result), parsed(text));
});

Deno.test("--redact refuses what is no capture of a firewall's table", () => {
  const configuration = "set deviceconfig system hostname acme\n";
  for (
    const text of ["", configuration, '<config version="10.2"><a/></config>\n']
  ) {
    const { code, stdout, stderr } = redact(new TextEncoder().encode(text));
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, /^Cannot redact this: [^\n]+\n$/);
  }
});

Deno.test("--redact says once which words stay", () => {
  const text = printVpnFlow([
    ...inventTunnels(2),
    ...inventTunnels(1).map((tunnel) => ({ ...tunnel, name: "last active" })),
  ]);
  const { stderr, code } = redact(new TextEncoder().encode(text));
  const [title, ...words] = stderr.trimEnd().split("\n");
  assert.equal(code, 0);
  assert.equal(
    title,
    `kept: ${words.length} words; look at them before sending`,
  );
  assert.equal(new Set(words).size, words.length);
  assert(words.includes("last") && words.includes("tunnel"), stderr);
  assert(!stderr.includes("branch"), stderr);
});

Deno.test("--redact takes no more than its own time for 10,000 tunnels and for noise", () => {
  const screen = new Screen();
  const large = printVpnFlow(inventTunnels(10_000));
  screen.write(new TextEncoder().encode(redacted(large)));
  assert(screen.lines.length > 10_000);
  const noise = ["x", "-", "(", "é", "\x1b", '"', "<", "@", "a ", "> "];
  for (const piece of noise) {
    const line = piece.repeat(1_000_000);
    assert.equal(redacted(`${PROMPT}\n${line}a\n`).split("\n").length, 3);
  }
});
