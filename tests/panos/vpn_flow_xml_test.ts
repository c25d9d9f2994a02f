import { quote } from "../../src/std/quote.ts";
import assert from "node:assert/strict";
import fc from "fast-check";
import { Screen } from "../../src/panos/screen.ts";
import { VpnFlowError } from "../../src/panos/vpn_flow_error.ts";
import {
  holdsVpnFlowXml,
  parseVpnFlowXml,
} from "../../src/panos/vpn_flow_xml.ts";
import { inventTunnels, readVpnFlow } from "../support/vpn_flow_reply.ts";
import { renderTunnels } from "../support/status.ts";
import { printVpnFlowXml, readVpnFlowXml } from "../support/vpn_flow_xml.ts";

const PROMPT = "monitor@fw-a(active)> ";
const WHOLE = printVpnFlowXml(inventTunnels(3));
const ENTRY =
  "<entry><name>oslo</name><id>4</id><inner-if>tunnel.4</inner-if>" +
  "<localip>192.0.2.1</localip><peerip>198.51.100.7</peerip>" +
  "<state>inactive</state><mon>down</mon></entry>";
const OSLO = {
  id: "4",
  name: "oslo",
  state: "inactive",
  stateWord: "inactive",
  monitor: "down",
  localIp: "192.0.2.1",
  peerIp: "198.51.100.7",
  interfaceName: "tunnel.4",
} as const;

const FIXTURES = new URL("../../fixtures/show_vpn_flow_xml/", import.meta.url);

Deno.test("each answer in fixtures/show_vpn_flow_xml becomes the metrics beside it", async (t) => {
  const files = await Array.fromAsync(
    Deno.readDir(FIXTURES),
    ({ name }) => name,
  );
  const names = new Set(files.map((file) => file.replace(/\.[^.]*$/, "")));
  assert(names.size > 0, "found no fixtures");
  for (const name of [...names].toSorted()) {
    await t.step(name, async () => {
      const text = await Deno.readTextFile(new URL(`${name}.txt`, FIXTURES));
      const golden = await Deno.readTextFile(new URL(`${name}.prom`, FIXTURES));
      assert.equal(renderTunnels(readVpnFlowXml(text)), golden);
    });
  }
});

/** An answer around these elements. */
function answer(...inside: readonly string[]): string {
  return `<response status="success"><result>${
    inside.join("")
  }</result></response>`;
}

/** An answer with one entry, which holds these elements. */
function entryOf(...elements: readonly string[]): string {
  return answer(
    "<num_ipsec>1</num_ipsec><IPSec><entry>",
    ...elements,
    "</entry></IPSec>",
  );
}

function oslo(changes: Readonly<Partial<Record<string, string>>> = {}): string {
  const all = { name: "oslo", id: "4", state: "active", ...changes };
  return entryOf(
    ...Object.entries(all).map(([name, text]) => `<${name}>${text}</${name}>`),
  );
}

Deno.test("parseVpnFlowXml() reads each element by its name", async (t) => {
  const count = "<num_ipsec>1</num_ipsec>";
  const table = `<IPSec>${ENTRY}</IPSec>`;
  const reversed = [...ENTRY.matchAll(/<([a-z-]+)>[^<]*<\/\1>/g)]
    .map(([element]) => element).reverse().join("");
  const cases = {
    "in the usual order": answer(count, table),
    "the count behind the entries": answer(table, count),
    "the fields the other way round": entryOf(reversed),
    "with elements that nobody knows": answer(
      "<num_sslvpn>2</num_sslvpn><total>3</total><new><entry>x</entry></new>",
      count,
      table.replace("<id>", "<gwid>9</gwid><new><name>no</name></new><id>"),
    ),
    "with a declaration": `<?xml version="1.0"?>\n${answer(count, table)}`,
    "with a namespace of its own": answer(count, table)
      .replace("<response", '<response xmlns="urn:panos"'),
    "with blanks and line ends around the values": answer(
      count,
      table.replaceAll(/>([a-z0-9.]+)</g, ">\r\n  $1\r\n<"),
    ),
    "with a value in CDATA": answer(
      count,
      table.replace("oslo", "<![CDATA[oslo]]>"),
    ),
    "with a comment inside a value": answer(
      count,
      table.replace("oslo", "os<!-- l -->lo"),
    ),
    "with character references": answer(
      count,
      table.replace("oslo", "&#111;slo"),
    ),
  };
  for (const [how, text] of Object.entries(cases)) {
    await t.step(how, () => {
      assert.deepEqual(readVpnFlowXml(text), {
        tunnels: [OSLO],
        configured: 1,
      });
    });
  }
});

Deno.test("parseVpnFlowXml() adds up the entries of several data planes", async (t) => {
  const group = (dp: string, ...entries: readonly string[]): string =>
    `<dp>${dp}</dp><num_ipsec>${entries.length}</num_ipsec><IPSec>${
      entries.join("")
    }</IPSec>`;
  const lima = ENTRY.replaceAll("oslo", "lima");
  const cases = {
    "side by side": answer(group("dp0", ENTRY), group("dp1", lima)),
    "each in an element of its own": answer(
      `<member>${group("s1dp0", ENTRY)}</member>`,
      `<member>${group("s1dp1", lima)}</member>`,
    ),
    "one of them without any": answer(
      group("dp0"),
      group("dp1", ENTRY, lima),
    ),
    "the counts behind the entries": answer(
      `<IPSec>${ENTRY}</IPSec><num_ipsec>1</num_ipsec>`,
      `<IPSec>${lima}</IPSec><num_ipsec>1</num_ipsec>`,
    ),
  };
  for (const [how, text] of Object.entries(cases)) {
    await t.step(how, () => {
      const { tunnels, configured } = readVpnFlowXml(text);
      assert.deepEqual(tunnels.map(({ name }) => name), ["oslo", "lima"]);
      assert.equal(configured, 2);
    });
  }
});

Deno.test("parseVpnFlowXml() reads zero tunnels where the firewall counts none", () => {
  const zero = { tunnels: [], configured: 0 };
  assert.deepEqual(readVpnFlowXml(printVpnFlowXml([])), zero);
  const short = answer("<num_ipsec>0</num_ipsec>");
  assert.deepEqual(readVpnFlowXml(short), zero);
});

Deno.test("parseVpnFlowXml() takes a missing interface and monitor to be empty", () => {
  for (const text of [oslo(), oslo({ "inner-if": "", mon: "" })]) {
    const [tunnel] = readVpnFlowXml(text).tunnels;
    assert.deepEqual([tunnel?.interfaceName, tunnel?.monitor], ["", ""]);
  }
});

Deno.test("parseVpnFlowXml() takes a blank state to be unknown", () => {
  const blank = oslo({ state: " " });
  const texts = [blank, blank.replace("<state> </state>", "<state/>")];
  for (const text of texts) {
    const [tunnel] = readVpnFlowXml(text).tunnels;
    assert.deepEqual([tunnel?.stateWord, tunnel?.state], ["", "unknown"]);
  }
});

Deno.test("parseVpnFlowXml() does not know what a monitor that is on sees", () => {
  assert.equal(readVpnFlowXml(oslo({ mon: "on" })).tunnels[0]?.monitor, "");
});

Deno.test("parseVpnFlowXml() knows states by whole words", () => {
  const cases = {
    active: "active",
    inactive: "inactive",
    init: "init",
    "not-active": "unknown",
    activex: "unknown",
  };
  for (const [word, state] of Object.entries(cases)) {
    const [tunnel] = readVpnFlowXml(oslo({ state: word })).tunnels;
    assert.deepEqual([tunnel?.stateWord, tunnel?.state], [word, state]);
  }
});

Deno.test("parseVpnFlowXml() keeps names as they are", () => {
  const names = {
    "to-branch:lan": "to-branch:lan",
    "a &amp; b &lt;c&gt; &quot;d&quot; &apos;": 'a & b <c> "d" \'',
    "hq active": "hq active",
    "東京 ø 🙂": "東京 ø 🙂",
    "__proto__": "__proto__",
  };
  for (const [printed, name] of Object.entries(names)) {
    assert.equal(
      readVpnFlowXml(oslo({ name: printed })).tunnels[0]?.name,
      name,
    );
  }
});

Deno.test("parseVpnFlowXml() finds the answer in a capture", async (t) => {
  const { tunnels } = readVpnFlowXml(WHOLE);
  const broadcast =
    "\nBroadcast message from root (pts/1) (Tue Apr 22 15:31:09 2025):\n\n" +
    "The system is going down for reboot NOW!\n";
  const cases = {
    "behind the echo, before a prompt":
      `${PROMPT}show vpn flow\n${WHOLE}${PROMPT}exit\n`,
    "behind a prompt that nothing echoed": `${PROMPT}${WHOLE}${PROMPT}`,
    "before a prompt on its last line": `${WHOLE.trimEnd()}${PROMPT}`,
    "behind the banner and other commands":
      `Use <it> well\n${PROMPT}show system info\n${
        answer("<hostname>fw-a</hostname>")
      }\n${PROMPT}set cli x\nUnknown command: set cli x\n` +
      `${PROMPT}show vpn flow\n${WHOLE}${PROMPT}`,
    "behind the same as text":
      `${PROMPT}show vpn flow\nno such layout\n${PROMPT}set cli ` +
      `op-command-xml-output on\n${PROMPT}show vpn flow\n${WHOLE}${PROMPT}`,
    "before another command's answer":
      `${PROMPT}show vpn flow\n${WHOLE}${PROMPT}show clock\n${
        answer("<clock/>")
      }\n${PROMPT}`,
    "with a broadcast before it":
      `${PROMPT}show vpn flow\n${broadcast}${WHOLE}${PROMPT}`,
    "with a broadcast between two entries": WHOLE.replace(
      "</entry>\n",
      `</entry>\n${broadcast}`,
    ),
    "with a broadcast behind it": `${WHOLE}${broadcast}${PROMPT}`,
    "all on one line": WHOLE.replaceAll(/\n */g, ""),
    "with CR LF": WHOLE.replaceAll("\n", "\r\n"),
  };
  for (const [where, text] of Object.entries(cases)) {
    await t.step(where, () => {
      assert(holdsVpnFlowXml(text.split("\n")));
      assert.deepEqual(parseVpnFlowXml(text.split("\n")).tunnels, tunnels);
    });
  }
});

Deno.test("parseVpnFlowXml() says what is wrong with an answer", async (t) => {
  const cases: readonly {
    readonly when: string;
    readonly text: string;
    readonly message: RegExp;
    readonly reason?: "command";
  }[] = [
    {
      when: "it is blank",
      text: `${PROMPT}show vpn flow\n\n`,
      message: /: the answer is blank$/,
    },
    {
      when: "the firewall answers with an error",
      text: '<response status="error" code="17"><msg><line>No such ' +
        "node</line></msg></response>",
      message: /the firewall answers "No such node"$/,
      reason: "command",
    },
    {
      when: "the firewall answers with an error without lines",
      text: '<response status="error"><result><msg>op command timed out</msg>' +
        "</result></response>",
      message: /the firewall answers "op command timed out"$/,
      reason: "command",
    },
    {
      when: "the refusal is plain text",
      text: "\nServer error : No such node\n",
      message: /the firewall answers "Server error : No such node"$/,
      reason: "command",
    },
    {
      when: "the refusal is plain text in a result",
      text: answer("Server error : timed out"),
      message: /the firewall answers "Server error : timed out"$/,
      reason: "command",
    },
    {
      when: "it is other text",
      text: "good morning\n",
      message: /: it holds no XML, in "good morning"$/,
    },
    {
      when: "it is the text form",
      text: "total IPSec tunnel shown: 0\n",
      message: /: it holds no XML, in "total IPSec/,
    },
    {
      when: "the root is unknown",
      text: "<html><body/></html>",
      message: /at line 1: the root element is not "response", in "<html>/,
    },
    {
      when: "the root behind a declaration is unknown",
      text: '<?xml version="1.0"?>\n<html/>',
      message: /: the root element is not "response", in "html"$/,
    },
    {
      when: "the status is missing",
      text: "<response><result/></response>",
      message: /: its status is not "success"$/,
    },
    {
      when: "it does not count",
      text: answer("<IPSec>", ENTRY, "</IPSec>"),
      message: /: it has no <num_ipsec>$/,
    },
    {
      when: "the count is no number",
      text: answer("<num_ipsec>many</num_ipsec>"),
      message: /: <num_ipsec> is no number, in "many"$/,
    },
    {
      when: "it announces more",
      text: WHOLE.replace("<num_ipsec>3", "<num_ipsec>4"),
      message: /: the firewall announced 4 tunnels, and 3 could be read$/,
    },
    {
      when: "it announces fewer",
      text: WHOLE.replace("<num_ipsec>3", "<num_ipsec>2"),
      message: /: the firewall announced 2 tunnels, and 3 could be read$/,
    },
    {
      when: "one data plane has what another lacks",
      text: answer(
        `<dp>dp0</dp><num_ipsec>2</num_ipsec><IPSec>${ENTRY}</IPSec>`,
        `<dp>dp1</dp><num_ipsec>0</num_ipsec><IPSec>${ENTRY}</IPSec>`,
      ),
      message: /: the firewall announced 2 tunnels, and 1 could be read$/,
    },
    {
      when: "one has what another lacks, with the counts behind the entries",
      text: answer(
        `<IPSec>${ENTRY}</IPSec><num_ipsec>2</num_ipsec>`,
        `<IPSec>${ENTRY}</IPSec><num_ipsec>0</num_ipsec>`,
      ),
      message: /: the firewall announced 2 tunnels, and 1 could be read$/,
    },
    ...["name", "id", "state"].map((name) => ({
      when: `a ${name} is missing`,
      text: WHOLE.replace(new RegExp(`<${name}>[^<]*</${name}>`), ""),
      message: new RegExp(`: entry 1 has no <${name}>$`),
    })),
    {
      when: "a name is empty",
      text: oslo({ name: " " }),
      message: /: entry 1 has no <name>$/,
    },
    {
      when: "an id is no number",
      text: oslo({ id: "4a" }),
      message: /: entry 1 has an <id> that is no number, in "4a"$/,
    },
    {
      when: "an entry says something twice",
      text: entryOf("<name>a</name><id>4</id><name>b</name>"),
      message: /: entry 1 has two <name>$/,
    },
    {
      when: "a name holds elements",
      text: oslo({ name: "os<b/>lo" }),
      message: /: <name> holds other elements$/,
    },
    {
      when: "a name holds a line end",
      text: oslo({ name: "os\nlo" }),
      message: /: entry 1 has a line end in <name>, in "os\\u\{a\}lo"$/,
    },
    {
      when: "entries are of another namespace",
      text: answer(
        "<num_ipsec>1</num_ipsec>",
        '<IPSec><x:entry xmlns:x="urn:x"/></IPSec>',
      ),
      message: /: the firewall announced 1 tunnel, and 0 could be read$/,
    },
    {
      when: "a second answer follows",
      text: `${PROMPT}show vpn flow\n${WHOLE}`.repeat(2),
      message: /at line \d+: a second answer stands below the first/,
    },
    {
      when: "a second answer follows on the same line",
      text: answer("<num_ipsec>0</num_ipsec>", "<IPSec/>").trimEnd() + WHOLE,
      message: /: more stands behind its end$/,
    },
    {
      when: "a second answer follows on the same line, far behind",
      text: answer("<num_ipsec>0</num_ipsec>", "<IPSec/>").trimEnd() +
        " ".repeat(10_000) + WHOLE.replaceAll("\n", ""),
      message: /: more stands behind its end/,
    },
    {
      when: "a prompt comes before its end",
      text: `${WHOLE.slice(0, WHOLE.indexOf("<id>"))}\n${PROMPT}`,
      message: /: the XML ends before <\/response>$/,
    },
  ];
  for (const { when, text, message, reason = "parse" } of cases) {
    await t.step(when, () => {
      assert.throws(() => explained(() => readVpnFlowXml(text)), {
        name: VpnFlowError.name,
        message,
        reason,
      });
    });
  }
});

Deno.test("parseVpnFlowXml() reads an answer cut anywhere not at all", () => {
  const end = WHOLE.trimEnd().length;
  for (let length = 0; length < end; length++) {
    const cut = WHOLE.slice(0, length);
    assert.throws(() => readVpnFlowXml(cut), VpnFlowError, cut.slice(-20));
  }
  assert.equal(readVpnFlowXml(WHOLE.slice(0, end)).tunnels.length, 3);
});

Deno.test("parseVpnFlowXml() refuses what no firewall has to send", async (t) => {
  const lol = Array.from(
    { length: 9 },
    (_, n) => `<!ENTITY l${n + 1} "${`&l${n};`.repeat(10)}">`,
  );
  const cases = {
    "a billion laughs": [
      `<!DOCTYPE r [<!ENTITY l0 "lol">${lol.join("")}]>`,
      /has a DOCTYPE/,
    ],
    "an external entity": [
      '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
      /has a DOCTYPE/,
    ],
    "a DOCTYPE that does not end": [`<!DOCTYPE r [`, /the XML ends before/],
  } as const;
  for (const [what, [doctype, message]] of Object.entries(cases)) {
    await t.step(what, () => {
      const text = `<?xml version="1.0"?>${doctype}${oslo({ name: "&l9;" })}`;
      assert.throws(() => explained(() => readVpnFlowXml(text)), { message });
    });
  }
  const inside: Readonly<Record<string, string>> = {
    "an entity that XML does not have": "&nbsp;",
    "an ampersand alone": "a & b; c",
    "a character that XML does not allow": "a\u0001",
    "a reference to such a character": "&#1;",
    "the end of a CDATA section": "]]>",
    "a comment that is none": "<!-- a -- b -->",
    "a tag that closes another": "</id>",
    "a bare bracket": "a < b",
  };
  for (const [what, text] of Object.entries(inside)) {
    await t.step(what, () => {
      assert.throws(
        () => explained(() => readVpnFlowXml(oslo({ name: text }))),
        {
          name: VpnFlowError.name,
          message: /it is not well-formed XML \([a-z ]+\), in "/,
        },
      );
    });
  }
  await t.step("an attribute that comes twice", () => {
    const text = '<response status="success" status="error">';
    assert.throws(() => explained(() => readVpnFlowXml(text)), {
      message: /not well-formed/,
    });
  });
});

Deno.test("parseVpnFlowXml() stops at 32 levels, however deep they go", () => {
  const deep = (levels: number): string =>
    `${"<a>".repeat(levels)}${"</a>".repeat(levels)}`;
  const text = (levels: number): string =>
    answer("<num_ipsec>0</num_ipsec>", deep(levels));
  assert.equal(readVpnFlowXml(text(30)).configured, 0);
  for (const levels of [31, 100_000]) {
    assert.throws(() => explained(() => readVpnFlowXml(text(levels))), {
      name: VpnFlowError.name,
      message: /nested more than 32 deep$/,
    });
  }
});

Deno.test("parseVpnFlowXml() holds no tree of what it passes over", () => {
  const elements = "<b/>".repeat(12_000_000);
  const text = answer("<num_ipsec>0</num_ipsec>", elements);
  const before = Deno.memoryUsage().heapUsed;
  assert.equal(parseVpnFlowXml([text]).configured, 0);
  const grown = Deno.memoryUsage().heapUsed - before;
  // a tree of it takes 3 GB
  assert(grown < 400 * 2 ** 20, `grew by ${grown} bytes`);
});

Deno.test("parseVpnFlowXml() reads a value of 50 MB, or refuses its neighbour", () => {
  const name = "x".repeat(50_000_000);
  assert.equal(parseVpnFlowXml([oslo({ name })]).tunnels[0]?.name, name);
  assert.throws(() => explained(() => parseVpnFlowXml([oslo({ id: name })])), {
    message: /has an <id> that is no number, in "x{120}…"$/,
  });
});

Deno.test("parseVpnFlowXml() reads no errors behind the end of an answer", async (t) => {
  const whole = WHOLE.trimEnd();
  for (const error of ["&x;", "</a>", "&", "<!---->", "x<"]) {
    await t.step(`4 MiB of ${error}`, () => {
      // each would cost as much as a row
      const text = whole + error.repeat(4 * 1024 * 1024 / error.length);
      assert.equal(readVpnFlowXml(text + "\n").tunnels.length, 3);
    });
  }
});

Deno.test("parseVpnFlowXml() reads 4 MiB on one line, as a terminal brings it", () => {
  const text = printVpnFlowXml(inventTunnels(13_500)).replaceAll("\n", "");
  assert(text.length > 4 * 2 ** 20, `only ${text.length} characters`);
  const screen = new Screen();
  const bytes = new TextEncoder().encode(`${text}\r\n${PROMPT}`);
  for (let start = 0; start < bytes.length; start += 4_096) {
    screen.write(bytes.subarray(start, start + 4_096));
  }
  const { tunnels } = parseVpnFlowXml([...screen.lines, screen.line]);
  assert.equal(tunnels.length, 13_500);
});

Deno.test("parseVpnFlowXml() throws nothing but its own error", () => {
  const piece = fc.oneof(
    fc.constantFrom(...WHOLE.split(/(?=<)|(?<=>)/)),
    fc.string({ unit: "binary", maxLength: 20 }),
    fc.constantFrom("<![CDATA[", "]]>", "<!--", "-->", "&", "&#x;", "<?", "\n"),
  );
  const text = fc.oneof(
    fc.array(piece, { maxLength: 40 }).map((all) => all.join("")),
    fc.array(piece, { maxLength: 40 }).map((all) =>
      `<response status="success"><result>${all.join("")}`
    ),
    fc.tuple(fc.nat(WHOLE.length), piece, fc.nat(30)).map(
      ([at, instead, length]) =>
        WHOLE.slice(0, at) + instead + WHOLE.slice(at + length),
    ),
  );
  fc.assert(
    fc.property(text, (text) => {
      try {
        readVpnFlowXml(text);
      } catch (error) {
        assert(error instanceof VpnFlowError, String(error));
      }
    }),
    { numRuns: 1_000 },
  );
});

Deno.test("holdsVpnFlowXml() leaves the text form to its own reader", () => {
  for (
    const text of ["", "no <response>\n", "7  <response> active\n", "<html>"]
  ) {
    assert(!holdsVpnFlowXml(text.split("\n")), text);
  }
  assert.throws(() => readVpnFlow(WHOLE), VpnFlowError);
});

/** Makes the message of an error what an operator would read. */
function explained<Value>(run: () => Value): Value {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof VpnFlowError)) throw error;
    throw new VpnFlowError(error.reason, error.explain(quote));
  }
}
