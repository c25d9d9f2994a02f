import { NO_HISTORY } from "../../src/model/history.ts";
import { readVpnFlow } from "../support/vpn_flow_reply.ts";
import assert from "node:assert/strict";
import { render } from "../../src/view/exposition.ts";
import {
  buildFamilies,
  firewallFamilies,
  loginFamilies,
  processFamilies,
} from "../../src/view/metrics.ts";
import type { Poll, Status } from "../../src/model/poll.ts";
import { mergeRows } from "../../src/model/tunnel.ts";
import { NO_DURATIONS } from "../../src/model/stopwatch.ts";
import { execute, isAbsent } from "../support/program.ts";
import { inventTunnels, printVpnFlow } from "../support/vpn_flow_reply.ts";
import { NEGOTIATED } from "../support/status.ts";

/** Exit code of promtool for text that it can read and has remarks on. */
const LINT = 3;

Deno.test({
  name:
    "promtool minds nothing but the mandated name and labels (needs promtool)",
  ignore: isAbsent("promtool"),
  async fn(t): Promise<void> {
    await t.step("when the poll was good", async () => {
      assert.deepEqual(await check(exposition(goodPoll())), {
        code: LINT,
        remarks: [
          "ifIPsecOperStatus label names should be written in 'snake_case' not 'camelCase'",
          "ifIPsecOperStatus metric names should be written in 'snake_case' not 'camelCase'",
          "panos_ipsec_tunnel_info label names should be written in 'snake_case' not 'camelCase'",
          "panos_ipsec_tunnel_monitor_up label names should be written in 'snake_case' not 'camelCase'",
        ],
      });
    });
    await t.step("when the poll failed", async () => {
      const text = exposition({
        ok: false,
        reason: "timeout",
        message: "no reply",
        durations: NO_DURATIONS,
        finishedAt: NOW,
      });
      assert.match(text, /^panos_ipsec_up 0$/m);
      assert.deepEqual(await check(text), { code: 0, remarks: [] });
    });
    await t.step("when there is no firewall", async () => {
      const text = render([
        ...loginFamilies({ authRetryAt: undefined, logins: 3 }),
        ...ownFamilies(),
      ]);
      assert.deepEqual(await check(text), { code: 0, remarks: [] });
    });
    await t.step("but it does mind a wrong name", async () => {
      const { code, remarks } = await check("wrongName 1\n");
      assert.equal(code, LINT);
      assert(remarks.some((line) => line.startsWith("wrongName ")));
    });
  },
});

const NOW = 1_767_604_364.25;

/** A poll with something in every family, odd characters in labels too. */
function goodPoll(): Poll {
  const words = ["active", "inactive", "init"];
  const monitors = ["off", "up", "down"];
  const tunnels = inventTunnels(6).map((tunnel, index) => ({
    ...tunnel,
    name: [`Zürich "main"`, String.raw`a\b`][index] ?? tunnel.name,
    state: words[index % 3] ?? "",
    monitor: monitors[index % 3] ?? "",
  }));
  return {
    ok: true,
    flow: mergeRows(readVpnFlow(printVpnFlow(tunnels))),
    form: "text",
    haState: "active-primary",
    durations: { ...NO_DURATIONS, command: 0.0015 },
    finishedAt: NOW,
  };
}

function exposition(poll: Poll): string {
  const status: Status = {
    target: "fw-a",
    poll,
    lastSuccessAt: NOW,
    loginDuration: 2.5,
    negotiated: NEGOTIATED,
    authRetryAt: NOW + 900,
    logins: 3,
    history: NO_HISTORY,
  };
  const text = render([...firewallFamilies(status), ...ownFamilies()]);
  assert(!poll.ok || /^ifIPsecOperStatus\{.*\} 3$/m.test(text), text);
  return text;
}

function ownFamilies(): ReturnType<typeof buildFamilies> {
  return [
    ...buildFamilies({ version: "1.2.3", revision: "abc", denoVersion: "2.9" }),
    ...processFamilies({
      cpuSeconds: 0.75,
      residentMemoryBytes: 62_000_000,
      startedAt: NOW,
    }),
  ];
}

/** Runs `promtool check metrics`; says once what it says of each series. */
async function check(
  text: string,
): Promise<{ readonly code: number; readonly remarks: readonly string[] }> {
  const { code, stdout, stderr } = await execute(
    "promtool",
    ["check", "metrics"],
    { input: text },
  );
  const lines = `${stdout}${stderr}`
    .split("\n").filter((line) => line !== "");
  return { code, remarks: [...new Set(lines)].sort() };
}
