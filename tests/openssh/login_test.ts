/** Logging in to OpenSSH, and being let in by no way. */

import assert from "node:assert/strict";
import {
  assertSix,
  type Changes,
  each,
  fails,
  PATIENT,
  scenarios,
  seesSixTwice,
  type Stage,
  toEnvironment,
} from "../support/openssh_stage.ts";
import { startExporter } from "../support/exporter.ts";
import type { OpenSsh, OpenSshOptions } from "../support/openssh.ts";
import { eventually } from "../support/system.ts";

const KEYS: OpenSshOptions = { methods: ["publickey"] };

const withKey = (server: OpenSsh): Changes => ({
  PASSWORD: undefined,
  SSH_PRIVATE_KEY: server.privateKey,
});

scenarios("a login", {
  "says that it wants one shell, so that the terminal does not wait 40 ms": {
    server: { config: { LogLevel: "DEBUG1" } },
    act: async ({ server, exporter }) => {
      assertSix(await exporter.scrape());
      const requests = new Set(
        server.log().flatMap((line) =>
          /(?:rtype|channel 0 request) (\S+)/.exec(line)?.[1] ?? []
        ),
      );
      assert.deepEqual([...requests].toSorted(), [
        "hostkeys-prove-00@openssh.com",
        "no-more-sessions@openssh.com",
        "pty-req",
        "shell",
      ]);
    },
  },
});

scenarios(
  "a login succeeds",
  each(seesSixTwice, {
    "with a password": { server: { methods: ["password"] } },
    "with the answer to a question": {
      server: { methods: ["keyboard-interactive"] },
    },
    "with either": {},
    "with an ed25519 key": { server: KEYS, env: withKey },
    "with an RSA key": { server: { ...KEYS, userKey: "rsa" }, env: withKey },
    "with an encrypted key": {
      server: { ...KEYS, passphrase: "pass phrase" },
      env: (server) => ({
        ...withKey(server),
        SSH_PRIVATE_KEY_PASSPHRASE: "pass phrase",
      }),
    },
    "with a key on one line": {
      server: KEYS,
      env: (server) => ({
        PASSWORD: undefined,
        SSH_PRIVATE_KEY: server.privateKey.replaceAll("\n", "\\n"),
      }),
    },
    "with a password, as the key is not known there": {
      server: {
        methods: ["publickey", "password"],
        config: { AuthorizedKeysFile: "none" },
      },
      env: (server) => ({ SSH_PRIVATE_KEY: server.privateKey }),
    },
    "with a password, as keys are not wanted there": {
      server: {
        methods: ["publickey", "keyboard-interactive"],
        config: { PubkeyAuthentication: "no" },
      },
      env: (server) => ({ SSH_PRIVATE_KEY: server.privateKey }),
    },
    "with a key and a password, as both are wanted": {
      server: {
        methods: ["publickey", "password"],
        config: { AuthenticationMethods: "publickey,password" },
      },
      env: (server) => ({ SSH_PRIVATE_KEY: server.privateKey }),
    },
    "by a name": { env: { HOSTNAME: "localhost" } },
    "after a banner": {
      server: { banner: "Authorised use only> \n".repeat(140) },
    },
    "where the host key is the pinned one": {
      env: (server) => ({ SSH_HOST_KEY: server.fingerprint }),
    },
  }),
);

/** The rejected password is sent once, and then nothing for 65 minutes. */
async function isHeldBack({ server, exporter }: Stage): Promise<void> {
  const before = Date.now() / 1_000;
  const { verdict, value } = await exporter.scrape();
  const after = Date.now() / 1_000;
  assert.equal(verdict, "auth");
  assert(await eventually(() => server.rejections() === 1));
  const heldAt = value("panos_ipsec_auth_retry_timestamp_seconds") - 3_900;
  assert(before - 1 < heldAt && heldAt < after + 1, `held at ${heldAt}`);
  for (let scrapes = 0; scrapes < 3; scrapes++) {
    const again = await exporter.scrape();
    assert.equal(again.verdict, "auth");
    assert.equal(again.value("panos_ipsec_ssh_logins_total"), 1);
  }
  assert.equal(server.connections(), 1);
  assert.equal(server.rejections(), 1);
}

scenarios("a scrape fails and says why", {
  ...each(fails("connect"), {
    "the name does not exist": {
      env: { ...PATIENT, HOSTNAME: "fw-a.invalid" },
    },
    "sshd has nothing in common": {
      server: {
        config: { KexAlgorithms: "sntrup761x25519-sha512@openssh.com" },
      },
    },
  }),
  ...each(fails("auth"), {
    "the user is unknown": { env: { USERNAME: "nobody-here" } },
    "the account may not log in": {
      server: { config: { DenyUsers: "*" } },
    },
    "only a key would do": { server: { methods: ["publickey"] } },
    "the password must be changed at once, sshd asks": {
      server: { methods: ["keyboard-interactive"], passwordExpired: true },
    },
    "the password must be changed at once, the shell asks": {
      server: { methods: ["password"], passwordExpired: true },
    },
    "the verdict does not come": {
      server: {
        methods: ["keyboard-interactive"],
        // Debian's PAM thinks about a wrong password for two seconds.
        config: { LoginGraceTime: "1" },
      },
      env: { PASSWORD: "wrong" },
    },
  }),
  ...each(fails("session"), {
    "there are no terminals": { server: { config: { PermitTTY: "no" } } },
    "there are no sessions": { server: { config: { MaxSessions: "0" } } },
    "the shell ends at once": {
      server: { config: { ForceCommand: "/bin/true" } },
    },
  }),
});

scenarios("what is said about a password", {
  "a rejected one is sent once, and then nothing": {
    server: { methods: ["password"] },
    env: { PASSWORD: "wrong" },
    act: isHeldBack,
  },
  "a rejected answer is sent once, and then nothing": {
    server: { methods: ["keyboard-interactive"] },
    env: { PASSWORD: "wrong" },
    act: isHeldBack,
  },
  "where both ways are open a rejected one is sent once": {
    env: { PASSWORD: "wrong" },
    act: isHeldBack,
  },
  "once it is changed, the kept session goes on, and the next login is the last":
    {
      act: async ({ server, exporter }) => {
        assertSix(await exporter.scrape());
        await server.changePassword();
        assertSix(await exporter.scrape());
        await server.killSessions();
        for (let scrapes = 0; scrapes < 3; scrapes++) {
          assert.equal((await exporter.scrape()).verdict, "auth");
        }
        assert.equal(server.connections(), 2);
        assert(await eventually(() => server.rejections() === 1));
      },
    },
  "once it is changed on both sides, a restart is accepted at once": {
    act: async ({ server, exporter }) => {
      assertSix(await exporter.scrape());
      const PASSWORD = await server.changePassword();
      assertSix(await exporter.scrape());
      await exporter.stop();
      const env = toEnvironment({ env: { PASSWORD } }, server);
      await using restarted = await startExporter(env);
      assertSix(await restarted.scrape());
      assert.equal(server.logins(), 2);
      assert.equal(server.connections(), 2);
    },
  },
  "a rejected key is offered once, and then nothing": {
    server: { ...KEYS, config: { AuthorizedKeysFile: "none" } },
    env: withKey,
    act: async ({ server, exporter }) => {
      for (let scrapes = 0; scrapes < 3; scrapes++) {
        assert.equal((await exporter.scrape()).verdict, "auth");
      }
      assert.equal(server.connections(), 1);
    },
  },
});
