/** What becomes of sessions that OpenSSH keeps, loses or holds up. */

import assert from "node:assert/strict";
import {
  assertSix,
  BOTTOM,
  fails,
  hasEvent,
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
  "when a command was refused": {
    reply: "Server error : timed out\n",
    act: async (stage) => {
      const { server, exporter } = stage;
      await fails("command")(stage);
      await server.play({ replies: { [SHOW]: SIX_TUNNELS } });
      assertSix(await exporter.scrape());
      assert.equal(server.logins(), 1);
    },
  },
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

scenarios("a session that is lost is replaced within the scrape", {
  "when the connection was killed between scrapes": {
    act: async ({ server, exporter }) => {
      assertSix(await exporter.scrape());
      await server.killSessions();
      assertSix(await exporter.scrape());
      assert.equal(server.logins(), 2);
      assert(await eventually(hasShells(server, 1)));
    },
  },
  "when the connection is killed before the answer": {
    act: async ({ server, exporter }) => {
      assertSix(await exporter.scrape());
      await server.play({ replies: { [SHOW]: [{ hang: true }] } });
      const scrape = exporter.scrape();
      assert(
        await eventually(async () => {
          const commands = await server.commands();
          return commands.filter((text) => text === SHOW).length === 2;
        }),
      );
      await server.play({ replies: { [SHOW]: SIX_TUNNELS } });
      await server.killSessions();
      assertSix(await scrape);
      assert.equal(server.logins(), 2);
    },
  },
  "or in the next one, when the connection is killed in the table": {
    reply: [TOP, { hang: true }],
    act: async (stage) => {
      const { server, exporter } = stage;
      const scrape = exporter.scrape();
      assert(await eventually(isAsked(server)));
      await server.killSessions();
      assert.equal((await scrape).verdict, "parse");
      await server.play({ replies: { [SHOW]: SIX_TUNNELS } });
      assertSix(await exporter.scrape());
      assert.equal(server.logins(), 2);
    },
  },
  "or in the next one, when the shell has stopped to read": {
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
  "when the firewall ended it for idleness": {
    act: async ({ server, exporter }) => {
      assertSix(await exporter.scrape());
      await server.interrupt(["\n\nSession timed out\n", { end: true }]);
      assert(await eventually(hasShells(server, 0)));
      assertSix(await exporter.scrape());
      assert.equal(server.logins(), 2);
    },
  },
  "when sshd was restarted": {
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
  "and a hung command costs the session, which is gone soon after": {
    reply: [TOP, { hang: true }],
    act: async ({ server, exporter }) => {
      const { verdict } = await exporter.scrape({ timeout: 2 });
      assert.equal(verdict, "timeout");
      assert(await eventually(hasShells(server, 0)));
      await server.play({ replies: { [SHOW]: SIX_TUNNELS } });
      assertSix(await exporter.scrape());
      assert.equal(server.logins(), 2);
    },
  },
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
  "and a login without a prompt is given up, and tried again": {
    shell: { login: [{ hang: true }] },
    env: { SSH_LOGIN_TIMEOUT: "6" },
    act: async ({ server, exporter }) => {
      for (let logins = 1; logins <= 2; logins++) {
        const { verdict } = await exporter.scrape({ timeout: 1 });
        assert.equal(verdict, "timeout");
        assert(await eventually(hasShells(server, 1)));
        assert.equal(server.connections(), logins);
        assert(await eventually(hasShells(server, 0)));
      }
      await server.play({ login: "" });
      assertSix(await exporter.scrape());
    },
  },
  "and a server that was stopped is started again": {
    act: async (stage) => {
      const { server, exporter } = stage;
      assertSix(await exporter.scrape());
      await server.stop();
      await fails("connect")(stage);
      await fails("connect")(stage);
      await server.start();
      assertSix(await exporter.scrape());
      const { log } = await exporter.stop();
      const told = log.filter((line) => /reason=connect/.test(line));
      assert.equal(
        told.filter((line) => !/level=debug/.test(line)).length,
        1,
        told.join("\n"),
      );
    },
  },
  "and a session that nobody uses is ended": {
    env: { SSH_SESSION_IDLE_TIMEOUT: "1" },
    act: async ({ server, exporter }) => {
      assertSix(await exporter.scrape());
      assert(await eventually(hasShells(server, 0)));
      assert(await hasEvent(server, "exit")());
      assert.equal(server.logins(), 1);
    },
  },
});

scenarios("with SSH_SESSION_IDLE_TIMEOUT=0", {
  "each poll logs in and leaves nothing behind": {
    env: { SSH_SESSION_IDLE_TIMEOUT: "0" },
    act: async ({ server, exporter }) => {
      for (let scrapes = 1; scrapes <= 3; scrapes++) {
        assertSix(await exporter.scrape());
        assert.equal(server.logins(), scrapes);
        assert(await eventually(hasShells(server, 0)));
      }
      const events = await server.events();
      const exits = events.filter(({ event }) => event === "exit");
      assert.equal(exits.length, 3);
      assert.equal(server.connections(), 3);
    },
  },
  "an exit that hangs does not hold anything up": {
    shell: { replies: { [SHOW]: SIX_TUNNELS, exit: [{ hang: true }] } },
    env: { SSH_SESSION_IDLE_TIMEOUT: "0" },
    act: async ({ server, exporter }) => {
      for (let scrapes = 0; scrapes < 3; scrapes++) {
        assertSix(await exporter.scrape({ timeout: 5 }));
      }
      assert.equal(server.logins(), 3);
      assert(await eventually(hasShells(server, 0)));
    },
  },
});

scenarios("SIGTERM ends the exporter", {
  "and its session with exit": {
    act: async ({ server, exporter }) => {
      assertSix(await exporter.scrape());
      await exporter.stop();
      assert(await eventually(hasEvent(server, "exit")));
    },
  },
  "or SIGINT does": {
    act: async ({ server, exporter }) => {
      assertSix(await exporter.scrape());
      assert.equal((await exporter.stop("SIGINT")).code, 0);
      assert(await eventually(hasEvent(server, "exit")));
    },
  },
  "when the exit hangs": {
    shell: { replies: { [SHOW]: SIX_TUNNELS, exit: [{ hang: true }] } },
    act: async ({ server, exporter }) => {
      assertSix(await exporter.scrape());
      assert.equal((await server.shells()).length, 1);
    },
  },
  "in the middle of a poll, which is answered": {
    reply: [TOP, { hang: true }],
    act: async ({ server, exporter }) => {
      const scrape = exporter.scrape();
      assert(await eventually(isAsked(server)));
      const [exit, answer] = await Promise.all([exporter.stop(), scrape]);
      assert.equal(exit.code, 0);
      assert.equal(answer.verdict, "parse");
    },
  },
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
  "in the middle of a login": {
    shell: { login: [{ hang: true }] },
    act: async ({ server, exporter }) => {
      const scrape = exporter.scrape();
      assert(await eventually(hasEvent(server, "login")));
      const [exit, answer] = await Promise.all([exporter.stop(), scrape]);
      assert.equal(exit.code, 0);
      assert.notEqual(answer.verdict, "up");
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
