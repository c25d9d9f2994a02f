/** What becomes of sessions that OpenSSH keeps, loses or holds up. */

import assert from "node:assert/strict";
import {
  assertSix,
  BOTTOM,
  hasShells,
  isAsked,
  scenarios,
  SHOW,
  TOP,
} from "../support/openssh_stage.ts";
import { SIX_TUNNELS } from "../support/openssh.ts";
import { eventually } from "../support/system.ts";
import { inventTunnels, printVpnFlow } from "../support/vpn_flow_reply.ts";

scenarios("a session is kept", {
  "through rekeying in the table": {
    server: { config: { RekeyLimit: "64K" } },
    reply: printVpnFlow(inventTunnels(3_000)),
    act: async ({ exporter }) => {
      for (let scrapes = 0; scrapes < 3; scrapes++) {
        const { verdict, states } = await exporter.scrape();
        assert.equal(verdict, "up");
        assert.equal(states.length, 3_000);
      }
    },
  },
  "through rekeying by the clock": {
    server: { config: { RekeyLimit: "default 1" } },
    reply: [TOP, { pause: 1.2 }, BOTTOM],
    act: async ({ server, exporter }) => {
      for (let scrapes = 0; scrapes < 3; scrapes++) {
        assertSix(await exporter.scrape());
      }
      assert(server.logins() > 0);
    },
  },
  "through rekeying where there is no echo": {
    server: { config: { RekeyLimit: "16K" } },
    shell: {
      echo: "none",
      replies: { [SHOW]: printVpnFlow(inventTunnels(1_000)) },
    },
    act: async ({ exporter }) => {
      const verdicts = [];
      for (let scrapes = 0; scrapes < 4; scrapes++) {
        const { verdict, states } = await exporter.scrape();
        verdicts.push(verdict);
        assert.equal(states.length, verdict === "up" ? 1_000 : 0);
      }
      // A library that cannot rekey here may cost some polls, and not all.
      assert(verdicts.includes("up"));
    },
  },
});

scenarios("a session that is lost is replaced", {
  "in the next scrape, when the shell has stopped to read": {
    act: async ({ server, exporter }) => {
      assertSix(await exporter.scrape());
      await server.interrupt([{ hang: true }]);
      const { verdict } = await exporter.scrape({ timeout: 1 });
      assert.equal(verdict, "timeout");
      assert(await eventually(hasShells(server, 0)));
      assertSix(await exporter.scrape());
      assert.equal(server.logins(), 2);
    },
  },
  "within the scrape, when sshd was restarted": {
    act: async ({ server, exporter }) => {
      assertSix(await exporter.scrape());
      await server.stop();
      await server.start();
      assertSix(await exporter.scrape());
      assert.equal(server.logins(), 2);
    },
  },
});

scenarios("time passes", {
  "and a shell that does not hang up does no harm": {
    shell: {
      replies: { [SHOW]: [TOP, { hang: true }] },
      ignoreHangup: true,
    },
    act: async ({ server, exporter }) => {
      const { verdict } = await exporter.scrape({ timeout: 2 });
      assert.equal(verdict, "timeout");
      assert(
        await eventually(
          () =>
            server.log().some((line) =>
              /^(?:Close session:|Connection closed|Disconnected)/.test(line)
            ),
        ),
      );
      await server.play({ replies: { [SHOW]: SIX_TUNNELS } });
      assertSix(await exporter.scrape());
    },
  },
  "and a server that fell silent talks again": {
    act: async ({ server, exporter }) => {
      await server.freeze();
      const silent = await exporter.scrape({ timeout: 1 });
      assert.equal(silent.verdict, "timeout");
      await server.thaw();
      assertSix(await exporter.scrape());
      assert.equal(server.connections(), 1);
      await server.freeze();
      const again = await exporter.scrape({ timeout: 1 });
      assert.equal(again.verdict, "timeout");
      await server.thaw();
      assertSix(await exporter.scrape());
    },
  },
});

scenarios("SIGTERM ends the exporter", {
  "in the middle of a poll of a frozen server, which is answered": {
    reply: [TOP, { hang: true }],
    act: async ({ server, exporter }) => {
      const scrape = exporter.scrape();
      assert(await eventually(isAsked(server)));
      await server.freeze();
      const [exit, answer] = await Promise.all([exporter.stop(), scrape]);
      assert.equal(exit.code, 0);
      assert.equal(answer.verdict, "parse");
      await server.thaw();
    },
  },
  "while the server is frozen": {
    act: async ({ server, exporter }) => {
      assertSix(await exporter.scrape());
      assert.equal((await server.shells()).length, 1);
      await server.freeze();
      assert.equal((await exporter.stop()).code, 0);
      await server.thaw();
    },
  },
});
