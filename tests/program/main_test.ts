import assert from "node:assert/strict";
import denoConfig from "../../deno.json" with { type: "json" };
import { createCertificate } from "../support/certificate.ts";
import {
  type Environment,
  environmentFor,
  type Exporter,
  exporterCommand,
  runExporter,
  startExporter,
} from "../support/exporter.ts";
import { type SimulatedFirewall, startFirewall } from "../support/firewall.ts";
import { isAbsent } from "../support/program.ts";
import { reservePort } from "../support/system.ts";
import { inventTunnels, printVpnFlow } from "../support/vpn_flow_reply.ts";

const ROOT = new URL("../../", import.meta.url);

Deno.test("--help prints the usage, with no environment at all", async () => {
  const { code, stdout, stderr } = await runExporter(["--help"]);
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(stdout, /^Usage: panos-ipsec-exporter \[option\]\n/);
  for (const option of ["--check [TARGET]", "--parse", "--version, -V"]) {
    assert(stdout.includes(`  ${option} `), stdout);
  }
});

Deno.test("--version prints version, revision and runtime", async () => {
  const { code, stdout, stderr } = await runExporter(["--version"]);
  assert.deepEqual([code, stderr], [0, ""]);
  const version = RegExp.escape(denoConfig.version);
  assert.match(
    stdout,
    new RegExp(`^panos-ipsec-exporter ${version} \\(\\w+, Deno \\d\\S+\\)\\n$`),
  );
});

Deno.test("the short options say what the long ones say", async (t) => {
  for (const [short, long] of [["-h", "--help"], ["-V", "--version"]]) {
    await t.step(`${short}`, async () => {
      assert.deepEqual(
        await runExporter([`${short}`]),
        await runExporter([`${long}`]),
      );
    });
  }
});

Deno.test("--help shows the four variables, and where the rest stands", async () => {
  const { stdout } = await runExporter(["--help"]);
  for (const name of ["USERNAME", "PASSWORD", "HOSTNAME", "HTTP_SERVER_PORT"]) {
    assert.match(stdout, new RegExp(`^  ${name}='[^']+' `, "m"));
  }
  const page = await Deno.readTextFile(new URL("docs/operations.md", ROOT));
  const [, title = ""] = /^# (.*)/.exec(page) ?? [];
  assert(stdout.includes(`docs/operations.md, "${title}"`), stdout);
});

Deno.test("anything else is a usage error that names the word", async (t) => {
  const cases: readonly (readonly [string, ...string[]])[] = [
    ['"--frobnicate" is no option', "--frobnicate"],
    ['"help" is no option', "help"],
    ['"" is no option', ""],
    ['"--check=fw-a" is no option', "--check=fw-a"],
    [String.raw`"\u{1b}[2J" is no option`, "\x1b[2J"],
    ['"me" is one word too many', "--help", "me"],
    ['"--help" is one word too many', "--version", "--help"],
    ['"reply.txt" is one word too many', "--parse", "reply.txt"],
    ['"fw-b" is one word too many', "--check", "fw-a", "fw-b"],
    ['"--parse" is no target', "--check", "--parse"],
  ];
  for (const [problem, ...args] of cases) {
    await t.step(JSON.stringify(args), async () => {
      const { code, stdout, stderr } = await runExporter(args, WRONG);
      assert.deepEqual([code, stdout], [2, ""]);
      const first = `Cannot read the command line: ${problem}\n\nUsage: `;
      assert(stderr.startsWith(first), stderr);
    });
  }
});

Deno.test("a usage error has its exit code also where it cannot be printed", async () => {
  const wrapper = ["sh", "-c", 'exec "$0" "$@" 2>/dev/full'];
  const { code } = await runExporter(["--frobnicate"], {}, { wrapper });
  assert.equal(code, 2);
});

Deno.test("a wrong environment is told whole, once, without secrets", async (t) => {
  for (const args of [[], ["--check"]]) {
    await t.step(JSON.stringify(args), async () => {
      const { code, stdout, stderr } = await runExporter(args, WRONG);
      assert.deepEqual([code, stdout], [78, ""]);
      assert.equal(
        stderr,
        `Cannot start with this environment:
  SSH_PORT must be a port from 1 to 65535: it is "ssh"
  HOSTNAME is not set: name or address of the firewall (or set TARGETS)
  USERNAME is not set: the exporter's account on the firewall
  PASSWORD must be one line: it has a line end, perhaps as its last character
  HTTP_USERNAME is not set: HTTP_PASSWORD needs it
  LOG_LEVEL must be one of debug, info, warn, error: it is "loud"
`,
      );
    });
  }
});

Deno.test("--parse reads a raw capture of a terminal", async () => {
  const prompt = "monitor@fw-a(active)> ";
  const capture = [
    "Last login: Mon Jan  5 09:12:44 2026 from 192.0.2.200\n",
    `\x1b]0;fw-a\x07${prompt}show \r\x1b[K${prompt}show vpn `,
    `\r\x1b[K${prompt}show vpn flow\n`,
    printVpnFlow(inventTunnels(3)).replace("active", "\x1b[32mactive\x1b[0m"),
    `${prompt}exit\n`,
  ].join("").replaceAll("\n", "\r\n");
  const { code, stdout, stderr } = await runExporter(["--parse"], {}, {
    input: [capture],
  });
  assert.deepEqual([code, stderr], [0, "stdin: ok: 3 tunnels: 3 up\n"]);
  assert.match(
    stdout,
    /^ifIPsecOperStatus\{ifAlias="branch-3",ifDescr="tunnel\.3",ifIndex="3",ifName="tunnel\.3"\} 1$/m,
  );
  assert.match(stdout, /^panos_ipsec_up 1$/m);
});

Deno.test("--parse says why it cannot read a reply", async (t) => {
  const whole = printVpnFlow(inventTunnels(3));
  const cases: Readonly<Record<string, readonly [string, RegExp]>> = {
    "nothing at all": ["", /^stdin: parse: Cannot read the reply/],
    "a reply that was cut": [
      whole.slice(0, whole.lastIndexOf("branch-3")),
      /^stdin: parse: Cannot read the reply/,
    ],
    "a refusal": [
      "admin@fw-a> show vpn flow\nInvalid syntax.\nadmin@fw-a> ",
      /^stdin: command: .*"Invalid syntax\."$/m,
    ],
    "bytes that are no text": ["\xff\xfe\0\x1b[", /^stdin: parse: /],
  };
  for (const [when, [input, verdict]] of Object.entries(cases)) {
    await t.step(when, async () => {
      const { code, stdout, stderr } = await runExporter(["--parse"], {}, {
        input: [input],
      });
      assert.equal(code, 1);
      assert.match(stderr, verdict);
      assert.match(stderr, /^[^\n]*\n$/, "the verdict is not one line");
      assert.match(stdout, /^panos_ipsec_up 0$/m);
      assert.doesNotMatch(stdout, /^ifIPsecOperStatus\{/m);
    });
  }
});

Deno.test("--parse says in one line what it cannot read from or print to", async (t) => {
  await t.step("a directory", async () => {
    const wrapper = ["sh", "-c", 'exec "$0" "$@" < /'];
    assert.deepEqual(await runExporter(["--parse"], {}, { wrapper }), {
      code: 1,
      stdout: "",
      stderr: "Cannot read standard input: Is a directory (os error 21)\n",
    });
  });
  await t.step("a reader that has gone", async () => {
    await using child = exporterCommand(["--parse"], {}).spawn();
    await child.stdout.cancel();
    const [stderr, { code }] = await Promise.all([
      new Response(child.stderr).text(),
      child.status,
      new Blob([printVpnFlow(inventTunnels(3))]).stream().pipeTo(child.stdin),
    ]);
    assert.equal(stderr, "Cannot print: Broken pipe (os error 32)\n");
    assert.equal(code, 1);
  });
});

Deno.test("--check shows what is odd about the configuration", async () => {
  await using firewall = await startFirewall();
  const { code, stderr } = await runExporter(["--check"], {
    ...environmentFor(firewall),
    SSH_HOST_KEY: `${firewall.fingerprint},fw-b=${firewall.fingerprint}`,
  });
  assert.equal(code, 0);
  assert.match(stderr, /^level=warn msg="configuration may be wrong" .*fw-b/m);
});

Deno.test("the exporter serves until it is asked to stop, and logs out", async (t) => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    await t.step(signal, async () => {
      await using firewall = await startFirewall();
      await using exporter = await startExporter(environmentFor(firewall));
      assert.equal((await exporter.scrape()).verdict, "up");
      assert.equal(firewall.openSessions, 1);

      const { code, log } = await exporter.stop(signal);
      assert.equal(code, 0);
      await firewall.waitFor(({ openConnections }) => openConnections === 0);
      assert.equal(firewall.commands.at(-1), "exit");
      const messages = log.map((line) =>
        /msg=(?:"([^"]*)"|(\S+))/.exec(line)?.slice(1).join("")
      );
      assert.deepEqual(messages, [
        "starting",
        "listening",
        `password sent to 127.0.0.1`,
        "first login",
        "first poll",
        "stopping",
        "stopped",
      ]);
    });
  }
});

Deno.test("SIGHUP forgets the holds and keeps the sessions", async () => {
  await using well = await startFirewall();
  await using broken = await startFirewall({ faults: { verdict: "refuse" } });
  const environment = {
    ...environmentFor(well),
    SSH_HOST_KEY: "",
    ...targets(well, broken),
    MIN_POLL_INTERVAL: "0",
  };
  await using exporter = await startExporter(environment);
  const probe = async ({ port }: SimulatedFirewall): Promise<string> => {
    const { text } = await exporter.get(`/probe?target=127.0.0.1:${port}`);
    return text;
  };
  assert.match(await probe(well), /^panos_ipsec_up 1$/m);
  for (let poll = 0; poll < 2; poll++) {
    const text = await probe(broken);
    assert.match(text, /^panos_ipsec_scrape_failure\{reason="auth"\} 1$/m);
    assert.match(text, /^panos_ipsec_auth_retry_timestamp_seconds [1-9]/m);
  }
  assert.equal(broken.credentials.length, 1, "its logins are held");

  exporter.signal("SIGHUP");
  await exporter.logged("holds forgotten");
  assert.match(
    await probe(broken),
    /^panos_ipsec_scrape_failure\{reason="auth"\} 1$/m,
  );
  assert.equal(broken.credentials.length, 2, "it is asked again");
  assert.match(await probe(well), /^panos_ipsec_up 1$/m);
  assert.equal(well.logins, 1, "its session goes on");
  assert.equal((await exporter.stop()).code, 0);
});

Deno.test("a request in flight is answered when the exporter stops", async () => {
  await using firewall = await startFirewall({
    reply: () => [{ hang: true }],
  });
  await using exporter = await startExporter(environmentFor(firewall));
  const pending = exporter.scrape();
  await firewall.waitFor(({ commands }) => commands.includes("show vpn flow"));
  const [{ code }, { verdict }] = await Promise.all([exporter.stop(), pending]);
  assert.equal(code, 0);
  assert.equal(verdict, "session");
});

Deno.test("the line to paste binds a host key where there are several firewalls", async (t) => {
  await using one = await startFirewall();
  await using other = await startFirewall();
  const key = one.fingerprint;
  const cases: readonly (readonly [string, Environment, string])[] = [
    ["one firewall", {}, `SSH_HOST_KEY=${key}`],
    [
      "two targets",
      targets(one, other),
      `SSH_HOST_KEY=127.0.0.1:${one.port}=${key}`,
    ],
  ];
  for (const [when, environment, line] of cases) {
    await t.step(when, async () => {
      const { stderr } = await runExporter(
        ["--check", `127.0.0.1:${one.port}`],
        {
          ...environmentFor(one),
          SSH_HOST_KEY: "",
          ...environment,
        },
      );
      const [, warning = ""] =
        /^(.* msg="host key is not pinned" .*)$/m.exec(stderr) ?? [];
      assert(warning.endsWith(`, then set ${line}"`), warning);
    });
  }
});

Deno.test("a secret that is not UTF-8 is a fault, and is not printed", async (t) => {
  const names = [
    "PASSWORD",
    "PE_PASSWORD",
    "HTTP_PASSWORD",
    "SSH_PRIVATE_KEY",
    "SSH_PRIVATE_KEY_PASSPHRASE",
    "HTTP_TLS_KEY",
  ];
  for (const name of names) {
    await t.step(name, async () => {
      const set = `export ${name}="$(printf 'swo\\377rdfish')"`;
      const { code, stdout, stderr } = await runExporter([], NOWHERE, {
        wrapper: ["sh", "-c", `${set}; exec "$0" "$@"`],
      });
      assert.deepEqual([code, stdout], [78, ""], stderr);
      assert.match(
        stderr,
        new RegExp(
          `^  ${name} must be UTF-8: it has bytes that are not$`,
          "m",
        ),
      );
      assert.doesNotMatch(stderr, /swo|rdfish|stack|Error/);
    });
  }
});

Deno.test("an address that cannot be listened on ends the start, in one line", async (t) => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const cases: readonly (readonly [string, Environment])[] = [
    ["a port in use", {
      HTTP_LISTEN_ADDRESS: "127.0.0.1",
      HTTP_SERVER_PORT: String(listener.addr.port),
    }],
    ["the address of another host", {
      HTTP_LISTEN_ADDRESS: "192.0.2.1",
      HTTP_SERVER_PORT: "9098",
    }],
  ];
  for (const [when, address] of cases) {
    await t.step(when, async () => {
      const environment = { ...NOWHERE, ...address };
      const { code, stdout, stderr } = await runExporter([], environment);
      assert.deepEqual([code, stdout], [1, ""]);
      const { HTTP_LISTEN_ADDRESS, HTTP_SERVER_PORT } = address;
      assert.match(
        stderr,
        new RegExp(
          `^level=info msg=starting .*\\nCannot listen on ${HTTP_LISTEN_ADDRESS} port ${HTTP_SERVER_PORT}: .+\\n$`,
        ),
      );
    });
  }
});

Deno.test("HEAD answers as GET does, without the page", async () => {
  await using exporter = await startExporter(NOWHERE);
  for (const path of ["/", "/metrics", "/sd", "/-/healthy"]) {
    const answer = await sendRaw(
      exporter,
      `HEAD ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    );
    assert.match(answer, /^HTTP\/1\.1 200 /);
    assert.match(answer, /\r\ncontent-type: (?:text|application)\//);
    assert.match(answer, /\r\ncontent-length: [1-9]\d*\r\n/);
    assert(answer.endsWith("\r\n\r\n"), "there is a page behind the header");
  }
});

Deno.test({
  name: "what is wrong with a certificate is told (needs openssl)",
  ignore: isAbsent("openssl"),
  async fn(t): Promise<void> {
    const mine = await createCertificate();
    const others = await createCertificate();
    using reserved = await reservePort();
    const faulty = {
      "the key of another certificate": others.key,
      "a key that cannot be read": "-----BEGIN PRIVATE KEY-----\nMQ==\n",
    };
    for (const [when, key] of Object.entries(faulty)) {
      await t.step(when, async () => {
        const { code, stderr } = await runExporter([], {
          ...NOWHERE,
          HTTP_SERVER_PORT: String(reserved.port),
          HTTP_TLS_CERT: mine.certificate,
          HTTP_TLS_KEY: key,
        });
        assert.equal(code, 78, stderr);
        assert.match(
          stderr,
          /^ {2}HTTP_TLS_CERT and HTTP_TLS_KEY cannot be used together: /m,
        );
        assert(!stderr.includes(key.split("\n")[1] ?? ""), stderr);
      });
    }
    await t.step("a port in use is no fault of theirs", async () => {
      using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const { code, stderr } = await runExporter([], {
        ...NOWHERE,
        HTTP_SERVER_PORT: String(listener.addr.port),
        HTTP_LISTEN_ADDRESS: "127.0.0.1",
        HTTP_TLS_CERT: mine.certificate,
        HTTP_TLS_KEY: mine.key,
      });
      assert.equal(code, 1, stderr);
      assert.match(stderr, /^Cannot listen on 127\.0\.0\.1 port /m);
    });
  },
});

Deno.test({
  name: "running out of file descriptors is survived (needs sh)",
  ignore: isAbsent("sh"),
  async fn(): Promise<void> {
    await using exporter = await startExporter(NOWHERE, {
      wrapper: ["sh", "-c", LIMITED],
    });
    const { port } = exporter;
    using connections = new DisposableStack();
    for (let count = 0; count < 200; count++) {
      const connection = await tryConnect(port);
      if (connection === undefined) break;
      connections.use(connection);
    }
    await exporter.logged("listener failed");
    const thief = await takePort(port);
    await exporter.logged("cannot listen yet");
    connections.dispose();
    thief.close();
    await exporter.logged("msg=listening", 2);
    assert.equal((await exporter.get("/-/healthy")).text, "Healthy\n");
    assert.equal((await exporter.stop()).code, 0);
  },
});

/** Few descriptors for the program that follows; Deno needs some itself. */
const LIMITED = 'ulimit -n 64; exec "$0" "$@"';

const WRONG: Environment = {
  PASSWORD: "correct horse\n",
  SSH_PORT: "ssh",
  HTTP_PASSWORD: "battery staple",
  LOG_LEVEL: "loud",
};

/** An environment that is in order; nobody is at home there. */
const NOWHERE: Environment = {
  USERNAME: "monitor",
  PASSWORD: "correct horse",
  HOSTNAME: "127.0.0.1",
  SSH_PORT: "1",
};

/** TARGETS alone. */
function targets(...firewalls: readonly SimulatedFirewall[]): Environment {
  const list = firewalls.map(({ port }) => `127.0.0.1:${port}`);
  return { TARGETS: list.join(","), HOSTNAME: "" };
}

/** Says something to the exporter that `fetch` would not say. */
async function sendRaw({ port }: Exporter, text: string): Promise<string> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(new TextEncoder().encode(text));
  return await new Response(connection.readable).text();
}

/** @returns `undefined` when nobody accepts any more. */
async function tryConnect(port: number): Promise<Deno.Conn | undefined> {
  try {
    return await Deno.connect({ hostname: "127.0.0.1", port });
  } catch (error) {
    const { ConnectionRefused, ConnectionReset, NotConnected } = Deno.errors;
    const isGone = [ConnectionRefused, ConnectionReset, NotConnected]
      .some((gone) => error instanceof gone);
    if (!isGone) throw error;
    return undefined;
  }
}

/** Takes a port as soon as nobody listens on it any more. */
async function takePort(port: number): Promise<Deno.Listener> {
  for (;;) {
    try {
      return Deno.listen({ hostname: "127.0.0.1", port });
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}
