import { readVpnFlow } from "../support/vpn_flow_reply.ts";
import assert from "node:assert/strict";
import { render } from "../../src/view/exposition.ts";
import { firewallFamilies } from "../../src/view/metrics.ts";
import { isPagerPrompt } from "../../src/panos/cli_messages.ts";
import { VpnFlowError } from "../../src/panos/vpn_flow_error.ts";
import { quote } from "../../src/std/quote.ts";
import { statusOf } from "../support/status.ts";

const FIXTURES = new URL("../../fixtures/show_vpn_flow/", import.meta.url);

/** The families that a reply decides; the others tell of the poll. */
const TUNNEL_FAMILIES: ReadonlySet<string> = new Set([
  "ifIPsecOperStatus",
  "panos_ipsec_tunnels_configured",
  "panos_ipsec_tunnel_monitor_up",
  "panos_ipsec_tunnel_info",
]);

Deno.test("each reply in fixtures/show_vpn_flow becomes the metrics beside it", async (t) => {
  const files = await Array.fromAsync(
    Deno.readDir(FIXTURES),
    ({ name }) => name,
  );
  const names = new Set(files.map((file) => file.replace(/\.[^.]*$/, "")));
  assert(names.size > 0, "found no fixtures");
  for (const name of [...names].toSorted()) {
    await t.step(name, async () => {
      const reply = await Deno.readTextFile(new URL(`${name}.txt`, FIXTURES));
      const golden = await Deno.readTextFile(new URL(`${name}.prom`, FIXTURES));
      const families = firewallFamilies(statusOf(readVpnFlow(reply)))
        .filter((family) => TUNNEL_FAMILIES.has(family.name));
      assert.equal(render(families), golden);
    });
  }
});

Deno.test("parseVpnFlow() reads the table that firewalls are known to print", async () => {
  const url = new URL("capture.txt", FIXTURES);
  const { tunnels, configured } = readVpnFlow(await Deno.readTextFile(url));
  assert.equal(configured, 6);
  assert.deepEqual(
    tunnels.map(({ id, state, interfaceName }) => [id, state, interfaceName]),
    [
      ["2", "inactive", "tunnel.3"],
      ["3", "active", "tunnel.4"],
      ["4", "active", "tunnel.5"],
      ["5", "inactive", "tunnel.6"],
      ["6", "active", "tunnel.7"],
      ["7", "active", "tunnel.8"],
    ],
  );
});

const HEADER =
  "id   name            state   monitor local-ip        peer-ip         tunnel-i/f";
const OSLO =
  "2    oslo            active  off     192.0.2.1       198.51.100.7    tunnel.2";
const BERGEN =
  "3    bergen          inactiv up      192.0.2.1       198.51.100.8    tunnel.31";

Deno.test("parseVpnFlow() names the line and what is wrong with it", async (t) => {
  const cases = [
    {
      when: "nothing came",
      text: "",
      message: /: it holds no table$/,
    },
    {
      when: "something else came",
      text: "\nuser@fw> show vpn flow\n\nno such luck\nuser@fw> ",
      message: /: it holds no table, but "no such luck"$/,
    },
    {
      when: "the counts are missing",
      text: `${HEADER}\n${OSLO}\n`,
      message: /: it does not say how many tunnels it shows$/,
    },
    {
      when: "the second count is missing",
      text: `total IPSec tunnel configured: 1\n${HEADER}\n${OSLO}\n`,
      message: /: it does not say how many tunnels it shows$/,
    },
    {
      when: "the second table's second count is missing",
      text: `${reply({ shown: 1 }, OSLO)}total IPSec tunnel configured: 0\n`,
      message: /: it does not say how many tunnels it shows$/,
    },
    {
      when: "a count comes twice",
      text: "total IPSec tunnel configured: 1\n".repeat(2),
      message: /at line 2: the same count comes again, in "total/,
    },
    {
      when: "rows are missing",
      text: reply({ shown: 3 }, OSLO, BERGEN),
      message: /: the firewall announced 3 tunnels, and 2 could be read$/,
    },
    {
      when: "there are rows too many",
      text: reply({ shown: 1 }, OSLO, BERGEN),
      message: /: the firewall announced 1 tunnel, and 2 could be read$/,
    },
    {
      when: "the first of two tables is short",
      text: reply({ shown: 2 }, OSLO) + reply({ shown: 1 }, OSLO, BERGEN),
      message:
        /at line 6: the firewall announced 2 tunnels, and 1 could be read, in "total/,
    },
    {
      when: "the last row was cut within its interface",
      text: reply({ shown: 2 }, OSLO, BERGEN).slice(0, -3),
      message: /at line 6: the text ends within a line, in "3 +bergen/,
    },
    {
      when: "a row was cut and the next one goes on",
      text: reply({ shown: 2 }, OSLO.slice(0, 40), BERGEN),
      message: /at line 5: the row does not fit the header, in "2 +oslo/,
    },
    {
      when: "a row lacks its id",
      text: reply({ shown: 1 }, OSLO.replace("2   ", "    ")),
      message: /at line 5: this is no part of a table, in " +oslo/,
    },
    {
      when: "an address is missing",
      text: reply({ shown: 1 }, OSLO.replace("192.0.2.1", "         ")),
      message: /at line 5: the row does not fit the header/,
    },
    {
      when: "a row comes before the header",
      text: `total IPSec tunnel shown: 1\n${OSLO}\n${HEADER}\n`,
      message: /at line 2: this is no part of a table, in "2 +oslo/,
    },
    {
      when: "the second table lacks its header",
      text: `${
        reply({ shown: 1 }, OSLO)
      }total IPSec tunnel shown: 1\n${BERGEN}\n`,
      message: /at line 7: this is no part of a table, in "3 +bergen/,
    },
    {
      when: "a ruler stands among the rows",
      text: reply({ shown: 2 }, OSLO, "-----", BERGEN),
      message: /at line 6: this is no part of a table, in "-----"$/,
    },
    {
      when: "a stranger stands among the rows",
      text: reply({ shown: 2 }, OSLO, "Brought to you by root", BERGEN),
      message: /at line 6: this is no part of a table, in "Brought/,
    },
    {
      when: "a stranger stands below the rows",
      text: reply({ shown: 1 }, OSLO, "", "and so on"),
      message: /at line 7: this is no part of a table, in "and so on"$/,
    },
    {
      when: "a column is missing that no row can do without",
      text: reply({ shown: 0 }).replace("state ", "      "),
      message: /at line 3: the header has no column "state", in "id/,
    },
    {
      when: "the reply is in XML",
      text: '<response status="success"><result><dp>dp0</dp>\n</response>\n',
      message: /: the firewall answered in XML$/,
    },
    {
      when: "a message of the system came within a row",
      text: reply(
        { shown: 1 },
        `2    osloThe system is going down for reboot NOW!${OSLO.slice(9)}`,
      ),
      message: /at line 5: the row does not fit the header/,
    },
    {
      when: "a warning of the login came within a name",
      text: reply(
        { shown: 1 },
        `2    osWarning: Your device is still configured with the default${
          OSLO.slice(7)
        }`,
      ),
      message: /at line 5: the row does not fit the header/,
    },
    {
      when: "header and ruler stand on one line",
      text: reply({ shown: 0 }).replace("tunnel-i/f", "tunnel-i/f----------"),
      message: /at line 3: header and ruler stand on one line, in "id/,
    },
    {
      when: "something stands before the first column",
      text: [
        "total IPSec tunnel shown: 1",
        "    name            monitor state   id",
        "x   oslo-to-bergen1 off     rekey   4",
        "",
      ].join("\n"),
      message: /at line 3: the row does not fit the header/,
    },
    {
      when: "a column comes twice",
      text: reply({ shown: 0 }).replace("tunnel-i/f", "tunnel-i/f state"),
      message: /at line 3: the header has two columns "state", in "id/,
    },
    {
      when: "there are too many columns",
      text: reply({ shown: 0 }).replace(
        "tunnel-i/f",
        "tunnel-i/f a b c d e f",
      ),
      message: /at line 3: the header has too many columns, in "id/,
    },
    {
      when: "a row is longer than any can be",
      text: reply({ shown: 1 }, OSLO + " ".repeat(8_000)),
      message: /at line 5: no line of a table is this long, in "2 +oslo/,
    },
    {
      when: "a second table stands below the prompt",
      text: `${reply({ shown: 1 }, OSLO)}user@fw> show vpn flow\n${
        reply({ shown: 1 }, BERGEN)
      }`,
      message: /at line 7: a second table stands below the prompt, in "total/,
    },
    {
      when: "the pager waits for a key",
      text: reply({ shown: 2 }, OSLO) + "lines 1-23",
      message:
        /at line 6: the pager of the CLI was not switched off, in "lines/,
    },
    {
      when: "the pager waits before the table",
      text: "--more--\n",
      message: /at line 1: the pager of the CLI was not switched off/,
    },
    {
      when: "what is quoted could upset a terminal",
      text: reply({ shown: 1 }, "\u202egarbled"),
      message: /in "\\u\{202e\}garbled"$/,
    },
  ];
  for (const { when, text, message } of cases) {
    await t.step(when, () => {
      assert.throws(() => readVpnFlow(text), (error) => {
        assert(error instanceof VpnFlowError);
        assert.match(
          error.message,
          /^Cannot read the reply to "show vpn flow"/,
        );
        assert.match(error.explain(quote), message);
        assert.equal(error.reason, "parse");
        return true;
      });
    });
  }
});

Deno.test("parseVpnFlow() refuses a row that leaves a doubt", async (t) => {
  const withGwid = HEADER.replace("local-ip", "gwid local-ip");
  const withMode = `${HEADER} mode`;
  const cases = [
    {
      when: "no interface or no mode",
      header: withMode,
      row: "2 a active off L.1.1.1 P.1.1.1 tunnel.2",
    },
    {
      when: "no interface or no gwid",
      header: withGwid,
      row: "2 a active off 192.0.2.1 198.51.100.7 XXX",
    },
    {
      when: "a monitor as the state",
      row: "2 a down off L.1.1.1 P.1.1.1 tunnel.2",
    },
    {
      when: "a state as the monitor",
      row: "2 a active init L.1.1.1 P.1.1.1 tunnel.2",
    },
    {
      when: "an address as the state",
      row: "2 a b 192.0.2.9 off L.1.1.1 P.1.1.1 tunnel.2",
    },
    {
      when: "a number as the monitor",
      row: "2 a b active 7 L.1.1.1 P.1.1.1 tunnel.2",
    },
    {
      when: "an address as the interface",
      row: "2 a active off 192.0.2.1 198.51.100.7 203.0.113.9",
    },
    {
      when: "two words nobody knows",
      row: "2 a b rekey wait L.1.1.1 P.1.1.1 tunnel.2",
    },
    {
      when: "an unknown state beside a column nobody knows",
      header: HEADER.replace("monitor", "mte monitor"),
      row: "2 a b rekey off 192.0.2.1 198.51.100.7 tunnel.2",
    },
    {
      when: "a name that may end in two places",
      row: "2 a active rekey XXX YYY tunnel",
    },
  ];
  for (const { when, header = HEADER, row } of cases) {
    await t.step(when, () => {
      const text = `total IPSec tunnel shown: 1\n${header}\n${row}\n`;
      assert.throws(() => readVpnFlow(text.replace(/ +/g, " ")), {
        reason: "parse",
        message: /at line 3: the row (?:does not fit the header|can be read)/,
      });
    });
  }
  await t.step("two words nobody knows under their headers", () => {
    const row = OSLO.replace("active  off ", "rekey   wait");
    assert.throws(() => readVpnFlow(reply({ shown: 1 }, row)), {
      message: /at line 5: the row does not fit the header/,
    });
  });
});

Deno.test("parseVpnFlow() tells a refusal in the firewall's words", async (t) => {
  const refusals = [
    "Invalid syntax.",
    "Unknown command: show",
    "Server error : op command for client timed out",
    "Validation Error:",
    "Permission denied",
    "You need superuser privileges to do that",
    "Server error : Timed out while getting config lock. Please try again.",
    "server error: No such node",
    "Server error: permission denied for the command set .",
    "op command for client dagger timed out as client is not available",
    "Dataplane is not up or invalid target-dp(*.dp*)",
    "An error occured. See dagger.log for information .",
    "Failed to intepret the DP response .",
    "Failed to execute op command .",
    "Client wf_devsrvr not ready.",
  ];
  for (const refusal of refusals) {
    await t.step(refusal, () => {
      const replies = [
        refusal,
        `show vpn flow\r\n\r\n${refusal}\r\nuser@fw(active)> `,
        `user@fw> show vpn flow\n${refusal}\n${reply({ shown: 1 }, OSLO)}`,
        reply({ shown: 1 }, OSLO) + `\n${refusal}\n`,
        reply({ shown: 2 }, OSLO) + refusal,
      ];
      for (const text of replies) {
        assert.throws(() => readVpnFlow(text), {
          name: "VpnFlowError",
          reason: "command",
        });
      }
    });
  }
});

Deno.test("parseVpnFlow() forgets what was refused before the command", () => {
  const capture = "user@fw> show vpn flw\nInvalid syntax.\n" +
    `user@fw> show vpn flow\n${reply({ shown: 1 }, OSLO)}user@fw> exit\n`;
  assert.equal(readVpnFlow(capture).tunnels.length, 1);
});

Deno.test("parseVpnFlow() keeps each word as printed", () => {
  const row = OSLO.replace("active  off ", "ACTIVE  wait");
  const { tunnels } = readVpnFlow(reply({ shown: 1 }, row));
  assert.deepEqual(tunnels, [{
    id: "2",
    name: "oslo",
    state: "active",
    stateWord: "ACTIVE",
    monitor: "wait",
    localIp: "192.0.2.1",
    peerIp: "198.51.100.7",
    interfaceName: "tunnel.2",
  }]);
});

Deno.test("parseVpnFlow() never takes a word of the table's for a neighbour's", async (t) => {
  const cases = [
    { row: "2 a active active off L.1.1.1 P.1.1.1", name: "a active" },
    { row: "2 active off inactiv down L.1.1.1 P.1.1.1", name: "active off" },
    { row: "2 off off active off L.1.1.1 P.1.1.1 tunnel.2", name: "off off" },
    { row: "2 a b rekey off L.1.1.1 P.1.1.1 tunnel.2", name: "a b" },
    { row: "2 a b rekey off L.1.1.1 P.1.1.1", name: "a b" },
  ];
  for (const { row, name } of cases) {
    await t.step(row, () => {
      const [tunnel] = readVpnFlow(collapsedReply(row)).tunnels;
      assert.equal(tunnel?.name, name);
      assert.equal(tunnel.localIp, "L.1.1.1");
      assert.equal(tunnel.peerIp, "P.1.1.1");
    });
  }
});

Deno.test("parseVpnFlow() refuses a collapsed row below a header that is not", () => {
  // the name may be "hq active", and the state blank
  const row = "3 hq active off 192.0.2.1 198.51.100.7 tunnel.3";
  assert.throws(() => readVpnFlow(reply({ shown: 2 }, OSLO, row)), {
    message: /at line 6: the row does not fit the header/,
  });
});

Deno.test("parseVpnFlow() takes any word as a state that stands where it should", async (t) => {
  const withGwid = HEADER.replace("state ", "gwid  state ");
  const gwidRow = OSLO.replace("active", "7     active");
  const noMonitor = HEADER.replace("monitor ", "");
  const cases = [
    { when: "a monitor", row: OSLO.replace("active", "up    "), state: "up" },
    {
      when: "a monitor, in a table without monitors",
      header: noMonitor,
      row: OSLO.replace("active  off ", "down"),
      state: "down",
    },
    {
      when: "behind a name that fills its column",
      row: OSLO.replace("oslo           ", "oslo-to-bergen1")
        .replace("active", "rekey "),
      state: "rekey",
    },
    {
      when: "behind a column that nobody knows",
      header: withGwid,
      row: gwidRow.replace("active", "rekey "),
      state: "rekey",
    },
    {
      when: "none, behind a column that nobody knows",
      header: withGwid,
      row: gwidRow.replace("active", "      "),
      state: "",
    },
    {
      when: "behind such a column and a name that fills its own",
      header: withGwid,
      row: gwidRow.replace("oslo           ", "oslo-to-bergen1"),
      state: "active",
    },
    {
      when: "in another order",
      header: "name            monitor state   id",
      row: "oslo-to-bergen1 off     rekey   4",
      state: "rekey",
    },
    {
      when: "below a header that is indented",
      header: "  name            monitor state   id",
      row: "  oslo-to-bergen1 off     rekey   4",
      state: "rekey",
    },
    {
      when: "before the name",
      header: "state   id    name            local-ip",
      row: "rekey   4     oslo            192.0.2.1",
      state: "rekey",
    },
  ];
  for (const { when, header = HEADER, row, state } of cases) {
    await t.step(when, () => {
      const text = `total IPSec tunnel shown: 1\n${header}\n${row}\n`;
      const [tunnel] = readVpnFlow(text).tunnels;
      assert.equal(tunnel?.stateWord, state);
      assert.match(tunnel.name, /^oslo(?:-to-bergen1)?$/);
    });
  }
});

Deno.test("parseVpnFlow() keeps a column beside a name that was padded by bytes", () => {
  const lines = [
    "total IPSec tunnel shown: 1",
    "id  name        gwid state   monitor local-ip   peer-ip      tunnel-i/f",
    "2    øst       7     active  off     192.0.2.1  198.51.100.7 tunnel.2",
    "",
  ];
  assert.equal(readVpnFlow(lines.join("\n")).tunnels[0]?.name, "øst");
});

Deno.test("parseVpnFlow() reads a name that fills its column, by whatever that was padded", async (t) => {
  const names = {
    bytes: "東京 大阪 a",
    characters: "東京 本社 over oslo",
    "width on the screen": "東京 本社 oslo1",
  };
  for (const [unit, name] of Object.entries(names)) {
    await t.step(unit, () => {
      const row = OSLO.replace("oslo           ", name);
      const [tunnel] = readVpnFlow(reply({ shown: 1 }, row)).tunnels;
      assert.equal(tunnel?.name, name);
      assert.equal(tunnel.state, "active");
    });
  }
});

Deno.test("parseVpnFlow() reads a name of wide characters that fills its column, the header one off", async (t) => {
  const headers = {
    "to the left": HEADER.replace(" state ", "state  "),
    "to the right": HEADER.replace("state  ", " state "),
  };
  const row = OSLO.replace("oslo           ", "東京 大阪 a");
  for (const [side, header] of Object.entries(headers)) {
    await t.step(side, () => {
      const text = `total IPSec tunnel shown: 1\n${header}\n${row}\n`;
      assert.equal(readVpnFlow(text).tunnels[0]?.name, "東京 大阪 a");
    });
  }
});

Deno.test("parseVpnFlow() refuses a row that stands in two ways, padded by bytes and not", () => {
  const lines = [
    "total IPSec tunnel shown: 1",
    "id   state   name            gwid  tunnel-i/f",
    "2    active  東京東 abcde 7     tunnel",
    "",
  ];
  assert.throws(() => readVpnFlow(lines.join("\n")), {
    message: /at line 3: the row does not fit the header/,
  });
});

Deno.test("parseVpnFlow() reads a row that was moved by a replaced name", () => {
  const row = OSLO.replace("oslo    ", "X");
  const [tunnel] = readVpnFlow(reply({ shown: 1 }, row)).tunnels;
  assert.equal(tunnel?.name, "X");
  assert.equal(tunnel.interfaceName, "tunnel.2");
});

Deno.test("parseVpnFlow() refuses a moved row whose state it does not know", () => {
  const row = OSLO.replace("oslo    ", "X").replace("active", "rekey ");
  assert.throws(() => readVpnFlow(reply({ shown: 1 }, row)), {
    message: /at line 5: the row does not fit the header/,
  });
});

Deno.test("parseVpnFlow() never reads a state out of a name", async (t) => {
  const noMonitor = HEADER.replace("monitor ", "");
  const cases = [
    {
      when: "padded by width on the screen, the state blank",
      row:
        "2    東京 active             off     192.0.2.1       198.51.100.7    tunnel.2",
      state: "",
    },
    {
      when: "wide characters and a word that overflows, the state lost",
      row:
        "2    東京 大阪 本社 oslo active  off     192.0.2.1       198.51.100.7    tunnel.2",
    },
    {
      when: "wide characters between headers that are one off on either side",
      header: HEADER.replace(
        "name            state ",
        " name          state  ",
      ),
      row:
        "2    東京 大阪 a active  off     192.0.2.1       198.51.100.7    tunnel.2",
    },
    {
      when: "between such headers, off to the other sides",
      header: HEADER.replace(
        " name            state  ",
        "name              state ",
      ),
      row:
        "2    東京 大阪 a active  off     192.0.2.1       198.51.100.7    tunnel.2",
    },
    {
      when: "wide characters up to one column behind the next header",
      header: HEADER.replace("   name", "  name"),
      row:
        "2    東京 大阪 ab active  off     192.0.2.1       198.51.100.7    tunnel.2",
    },
    {
      when:
        "wide characters, and a column nobody knows that may hold the state",
      header: HEADER.replace("state   ", "state f "),
      row:
        "2    東京 大阪 4jlab init established off     192.0.2.1       198.51.100.7    tunnel.2",
    },
    {
      when: "shortened by hand, the state blank",
      row:
        "2    hq active             off     192.0.2.1       198.51.100.7    tunnel.2",
    },
    {
      when: "an unknown state, no monitor, no interface, masked addresses",
      row: "2    site active down rekey           XXX             YYY",
    },
    {
      when: "the state blank in a table without monitors",
      header: noMonitor,
      row:
        "2    site active             192.0.2.1       198.51.100.7    tunnel.2",
      state: "",
    },
    {
      when: "two blanks in a name that overflows",
      row:
        "2    a  long name  active  off     192.0.2.1       198.51.100.7    tunnel.2",
    },
    {
      when: "the end of a name and the state behind it are lost",
      row: "2    hq active  off     192.0.2.1       198.51.100.7    tunnel.2",
    },
    {
      when: "a name that overflows, beside a column that nobody knows",
      header: HEADER.replace("state   monitor", "state = monitor"),
      row:
        "2    oslo and bergen inactiv active  down    192.0.2.1       198.51.100.7    tunnel.2",
      state: "active",
    },
    {
      when: "two states behind it, the header of the monitor damaged",
      header: HEADER.replace("monitor", "mo    nitor"),
      row:
        "2    oslo and bergen active    inactive up    192.0.2.1       198.51.100.7    tunnel.2",
    },
    {
      when: "two states in a moved row, the header of the monitor damaged",
      header: HEADER.replace("monitor", "m      onitor"),
      row:
        "2    oslo               active  init   down   192.0.2.1       198.51.100.7    tunnel.2",
    },
    {
      when: "a name that overflows, the state damaged, the monitor lost",
      row:
        "2    oslo and bergen inactiv activf  192.0.2.1       198.51.100.7    tunnel.2",
    },
    {
      when: "a state of which the rest is lost, up to the address",
      header: noMonitor,
      row:
        "2    oslo and bergen inactiv act4e5:3::192.0.2.1 2001:db8::7     tunnel.2",
    },
    {
      when: "a word like an address beside the monitor",
      row: `${OSLO.slice(0, 37)}192.0.2.9 ${OSLO.slice(37)}`,
    },
    {
      when: "state and monitor touch",
      row: OSLO.replace("active  off", "activeoff  "),
    },
    { when: "addresses touch", row: OSLO.replace(/192.0.2.1 +/, "192.0.2.1") },
    {
      when: "address and interface touch",
      row: OSLO.replace(/7 +tunnel/, "7tunnel"),
    },
  ];
  for (const { when, header = HEADER, row, state } of cases) {
    await t.step(when, () => {
      const text = `total IPSec tunnel shown: 1\n${header}\n${row}\n`;
      const read = (): string | undefined =>
        readVpnFlow(text).tunnels[0]?.stateWord;
      if (state === undefined) assert.throws(read, { reason: "parse" });
      else assert.equal(read(), state);
    });
  }
});

Deno.test("parseVpnFlow() reads a row that stands where it should, whatever an unknown column holds", () => {
  const [header, row] = [`${HEADER}  ike`, `${OSLO}    init`];
  const text = `total IPSec tunnel shown: 1\n${header}\n${row}\n`;
  assert.equal(readVpnFlow(text).tunnels[0]?.state, "active");
});

Deno.test("parseVpnFlow() passes over messages of the system between rows", () => {
  const said = [
    "Broadcast message from root (pts/1) (Tue Apr 22 15:31:09 2025):",
    "",
    "The system is going down for reboot NOW!",
  ];
  const text = reply({ shown: 2 }, OSLO, "", ...said, BERGEN);
  assert.equal(readVpnFlow(text).tunnels.length, 2);
});

Deno.test("VpnFlowError quotes the firewall only through explain()", () => {
  const text = reply({ shown: 1 }, "s3cret in a row");
  assert.throws(() => readVpnFlow(text), (error) => {
    assert(error instanceof VpnFlowError);
    assert.doesNotMatch(error.message, /s3cret/);
    assert.match(error.explain(() => "(left out)"), /, in \(left out\)$/);
    return true;
  });
});

Deno.test("parseVpnFlow() leaves configured open unless each table counts it", () => {
  const counted = `total IPSec tunnel configured: 4\n${
    reply({ shown: 1 }, OSLO)
  }`;
  assert.equal(readVpnFlow(counted).configured, 4);
  assert.equal(readVpnFlow(counted + counted).configured, 8);
  const partly = counted + reply({ shown: 1 }, OSLO);
  assert.equal(readVpnFlow(partly).configured, undefined);
});

Deno.test("parseVpnFlow() ends in bounded time on hostile text", async (t) => {
  const cases = {
    "one line of 8 MiB": reply({ shown: 1 }, "2 " + "a ".repeat(4_194_304)),
    "8 MiB without a line end": "-".repeat(8_388_608),
    "8 MiB of blanks": " ".repeat(8_388_608),
    "a million lines": "\n".repeat(1_000_000),
    "a row of as many words as fit": reply(
      { shown: 1 },
      "2 " + "a ".repeat(2_000),
    ),
    "a row that fits no reading of many columns": reply(
      { shown: 1 },
      "2    " + "é ".repeat(1_000),
    ).replace("tunnel-i/f", "tunnel-i/f a b c d e"),
  };
  for (const [name, text] of Object.entries(cases)) {
    await t.step(name, () => {
      assert.throws(() => readVpnFlow(text), { name: "VpnFlowError" });
    });
  }
});

Deno.test("isPagerPrompt() knows the pagers of the CLI", () => {
  const prompts = [
    "lines 1-23",
    "lines 24-46/61 75%",
    " lines 1-23 ",
    "--more--",
    "--More--",
    "--- More ---",
    "(END)",
  ];
  for (const line of prompts) assert(isPagerPrompt(line), line);
  for (const line of [OSLO, HEADER, "-----", "user@fw> ", "", "lines"]) {
    assert(!isPagerPrompt(line), line);
  }
});

/** A reply that claims to show so many tunnels, with the lines given. */
function reply(
  { shown }: { readonly shown: number },
  ...lines: readonly string[]
): string {
  return [
    `total IPSec tunnel shown: ${shown}`,
    "",
    HEADER,
    "--   ----            -----   ------- --------        -------         ----------  ",
    ...lines,
    "",
  ].join("\n");
}

/** The same for one row, with every run of blanks made one. */
function collapsedReply(row: string): string {
  return reply({ shown: 1 }, row).replace(/ +/g, " ");
}
