import assert from "node:assert/strict";
// @ts-types="@types/ssh2"
import { utils } from "ssh2";
import { LOG_FORMATS, LOG_LEVELS, type LogFormat } from "../../src/std/log.ts";
import { createCertificate } from "../support/certificate.ts";
import { runExporter, startExporter } from "../support/exporter.ts";
import { type FirewallOptions, startFirewall } from "../support/firewall.ts";
import { readLogfmt } from "../support/logfmt.ts";
import { isAbsent } from "../support/program.ts";
import { reservePort } from "../support/system.ts";
import { inventTunnels, printVpnFlow } from "../support/vpn_flow_reply.ts";

const USERNAME = "svc-vpn-watch";
const PASSPHRASE = 'open "sesame" \\now';
const PRIVATE_KEY = createEncryptedKey();

/** Each holds what some format has to escape. */
const SECRETS = {
  PASSWORD: 'tr0ub4dor "&" =3\\n',
  HTTP_PASSWORD: 'battery: "staple" ö\\',
  SSH_PRIVATE_KEY: PRIVATE_KEY,
  SSH_PRIVATE_KEY_PASSPHRASE: PASSPHRASE,
};
const LOGIN = {
  authorization: `Basic ${
    new TextEncoder().encode(`prometheus:${SECRETS.HTTP_PASSWORD}`).toBase64()
  }`,
};

/** What a firewall can say to forge a line, or to upset a terminal. */
const HOSTILE = 'x" level=error msg="forged\u202e\u2066\u200b \\u{1b}\\" =';

Deno.test("a run of faults is logged to the format, without secrets", async () => {
  const runs = await Promise.all(LOG_FORMATS.map(runFaults));
  for (const { format, log, shown, pages } of runs) {
    const events = log.map((line) => read(line, format));
    for (const [index, line] of log.entries()) {
      assert.doesNotMatch(line, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      assert(LOG_LEVELS.some((level) => level === events[index]?.["level"]));
    }
    const isSubmission = ({ msg = "" }): boolean =>
      /^(?:key|password) sent to \S+(?:, the \d+.. in a row that nobody accepted)?$/
        .test(msg);
    assert(events.some(isSubmission));
    const others = events.filter((event) => !isSubmission(event));
    const messages = new Set(others.map(({ msg }) => msg));
    assert.deepEqual([...messages].sort(), [
      "configuration may be wrong",
      "first login",
      "first poll",
      "listening",
      "poll failed",
      "poll failed again",
      "poll recovered",
      "probe refused",
      "starting",
      "state is not known",
      "stopped",
      "stopping",
      "tunnel changed state",
    ]);
    const reasons = new Set(events.map(({ reason }) => reason));
    assert.equal(reasons.size, 9, `all reasons but none: ${[...reasons]}`);
    const { tunnel } = events.find(({ msg }) => msg === "state is not known") ??
      {};
    assert.equal(
      tunnel,
      HOSTILE.replace(
        /[\u200b-\u2069]/g,
        (character) => `\\u{${character.charCodeAt(0).toString(16)}}`,
      ),
    );
    assert.deepEqual(findSecrets(shown), []);
    assert.match(pages, /the firewall answers &quot;Server error/);
    assert.match(pages, /asks &quot;Old password for USERNAME@fw-a /);
    assert(!pages.includes(USERNAME), "a page tells the user name");
  }
});

Deno.test({
  name: "no way to run the exporter prints a secret (needs openssl)",
  ignore: isAbsent("openssl"),
  async fn(t): Promise<void> {
    await using firewall = await startFirewall(ACCOUNT);
    const [mine, others] = await Promise.all([createTls(), createTls()]);
    using reserved = await reservePort();
    const environment = {
      ...SECRETS,
      ...mine,
      HTTP_SERVER_PORT: String(reserved.port),
      USERNAME,
      HOSTNAME: "127.0.0.1",
      SSH_PORT: String(firewall.port),
      HTTP_USERNAME: "prometheus",
      LOG_LEVEL: "debug",
    };
    const runs: Readonly<Record<string, Run>> = {
      "a check that succeeds": { args: ["--check"], code: 0 },
      "a check that is rejected": {
        args: ["--check"],
        changes: { PASSWORD: `${SECRETS.PASSWORD}x` },
        code: 1,
      },
      "the key of another certificate": {
        changes: { HTTP_TLS_KEY: others.HTTP_TLS_KEY },
        code: 78,
      },
      "a key where the certificate belongs": {
        changes: { HTTP_TLS_CERT: mine.HTTP_TLS_KEY },
        code: 78,
      },
      "another passphrase": {
        changes: { SSH_PRIVATE_KEY_PASSPHRASE: `${PASSPHRASE}x` },
        code: 78,
      },
      "half a key": {
        changes: { SSH_PRIVATE_KEY: PRIVATE_KEY.slice(0, 300) },
        code: 78,
      },
      "secrets of several lines": {
        changes: {
          PASSWORD: `${SECRETS.PASSWORD}\n`,
          HTTP_PASSWORD: `${SECRETS.HTTP_PASSWORD}\n`,
          HTTP_TLS_KEY: btoa(mine.HTTP_TLS_KEY),
          SSH_PORT: "ssh",
        },
        code: 78,
      },
    };
    for (
      const [what, { args = [], changes = {}, code }] of Object.entries(runs)
    ) {
      await t.step(what, async () => {
        const run = await runExporter(args, { ...environment, ...changes });
        assert.equal(run.code, code, run.stderr);
        const printed = findSecrets(`${run.stdout}${run.stderr}`, [
          ...linesOf(mine.HTTP_TLS_KEY),
          ...linesOf(others.HTTP_TLS_KEY),
        ]);
        assert.deepEqual(printed, []);
      });
    }
  },
});

interface Run {
  readonly args?: readonly string[];
  readonly changes?: Readonly<Record<string, string>>;
  readonly code: number;
}

const ACCOUNT: FirewallOptions = {
  username: USERNAME,
  password: SECRETS.PASSWORD,
  methods: ["publickey", "keyboard-interactive"],
};

const TUNNELS = inventTunnels(3).map((tunnel) => ({
  ...tunnel,
  name: HOSTILE,
}));
const TABLE = printVpnFlow(TUNNELS);

/** What the firewall says, poll after poll, that answers most of the time. */
const HISTORY = [
  TABLE,
  TABLE.replace("active ", 'rekey" ').replace("active ", "inactiv "),
  printVpnFlow([...TUNNELS, ...TUNNELS]),
  "Invalid syntax.\n",
  TABLE,
];

/**
 * Firewalls that never answer as they should, by the reason that is shown; the
 * last two reject the login.
 */
const FAULTY: Readonly<Record<string, FirewallOptions>> = {
  "command": { reply: () => `Server error : ${HOSTILE} of ${USERNAME}@fw-a\n` },
  "parse": {
    reply: () => TABLE.replace(HOSTILE, "\x1b[2J\u009b31m\r\n\u2028\0x"),
  },
  "parse, as it is cut off": {
    reply: () => [TABLE.slice(0, -100), { end: true }],
  },
  "session": { faults: { shell: "refuse" } },
  "auth, for a question": {
    rounds: [[{
      prompt: `Old password for ${USERNAME}@fw-a \u202e"\r\n: `,
      echo: false,
      answer: "",
    }]],
  },
  "auth, for the password": { password: "another" },
};

/** Drives an exporter through everything that can go wrong. */
async function runFaults(format: LogFormat): Promise<{
  readonly format: LogFormat;
  readonly log: readonly string[];
  readonly shown: string;
  /** The status page each time that something had happened. */
  readonly pages: string;
}> {
  await using cleanup = new AsyncDisposableStack();
  const start = async (options: FirewallOptions): Promise<Started> => {
    const firewall = cleanup.use(
      await startFirewall({ ...ACCOUNT, ...options }),
    );
    const target = `127.0.0.1:${firewall.port}`;
    return { target, pin: `${target}=${firewall.fingerprint}` };
  };
  const good = await start({
    reply: (_command, answered) => HISTORY[answered] ?? TABLE,
  });
  const impostor = await start({});
  const hung = await start({
    reply: () => [HOSTILE, { hang: true }],
  });
  const faulty = await Promise.all(Object.values(FAULTY).map(start));
  const unreachable = "127.0.0.1:1";
  const targets = [good, impostor, ...faulty].map(({ target }) => target);
  const others = targets.slice(0, -2);
  const rejecting = targets.slice(-2);
  const patient = [unreachable, hung.target];
  const all = [...patient, ...targets];
  const otherKey = `SHA256:${"A".repeat(43)}`;

  await using exporter = await startExporter({
    ...SECRETS,
    USERNAME,
    HTTP_USERNAME: "prometheus",
    TARGETS: all.join(","),
    SSH_HOST_KEY: [
      ...[good, hung, ...faulty].map(({ pin }) => pin),
      `${impostor.target}=${otherKey}`,
      // its own key, for another firewall
      impostor.pin.replace(impostor.target, "fw-b"),
    ].join(","),
    MIN_POLL_INTERVAL: "0",
    LOG_LEVEL: "debug",
    LOG_FORMAT: format,
  });
  const get = async (path: string, timeout = 5): Promise<string> => {
    const { text } = await exporter.get(path, {
      headers: {
        ...LOGIN,
        "X-Prometheus-Scrape-Timeout-Seconds": String(timeout),
      },
    });
    return text;
  };
  const probe = (target: string): Promise<string> =>
    get(`/probe?${new URLSearchParams({ target })}`);
  for (const _ of HISTORY) await probe(good.target);
  await Promise.all(patient.map(probe));
  await Promise.all(others.map(probe));
  // Two that reject in a row hold all others.
  for (const target of rejecting) await probe(target);
  const first = await get("/");
  await Promise.all(targets.map(probe));
  for (
    const path of ["/metrics", "/", "/unknown", `/probe?target=${HOSTILE}`]
  ) {
    await get(path);
    await exporter.get(path);
  }
  const last = await get("/");
  const { code, log, shown } = await exporter.stop();
  assert.equal(code, 0);
  return { format, log, shown, pages: first + last };
}

interface Started {
  readonly target: string;
  /** Entry of SSH_HOST_KEY. */
  readonly pin: string;
}

type Event = Readonly<Record<string, unknown>>;

function read(line: string, format: LogFormat): Event {
  return format === "json" ? JSON.parse(line) : readLogfmt(line);
}

/** Finds secrets in a text, in whatever way they are written. */
function findSecrets(
  text: string,
  others: readonly string[] = [],
): readonly string[] {
  const { SSH_PRIVATE_KEY, ...words } = SECRETS;
  const secrets = [
    ...Object.values(words),
    ...linesOf(SSH_PRIVATE_KEY),
    ...others,
    LOGIN.authorization,
  ];
  return secrets.filter((secret) =>
    [
      secret,
      JSON.stringify(secret).slice(1, -1),
      Deno.inspect(secret).slice(1, -1),
      encodeURIComponent(secret),
      secret.replaceAll("&", "&amp;").replaceAll('"', "&quot;"),
      new TextEncoder().encode(secret).toBase64(),
      new TextEncoder().encode(secret).toHex(),
    ].some((spelling) => text.includes(spelling))
  );
}

/** Makes a private key that only the passphrase opens. */
function createEncryptedKey(): string {
  const { private: key } = utils.generateKeyPairSync("ed25519", {
    passphrase: PASSPHRASE,
    cipher: "aes256-cbc",
    rounds: 1,
  });
  // ssh2 strips leading zeros: one ed25519 key in 256 comes out malformed.
  const isMalformed = utils.parseKey(key, PASSPHRASE) instanceof Error;
  return isMalformed ? createEncryptedKey() : key;
}

/** The lines of PEM text, the first and the last of which tell nothing. */
function linesOf(pem: string): readonly string[] {
  return pem.trim().split("\n").slice(1, -1);
}

/** A certificate and its key, for the environment. */
async function createTls(): Promise<
  { readonly HTTP_TLS_CERT: string; readonly HTTP_TLS_KEY: string }
> {
  const { certificate, key } = await createCertificate();
  return { HTTP_TLS_CERT: certificate, HTTP_TLS_KEY: key };
}
