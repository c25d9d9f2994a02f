import assert from "node:assert/strict";
import {
  environmentFor,
  type Exporter,
  type Scrape,
  startExporter,
} from "../support/exporter.ts";
import {
  type FirewallOptions,
  type SimulatedFirewall,
  startFirewall,
} from "../support/firewall.ts";
import { SIX_TUNNELS_UNKNOWN, SIX_TUNNELS_XML } from "../support/openssh.ts";
import { inventTunnels, printVpnFlow } from "../support/vpn_flow_reply.ts";
import { printVpnFlowXml, XML_FAULTS } from "../support/vpn_flow_xml.ts";

const SHOW = "show vpn flow";
const XML_ON = "set cli op-command-xml-output on";

/** All that is typed at a firewall whose text can be read, for one poll. */
const AS_TEXT = ["set cli scripting-mode on", "set cli pager off", SHOW];

Deno.test("that a text cannot be read is told once, on the page too", async () => {
  await using firewall = await startUnknown({
    replyXml: () => SIX_TUNNELS_XML,
  });
  await using exporter = await startFor(firewall);
  for (let scrapes = 0; scrapes < 3; scrapes++) {
    assertForm(await exporter.scrape(), "xml");
  }
  const { text: page } = await exporter.get("/");
  assert.match(page, /The text cannot be read.*XML.*--redact/);
  const { log } = await exporter.stop();
  const told = onlyLineWith("text cannot be read", log);
  assert.match(told, /level=warn.*198\.51\.100.*--redact/);
  const login = onlyLineWith("first login", log);
  assert.match(login, /kex=.* host_key=ssh-ed25519 cipher=/);
});

Deno.test("a firewall whose text can be read is asked nothing more than that", async () => {
  await using firewall = await startFirewall({
    reply: () => printVpnFlow(inventTunnels(6)),
    replyXml: () => SIX_TUNNELS_XML,
  });
  await using exporter = await startFor(firewall);
  assertForm(await exporter.scrape(), "text");
  assertForm(await exporter.scrape(), "text");
  assert.deepEqual(firewall.commands, [...AS_TEXT, SHOW]);
});

Deno.test("XML that tells no table fails the poll with the text's problem", async () => {
  await using firewall = await startUnknown({
    replyXml: () => XML_FAULTS["an error response"],
  });
  await using exporter = await startFor(firewall);
  for (let scrapes = 0; scrapes < 3; scrapes++) {
    assert.equal((await exporter.scrape()).verdict, "parse");
  }
  assert.equal(firewall.logins, 1, "the session is kept");
  const off = "set cli op-command-xml-output off";
  assert.deepEqual(
    firewall.commands,
    [...AS_TEXT, XML_ON, SHOW, off, SHOW, SHOW],
  );
  const { log } = await exporter.stop();
  const failure = onlyLineWith("poll failed", log);
  assert.match(failure, /reason=parse.*198\.51\.100/);
});

Deno.test("XML on one line of more than 4 MiB is read", async () => {
  const size = 10_000;
  const xml = printVpnFlowXml(inventTunnels(size)).replaceAll("\n", " ");
  const line = xml.replaceAll("<owner>", `${" ".repeat(100)}<owner>`);
  assert(line.length > 4 * 1024 * 1024 && line.length < 8 * 1024 * 1024);
  await using firewall = await startUnknown({ replyXml: () => line });
  await using exporter = await startFor(firewall);
  const scrape = await exporter.scrape();
  assertForm(scrape, "xml");
  assert.equal(scrape.states.length, size);
});

/** A firewall whose text no reader knows. */
function startUnknown(options: FirewallOptions): Promise<SimulatedFirewall> {
  return startFirewall({ reply: () => SIX_TUNNELS_UNKNOWN, ...options });
}

function startFor(firewall: SimulatedFirewall): Promise<Exporter> {
  return startExporter({
    ...environmentFor(firewall),
    MIN_POLL_INTERVAL: "0",
  });
}

function assertForm(scrape: Scrape, form: string): void {
  assert.equal(scrape.verdict, "up");
  const [reading] = scrape.series("panos_ipsec_reading_info");
  assert.deepEqual(reading, {
    name: "panos_ipsec_reading_info",
    labels: { form },
    value: 1,
  });
}

function onlyLineWith(message: string, log: readonly string[]): string {
  const found = log.filter((line) => line.includes(message));
  assert.equal(found.length, 1, log.join("\n"));
  return found[0] ?? "";
}
