import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createCertificate } from "../support/certificate.ts";
import {
  environmentFor,
  type Exporter,
  startExporter,
} from "../support/exporter.ts";
import { startFirewall } from "../support/firewall.ts";
import { execute, isAbsent, temporaryFolder } from "../support/program.ts";
import { eventually } from "../support/system.ts";

Deno.test("there is no way around the login", async (t) => {
  await using firewall = await startFirewall();
  await using exporter = await startExporter({
    ...environmentFor(firewall),
    TARGETS: `127.0.0.1:${firewall.port}`,
    HTTP_USERNAME: "prometheus",
    HTTP_PASSWORD: "battery staple",
  });
  const right = `Basic ${btoa("prometheus:battery staple")}`;
  const requests: Readonly<Record<string, string>> = {
    "none": head("/metrics"),
    "HTTP/1.0": "GET /metrics HTTP/1.0",
    "a wrong one": head("/metrics", `Basic ${btoa("prometheus:x")}`),
    "half of it": head("/metrics", right.slice(0, -4)),
    "the right one twice": head(
      "/metrics",
      `${right}\r\nAuthorization: ${right}`,
    ),
    "a wrong one and the right one": head(
      "/metrics",
      `Basic eDp5\r\nAuthorization: ${right}`,
    ),
    "the right one in another header": head(
      "/metrics",
      `x\r\nProxy-Authorization: ${right}`,
    ),
    "bytes that are no text": head("/metrics", "Basic \xff\xfe\x80"),
    "60,000 characters": head("/metrics", `Basic ${"QUFB".repeat(15_000)}`),
    "the path of the health, and back": head("/-/healthy/../../metrics"),
    "the path of the health, encoded back": head(
      "/-/healthy/%2e%2e/%2e%2e/metrics",
    ),
    "the path of the health as the query": head("/metrics?/-/healthy"),
    "the path of the health as the fragment": head("/metrics#/-/healthy"),
    "the path of the health in the host": head("/metrics").replace(
      "Host: x",
      "Host: x/-/healthy",
    ),
    ...Object.fromEntries(
      ["[", "a b", "x:99999", "x/metrics?", "x/-/healthy#"].map((host) => [
        `the right one, and the host ${host}`,
        head("/metrics", right).replace("Host: x", `Host: ${host}`),
      ]),
    ),
    "a login in the URL": head(
      "http://prometheus:battery%20staple@x/metrics",
    ),
    "another method": head("/metrics").replace("GET", "POST"),
    "all of the server": head("*").replace("GET", "OPTIONS"),
    "a tunnel": head("x:22").replace("GET", "CONNECT"),
    "the target of a probe": head(`/probe?target=127.0.0.1:${firewall.port}`),
    "the status page": head("/"),
  };
  for (const [what, request] of Object.entries(requests)) {
    await t.step(what, async () => {
      const answer = await send(exporter, `${request}\r\n\r\n`);
      assert.match(answer, /^HTTP\/1\.[01] 4\d\d /);
      assert.doesNotMatch(answer, /panos_ipsec_|<html/);
    });
  }
  assert.equal(firewall.connections, 0);
  const { status } = await exporter.get("/metrics", {
    headers: { authorization: right },
  });
  assert.equal(status, 200);
  const { log } = await exporter.stop();
  assert.doesNotMatch(log.join("\n"), /bug/);
});

Deno.test({
  name: "curl reads /metrics over TLS (needs curl, openssl)",
  ignore: isAbsent("curl") || isAbsent("openssl"),
  async fn(t): Promise<void> {
    await using firewall = await startFirewall();
    await using folder = await temporaryFolder();
    const { key, certificate } = await createCertificate();
    const file = `${folder.path}/certificate.pem`;
    await Deno.writeTextFile(file, certificate);
    await using exporter = await startExporter({
      ...environmentFor(firewall),
      HTTP_USERNAME: "prometheus",
      HTTP_PASSWORD: "battery staple",
      HTTP_TLS_CERT: certificate,
      HTTP_TLS_KEY: key,
    });
    await exporter.logged(/msg=listening .* tls=on /);
    const curl = (...args: readonly string[]): ReturnType<typeof execute> =>
      execute("curl", ["--silent", "--include", ...args]);
    const trusted = ["--cacert", file, `${exporter.url}/metrics`];

    await t.step("with certificate and login", async () => {
      const login = ["--user", "prometheus:battery staple"];
      const { code, stdout } = await curl("--compressed", ...login, ...trusted);
      assert.equal(code, 0);
      assert.match(stdout, /^HTTP\/\S+ 200/);
      assert.match(stdout, /^content-encoding: gzip\r$/m);
      assert.match(stdout, /^content-length: \d+\r$/m);
      assert.match(stdout, /^panos_ipsec_up 1$/m);
    });
    await t.step("without a login", async () => {
      const { stdout } = await curl(...trusted);
      assert.match(stdout, /^HTTP\/\S+ 401/);
      assert.match(stdout, /^www-authenticate: Basic realm=/m);
    });
    await t.step("without trust in the certificate", async () => {
      const { code, stdout } = await curl(`${exporter.url}/metrics`);
      assert.deepEqual([code, stdout], [60, ""]);
    });
    await t.step("without TLS", async () => {
      const plain = exporter.url.replace("https:", "http:");
      const { code, stdout } = await curl(`${plain}/metrics`);
      assert.notEqual(code, 0);
      assert.equal(stdout, "");
    });
    await t.step("while two hundred handshakes are left half-way", async () => {
      using _ = await holdOpen(exporter.port, "\x16\x03\x01\x02\x00\x01");
      const { stdout } = await curl(...trusted);
      assert.match(stdout, /^HTTP\/\S+ 401/);
    });
  },
});

Deno.test("two hundred half-open requests keep nobody from scraping", async () => {
  await using firewall = await startFirewall();
  await using exporter = await startExporter({
    ...environmentFor(firewall),
    MIN_POLL_INTERVAL: "0",
  });
  const { pid } = exporter;
  await exporter.scrape();
  const before = descriptors(pid);
  const memoryBefore = memory(pid).now;
  for (let round = 1; round <= 12; round++) {
    {
      using _ = await holdOpen(
        exporter.port,
        `GET /metrics HTTP/1.1\r\nHost: x\r\nX-Slow: ${"a".repeat(30_000)}`,
      );
      assert(
        await eventually(() => descriptors(pid) >= before + 200),
        "they are not open at the same time",
      );
      for (let count = 1; count <= 3; count++) {
        const { verdict } = await exporter.scrape({ timeout: 10 });
        assert.equal(verdict, "up");
      }
    }
    assert(
      await eventually(() => descriptors(pid) < before + 20),
      "descriptors were not given back",
    );
  }
  const grown = memory(pid).most - memoryBefore;
  assert(grown < 45 * MIB, `memory grew by ${grown / MIB} MiB`);
  assert.equal(firewall.logins, 1);
});

Deno.test("a request that is too large is refused, and costs no memory", async (t) => {
  await using firewall = await startFirewall();
  await using exporter = await startExporter(environmentFor(firewall));
  const { pid } = exporter;
  const before = memory(pid).now;
  const heads: Readonly<Record<string, string>> = {
    "a header of 1 MB": `${head("/metrics")}\r\nX: ${"a".repeat(1_000_000)}`,
    "1,000 headers": `${head("/metrics")}${"\r\nX: a".repeat(1_000)}`,
    "a path of 1 MB": head(`/${"a".repeat(1_000_000)}`),
    "a header without an end": `${head("/metrics")}\r\n${
      "a".repeat(5_000_000)
    }`,
    "no request at all": "\x00\x01\x02\x03".repeat(1_000_000),
  };
  for (const [what, text] of Object.entries(heads)) {
    await t.step(what, async () => {
      const answer = await send(exporter, `${text}\r\n\r\n`);
      // it may be cut off before it has read the answer
      assert.match(answer, /^(?:$|HTTP\/1\.1 400 )/);
    });
  }
  assert.equal(firewall.connections, 0);
  const bodies: Readonly<Record<string, readonly [string, string, RegExp]>> = {
    "a body that is posted": ["POST", "", /^HTTP\/1\.1 405 /],
    "a body where none belongs": ["GET", "", /^HTTP\/1\.1 200 /],
    "a compressed body": [
      "PUT",
      "Content-Encoding: gzip\r\n",
      /^HTTP\/1\.1 405 /,
    ],
  };
  for (const [what, [method, header, expected]] of Object.entries(bodies)) {
    await t.step(`50 MB of ${what}`, async () => {
      const request =
        `${method} /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${header}Content-Length: 50000000\r\n\r\n`;
      const body = Array.from({ length: 50 }, () => "\0".repeat(1_000_000));
      const answer = await send(exporter, request, ...body);
      assert.match(answer, expected);
    });
  }
  const grown = memory(pid).most - before;
  assert(grown < 45 * MIB, `memory grew by ${grown / MIB} MiB`);
  assert.equal((await exporter.scrape()).verdict, "up");
});

Deno.test({
  name:
    "running out of file descriptors costs a poll, and nothing else (needs prlimit)",
  ignore: isAbsent("prlimit"),
  async fn(): Promise<void> {
    await using firewall = await startFirewall();
    await using exporter = await startExporter({
      ...environmentFor(firewall),
      MIN_POLL_INTERVAL: "0",
    });
    const { pid } = exporter;
    const limit = async (count: number): Promise<void> => {
      const { code, stderr } = await execute("prlimit", [
        `--pid=${pid}`,
        `--nofile=${count}:`,
      ]);
      assert.equal(code, 0, stderr);
    };

    using connection = await connect(exporter.port);
    await say(connection, "GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n");
    await read(connection, /Healthy\n$/);
    await limit(3);
    await say(connection, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    const page = await read(connection, /^process_start_time.*\n$/m);
    assert.match(
      page,
      /^panos_ipsec_scrape_failure\{reason="connect"\} 1$/m,
    );
    await limit(1_024);
    assert.equal(firewall.connections, 0);
    assert.equal((await exporter.scrape()).verdict, "up");
    assert.equal(firewall.logins, 1);
  },
});

Deno.test("a log that nobody reads holds up nothing", async () => {
  await using firewall = await startFirewall();
  await using exporter = await startExporter({
    ...environmentFor(firewall),
    SSH_HOST_KEY: "",
    LOG_LEVEL: "debug",
  }, { log: "unread", wrapper: ["sh", "-c", FULL_PIPE] });
  for (let count = 1; count <= 100; count++) {
    await exporter.get(`/probe?target=fw-${count}`);
  }
  assert.equal((await exporter.scrape()).verdict, "up");
  assert.equal((await exporter.get("/-/healthy")).text, "Healthy\n");
  assert.equal((await exporter.stop()).code, 0);
});

Deno.test({
  name: "a log that cannot be written ends no poll and no process (needs sh)",
  ignore: isAbsent("sh"),
  async fn(t): Promise<void> {
    for (const target of ["2>/dev/full", "2>&-"]) {
      await t.step(target, async () => {
        await using firewall = await startFirewall({
          faults: { shell: "refuse" },
        });
        await using exporter = await startExporter({
          ...environmentFor(firewall),
          MIN_POLL_INTERVAL: "0",
        }, {
          log: "unread",
          wrapper: ["sh", "-c", `exec "$0" "$@" ${target}`],
        });
        for (let count = 1; count <= 3; count++) {
          assert.equal((await exporter.scrape()).verdict, "session");
        }
        assert.equal((await exporter.stop()).code, 0);
      });
    }
  },
});

const MIB = 1024 * 1024;

/** Writes as much as a pipe holds before the program starts. */
const FULL_PIPE = 'head -c 65536 /dev/zero >&2; exec "$0" "$@"';

/** The head of a request, but for its end. */
function head(path: string, authorization?: string): string {
  const login = authorization === undefined
    ? ""
    : `\r\nAuthorization: ${authorization}`;
  return `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close${login}`;
}

async function connect(port: number): Promise<Deno.TcpConn> {
  return await Deno.connect({ hostname: "127.0.0.1", port });
}

/** Sends text as Latin-1, and so any bytes. */
async function say(connection: Deno.Conn, text: string): Promise<void> {
  const bytes = Buffer.from(text, "latin1");
  for (let sent = 0; sent < bytes.length;) {
    sent += await connection.write(bytes.subarray(sent));
  }
}

/** Reads to the end, or up to where the text matches. */
async function read(connection: Deno.Conn, until?: RegExp): Promise<string> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(65_536);
  let text = "";
  while (until === undefined || !until.test(text)) {
    try {
      const count = await connection.read(buffer);
      if (count === null) break;
      text += decoder.decode(buffer.subarray(0, count), { stream: true });
    } catch (error) {
      if (!isClosed(error)) throw error;
      break;
    }
  }
  return text;
}

/** Says what `fetch` would not say. */
async function send(
  exporter: Exporter,
  ...pieces: readonly string[]
): Promise<string> {
  using connection = await connect(exporter.port);
  const answer = read(connection);
  try {
    for (const piece of pieces) await say(connection, piece);
  } catch (error) {
    if (!isClosed(error)) throw error; // the answer came before the end
  }
  return await answer;
}

function isClosed(error: unknown): boolean {
  const { BrokenPipe, ConnectionReset } = Deno.errors;
  return error instanceof BrokenPipe || error instanceof ConnectionReset;
}

/** Opens two hundred connections that say the same, and then no more. */
async function holdOpen(port: number, text: string): Promise<Disposable> {
  using connections = new DisposableStack();
  for (let count = 1; count <= 200; count++) {
    await say(connections.use(await connect(port)), text);
  }
  return connections.move();
}

function descriptors(pid: number): number {
  return [...Deno.readDirSync(`/proc/${pid}/fd`)].length;
}

/** Bytes that the process has in memory, and the most that it ever had. */
function memory(pid: number): { readonly now: number; readonly most: number } {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  const field = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1]) *
    1_024;
  return { now: field("VmRSS"), most: field("VmHWM") };
}
