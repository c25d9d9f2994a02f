import assert from "node:assert/strict";
import { examine, type ExamineOptions } from "../../src/check/examine.ts";
import type { GuardedLogin } from "../../src/firewall/guarded_login.ts";
import type { Session } from "../../src/firewall/session.ts";
import type { Cli } from "../../src/panos/cli.ts";
import type { Command } from "../../src/panos/command.ts";
import { untilAborted } from "../../src/std/abort.ts";
import { type Clock, delay, systemClock } from "../../src/std/clock.ts";
import { stopTime } from "../support/fake_time.ts";
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
    { target: "fw1", openSession: () => Promise.resolve(sessionOf(cli)) },
    optionsFor(systemClock),
  );
  assert.deepEqual(asked, ["show vpn flow", "xml", "show vpn flow", "text"]);
  assert(findings.loginError === undefined);
  assert(findings.textAgain instanceof Error);
  assert.match(
    findings.textAgain.message,
    /^Cannot have the table printed as text again: the firewall does not know "set cli op-command-xml-output off"$/,
  );
});

for (
  const [ms, outcome] of [
    [2_900, undefined],
    [3_100, "timeout"],
  ] as const
) {
  Deno.test(`examine() meets a login of ${ms} ms, where it may take 3 s and a scrape 1 s: ${outcome}`, async () => {
    using time = stopTime();
    const openSession: GuardedLogin = async (_, signal) => {
      await untilAborted(delay(ms, time.clock), signal);
      return sessionOf(SILENT);
    };
    const examined = examine(
      { target: "fw1", openSession },
      optionsFor(time.clock),
    );
    const { loginError } = await time.until(examined);
    assert.equal(loginError?.reason, outcome);
  });
}

/** Answers nothing. */
const SILENT: Cli = {
  haState: undefined,
  closed: new Promise(() => {}),
  run: () => new Promise(() => {}),
  setForm: () => new Promise(() => {}),
};

function sessionOf(cli: Cli): Session {
  return { cli, negotiated: NEGOTIATED, end: () => Promise.resolve() };
}

function optionsFor(clock: Clock): ExamineOptions {
  return {
    clock,
    loginTimeoutMs: 3_000,
    scrapeTimeoutMs: 1_000,
    tell: () => {},
    mask: (text) => text,
  };
}
