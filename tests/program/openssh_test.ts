/**
 * The whole program against real OpenSSH servers that play PAN-OS.
 *
 * Each scenario has a server and an exporter of its own. What must hold in all
 * of them is checked by `onStage()` and by `scrape()`.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  type Environment,
  type Exporter,
  runExporter,
  type Scrape,
  startExporter,
} from "../support/exporter.ts";
import {
  missing,
  type OpenSsh,
  type OpenSshOptions,
  type Output,
  type Shell,
  SIX_TUNNELS,
  startOpenSsh,
} from "../support/openssh.ts";
import { eventually, freePort } from "../support/system.ts";
import { inventTunnels, printVpnFlow } from "../support/vpn_flow_reply.ts";

const SHOW = "show vpn flow";

/** The reply in two halves: the cut is behind a name, in the third row. */
const [TOP = "", BOTTOM = ""] = SIX_TUNNELS.split(/(?<=LIMA)/);

const PATIENT = { SCRAPE_TIMEOUT: "20" };
const HASTY = { SCRAPE_TIMEOUT: "2" };

/** Every variable that a scenario wants to be different; `undefined` unsets. */
type Changes = Readonly<Record<string, string | undefined>>;

interface Setting {
  readonly server?: OpenSshOptions;
  /** Shorthand for `server.shell`. */
  readonly shell?: Partial<Shell>;
  /** Shorthand for the reply to `show vpn flow`. */
  readonly reply?: Output;
  readonly env?: Changes | ((server: OpenSsh) => Changes);
}

interface Stage {
  readonly server: OpenSsh;
  readonly exporter: Exporter;
}

type Act = (stage: Stage) => Promise<void>;

interface Scenario extends Setting {
  readonly act: Act;
}

/** Plays a scenario; a failure shows what both sides have logged. */
async function onStage({ act, ...setting }: Scenario): Promise<void> {
  await using server = await startOpenSsh(toServer(setting));
  await using exporter = await startExporter(toEnvironment(setting, server));
  try {
    await act({ server, exporter });
    await assertCleanEnd({ server, exporter }, setting);
  } catch (error) {
    const events = (await server.events()).map((event) =>
      JSON.stringify(event)
    );
    const logs = [exporter.log(), server.log(), events].map((log) =>
      log.slice(-30).join("\n").slice(0, 5_000)
    );
    throw new Error(["the scenario failed", ...logs].join("\n\n"), {
      cause: error,
    });
  }
}

/** What must hold at the end of each scenario. */
async function assertCleanEnd(
  { server, exporter }: Stage,
  setting: Setting,
): Promise<void> {
  const { code, seconds } = await exporter.stop();
  assert.equal(code, 0);
  assert(seconds < 3, `SIGTERM took ${seconds} s`);
  if (!setting.shell?.ignoreHangup) {
    assert(
      await eventually(hasShells(server, 0)),
      "a shell outlives the exporter",
    );
  }
  const shown = exporter.shown();
  for (const secret of [server.password, ...server.privateKey.split("\n")]) {
    // Lines such as "-----BEGIN" are no secret.
    if (!/^(?:-----.*)?$/.test(secret)) {
      assert(!shown.includes(secret), "a secret is shown");
    }
  }
}

function toServer({ server, shell, reply }: Setting): OpenSshOptions {
  const replies = reply === undefined ? {} : { replies: { [SHOW]: reply } };
  return { ...server, shell: { ...replies, ...shell } };
}

function toEnvironment({ env }: Setting, server: OpenSsh): Environment {
  const variables: Changes = {
    USERNAME: server.username,
    PASSWORD: server.password,
    HOSTNAME: "127.0.0.1",
    SSH_PORT: String(server.port),
    LOG_LEVEL: "debug",
    MIN_POLL_INTERVAL: "0",
    ...(typeof env === "function" ? env(server) : env),
  };
  const isSet = (pair: [string, string | undefined]): pair is [
    string,
    string,
  ] => pair[1] !== undefined;
  return Object.fromEntries(Object.entries(variables).filter(isSet));
}

/** Scenarios that are played at the same time: nearly all of them wait. */
const AT_ONCE = 8;

/** Declares a test with a step for each scenario. */
function scenarios(
  name: string,
  all: Readonly<Record<string, Scenario>>,
): void {
  const needs = missing === undefined ? "" : ` (needs ${missing})`;
  Deno.test({
    name: `${name}${needs}`,
    ignore: missing !== undefined && Deno.env.get("CI") !== "true",
    fn: async (t) => {
      const waiting = Object.entries(all).map(([when, scenario]) => ({
        when,
        scenario,
        outcome: Promise.withResolvers<unknown>(),
      }));
      const steps = [...waiting];
      const workers = Array.from({ length: AT_ONCE }, async () => {
        for (let next = waiting.shift(); next; next = waiting.shift()) {
          const { scenario, outcome } = next;
          outcome.resolve(await onStage(scenario).catch((error) => error));
        }
      });
      for (const { when, outcome } of steps) {
        await t.step({
          name: when,
          // What runs beside a step is none of its own; the test checks all.
          sanitizeOps: false,
          sanitizeResources: false,
          fn: async () => {
            const error = await outcome.promise;
            if (error !== undefined) throw error;
          },
        });
      }
      await Promise.all(workers);
    },
  });
}

/** The same act in many settings. */
function each(
  act: Act,
  settings: Readonly<Record<string, Setting>>,
): Readonly<Record<string, Scenario>> {
  return Object.fromEntries(
    Object.entries(settings).map(([when, setting]) => [
      when,
      { ...setting, act },
    ]),
  );
}

function assertSix({ verdict, states }: Scrape): void {
  assert.equal(verdict, "up");
  assert.deepEqual(states, [2, 1, 1, 2, 1, 1]);
}

function hasShells(server: OpenSsh, count: number): () => Promise<boolean> {
  return async () => (await server.shells()).length === count;
}

function isAsked(server: OpenSsh): () => Promise<boolean> {
  return async () => (await server.commands()).includes(SHOW);
}

function hasEvent(server: OpenSsh, name: string): () => Promise<boolean> {
  return async () =>
    (await server.events()).some(({ event }) => event === name);
}

type Row = Parameters<typeof printVpnFlow>[0][number];

function row(id: number, changes: Partial<Row> = {}): Row {
  return {
    id,
    name: `branch-${id}`,
    state: "active",
    monitor: "off",
    localIp: "192.0.2.1",
    peerIp: "198.51.100.1",
    interfaceName: `tunnel.${id}`,
    ...changes,
  };
}

/** Two scrapes see the six tunnels, and the second needs no login. */
async function seesSixTwice({ server, exporter }: Stage): Promise<void> {
  assertSix(await exporter.scrape());
  assertSix(await exporter.scrape());
  assert.equal(server.logins(), 1);
  assert.equal(server.connections(), 1);
}

/** A scrape fails for this reason, and so says the log. */
function fails(reason: string): Act {
  return async ({ exporter }) => {
    const { verdict } = await exporter.scrape();
    assert.equal(verdict, reason);
    // A poll can go on when nobody waits for it any more.
    const isLogged = await eventually(
      () => exporter.log().some((line) => line.includes(`reason=${reason}`)),
      { seconds: 10 },
    );
    assert(isLogged);
  };
}

/** The rejected password is sent once, and then nothing for 65 minutes. */
async function isHeldBack({ server, exporter }: Stage): Promise<void> {
  const { verdict, value } = await exporter.scrape();
  assert.equal(verdict, "auth");
  assert(await eventually(() => server.rejections() === 1));
  const wait = value("panos_ipsec_auth_retry_timestamp_seconds") -
    Date.now() / 1_000;
  assert(Math.abs(wait - 3_900) < 30, `the hold is ${wait} s`);
  for (let scrapes = 0; scrapes < 3; scrapes++) {
    const again = await exporter.scrape();
    assert.equal(again.verdict, "auth");
    assert(again.seconds < 1, `nothing took ${again.seconds} s`);
    assert.equal(again.value("panos_ipsec_ssh_logins_total"), 1);
  }
  assert.equal(server.connections(), 1);
  assert.equal(server.rejections(), 1);
}

scenarios("an operator sees the tunnels of a firewall", {
  "with name, interface and id of each": {
    act: async ({ exporter }) => {
      const scrape = await exporter.scrape();
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
      const age = Date.now() / 1_000 -
        scrape.value("panos_ipsec_last_success_timestamp_seconds");
      assert(Math.abs(age) < 10, `the last success is ${age} s old`);
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
  "of a HA pair, with the state of this half": {
    shell: { prompt: "admin@PA-1(passive)> " },
    act: async ({ exporter }) => {
      const scrape = await exporter.scrape();
      assertSix(scrape);
      assert.deepEqual(scrape.series("panos_ipsec_ha_info"), [
        { name: "panos_ipsec_ha_info", labels: { state: "passive" }, value: 1 },
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
  "none at all": {
    reply: printVpnFlow([]),
    act: async ({ exporter }) => {
      const scrape = await exporter.scrape();
      assert.equal(scrape.verdict, "up");
      assert.deepEqual(scrape.states, []);
      assert.equal(scrape.value("panos_ipsec_tunnels_configured"), 0);
      assert.match(scrape.text, /^# TYPE ifIPsecOperStatus gauge$/m);
    },
  },
  "none at all, and no header either": {
    reply: printVpnFlow([]).replace(/^id .*\n-- .*\n/m, ""),
    act: async ({ exporter }) => {
      const { verdict, states } = await exporter.scrape();
      assert.equal(verdict, "up");
      assert.deepEqual(states, []);
    },
  },
  "with odd names, monitors and states": {
    reply: printVpnFlow([
      row(2, { name: 'active "quoted" back\\slash', state: "init" }),
      row(3, { name: "Zürich 東京:proxy 1", monitor: "down" }),
      row(4, { interfaceName: "", monitor: "up", peerIp: "2001:db8::7" }),
      row(4, { interfaceName: "", monitor: "up", peerIp: "2001:db8::8" }),
      row(12345, { name: "admin@PA-1> ", state: "rekeying" }),
    ]),
    act: async ({ exporter }) => {
      const scrape = await exporter.scrape();
      assert.equal(scrape.verdict, "up");
      assert.deepEqual(
        scrape.series("ifIPsecOperStatus").map(({ labels, value }) => [
          labels["ifIndex"],
          labels["ifAlias"],
          labels["ifName"],
          value,
        ]),
        [
          ["2", 'active "quoted" back\\slash', "tunnel.2", 3],
          ["3", "Zürich 東京:proxy 1", "tunnel.3", 1],
          ["4", "branch-4", "", 1],
          ["12345", "admin@PA-1>", "tunnel.12345", 3],
        ],
      );
      assert.deepEqual(
        scrape.series("panos_ipsec_tunnel_monitor_up").map((
          { labels, value },
        ) => [labels["ifIndex"], value]),
        [["3", 0], ["4", 1]],
      );
    },
  },
});

const KEYS: OpenSshOptions = { methods: ["publickey"] };
const LEGACY = { SSH_LEGACY_ALGORITHMS: "true" };

const withKey = (server: OpenSsh): Changes => ({
  PASSWORD: undefined,
  SSH_PRIVATE_KEY: server.privateKey,
});

scenarios(
  "a login succeeds",
  each(seesSixTwice, {
    "with a password": { server: { methods: ["password"] } },
    "with the answer to a question": {
      server: { methods: ["keyboard-interactive"] },
    },
    "with either": {},
    "with the variables of the exporter that this one replaces": {
      env: (server) => ({
        PE_USERNAME: server.username,
        PE_PASSWORD: server.password,
        PE_HOSTNAME: "127.0.0.1",
        USERNAME: "desktop",
        PASSWORD: "wrong",
        HOSTNAME: "container",
      }),
    },
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
    "where the host key is one of the pinned ones": {
      env: (server) => ({
        SSH_HOST_KEY: `SHA256:${"A".repeat(43)},${server.fingerprint}`,
      }),
    },
    "where the host key is pinned for this target": {
      env: (server) => ({ SSH_HOST_KEY: `127.0.0.1=${server.fingerprint}` }),
    },
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
          const log = stage.exporter.log().join("\n");
          assert(log.includes(algorithm.replace(/ .*/, "")), log);
          assert.match(log, /SSH_LEGACY_ALGORITHMS/);
          assert(!stage.server.sawCredential());
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

const REFUSED = "Unknown command: scripting-mode\n";

scenarios(
  "the six tunnels are seen",
  each(seesSixTwice, {
    ...Object.fromEntries(
      (["redraw", "plain", "driver", "none"] as const).map((echo) => [
        `with echo ${echo}`,
        { shell: { echo } },
      ]),
    ),
    ...Object.fromEntries(
      [
        "admin@PA-1>",
        "admin@PA-1# ",
        "admin@PA-1(active)> ",
        "admin@PA-1(active-primary)> ",
        "admin@PA-1(non-functional)>",
        "monitor@Oslo core fw 1(suspended)> ",
        "admin@fw-a.example.net> ",
        "admin@PA-1 vsys2> ",
        "admin@PA_1-b>  ",
        "EXAMPLE\\monitor@PA-1> ",
        "monitor@example.net@PA-1(active)> ",
        "\x1b[1madmin@PA-1\x1b[0m> ",
        "\r\x1b[Kadmin@PA-1> ",
        "\x1b[?2004hadmin@PA-1> ",
        "admin@(none)> ",
        "\nadmin@PA-1> ",
        "admin@PA-1> \x1b[K",
        "\x1b]0;PA-1\x07admin@PA-1> ",
        "admin@Zürich-1> ",
      ].map((prompt) => [`with prompt ${JSON.stringify(prompt)}`, {
        shell: { prompt },
      }]),
    ),
    "with an echo that takes its time": { shell: { echoPause: 0.03 } },
    "with an echo that takes its time and is always redrawn": {
      shell: {
        echoPause: 0.03,
        replies: { "set cli scripting-mode on": REFUSED, [SHOW]: SIX_TUNNELS },
      },
    },
    "without login text": { shell: { login: "" } },
    "after a warning that the password expires": {
      shell: {
        login: "Warning: Your password will expire in 3 days.\n" +
          "Please change your password: old ones are not accepted.\n\n",
      },
    },
    "after login text that looks like prompts": {
      shell: {
        login: "Warning: type\n           > set system ztp disable\n" +
          "admin@PA-1> is what you will see\nadmin@PA-1> \n# \n> \n\n",
      },
    },
    "after 3,200 characters of login text": {
      shell: { login: "Property of Example> ".repeat(152) + "\n" },
    },
    "when a line of the login text stops for a while": {
      shell: {
        login: [
          "Number of failed attempts since last",
          { pause: 1.5 },
          " successful login: 0\n",
          { pause: 0.7 },
          "\n",
        ],
      },
    },
    "when login text looks like a prompt for a moment": {
      shell: { login: ["Message> ", { pause: 0.3 }, "be careful\n"] },
    },
    "when login text looks like a prompt for a second": {
      shell: { login: ["Message> ", { pause: 1 }, "be careful\n"] },
    },
    "when login text looks like a prompt for three seconds": {
      shell: { login: ["Message> ", { pause: 3 }, "be careful\n"] },
    },
    "when a prompt comes, and later another": {
      shell: {
        login: [
          "admin@PA-1> ",
          { pause: 0.6 },
          "\nWarning: the default password is in use\n\n",
        ],
      },
    },
    "when the first prompt comes in pieces": {
      shell: {
        login: [{ dribble: "Welcome\nadmin@PA-1> ", size: 1, pause: 0.05 }],
        prompt: "\r\x1b[Kadmin@PA-1> ",
      },
    },
    "when the first prompt takes three seconds": {
      shell: { login: ["Last login: today\n", { pause: 3 }] },
    },
    "when scripting mode is unknown": {
      shell: {
        replies: { "set cli scripting-mode on": REFUSED, [SHOW]: SIX_TUNNELS },
      },
    },
    "when the pager cannot be switched off": {
      shell: {
        replies: {
          "set cli pager off": "Invalid syntax.\n",
          [SHOW]: SIX_TUNNELS,
        },
      },
    },
    "when neither setting is known": {
      shell: {
        replies: {
          "set cli scripting-mode on": "\nInvalid syntax.\n\n",
          "set cli pager off": "\nInvalid syntax.\n\n",
          [SHOW]: SIX_TUNNELS,
        },
      },
    },
    "when settings are slow": {
      shell: {
        replies: {
          "set cli scripting-mode on": [{ pause: 1 }],
          "set cli pager off": [{ pause: 1 }],
          [SHOW]: SIX_TUNNELS,
        },
      },
    },
    "when the reply comes byte by byte": {
      reply: [{ dribble: SIX_TUNNELS, size: 1 }],
    },
    "when the reply comes seven bytes at a time": {
      reply: [{ dribble: SIX_TUNNELS, size: 7, pause: 0.001 }],
    },
    "when the reply stops for two seconds in the middle": {
      reply: [TOP, { pause: 2 }, BOTTOM],
    },
    "when the reply stops before the first and the last character": {
      reply: [
        { pause: 1 },
        SIX_TUNNELS.slice(0, 1),
        { pause: 1 },
        SIX_TUNNELS.slice(1, -1),
        { pause: 1 },
        SIX_TUNNELS.slice(-1),
      ],
    },
    "when a prompt stands inside a line of the reply": {
      reply: [
        "\nadmin@PA-1> ",
        { pause: 0.3 },
        "\nfilter - none\n",
        SIX_TUNNELS,
      ],
    },
    "when a prompt stands there for a while before the reply": {
      reply: ["\nadmin@PA-1> ", { pause: 1.5 }, "\n", SIX_TUNNELS],
    },
    "when prompt and command are repeated before the reply": {
      reply: [
        `\r\x1b[Kadmin@PA-1> ${SHOW}\n`,
        { pause: 0.3 },
        SIX_TUNNELS,
      ],
    },
    "when the prompt after the reply is drawn twice": {
      reply: [`${SIX_TUNNELS}admin@PA-1> `, { pause: 0.1 }, "\r\x1b[K"],
    },
    "when the server asks whether the exporter is alive": {
      server: {
        config: { ClientAliveInterval: "1", ClientAliveCountMax: "1" },
      },
      reply: [TOP, { pause: 4 }, BOTTOM],
    },
    "when escape sequences are strewn about, some in two pieces": {
      reply: [
        `\x1b[2J\x1b[H${TOP}\x1b[`,
        { pause: 0.1 },
        `0m\x1b]0;title\x07${BOTTOM}\x1b`,
        { pause: 0.1 },
        "[K",
      ],
    },
    "when control characters are strewn about": {
      reply: [{ bytes: [0, 7, 0, 7] }, SIX_TUNNELS, { bytes: [7, 0] }],
    },
    "when the names are 30 wide": {
      reply: SIX_TUNNELS.replaceAll(/ {34}/g, ""),
    },
    "when every run of blanks is one blank": {
      reply: SIX_TUNNELS.replaceAll(/ +/g, " "),
    },
    "when the ruler is unbroken": {
      reply: SIX_TUNNELS.replace(/^-- .*$/m, "-".repeat(156)),
    },
    "when a column for the mode follows": {
      reply: SIX_TUNNELS.replace(/tunnel-i\/f/, "tunnel-i/f        mode")
        .replaceAll(/(tunnel\.\d+)/g, "$1          tunnel"),
    },
    "when states are not shortened": {
      reply: SIX_TUNNELS.replaceAll("inactiv ", "inactive ")
        .replace("state   ", "state    ").replaceAll("active  ", "active   ")
        .replace(/ -{5} {3}/, " -----    "),
    },
    "when lines end in two carriage returns": {
      reply: SIX_TUNNELS.replaceAll("\n", "\r\n"),
    },
  }),
);

scenarios("a scrape fails and says why", {
  ...each(fails("connect"), {
    "nobody listens": { env: () => ({ SSH_PORT: String(freePort()) }) },
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
    "the shell ends before its prompt": {
      shell: { login: ["Too many sessions\n", { close: true }] },
    },
  }),
  ...each(fails("command"), {
    "the syntax is invalid": { reply: "Invalid syntax.\n" },
    "the syntax is invalid, after a blank line": {
      reply: "\nInvalid syntax.\n\n",
    },
    "the command is unknown": { reply: "Unknown command: show vpn\n" },
    "the server has an error": {
      reply: "Server error : op command for client dagger timed out\n",
    },
  }),
  ...each(fails("parse"), {
    "the reply is empty": { reply: "" },
    "the reply is something else": { reply: "hostname: PA-1\nuptime: 3\n" },
    "the table is cut off": { reply: TOP + "\n" },
    "the table lacks its last row": {
      reply: SIX_TUNNELS.replace(/^7 .*\n/m, ""),
    },
    "the table has a row too many": {
      reply: SIX_TUNNELS.replace(/^7 .*\n/m, (row) => row + row),
    },
    "the table is in tatters": { reply: SIX_TUNNELS.replaceAll(/off.*/g, "") },
    "a prompt stands in the table": {
      reply: SIX_TUNNELS.replace(/^4 /m, "admin@PA-1> \n4 "),
    },
    "the shell ends in the table": { reply: [TOP, { close: true }] },
    "the reply has no end": {
      reply: [{ endless: "x".repeat(99) + "\n" }],
      env: PATIENT,
    },
    "the reply has no end and no lines": {
      reply: [{ endless: "x".repeat(100) }],
      env: PATIENT,
    },
    "the login text has no end": {
      shell: { login: [{ endless: "admin@PA-1> \n".repeat(20) }] },
      env: PATIENT,
    },
  }),
  ...each(fails("timeout"), {
    "there is no prompt": {
      shell: { login: ["Welcome\n", { hang: true }] },
      env: HASTY,
    },
    "there is no prompt and no text": {
      shell: { login: [{ hang: true }] },
      env: HASTY,
    },
    "there is a prompt, and nobody reads": {
      shell: { login: ["admin@PA-1> ", { hang: true }] },
      env: HASTY,
    },
    "a setting hangs": {
      shell: { replies: { "set cli pager off": [{ hang: true }] } },
      env: HASTY,
    },
    "the command hangs": { reply: [{ hang: true }], env: HASTY },
    "the command hangs in the table": {
      reply: [TOP, { hang: true }],
      env: HASTY,
    },
    "the command hangs between the table and the prompt": {
      reply: [SIX_TUNNELS, { hang: true }],
      env: HASTY,
    },
    "the reply never gets anywhere": {
      reply: [{ dribble: SIX_TUNNELS, size: 1, pause: 0.05 }],
      env: HASTY,
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
  "a rejected one is sent once for fifty scrapes at once": {
    env: { PASSWORD: "wrong" },
    act: async ({ server, exporter }) => {
      const scrapes = await Promise.all(
        Array.from({ length: 50 }, () => exporter.scrape()),
      );
      assert(scrapes.every(({ verdict }) => verdict === "auth"));
      assert.equal(server.connections(), 1);
      assert(await eventually(() => server.rejections() === 1));
    },
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
  "nothing is typed when the shell wants a new one": {
    shell: {
      login: [
        "You must change your password\nEnter old password : ",
        { hang: true },
      ],
    },
    env: HASTY,
    act: async (stage) => {
      await fails("auth")(stage);
      const events = await stage.server.events();
      assert.deepEqual(events.map(({ event }) => event), ["login"]);
    },
  },
  "a shell that asks for it is not told": {
    shell: { login: ["Password: ", { hang: true }] },
    env: HASTY,
    act: async ({ server, exporter }) => {
      const { verdict } = await exporter.scrape();
      assert.notEqual(verdict, "up");
      for (const { text } of await server.events()) {
        assert(!text.includes(server.password));
      }
    },
  },
});

scenarios("a host key", {
  "that is not the pinned one gets no credential": {
    env: { SSH_HOST_KEY: `SHA256:${"A".repeat(43)}` },
    act: async (stage) => {
      await fails("host_key")(stage);
      await fails("host_key")(stage);
      const { server, exporter } = stage;
      assert.equal(server.connections(), 2);
      assert(!server.sawCredential());
      assert(exporter.log().join("\n").includes(server.fingerprint));
    },
  },
  "that is pinned for another target gets no credential": {
    env: (server) => ({ SSH_HOST_KEY: `192.0.2.1=${server.fingerprint}` }),
    act: async (stage) => {
      await fails("host_key")(stage);
      assert(!stage.server.sawCredential());
    },
  },
  "that is not pinned is shown, to be pinned": {
    env: { LOG_LEVEL: "warn" },
    act: async ({ server, exporter }) => {
      assertSix(await exporter.scrape());
      const log = exporter.log().join("\n");
      assert.match(log, /level=warn/);
      assert(log.includes(`SSH_HOST_KEY=${server.fingerprint}`), log);
    },
  },
  "that has changed gets no credential": {
    act: async (stage) => {
      const { server, exporter } = stage;
      assertSix(await exporter.scrape());
      const seen = server.log().length;
      await server.changeHostKey();
      await fails("host_key")(stage);
      assert.doesNotMatch(
        server.log().slice(seen).join("\n"),
        /^(?:Accepted|Postponed|Failed (?!none))/m,
      );
    },
  },
});

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
  "and shows what is true in the meantime": {
    act: async ({ server, exporter }) => {
      assertSix(await exporter.scrape());
      await server.play({
        replies: { [SHOW]: printVpnFlow([row(9, { state: "init" })]) },
      });
      const { states, series } = await exporter.scrape();
      assert.deepEqual(states, [3]);
      assert.equal(
        series("ifIPsecOperStatus")[0]?.labels["ifAlias"],
        "branch-9",
      );
      assert.equal(server.logins(), 1);
    },
  },
  "while the firewall becomes active": {
    shell: { prompt: "admin@PA-1(passive)> " },
    act: async ({ server, exporter }) => {
      assertSix(await exporter.scrape());
      await server.play({ prompt: "admin@PA-1(active)> " });
      const scrape = await exporter.scrape();
      assertSix(scrape);
      const [info] = scrape.series("panos_ipsec_ha_info");
      assert.equal(info?.labels["state"], "active");
      assertSix(await exporter.scrape());
      assert.equal(server.logins(), 1);
    },
  },
  "by fifty scrapes at once, which need one command": {
    reply: [{ pause: 0.5 }, SIX_TUNNELS],
    act: async ({ server, exporter }) => {
      const scrapes = await Promise.all(
        Array.from({ length: 50 }, () => exporter.scrape()),
      );
      for (const scrape of scrapes) assertSix(scrape);
      assert.equal(server.connections(), 1);
      const commands = await server.commands();
      assert.equal(commands.filter((text) => text === SHOW).length, 1);
    },
  },
  "by scrapes one after another, up to thirty": {
    act: async ({ server, exporter }) => {
      for (let scrapes = 0; scrapes < 30; scrapes++) {
        assertSix(await exporter.scrape());
      }
      assert.equal(server.logins(), 1);
      assert.equal((await server.shells()).length, 1);
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
      assert(
        await eventually(hasShells(server, 1)),
      );
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
    env: HASTY,
    act: async ({ server, exporter }) => {
      assertSix(await exporter.scrape());
      await server.interrupt([{ hang: true }]);
      assert.equal((await exporter.scrape()).verdict, "timeout");
      assert(
        await eventually(hasShells(server, 0), { seconds: 10 }),
      );
      assertSix(await exporter.scrape());
      assert.equal(server.logins(), 2);
    },
  },
  "when the firewall ended it for idleness": {
    act: async ({ server, exporter }) => {
      assertSix(await exporter.scrape());
      await server.interrupt(["\n\nSession timed out\n", { close: true }]);
      assert(
        await eventually(hasShells(server, 0)),
      );
      assertSix(await exporter.scrape());
      assert.equal(server.logins(), 2);
    },
  },
  "when the shell ends before the answer": {
    act: async ({ server, exporter }) => {
      assertSix(await exporter.scrape());
      await server.play({ replies: { [SHOW]: [{ close: true }] } });
      const scrape = await exporter.scrape();
      assert.notEqual(scrape.verdict, "up");
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

/** The firewall prints something between two polls; the second one succeeds. */
function survives(message: Output): Act {
  return async ({ server, exporter }) => {
    assertSix(await exporter.scrape());
    await server.interrupt(message);
    // The exporter may end a session that talks unasked.
    const isOver = async (): Promise<boolean> =>
      await hasEvent(server, "interrupted")() ||
      await hasShells(server, 0)();
    assert(await eventually(isOver));
    assertSix(await exporter.scrape());
    assertSix(await exporter.scrape());
  };
}

scenarios("a message between two polls does no harm", {
  "when the prompt is printed again": {
    act: survives("\nSystem restart in 5 min\nadmin@PA-1> "),
  },
  "when the prompt is not printed again": {
    act: survives("\nSystem restart in 5 min\n"),
  },
  "when it has no line end": { act: survives("Auto-commit done") },
  "when it looks like a table": { act: survives(`\n${TOP}\n`) },
  "when it is the whole table": { act: survives(`${SIX_TUNNELS}admin@PA-1> `) },
  "when it is a megabyte": {
    act: survives("x".repeat(1_000_000) + "\nadmin@PA-1> "),
  },
});

scenarios("time passes", {
  "and a slow login serves a later scrape": {
    shell: { login: ["Last login: today\n", { pause: 8 }, "\n"] },
    act: async ({ server, exporter }) => {
      const first = await exporter.scrape({ timeout: 3 });
      assert.equal(first.verdict, "timeout");
      assert(first.seconds < 3, `the scrape took ${first.seconds} s`);
      let scrape = first;
      let scrapes = 1;
      while (scrape.verdict === "timeout" && scrapes < 6) {
        scrape = await exporter.scrape({ timeout: 3 });
        scrapes++;
      }
      assertSix(scrape);
      assert.equal(server.connections(), 1);
      assert.equal(scrape.value("panos_ipsec_ssh_logins_total"), 1);
      assert(scrape.value("panos_ipsec_login_duration_seconds") >= 8);
    },
  },
  "and a hung command costs the session, which is gone soon after": {
    reply: [TOP, { hang: true }],
    act: async ({ server, exporter }) => {
      const { verdict, seconds } = await exporter.scrape({ timeout: 2 });
      assert.equal(verdict, "timeout");
      assert(seconds < 2, `the scrape took ${seconds} s`);
      assert(
        await eventually(hasShells(server, 0), { seconds: 10 }),
      );
      await server.play({ replies: { [SHOW]: SIX_TUNNELS } });
      assertSix(await exporter.scrape());
      assert.equal(server.logins(), 2);
    },
  },
  "and an impatient scrape does not spoil a patient one": {
    reply: [{ pause: 2 }, SIX_TUNNELS],
    act: async ({ server, exporter }) => {
      const [patient, impatient] = await Promise.all([
        exporter.scrape({ timeout: 10 }),
        exporter.scrape({ timeout: 1 }),
      ]);
      assertSix(patient);
      assert.equal(impatient.verdict, "timeout");
      assert(impatient.seconds < 1.2, `it took ${impatient.seconds} s`);
      assert.equal(server.logins(), 1);
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
          { seconds: 10 },
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
        assert.equal((await server.shells()).length, 1);
        assert.equal(server.connections(), logins);
        assert(
          await eventually(hasShells(server, 0), { seconds: 10 }),
        );
      }
      await server.play({ login: "" });
      assertSix(await exporter.scrape());
    },
  },
  "and a firewall with a new name is known again": {
    env: HASTY,
    act: async ({ server, exporter }) => {
      assertSix(await exporter.scrape());
      await server.play({ prompt: "admin@PA-2> " });
      const isUp = async (): Promise<boolean> =>
        (await exporter.scrape()).verdict === "up";
      assert(await eventually(isUp, { seconds: 12 }));
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
      const log = exporter.log().filter((line) => /reason=connect/.test(line));
      assert.equal(
        log.filter((line) => !/level=debug/.test(line)).length,
        1,
        log.join("\n"),
      );
    },
  },
  "and a session that nobody uses is ended": {
    env: { SSH_SESSION_IDLE_TIMEOUT: "1" },
    act: async ({ server, exporter }) => {
      assertSix(await exporter.scrape());
      assert(
        await eventually(hasShells(server, 0)),
      );
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
        assert(
          await eventually(hasShells(server, 0)),
        );
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
      assert(
        await eventually(hasShells(server, 0)),
      );
    },
  },
});

scenarios("SIGTERM ends the exporter within three seconds", {
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
      assert.notEqual(answer.verdict, "up");
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

scenarios("--check polls once", {
  "and prints the tunnels": { act: checks(0, /^panos_ipsec_up 1$/m) },
  "and prints why there are none": {
    reply: "Invalid syntax.\n",
    act: checks(1, /^panos_ipsec_scrape_failure\{reason="command"\} 1$/m),
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
  "reaches the log escaped and short": {
    reply: `\nInvalid \x1b[31m\u202esyntax.${"y".repeat(5_000)}\nmsg=forged\n`,
    act: async ({ exporter }) => {
      const { verdict } = await exporter.scrape();
      assert.notEqual(verdict, "up");
      for (const line of exporter.log()) {
        // deno-lint-ignore no-control-regex -- these must not be there
        assert.doesNotMatch(line, /[\x00-\x1f\x7f-\x9f\u202e]|^msg=forged/);
        assert(line.length < 2_000, `a line of ${line.length} characters`);
      }
    },
  },
});

const BROADCAST =
  "\n\nBroadcast message from root (pts/1) (Tue Apr 22 15:31:09 2025):\n\nThe system is going down for reboot NOW!\n";

/** Each poll succeeds, on one session, and none waits for its deadline. */
const staysInStep: Act = async ({ server, exporter }) => {
  for (let scrape = 0; scrape < 3; scrape++) {
    assertSix(await exporter.scrape());
  }
  assert.equal(server.logins(), 1);
};

scenarios("a message beside the prompt costs neither a deadline nor a login", {
  "a broadcast in the packet behind the prompt": {
    reply: `${SIX_TUNNELS}admin@PA-1> ${BROADCAST}`,
    act: staysInStep,
  },
  "a broadcast there, and no prompt behind it": {
    reply: [`${SIX_TUNNELS}admin@PA-1> ${BROADCAST}`, { pause: 1 }],
    act: staysInStep,
  },
  "a message in front of the prompt": {
    reply: `${SIX_TUNNELS}The system is going down for reboot NOW!`,
    act: staysInStep,
  },
  "a warning in front of the first prompt": {
    shell: {
      login:
        "Warning: Your device is still configured with the default admin account credentials. Please change your password prior to deployment.",
    },
    act: staysInStep,
  },
});

scenarios("a kept session tells of the firewall's prompt as it is", {
  "a failover": {
    shell: { prompt: "admin@PA-1(passive)> " },
    act: async ({ server, exporter }) => {
      const states: (string | undefined)[] = [];
      for (const state of ["passive", "active", "passive"]) {
        await server.play({ prompt: `admin@PA-1(${state})> ` });
        const scrape = await exporter.scrape();
        assertSix(scrape);
        states.push(
          scrape.series("panos_ipsec_ha_info").at(0)?.labels["state"],
        );
      }
      assert.deepEqual(states, ["passive", "active", "passive"]);
      assert.equal(server.logins(), 1);
    },
  },
  "a new host name": {
    env: PATIENT,
    act: async ({ server, exporter }) => {
      assertSix(await exporter.scrape());
      await server.play({ prompt: "admin@PA-2(active)> " });
      assertSix(await exporter.scrape());
      assertSix(await exporter.scrape());
      assert.equal(server.logins(), 1);
    },
  },
});
