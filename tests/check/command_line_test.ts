import assert from "node:assert/strict";
import { runExporter } from "../support/exporter.ts";
import { inventTunnels, printVpnFlow } from "../support/vpn_flow_reply.ts";
import { printVpnFlowXml } from "../support/vpn_flow_xml.ts";
import type { Outcome } from "../support/program.ts";

const PROMPT = "monitor@fw-a(active)> ";
const TUNNELS = inventTunnels(3);

/** Runs the program with the permissions that concern it: none at all. */
function run(option: string, input: Iterable<string>): Promise<Outcome> {
  const run = ["run", "--no-prompt", "main.ts"];
  return runExporter([option], {}, { input, run });
}

Deno.test("--parse reads text and XML, told apart by what they are", async (t) => {
  const text = printVpnFlow(TUNNELS);
  const xml = printVpnFlowXml(TUNNELS);
  const inputs = {
    text,
    XML: xml,
    "XML on one line": xml.replaceAll("\n", ""),
    "XML in a session": `${PROMPT}show vpn flow\r\n${xml}${PROMPT}`,
    "an unknown layout, and XML":
      `${PROMPT}show vpn flow\nid state\n1 up\n${PROMPT}show vpn flow\n${xml}`,
  };
  const answers = new Set<string>();
  for (const [what, input] of Object.entries(inputs)) {
    await t.step(what, async () => {
      const { code, stdout, stderr } = await run("--parse", [input]);
      assert.deepEqual([code, stderr], [0, "stdin: ok: 3 tunnels: 3 up\n"]);
      const form = what === "text" ? "text" : "xml";
      const reading = `panos_ipsec_reading_info{form="${form}"} 1\n`;
      assert(stdout.includes(reading), stdout);
      answers.add(
        stdout.replace(/(timestamp_seconds) [0-9.e+]+/g, "$1")
          .replace(reading, ""),
      );
    });
  }
  assert.equal(answers.size, 1, "text and XML say different things");
});

Deno.test("--parse and --redact read 64 MiB and no more", async () => {
  const mebibyte = "x".repeat(2 ** 20);
  for (const option of ["--parse", "--redact"]) {
    const input = [...Array.from({ length: 64 }, () => mebibyte), "x"];
    const { code, stdout, stderr } = await run(option, input);
    assert.deepEqual([code, stdout], [1, ""]);
    assert.equal(stderr, "Cannot read standard input: it is over 64 MiB\n");
  }
});

Deno.test("--redact prints what --parse reads as before", async () => {
  const session = `${PROMPT}show vpn flow\r\n${printVpnFlow(TUNNELS)}${PROMPT}`;
  const { code, stdout, stderr } = await run("--redact", [session]);
  assert.equal(code, 0);
  assert.match(
    stderr,
    /^kept: 21 words; look at them before sending\nactive\n/,
  );
  assert.doesNotMatch(stdout, /branch|monitor@|fw-a/);
  const verdict = await run("--parse", [stdout]);
  assert.equal(verdict.stderr, "stdin: ok: 3 tunnels: 3 up\n");
});
