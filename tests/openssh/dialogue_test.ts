/** The dialogue in the terminal that OpenSSH makes. */

import assert from "node:assert/strict";
import {
  type Act,
  assertSix,
  BOTTOM,
  each,
  hasShells,
  PATIENT,
  scenarios,
  seesSixTwice,
  SHOW,
  toEnvironment,
  TOP,
} from "../support/openssh_stage.ts";
import {
  SIX_TUNNELS,
  SIX_TUNNELS_UNKNOWN,
  SIX_TUNNELS_XML,
} from "../support/openssh.ts";
import { runExporter } from "../support/exporter.ts";
import { eventually } from "../support/system.ts";
import { inventTunnels, printVpnFlow } from "../support/vpn_flow_reply.ts";

scenarios("an operator sees the tunnels of a firewall", {
  "with name, interface and id of each": {
    act: async ({ exporter }) => {
      const before = Date.now() / 1_000;
      const scrape = await exporter.scrape();
      const after = Date.now() / 1_000;
      assertSix(scrape);
      assert.deepEqual(
        scrape.series("ifIPsecOperStatus").map(({ labels }) => labels),
        ["OSLO-BANK", "BERGEN", "LIMA", "QUITO", "PORTO-BANK", "TURIN"].map(
          (ifAlias, index) => ({
            ifAlias,
            ifDescr: `tunnel.${index + 3}`,
            ifIndex: String(index + 2),
            ifName: `tunnel.${index + 3}`,
          }),
        ),
      );
      assert.equal(scrape.value("panos_ipsec_tunnels_configured"), 6);
      assert.equal(scrape.value("panos_ipsec_ssh_logins_total"), 1);
      assert(scrape.value("panos_ipsec_login_duration_seconds") > 0);
      const at = scrape.value("panos_ipsec_last_success_timestamp_seconds");
      assert(before <= at && at <= after, `the last success is at ${at}`);
      assert.equal(scrape.series("panos_ipsec_ha_info").length, 0);
    },
  },
  "after asking only for what it needs": {
    act: async ({ server, exporter }) => {
      assertSix(await exporter.scrape());
      assert.deepEqual(await server.commands(), [
        "set cli scripting-mode on",
        "set cli pager off",
        SHOW,
      ]);
    },
  },
  "ten thousand of them": {
    reply: printVpnFlow(inventTunnels(10_000)),
    act: async ({ exporter }) => {
      const { verdict, states } = await exporter.scrape();
      assert.equal(verdict, "up");
      assert.deepEqual(states, Array(10_000).fill(1));
    },
  },
});

scenarios(
  "the six tunnels are seen",
  each(seesSixTwice, {
    ...Object.fromEntries(
      (["redraw", "plain", "driver", "none"] as const).map((echo) => [
        `with echo ${echo}`,
        { shell: { echo } },
      ]),
    ),
    "when the first prompt comes in pieces": {
      shell: {
        login: [{ dribble: "Welcome\nadmin@PA-1> ", size: 1, pause: 0.05 }],
        prompt: "\r\x1b[Kadmin@PA-1> ",
      },
    },
    "when the reply comes byte by byte": {
      reply: [{ dribble: SIX_TUNNELS, size: 1 }],
    },
    "when the server asks whether the exporter is alive": {
      server: {
        config: { ClientAliveInterval: "1", ClientAliveCountMax: "1" },
      },
      reply: [TOP, { pause: 4 }, BOTTOM],
    },
    "as XML, where no reader knows the text": {
      shell: {
        replies: { [SHOW]: SIX_TUNNELS_UNKNOWN },
        xmlReplies: { [SHOW]: SIX_TUNNELS_XML },
      },
    },
    "when control characters are strewn about": {
      reply: [{ bytes: [0, 7, 0, 7] }, SIX_TUNNELS, { bytes: [7, 0] }],
    },
  }),
);

/** One poll on the command line. */
function checks(code: number, verdict: RegExp): Act {
  return async ({ server }) => {
    const finished = await runExporter(
      ["--check"],
      toEnvironment({}, server),
    );
    assert.equal(finished.code, code, finished.stderr);
    assert.match(finished.stdout, verdict);
    assert(!(finished.stdout + finished.stderr).includes(server.password));
    assert(await eventually(hasShells(server, 0)));
  };
}

scenarios("--check examines the firewall", {
  "and prints the tunnels": {
    act: checks(0, /^127\.0\.0\.1: ok: 6 tunnels: 4 up, 2 down$/m),
  },
  "and compares text and XML": {
    shell: { xmlReplies: { [SHOW]: SIX_TUNNELS_XML } },
    act: checks(0, /^127\.0\.0\.1: ok: 6 tunnels: 4 up, 2 down$/m),
  },
  "and shows where they differ": {
    shell: {
      xmlReplies: { [SHOW]: SIX_TUNNELS_XML.replace("LIMA", "CUSCO") },
    },
    act: checks(
      1,
      /CUSCO[^]*^127\.0\.0\.1: not ok: .*; text and XML differ in 1 row$/m,
    ),
  },
  "and prints why there are none": {
    reply: "Invalid syntax.\n",
    act: checks(1, /^127\.0\.0\.1: not ok: command refused$/m),
  },
});

scenarios("text that nobody expects", {
  "is not kept when it has no end": {
    reply: [{ endless: "x".repeat(100) }],
    env: PATIENT,
    act: async ({ exporter }) => {
      const { verdict, value } = await exporter.scrape();
      assert.equal(verdict, "parse");
      assert(value("process_resident_memory_bytes") < 300 * 1024 ** 2);
    },
  },
  "is never a shorter list when the pager stays on": {
    shell: {
      replies: {
        "set cli pager off": "Invalid syntax.\n",
        [SHOW]: printVpnFlow(inventTunnels(300)),
      },
    },
    env: { SCRAPE_TIMEOUT: "4" },
    act: async ({ exporter }) => {
      const { verdict, states } = await exporter.scrape();
      assert.equal(states.length, verdict === "up" ? 300 : 0);
    },
  },
  "is never a shorter list when it is not UTF-8": {
    reply: [TOP, { bytes: [0xc3, 0x28, 0xff] }, BOTTOM],
    act: async ({ server, exporter }) => {
      const { verdict, states } = await exporter.scrape();
      assert.equal(states.length, verdict === "up" ? 6 : 0);
      assert((await server.commands()).includes(SHOW));
    },
  },
});
