import assert from "node:assert/strict";
import { examine } from "../../src/check/examine.ts";
import type { Cli } from "../../src/panos/cli.ts";
import type { Command } from "../../src/panos/command.ts";
import { systemClock } from "../../src/std/clock.ts";
import { NEGOTIATED } from "../support/status.ts";
import { inventTunnels, printVpnFlow } from "../support/vpn_flow_reply.ts";
import { printVpnFlowXml } from "../support/vpn_flow_xml.ts";

const TUNNELS = inventTunnels(2);

Deno.test("examine() ends the comparison where text cannot be had again", async () => {
  const asked: string[] = [];
  const replies = [printVpnFlow(TUNNELS), printVpnFlowXml(TUNNELS)];
  const cli: Cli = {
    haState: "active",
    closed: new Promise(() => {}),
    run<Value>({ text, parse }: Command<Value>): Promise<Value> {
      asked.push(text);
      return Promise.resolve(parse((replies.shift() ?? "").split("\n")));
    },
    setForm(form): Promise<boolean> {
      asked.push(form);
      return Promise.resolve(form === "xml");
    },
  };
  const findings = await examine(
    {
      target: "fw1",
      openSession: () =>
        Promise.resolve({
          cli,
          negotiated: NEGOTIATED,
          end: () => Promise.resolve(),
        }),
    },
    {
      clock: systemClock,
      loginTimeoutMs: 1_000,
      scrapeTimeoutMs: 1_000,
      tell: () => {},
      mask: (text) => text,
    },
  );
  assert.deepEqual(asked, ["show vpn flow", "xml", "show vpn flow", "text"]);
  assert(findings.loginError === undefined);
  assert(findings.textAgain instanceof Error);
  assert.match(
    findings.textAgain.message,
    /^Cannot have the table printed as text again: the firewall does not know "set cli op-command-xml-output off"$/,
  );
});
