/** The dialogue in the terminal that OpenSSH makes. */

import assert from "node:assert/strict";
import {
  assertSix,
  BOTTOM,
  each,
  hasShells,
  scenarios,
  seesSixTwice,
  SHOW,
  toEnvironment,
  TOP,
} from "../support/openssh_stage.ts";
import { SIX_TUNNELS_XML } from "../support/openssh.ts";
import { runExporter } from "../support/exporter.ts";
import { eventually } from "../support/system.ts";

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
    "when the server asks whether the exporter is alive": {
      server: {
        config: { ClientAliveInterval: "1", ClientAliveCountMax: "1" },
      },
      reply: [TOP, { pause: 4 }, BOTTOM],
    },
  }),
);

scenarios("--check examines the firewall", {
  "and compares text and XML": {
    shell: { xmlReplies: { [SHOW]: SIX_TUNNELS_XML } },
    act: async ({ server }) => {
      const { code, stdout, stderr } = await runExporter(
        ["--check"],
        toEnvironment({}, server),
      );
      assert.equal(code, 0, stderr);
      assert.match(stdout, /^ {2}Text and XML agree, in 6 rows\.$/m);
      assert.match(stdout, /^127\.0\.0\.1: ok: 6 tunnels: 4 up, 2 down$/m);
      assert(!(stdout + stderr).includes(server.password));
      assert(await eventually(hasShells(server, 0)));
    },
  },
});
