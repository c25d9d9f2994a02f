/** What the exporter and the releases of OpenSSH agree on. */

import assert from "node:assert/strict";
import {
  each,
  fails,
  type Scenario,
  scenarios,
  seesSixTwice,
  type Setting,
} from "../support/openssh_stage.ts";

const LEGACY = { SSH_LEGACY_ALGORITHMS: "true" };

const only = (keyword: string) => (algorithm: string): [string, Setting] => [
  `${algorithm} only`,
  { server: { config: { [keyword]: algorithm } } },
];

/** A MAC is used with a cipher that does not bring its own. */
const onlyMac = (mac: string): [string, Setting] => [
  `${mac} only`,
  { server: { config: { Ciphers: "aes128-ctr", MACs: mac } } },
];

scenarios(
  "the exporter and a current release agree on",
  each(
    seesSixTwice,
    Object.fromEntries([
      ...[
        "curve25519-sha256",
        "curve25519-sha256@libssh.org",
        "ecdh-sha2-nistp256",
        "ecdh-sha2-nistp384",
        "diffie-hellman-group-exchange-sha256",
        "diffie-hellman-group14-sha256",
        "diffie-hellman-group16-sha512",
      ].map(only("KexAlgorithms")),
      ...[
        "aes128-gcm@openssh.com",
        "aes256-gcm@openssh.com",
        "chacha20-poly1305@openssh.com",
        "aes128-ctr",
        "aes192-ctr",
        "aes256-ctr",
      ].map(only("Ciphers")),
      ...[
        "hmac-sha2-256",
        "hmac-sha2-512",
        "hmac-sha2-256-etm@openssh.com",
        "hmac-sha2-512-etm@openssh.com",
      ].map(onlyMac),
    ]),
  ),
);

const OLD: Readonly<Record<string, Setting>> = Object.fromEntries([
  ...[
    "diffie-hellman-group14-sha1",
    "diffie-hellman-group-exchange-sha1",
  ].map(only("KexAlgorithms")),
  ...["aes128-cbc", "aes256-cbc"].map(only("Ciphers")),
  ...["hmac-sha1", "hmac-sha1-etm@openssh.com"].map(onlyMac),
]);

scenarios(
  "the exporter refuses an old release, and says what it offers",
  Object.fromEntries(
    Object.entries(OLD).map(([algorithm, setting]) => [
      algorithm,
      {
        ...setting,
        env: { LOG_LEVEL: "info" },
        act: async (stage): Promise<void> => {
          await fails("connect")(stage);
          assert(!stage.server.sawCredential());
          const log = (await stage.exporter.stop()).log.join("\n");
          assert(log.includes(algorithm.replace(/ .*/, "")), log);
          assert.match(log, /SSH_LEGACY_ALGORITHMS/);
        },
      } satisfies Scenario,
    ]),
  ),
);

scenarios(
  "the exporter accepts an old release when told to",
  each(
    seesSixTwice,
    Object.fromEntries(
      Object.entries(OLD).map(([when, setting]) => [
        when,
        { ...setting, env: LEGACY },
      ]),
    ),
  ),
);

scenarios(
  "the exporter knows a firewall",
  each(seesSixTwice, {
    "with an RSA host key": { server: { hostKeys: ["rsa"] } },
    "with an ECDSA host key": { server: { hostKeys: ["ecdsa"] } },
    "with all host keys": { server: { hostKeys: ["rsa", "ecdsa", "ed25519"] } },
    ...Object.fromEntries(
      ["ssh-rsa", "rsa-sha2-256", "rsa-sha2-512"].map((algorithm) => [
        `with host keys of ${algorithm} only`,
        {
          server: {
            hostKeys: ["rsa"],
            config: { HostKeyAlgorithms: algorithm },
          },
        } as const,
      ]),
    ),
  }),
);
