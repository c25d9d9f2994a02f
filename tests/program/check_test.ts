/**
 * `--check` as an operator meets it: what stands on the terminal, and the exit
 * code.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type Environment, runExporter } from "../support/exporter.ts";
import {
  type FirewallOptions,
  type SimulatedFirewall,
  startFirewall,
} from "../support/firewall.ts";
import { passwordQuestion } from "../support/firewall_login.ts";
import type { Outcome } from "../support/program.ts";
import { inventTunnels, printVpnFlow } from "../support/vpn_flow_reply.ts";
import {
  printUnknownLayout,
  printVpnFlowXml,
  XML_FAULTS,
} from "../support/vpn_flow_xml.ts";

const SHOW = "show vpn flow";
const XML_ON = "set cli op-command-xml-output on";
const XML_OFF = "set cli op-command-xml-output off";

const TUNNELS = inventTunnels(3);
const TEXT = printVpnFlow(TUNNELS);
const XML = printVpnFlowXml(TUNNELS);

function environmentOf(
  ...firewalls: readonly SimulatedFirewall[]
): Environment {
  return {
    USERNAME: "monitor",
    PASSWORD: "correct horse",
    TARGETS: firewalls.map(targetOf).join(","),
    SSH_HOST_KEY: firewalls.map((one) => `${targetOf(one)}=${one.fingerprint}`)
      .join(","),
    SCRAPE_TIMEOUT: "30",
  };
}

function targetOf({ port }: SimulatedFirewall): string {
  return `127.0.0.1:${port}`;
}

/** Checks one firewall; what its report says is the same for any port. */
async function checkOne(
  options: FirewallOptions,
  changes: Environment = {},
): Promise<Outcome & { readonly commands: readonly string[] }> {
  await using firewall = await startFirewall(options);
  const environment = { ...environmentOf(firewall), ...changes };
  const { code, stdout, stderr } = await runExporter(["--check"], environment);
  await firewall.waitFor(({ openSessions }) => openSessions === 0);
  const plain = (text: string): string =>
    text.replaceAll(targetOf(firewall), "fw1");
  const commands = firewall.commands.slice(2); // settings of each login
  return { code, stdout: plain(stdout), stderr: plain(stderr), commands };
}

function verdictIn(stdout: string): string | undefined {
  return stdout.trimEnd().split("\n").at(-1);
}

Deno.test("--check tells each step as it begins", async () => {
  const { stderr } = await checkOne({ reply: () => TEXT, replyXml: () => XML });
  assert.deepEqual(stderr.split("\n"), [
    "fw1: connecting",
    "fw1: agreeing on keys",
    "fw1: logging in",
    "fw1: waiting for the command line",
    'fw1: asking "show vpn flow" as text',
    'fw1: asking "show vpn flow" in XML',
    'fw1: asking "show vpn flow" as text again',
    "",
  ]);
});

Deno.test("--check compares text and XML of one session, and says that they agree", async () => {
  const result = await checkOne({ reply: () => TEXT, replyXml: () => XML });
  const { code, stdout, commands } = result;
  assert.equal(code, 0, stdout);
  assert.deepEqual(commands, [SHOW, XML_ON, SHOW, XML_OFF, SHOW, "exit"]);
  const steady = stdout.replace(/^Took .*$/m, "Took")
    .replace(/^SSH .*$/m, "SSH");
  assert.equal(
    steady,
    `Firewall  fw1
Asked     "show vpn flow" as text, in XML, as text again
SSH
HA state  active
Layout    text: id (6), name (64), state (8), monitor (8), local-ip (30), peer-ip (30), tunnel-i/f
Took

id  tunnel    state  monitor  interface  local      peer
1   branch-1  up     off      tunnel.1   192.0.2.1  198.51.100.1
2   branch-2  up     off      tunnel.2   192.0.2.1  198.51.100.2
3   branch-3  up     off      tunnel.3   192.0.2.1  198.51.100.3

Found
  Text and XML agree, in 3 rows.

To do
  Nothing.

fw1: ok: 3 tunnels: 3 up
`,
  );
  assert.match(stdout, /^SSH {7}\S+, ssh-ed25519, \S+$/m);
  const step = String.raw`[\d.]+ m?s, `;
  assert.match(
    `${/^Took .*$/m.exec(stdout)}, `,
    new RegExp(
      `^Took {6}connect ${step}handshake ${step}auth ${step}session ${step}text ${step}XML ${step}text again ${step}$`,
    ),
  );
});

Deno.test("--check shows both rows where text and XML differ", async (t) => {
  const cases = [
    {
      what: "in a name",
      change: { name: "lima" },
      fields: "name",
      row: "2  lima      active  off  tunnel.2  192.0.2.1  198.51.100.2",
    },
    {
      what: "in a state",
      change: { state: "inactive" },
      fields: "state",
      row: "2  branch-2  inactive  off  tunnel.2  192.0.2.1  198.51.100.2",
    },
  ];
  for (const { what, change, fields, row } of cases) {
    await t.step(what, async () => {
      const other = TUNNELS.map((tunnel) =>
        tunnel.id === 2 ? { ...tunnel, ...change } : tunnel
      );
      const { code, stdout } = await checkOne({
        reply: () => TEXT,
        replyXml: () => printVpnFlowXml(other),
      });
      assert.equal(code, 1);
      const [wrong = ""] = /^Wrong\n[^]*?\n\n/m.exec(stdout) ?? [];
      assert(wrong.includes("  Text and XML differ in 1 of 3 rows:\n"), stdout);
      assert(wrong.includes(`  id 2 differs in ${fields}\n`), stdout);
      assert.match(wrong, /^ {4}text {2}2 {2}branch-2 {2}active /m);
      assert(wrong.includes(`    XML   ${row}\n`), stdout);
      for (const fault of ["107207", "153908", "259091", "149008"]) {
        assert(stdout.includes(`PAN-${fault}`), stdout);
      }
      assert.equal(
        verdictIn(stdout),
        "fw1: not ok: 3 tunnels: 3 up; text and XML differ in 1 row",
      );
    });
  }
});

Deno.test("--check does not compare what has changed meanwhile", async () => {
  const later = TUNNELS.map((tunnel) =>
    tunnel.id === 2 ? { ...tunnel, state: "inactive" } : tunnel
  );
  const { code, stdout } = await checkOne({
    reply: (_, answered) => answered === 0 ? TEXT : printVpnFlow(later),
    replyXml: () => printVpnFlowXml(later),
  });
  assert.equal(code, 0, stdout);
  assert.match(stdout, /^ {2}1 row changed meanwhile .*: id 2\.$/m);
  assert.match(stdout, /^ {2}Text and XML agree, in 2 rows\.$/m);
});

Deno.test("--check goes on where there is no XML", async (t) => {
  await t.step("as the firewall does not know it", async () => {
    const result = await checkOne({ reply: () => TEXT });
    const { code, stdout, commands } = result;
    assert.equal(code, 0, stdout);
    assert.deepEqual(commands, [SHOW, XML_ON, "exit"]);
    assert.match(stdout, /^ {2}This firewall does not know XML/m);
    assert.equal(verdictIn(stdout), "fw1: ok: 3 tunnels: 3 up");
  });
  await t.step("as it cannot be read", async () => {
    const { code, stdout } = await checkOne({
      reply: () => TEXT,
      replyXml: () => XML_FAULTS["an error response"],
    });
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^ {2}The XML cannot be read.*"No such node"$/m);
    assert.equal(
      verdictIn(stdout),
      "fw1: ok: 3 tunnels: 3 up; text and XML not compared",
    );
  });
});

Deno.test("--check says how to send in a text that it cannot read", async (t) => {
  const reply = (): string => printUnknownLayout(TUNNELS);
  const lines = [
    /^ {2}Log in .*save the whole session as session\.txt\.$/m,
    /^ {2}.*panos-ipsec-exporter --redact < session\.txt > layout\.txt$/m,
    /^ {2}Look through layout\.txt, then send it in/m,
  ];
  await t.step("while the XML tells", async () => {
    const { code, stdout } = await checkOne({ reply, replyXml: () => XML });
    assert.equal(code, 0, stdout);
    for (const line of lines) assert.match(stdout, line);
    assert.match(stdout, /^2 {3}branch-2 {2}up /m);
    assert.match(stdout, /^Wrong\n {2}Cannot read the reply/m);
    assert.equal(verdictIn(stdout), "fw1: ok: 3 tunnels: 3 up; read from XML");
  });
  await t.step("and there is nothing else", async () => {
    const { code, stdout } = await checkOne({ reply });
    assert.equal(code, 1, stdout);
    for (const line of lines) assert.match(stdout, line);
    assert.equal(verdictIn(stdout), "fw1: not ok: reply not understood");
  });
});

Deno.test("--check says what is wrong and what to do", async (t) => {
  const cases: readonly (readonly [
    string,
    FirewallOptions,
    Environment,
    RegExp,
  ])[] = [
    [
      "command refused",
      { reply: () => "Invalid syntax.\n" },
      {},
      /"Invalid syntax\."\n[^]*\nTo do\n {2}Run the command with .*superreader/,
    ],
    [
      "too slow",
      { reply: () => [{ hang: true }] },
      { SCRAPE_TIMEOUT: "1" },
      /no whole answer within 1 s \(SCRAPE_TIMEOUT\)\n[^]*\nTo do\n {2}See which phase/,
    ],
    [
      "too slow",
      { faults: { prompt: "hang" } },
      { SSH_LOGIN_TIMEOUT: "2" },
      /Cannot log in within 2 s \(SSH_LOGIN_TIMEOUT\)\n[^]*\nTo do\n {2}See which/,
    ],
    [
      "host key not accepted",
      {},
      { SSH_HOST_KEY: `SHA256:${"A".repeat(43)}` },
      /Asked {5}nothing: the login failed\n[^]*\nTo do\n {2}If the firewall was replaced/,
    ],
    [
      "login rejected",
      { password: "another" },
      {},
      /rejected the credentials[^]*\nTo do\n {2}Look at the account on the firewall/,
    ],
  ];
  for (const [verdict, options, changes, text] of cases) {
    await t.step(`${verdict}: ${Object.keys(options)}`, async () => {
      const { code, stdout } = await checkOne(options, changes);
      assert.equal(code, 1, stdout);
      assert.match(stdout, text);
      assert.equal(verdictIn(stdout), `fw1: not ok: ${verdict}`);
    });
  }
});

Deno.test("--check shows what a firewall says, but not what that could do", async () => {
  const hostile = TUNNELS.map((tunnel) =>
    tunnel.id === 2 ? { ...tunnel, name: "correct horse \u202e" } : tunnel
  );
  const { stdout, stderr } = await checkOne({
    reply: () => printVpnFlow(hostile),
  });
  assert.match(stdout, /^2 {3}\*\*\* \\u\{202e\} /m);
  assert.doesNotMatch(stdout + stderr, /correct horse|\u202e/);
});

Deno.test("--check asks no second firewall before one has accepted the account", async (t) => {
  await using good = await startFirewall();
  await using bad = await startFirewall({ password: "another" });
  await using silent = await startFirewall({ faults: { verdict: "hang" } });
  await t.step("a rejection ends the run", async () => {
    const environment = environmentOf(bad, good, silent);
    const { code, stdout } = await runExporter(["--check"], environment);
    assert.equal(code, 1);
    assert.equal(
      verdictIn(stdout),
      `  rejected by ${
        targetOf(bad)
      }; 2 not asked, so that the account is not locked`,
    );
  });
  await t.step("so does a password that is not answered", async () => {
    const { code, stdout } = await runExporter(["--check"], {
      ...environmentOf(silent, good),
      SSH_LOGIN_TIMEOUT: "5",
    });
    assert.equal(code, 1);
    const stop = `not answered by ${targetOf(silent)}; 1 not asked`;
    assert(verdictIn(stdout)?.includes(stop), stdout);
  });
  assert.equal(good.connections, 0);
  assert.equal(bad.credentials.length, 1);
});

Deno.test("--check reports rejections after one has accepted, and stops at two in a row", async (t) => {
  await using good = await startFirewall();
  await using other = await startFirewall();
  await using bad = await startFirewall({ password: "another" });
  await using worse = await startFirewall({
    rounds: [[passwordQuestion("another")]],
  });
  await t.step("one rejection", async () => {
    const environment = environmentOf(good, bad, other);
    const { code, stdout } = await runExporter(["--check"], environment);
    assert.equal(code, 1);
    const [, all] = stdout.split("Summary\n");
    assert.deepEqual(all?.split("\n"), [
      `  ${targetOf(good)}: ok: 6 tunnels: 6 up`,
      `  ${targetOf(bad)}: not ok: login rejected`,
      `  ${targetOf(other)}: ok: 6 tunnels: 6 up`,
      "",
    ]);
  });
  await t.step("two rejections", async () => {
    const environment = environmentOf(good, bad, worse, other);
    const { code, stdout } = await runExporter(["--check"], environment);
    assert.equal(code, 1);
    const stop = `rejected by ${targetOf(worse)}; 1 not asked`;
    assert(verdictIn(stdout)?.includes(stop), stdout);
    assert.equal(other.connections, 1);
  });
});

Deno.test("--check TARGET examines that firewall alone", async (t) => {
  await using one = await startFirewall();
  await using other = await startFirewall();
  const environment = environmentOf(one, other);
  await t.step("one that is listed", async () => {
    const args = ["--check", targetOf(other)];
    const { code, stdout } = await runExporter(args, environment);
    assert.equal(code, 0, stdout);
    assert.equal(verdictIn(stdout), `${targetOf(other)}: ok: 6 tunnels: 6 up`);
  });
  const hostname = { PE_HOSTNAME: "127.0.0.1", SSH_PORT: `${one.port}` };
  const { TARGETS: _, ...withoutTargets } = environmentOf(one);
  const names = `"${targetOf(one)}", "${targetOf(other)}"`;
  const cases = [
    {
      set: "TARGETS",
      environment,
      known: `TARGETS names ${names}`,
    },
    {
      set: "HOSTNAME",
      environment: { ...withoutTargets, ...hostname },
      known: 'HOSTNAME names "127.0.0.1", and TARGETS is not set',
    },
    {
      set: "HOSTNAME and TARGETS",
      environment: { ...environment, ...hostname },
      known: `HOSTNAME and TARGETS name ${names}`,
    },
  ];
  for (const { set, environment, known } of cases) {
    await t.step(`one that is not, where ${set} is set`, async () => {
      const result = await runExporter(["--check", "127.0.0.2"], environment);
      assert.deepEqual(result, {
        code: 2,
        stdout: "",
        stderr: `Cannot check "127.0.0.2": ${known}\n`,
      });
    });
  }
  assert.deepEqual([one.connections, other.connections], [0, 1]);
});
