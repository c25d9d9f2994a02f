import assert from "node:assert/strict";
import {
  type Config,
  ConfigError,
  parseConfig,
} from "../../src/config/config.ts";
import { parsePrivateKey } from "../../src/ssh/private_key.ts";
import { createKeyPair } from "../support/key_pair.ts";
import { execute, isAbsent, temporaryFolder } from "../support/program.ts";

type Variables = Readonly<Record<string, string>>;

const COMPLETE: Variables = {
  USERNAME: "monitor",
  PASSWORD: "correct horse",
  HOSTNAME: "fw-a.example.net",
};

const ONE = `SHA256:${"A".repeat(43)}`;
const OTHER = `SHA256:${"b/+".repeat(14)}9`;

const CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMA==\n";
const TLS_KEY = "-----BEGIN PRIVATE KEY-----\nMQ==\n";

Deno.test("parseConfig() needs an account, its password and a firewall", () => {
  const { credentials, ...config } = parse(COMPLETE);
  const { username, password, privateKey } = credentials;
  assert.deepEqual(
    { username, password: password?.reveal(), privateKey },
    { username: "monitor", password: "correct horse", privateKey: undefined },
  );
  assert.deepEqual(config, {
    firewall: {
      name: "fw-a.example.net",
      host: "fw-a.example.net",
      port: 22,
    },
    targets: [],
    sshPort: 22,
    hostKeys: undefined,
    allowsLegacyAlgorithms: false,
    sessionIdleTimeoutMs: 600_000,
    loginTimeoutMs: 60_000,
    scrapeTimeoutMs: 30_000,
    minPollIntervalMs: 1_000,
    http: {
      address: "0.0.0.0",
      port: 9_098,
      login: undefined,
      tls: undefined,
    },
    log: { level: "info", format: "logfmt" },
    warnings: [],
  });
});

Deno.test("parseConfig() takes what is set", () => {
  const config = parse({
    ...COMPLETE,
    SSH_PORT: "2222",
    SSH_LEGACY_ALGORITHMS: "true",
    SSH_SESSION_IDLE_TIMEOUT: "0",
    SSH_LOGIN_TIMEOUT: "90.5",
    SCRAPE_TIMEOUT: "0.25",
    MIN_POLL_INTERVAL: "0",
    HTTP_SERVER_PORT: "9100",
    HTTP_LISTEN_ADDRESS: "[2001:db8::9098]",
    HTTP_USERNAME: "prometheus",
    HTTP_PASSWORD: "battery staple",
    HTTP_TLS_CERT: CERTIFICATE.replaceAll("\n", "\r\n"),
    HTTP_TLS_KEY: TLS_KEY.replaceAll("\n", "\\n"),
    LOG_LEVEL: "debug",
    LOG_FORMAT: "json",
  });
  const { firewall, sshPort, allowsLegacyAlgorithms, http, log } = config;
  assert.deepEqual([firewall?.port, sshPort], [2222, 2222]);
  assert(allowsLegacyAlgorithms);
  assert.deepEqual(timesOf(config), [0, 90_500, 250, 0]);
  assert.deepEqual([http.address, http.port], ["2001:db8::9098", 9_100]);
  assert.deepEqual(
    [http.login?.username, http.login?.password.reveal()],
    ["prometheus", "battery staple"],
  );
  assert.deepEqual(
    [http.tls?.certificate, http.tls?.key.reveal()],
    [CERTIFICATE, TLS_KEY],
  );
  assert.deepEqual(log, { level: "debug", format: "json" });
});

Deno.test("the PE_ form of a variable wins over the plain one", () => {
  const { credentials, firewall, http } = parse({
    USERNAME: "jane",
    PASSWORD: "hers",
    HOSTNAME: "desktop",
    HTTP_SERVER_PORT: "no port",
    PE_USERNAME: "monitor",
    PE_PASSWORD: "correct horse",
    PE_HOSTNAME: "fw-a",
    PE_HTTP_SERVER_PORT: "9100",
  });
  assert.equal(credentials.username, "monitor");
  assert.equal(credentials.password?.reveal(), "correct horse");
  assert.equal(firewall?.host, "fw-a");
  assert.equal(http.port, 9_100);
});

Deno.test("an account and its password may hold whatever is printed on one line", () => {
  const odd = String.raw`net "monitor" 'é' $HOME #1 pa\ss %20 `;
  const { credentials } = parse({
    ...COMPLETE,
    USERNAME: `${odd}1`,
    PASSWORD: ` ${odd}`,
  });
  assert.equal(credentials.username, `${odd}1`);
  assert.equal(credentials.password?.reveal(), ` ${odd}`);
});

Deno.test("an empty variable counts as not set", () => {
  const names = namesAskedFor().filter((name) => !(name in COMPLETE));
  const empty = Object.fromEntries(names.map((name) => [name, ""]));
  assert(names.length > 20, "hardly any variable is asked for");
  assert.deepEqual(parse({ ...empty, ...COMPLETE }), parse(COMPLETE));
});

Deno.test("parseConfig() reports every fault at once, and no secret", () => {
  const secrets = {
    PASSWORD: "correct horse\n",
    SSH_PRIVATE_KEY: "-----BEGIN battery staple",
    SSH_PRIVATE_KEY_PASSPHRASE: "hunter two",
    HTTP_PASSWORD: "swordfish",
    HTTP_TLS_KEY: "open sesame",
  };
  const faults = faultsOf({
    ...secrets,
    HOSTNAME: "https://fw-a",
    HTTP_SERVER_PORT: "http",
    HTTP_LISTEN_ADDRESS: "localhost",
    SSH_PORT: "0",
    SSH_HOST_KEY: "MD5:00",
    SSH_LEGACY_ALGORITHMS: "yes",
    SSH_SESSION_IDLE_TIMEOUT: "10m",
    SSH_LOGIN_TIMEOUT: "0",
    SCRAPE_TIMEOUT: "-1",
    MIN_POLL_INTERVAL: "1e3",
    HTTP_USERNAME: "a:b",
    HTTP_TLS_CERT: "none",
    LOG_LEVEL: "verbose",
    LOG_FORMAT: "xml",
  });
  assert.deepEqual(
    faults.map((fault) => fault.split(" ", 1)[0]).sort(),
    [
      "HOSTNAME",
      "HTTP_LISTEN_ADDRESS",
      "HTTP_SERVER_PORT",
      "HTTP_TLS_CERT",
      "HTTP_TLS_KEY",
      "HTTP_USERNAME",
      "LOG_FORMAT",
      "LOG_LEVEL",
      "MIN_POLL_INTERVAL",
      "PASSWORD",
      "SCRAPE_TIMEOUT",
      "SSH_HOST_KEY",
      "SSH_LEGACY_ALGORITHMS",
      "SSH_LOGIN_TIMEOUT",
      "SSH_PORT",
      "SSH_PRIVATE_KEY",
      "SSH_SESSION_IDLE_TIMEOUT",
      "USERNAME",
    ],
  );
  const message = new ConfigError(faults).message;
  for (const secret of Object.values(secrets)) {
    assert(!message.includes(secret.trim()), message);
  }
});

Deno.test("parseConfig() quotes no secret that stands in another variable", async (t) => {
  const key = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n";
  const cases = {
    "in a URL": { HOSTNAME: "ssh://prometheus:s3cret!word@fw-a" },
    "another one, in a URL": { HOSTNAME: "prometheus:0ther!word@fw-a" },
    "in a list": { TARGETS: "fw-a,prometheus:s3cret!word@fw-b" },
    "with a blank behind it": { USERNAME: "s3cret!word " },
    "the password of the listener": {
      HTTP_USERNAME: "prometheus",
      HTTP_PASSWORD: "0ther!word",
      LOG_LEVEL: "0ther!word",
    },
    "a private key": { SSH_HOST_KEY: key },
  };
  for (const [what, changes] of Object.entries(cases)) {
    await t.step(what, () => {
      const env = { ...COMPLETE, PASSWORD: "s3cret!word", ...changes };
      const faults = faultsOf(env).join("\n");
      assert.match(faults, /\*\*\*/);
      assert.doesNotMatch(faults, /s3cret|0ther|b3Blb/);
    });
  }
});

Deno.test("ConfigError has a line for each fault", () => {
  assert.equal(
    new ConfigError(["A is not set", "B is not set"]).message,
    "Cannot start with this environment:\n  A is not set\n  B is not set",
  );
});

Deno.test("a fault names the variable and what it should be", async (t) => {
  const port = (name: string): string =>
    `${name} must be a port from 1 to 65535`;
  const cases: readonly (readonly [Variables, string])[] = [
    [
      { USERNAME: "" },
      "USERNAME is not set: the exporter's account on the firewall",
    ],
    [
      { USERNAME: "monitor\n" },
      String
        .raw`USERNAME must be one line that neither begins nor ends in a blank: it is "monitor\u{a}"`,
    ],
    [
      { PE_USERNAME: " monitor" },
      'PE_USERNAME must be one line that neither begins nor ends in a blank: it is " monitor"',
    ],
    [
      { PASSWORD: "" },
      "PASSWORD is not set: the password of that account (or set SSH_PRIVATE_KEY)",
    ],
    [
      { PASSWORD: "correct horse\n" },
      "PASSWORD must be one line: it has a line end, perhaps as its last character",
    ],
    [
      { PE_PASSWORD: "correct\r\nhorse" },
      "PE_PASSWORD must be one line: it has a line end, perhaps as its last character",
    ],
    [
      { HOSTNAME: "" },
      "HOSTNAME is not set: name or address of the firewall (or set TARGETS)",
    ],
    [
      { PE_HOSTNAME: "ssh://fw-a" },
      'PE_HOSTNAME must be without a scheme: it is "ssh://fw-a"',
    ],
    [
      { HOSTNAME: "fw1:22" },
      'HOSTNAME must be without a port: it is "fw1:22", so set HOSTNAME=fw1 and SSH_PORT=22',
    ],
    [
      { PE_HOSTNAME: "[2001:db8::1]:830" },
      'PE_HOSTNAME must be without a port: it is "[2001:db8::1]:830", so set PE_HOSTNAME=[2001:db8::1] and SSH_PORT=830',
    ],
    [
      { HOSTNAME: "fw 1" },
      'HOSTNAME must be a name or an address: it is "fw 1"',
    ],
    [
      { SSH_PRIVATE_KEY: "~/.ssh/id_ed25519" },
      "SSH_PRIVATE_KEY must be the text of the file: it looks like a path, and no file is read",
    ],
    [
      { HTTP_TLS_CERT: "/etc/ssl/cert.pem", HTTP_TLS_KEY: TLS_KEY },
      "HTTP_TLS_CERT must be the text of the file: it looks like a path, and no file is read",
    ],
    [
      { PASSWORD: "change me" },
      "PASSWORD must be your own: it is the text of the example file",
    ],
    [
      { PE_PASSWORD: "Change me too" },
      "PE_PASSWORD must be your own: it is the text of the example file",
    ],
    [
      { SSH_PRIVATE_KEY_PASSPHRASE: "change me too" },
      "SSH_PRIVATE_KEY_PASSPHRASE must be your own: it is the text of the example file",
    ],
    [
      { HTTP_USERNAME: "prometheus", HTTP_PASSWORD: "change me as well" },
      "HTTP_PASSWORD must be your own: it is the text of the example file",
    ],
    [{ SSH_PORT: "65536" }, `${port("SSH_PORT")}: it is "65536"`],
    [{ SSH_PORT: "22\n" }, String.raw`${port("SSH_PORT")}: it is "22\u{a}"`],
    [
      { PE_HTTP_SERVER_PORT: "+1" },
      `${port("PE_HTTP_SERVER_PORT")}: it is "+1"`,
    ],
    [
      { HTTP_LISTEN_ADDRESS: "localhost" },
      'HTTP_LISTEN_ADDRESS must be an IP address: it is "localhost"',
    ],
    [
      { SSH_LOGIN_TIMEOUT: "600.1" },
      'SSH_LOGIN_TIMEOUT must be a number of seconds from 1 to 600: it is "600.1"',
    ],
    [
      { SCRAPE_TIMEOUT: "0.2" },
      'SCRAPE_TIMEOUT must be a number of seconds from 0.25 to 120: it is "0.2"',
    ],
    [
      { SSH_LEGACY_ALGORITHMS: "TRUE" },
      'SSH_LEGACY_ALGORITHMS must be one of false, true: it is "TRUE"',
    ],
    [
      { LOG_LEVEL: "trace" },
      'LOG_LEVEL must be one of debug, info, warn, error: it is "trace"',
    ],
    [
      { HTTP_USERNAME: "prometheus" },
      "HTTP_PASSWORD is not set: HTTP_USERNAME needs it",
    ],
    [
      { HTTP_PASSWORD: "battery staple" },
      "HTTP_USERNAME is not set: HTTP_PASSWORD needs it",
    ],
    [
      { HTTP_USERNAME: "a:b", HTTP_PASSWORD: "c" },
      "HTTP_USERNAME must not hold a colon: browsers cannot send it",
    ],
    [
      { HTTP_TLS_CERT: CERTIFICATE },
      "HTTP_TLS_KEY is not set: HTTP_TLS_CERT needs it",
    ],
    [
      { HTTP_TLS_CERT: CERTIFICATE, HTTP_TLS_KEY: "MQ==" },
      'HTTP_TLS_KEY must be PEM text: it has no "-----BEGIN"',
    ],
    [
      { TARGETS: "fw-a,fw b" },
      'TARGETS must list host, host:port or [v6]:port: it has "fw b"',
    ],
    [{ TARGETS: " , " }, 'TARGETS must have an entry: it is " , "'],
    [{ SSH_HOST_KEY: "," }, 'SSH_HOST_KEY must have an entry: it is ","'],
  ];
  for (const [variables, fault] of cases) {
    await t.step(fault, () => {
      assert.deepEqual(faultsOf({ ...COMPLETE, ...variables }), [fault]);
    });
  }
});

Deno.test("HOSTNAME is a name or an address", async (t) => {
  const hosts: Variables = {
    "fw-a": "fw-a",
    "FW-A.Example.Net.": "fw-a.example.net",
    "192.0.2.1": "192.0.2.1",
    "2001:db8::1": "2001:db8::1",
    "2001:DB8::22": "2001:db8::22",
    "[2001:db8::1]": "2001:db8::1",
  };
  for (const [HOSTNAME, host] of Object.entries(hosts)) {
    await t.step(HOSTNAME, () => {
      const { firewall } = parse({ ...COMPLETE, HOSTNAME });
      assert.deepEqual(firewall, { name: HOSTNAME, host, port: 22 });
    });
  }
});

Deno.test("an IPv4 address has one spelling, and another is no address at all", async (t) => {
  const spellings = ["010.1.2.3", "1234", "0x7f000001", "127.1", "192.0.2.1."];
  for (const spelling of spellings) {
    await t.step(spelling, () => {
      const wanted =
        "must have an IPv4 address as four numbers without leading zeros, such as 192.0.2.1";
      const { HOSTNAME: _, ...account } = COMPLETE;
      assert.deepEqual(faultsOf({ ...account, HOSTNAME: spelling }), [
        `HOSTNAME ${wanted}: it is "${spelling}"`,
      ]);
      assert.deepEqual(
        faultsOf({ ...account, TARGETS: `fw-a,${spelling}:22` }),
        [
          `TARGETS ${wanted}: it has "${spelling}:22"`,
        ],
      );
      const SSH_HOST_KEY = `${spelling}=${ONE}`;
      const [fault] = faultsOf({ ...COMPLETE, SSH_HOST_KEY });
      assert.match(fault ?? "", /^SSH_HOST_KEY must list fingerprints /);
    });
  }
});

Deno.test("a value that is not UTF-8 is a fault, whichever variable has it", async (t) => {
  const names = namesAskedFor();
  for (const name of names) {
    await t.step(name, () => {
      const { PASSWORD: _, ...others } = COMPLETE;
      const variables: Variables = name === "SSH_PRIVATE_KEY"
        ? others
        : { ...COMPLETE, ...PARTNERS[name] };
      const look = (asked: string): string | undefined => {
        if (asked === name) throw new Error('not valid unicode: "pa\\xFFss"');
        return variables[asked];
      };
      assert.throws(() => parseConfig(look, parsePrivateKey), (error) => {
        assert(error instanceof ConfigError);
        assert.deepEqual(error.faults, [
          `${name} must be UTF-8: it has bytes that are not`,
        ]);
        assert.equal(error.cause, undefined);
        return true;
      });
    });
  }
});

Deno.test("a variable that may not be read is no fault of its value", () => {
  const denied = new Error("Requires env access");
  denied.name = "NotCapable";
  const look = (): never => {
    throw denied;
  };
  assert.throws(() => parseConfig(look, parsePrivateKey), denied);
});

Deno.test("TARGETS lists each firewall once, whatever its spelling", () => {
  const { targets, firewall } = parse({
    ...ACCOUNT,
    SSH_PORT: "2222",
    TARGETS: " fw-a, FW-A:2222 ,,fw-a:22,[2001:db8::1]:22,192.0.2.1,",
  });
  assert.equal(firewall, undefined);
  assert.deepEqual(targets, [
    { name: "fw-a", host: "fw-a", port: 2222 },
    { name: "fw-a:22", host: "fw-a", port: 22 },
    { name: "[2001:db8::1]:22", host: "2001:db8::1", port: 22 },
    { name: "192.0.2.1", host: "192.0.2.1", port: 2222 },
  ]);
});

Deno.test("a plain HOSTNAME counts beside TARGETS only when it is listed", async (t) => {
  await t.step("listed", () => {
    const { firewall, targets } = parse({
      ...ACCOUNT,
      HOSTNAME: "FW-A",
      TARGETS: "fw-b,fw-a:22",
    });
    assert.equal(firewall, targets[1]);
  });
  await t.step("the name of a container", () => {
    const { firewall, targets, warnings } = parse({
      ...ACCOUNT,
      HOSTNAME: "3f2a9c_0 (dev)",
      TARGETS: "fw-a",
    });
    assert.equal(firewall, undefined);
    assert.equal(targets.length, 1);
    assert.deepEqual(warnings, [
      'HOSTNAME="3f2a9c_0 (dev)" is not polled, as TARGETS does not list it: list it there, or set PE_HOSTNAME, if it is a firewall',
    ]);
  });
  await t.step("PE_HOSTNAME counts in any case", () => {
    const { firewall, targets, warnings } = parse({
      ...ACCOUNT,
      HOSTNAME: "desktop",
      PE_HOSTNAME: "fw-z",
      TARGETS: "fw-a",
    });
    assert.equal(firewall?.host, "fw-z");
    assert.deepEqual(warnings, []);
    assert.deepEqual(targets.map(({ host }) => host), ["fw-a"]);
  });
});

Deno.test("SSH_HOST_KEY lists keys for all firewalls and for one", () => {
  const { hostKeys } = parse({
    ...COMPLETE,
    SSH_HOST_KEY:
      `${ONE}, fw-a.example.net=${OTHER} ,[2001:db8::1]:2222=${ONE},2001:db8::2=${ONE}`,
  });
  assert.deepEqual(
    hostKeys?.map(({ fingerprint, target }) => [
      fingerprint,
      target?.host,
      target?.port,
    ]),
    [
      [ONE, undefined, undefined],
      [OTHER, "fw-a.example.net", 22],
      [ONE, "2001:db8::1", 2222],
      [ONE, "2001:db8::2", 22],
    ],
  );
});

Deno.test("SSH_HOST_KEY takes nothing but fingerprints", async (t) => {
  const entries = [
    ONE.slice(0, -1),
    `${ONE}=`,
    `${ONE}A`,
    ONE.toLowerCase(),
    `256 ${ONE} fw-a (ED25519)`,
    "MD5:00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA",
    `=${ONE}`,
    `fw a=${ONE}`,
    `fw-a:0=${ONE}`,
    `fw-a==${ONE}`,
    "fw-a=",
    "fw-a",
  ];
  for (const entry of entries) {
    await t.step(entry, () => {
      const SSH_HOST_KEY = `${ONE},${entry}`;
      assert.deepEqual(faultsOf({ ...COMPLETE, SSH_HOST_KEY }), [
        `SSH_HOST_KEY must list fingerprints as "ssh-keygen -lf" prints them, SHA256:… or host=SHA256:…: it has "${entry}"`,
      ]);
    });
  }
});

Deno.test("parseConfig() warns of host keys that are accepted too widely, or never", async (t) => {
  const unbound =
    "SSH_HOST_KEY has entries that are accepted from every firewall: bind them with host=SHA256:…";
  const cases: readonly (readonly [string, Variables, readonly string[]])[] = [
    ["an unbound key, one firewall", { SSH_HOST_KEY: ONE }, []],
    [
      "an unbound key, the same firewall as target",
      { SSH_HOST_KEY: ONE, TARGETS: "fw-a.example.net" },
      [],
    ],
    [
      "an unbound key, two targets",
      { SSH_HOST_KEY: `fw-a=${ONE},${ONE}`, TARGETS: "fw-a,fw-b" },
      [unbound],
    ],
    [
      "an unbound key, one target beside PE_HOSTNAME",
      { SSH_HOST_KEY: ONE, TARGETS: "fw-b", PE_HOSTNAME: "fw-a" },
      [unbound],
    ],
    [
      "bound keys, two targets",
      { SSH_HOST_KEY: `fw-a=${ONE},fw-b:22=${OTHER}`, TARGETS: "fw-a,fw-b" },
      [],
    ],
    [
      "a key for a firewall that is no target",
      { SSH_HOST_KEY: `fw-b=${ONE},fw-a:2222=${ONE}`, TARGETS: "fw-a" },
      [
        'SSH_HOST_KEY has an entry for "fw-b", which is no target',
        'SSH_HOST_KEY has an entry for "fw-a:2222", which is no target',
      ],
    ],
  ];
  for (const [when, variables, warnings] of cases) {
    await t.step(when, () => {
      const HOSTNAME = "TARGETS" in variables ? "" : "fw-a.example.net";
      const config = parse({ ...COMPLETE, HOSTNAME, ...variables });
      assert.deepEqual(config.warnings, warnings);
    });
  }
});

Deno.test("SSH_PRIVATE_KEY takes the place of PASSWORD", async (t) => {
  for (const type of ["ed25519", "rsa"] as const) {
    const { privateKey, publicKey } = createKeyPair(type);
    const spellings: Variables = {
      "on several lines": privateKey,
      "with CR LF": privateKey.replaceAll("\n", "\r\n"),
      "on one line": privateKey.trim().replaceAll("\n", "\\n"),
      "among blank lines": `\n\n${privateKey}\n\n`,
    };
    for (const [how, SSH_PRIVATE_KEY] of Object.entries(spellings)) {
      await t.step(`${type} ${how}`, () => {
        const { credentials } = parse({
          USERNAME: "monitor",
          HOSTNAME: "fw-a",
          SSH_PRIVATE_KEY,
        });
        assert.equal(credentials.password, undefined);
        assert.equal(
          credentials.privateKey?.reveal().getPublicSSH().toString("base64"),
          publicKey.split(" ")[1],
        );
      });
    }
  }
});

Deno.test("SSH_PRIVATE_KEY must be a private key that can be read", async (t) => {
  const { publicKey, privateKey } = createKeyPair();
  const cases: Variables = {
    "is a public key": publicKey,
    'cannot be read ("Unsupported key format")': "AAAAC3NzaC1lZDI1NTE5",
    'cannot be read ("Malformed OpenSSH private key")':
      "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----",
    "cannot be read ": privateKey.slice(0, privateKey.length / 2),
  };
  for (const [problem, SSH_PRIVATE_KEY] of Object.entries(cases)) {
    await t.step(problem, () => {
      const [fault = "", ...others] = faultsOf({
        ...COMPLETE,
        SSH_PRIVATE_KEY,
      });
      assert(fault.startsWith(`SSH_PRIVATE_KEY ${problem}`), fault);
      assert(fault.includes('use an ed25519 key made by "ssh-keygen'), fault);
      assert(!fault.includes(SSH_PRIVATE_KEY), fault);
      assert.deepEqual(others, []);
    });
  }
});

Deno.test({
  name: "SSH_PRIVATE_KEY may be encrypted (needs ssh-keygen)",
  ignore: isAbsent("ssh-keygen"),
  async fn(t): Promise<void> {
    const SSH_PRIVATE_KEY = await generateKey("ed25519", "open sesame");
    const variables = { ...COMPLETE, SSH_PRIVATE_KEY };
    await t.step("with its passphrase", () => {
      const { credentials } = parse({
        ...variables,
        SSH_PRIVATE_KEY_PASSPHRASE: "open sesame",
      });
      assert(credentials.privateKey?.reveal().isPrivateKey());
    });
    await t.step("without a passphrase", () => {
      const [fault] = faultsOf(variables);
      assert.match(
        fault ?? "",
        /^SSH_PRIVATE_KEY cannot be read .*no passphrase/,
      );
    });
    await t.step("with another passphrase", () => {
      const SSH_PRIVATE_KEY_PASSPHRASE = "close sesame";
      const [fault] = faultsOf({ ...variables, SSH_PRIVATE_KEY_PASSPHRASE });
      assert.match(
        fault ?? "",
        /^SSH_PRIVATE_KEY cannot be read .*bad passphrase/,
      );
      assert(!fault?.includes(SSH_PRIVATE_KEY_PASSPHRASE), fault);
    });
  },
});

Deno.test({
  name: "a key that the runtime reads and cannot sign with is a fault " +
    "(needs ssh-keygen)",
  ignore: isAbsent("ssh-keygen"),
  async fn(): Promise<void> {
    // the runtime cannot sign with some P-256 keys, four in ten or more
    for (let tries = 1; tries <= 60; tries++) {
      const SSH_PRIVATE_KEY = await generateKey("ecdsa", "");
      const faults = tryFaultsOf({ ...COMPLETE, SSH_PRIVATE_KEY });
      if (faults === undefined) continue;
      assert.match(
        faults.join(),
        /^SSH_PRIVATE_KEY can be read but not used here \(.+\): use an ed25519 key/,
      );
      return;
    }
    assert.fail("the runtime can sign with every P-256 key: say so in ssh.ts");
  },
});

Deno.test("a printed Config shows no secret", () => {
  const config = parse({
    ...COMPLETE,
    SSH_PRIVATE_KEY: createKeyPair().privateKey,
    HTTP_USERNAME: "prometheus",
    HTTP_PASSWORD: "battery staple",
    HTTP_TLS_CERT: CERTIFICATE,
    HTTP_TLS_KEY: TLS_KEY,
  });
  const printed = [
    Deno.inspect(config, { depth: 9, showHidden: true }),
    JSON.stringify(config),
  ].join("\n");
  assert(printed.includes("fw-a.example.net"), printed);
  const secrets = ["correct horse", "battery staple", "MQ==", "PRIVATE KEY"];
  for (const secret of secrets) {
    assert(!printed.includes(secret), printed);
  }
});

/** What a variable needs beside it. */
const PARTNERS: Readonly<Record<string, Variables>> = {
  HTTP_USERNAME: { HTTP_PASSWORD: "battery staple" },
  HTTP_PASSWORD: { HTTP_USERNAME: "prometheus" },
  HTTP_TLS_CERT: { HTTP_TLS_KEY: TLS_KEY },
  HTTP_TLS_KEY: { HTTP_TLS_CERT: CERTIFICATE },
};

const ACCOUNT: Variables = { USERNAME: "monitor", PASSWORD: "correct horse" };

function parse(variables: Variables): Config {
  return parseConfig((name) => variables[name], parsePrivateKey);
}

function faultsOf(variables: Variables): readonly string[] {
  return tryFaultsOf(variables) ?? assert.fail("there is no fault");
}

function tryFaultsOf(variables: Variables): readonly string[] | undefined {
  try {
    parse(variables);
    return undefined;
  } catch (error) {
    assert(error instanceof ConfigError);
    return error.faults;
  }
}

function namesAskedFor(): readonly string[] {
  const names = new Set<string>();
  assert.throws(
    () => parseConfig((name) => void names.add(name), parsePrivateKey),
    ConfigError,
  );
  return [...names];
}

function timesOf(config: Config): readonly number[] {
  return [
    config.sessionIdleTimeoutMs,
    config.loginTimeoutMs,
    config.scrapeTimeoutMs,
    config.minPollIntervalMs,
  ];
}

async function generateKey(type: string, passphrase: string): Promise<string> {
  await using folder = await temporaryFolder();
  const file = `${folder.path}/key`;
  const flags = ["-q", "-t", type, "-N", passphrase, "-f", file];
  const { code, stderr } = await execute("ssh-keygen", flags);
  assert.equal(code, 0, stderr);
  return await Deno.readTextFile(file);
}
