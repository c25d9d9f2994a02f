import assert from "node:assert/strict";
import type { MetricFamily } from "../../src/view/exposition.ts";
import type { Firewall } from "../../src/firewall/firewall.ts";
import { Refusals } from "../../src/http/refusals.ts";
import { createHandler, type HandlerOptions } from "../../src/http/routes.ts";
import type { Poll } from "../../src/model/poll.ts";
import { systemClock } from "../../src/std/clock.ts";
import { createLog } from "../../src/std/log.ts";
import { Secret } from "../../src/std/secret.ts";
import { buildFamilies } from "../../src/view/metrics.ts";
import { stopTime } from "../support/fake_time.ts";
import {
  failedPoll,
  goodPoll,
  statusAfter,
  tunnelOf,
} from "../support/status.ts";

const ORIGIN = "http://192.0.2.9:9098";
const EXPOSITION = "text/plain; version=0.0.4; charset=utf-8";
const TEXT = "text/plain; charset=utf-8";

Deno.test("/metrics shows the firewall and the exporter", async () => {
  const { get } = start();
  const { status, headers, text } = await get("/metrics");
  assert.equal(status, 200);
  assert.equal(headers.get("content-type"), EXPOSITION);
  assert.match(text, /^ifIPsecOperStatus\{ifAlias="oslo",.*\} 1$/m);
  assert.match(text, /^panos_ipsec_up 1$/m);
  assert.match(text, /^own_metric 1$/m);
  assert(text.endsWith("\n"));
});

Deno.test("/metrics is complete and 200 when the firewall fails", async () => {
  const { get } = start({ firewall: createFirewall("fw-a", failedPoll()) });
  const { status, headers, text } = await get("/metrics");
  assert.equal(status, 200);
  assert.equal(headers.get("content-type"), EXPOSITION);
  assert.match(text, /^panos_ipsec_up 0$/m);
  assert.match(text, /^panos_ipsec_scrape_failure\{reason="connect"\} 1$/m);
  assert.match(text, /^own_metric 1$/m);
  assert.doesNotMatch(text, /^ifIPsecOperStatus\{/m);
});

Deno.test("/metrics without a firewall shows the exporter alone", async () => {
  const { get } = start({ firewall: undefined });
  const { status, text } = await get("/metrics");
  assert.equal(status, 200);
  assert.equal(
    text,
    "# HELP own_metric Is there.\n# TYPE own_metric gauge\nown_metric 1\n",
  );
});

Deno.test("/probe shows a listed firewall and the build, not the process", async () => {
  const { get, target } = start();
  const { status, headers, text } = await get("/probe?target=fw-b");
  assert.equal(status, 200);
  assert.equal(headers.get("content-type"), EXPOSITION);
  assert.match(text, /^panos_ipsec_up 1$/m);
  assert.match(
    text,
    /^panos_ipsec_exporter_build_info\{.*version="1.2.3"\} 1$/m,
  );
  assert.doesNotMatch(text, /^own_metric/m);
  assert.equal(target.waits.length, 1);
});

Deno.test("/probe decodes its target once", async (t) => {
  const queries: Readonly<Record<string, string>> = {
    "?target=fw%2Db": "fw-b",
    "?target=%5B2001%3Adb8%3A%3A1%5D%3A22": "[2001:db8::1]:22",
    "?target=[2001:db8::1]:22": "[2001:db8::1]:22",
    "?target=fw%252Db": "fw%2Db",
    "?target=fw+b": "fw b",
    "?module=panos&target=fw-b&x=y#z": "fw-b",
  };
  for (const [query, text] of Object.entries(queries)) {
    await t.step(query, async () => {
      const { get, lookups } = start();
      await get(`/probe${query}`);
      assert.deepEqual(lookups, [text]);
    });
  }
});

Deno.test("/probe refuses whatever is not one listed target, and polls nothing", async (t) => {
  const one = "Cannot probe: there must be one parameter target\n";
  const unlisted = (name: string): string =>
    `Cannot probe ${name}: TARGETS does not list it\n`;
  const cases: Readonly<Record<string, string>> = {
    "": one,
    "?": one,
    "?Target=fw-b": one,
    "?targets=fw-b": one,
    "?target=fw-b&target=fw-b": one,
    "?target=fw-b&target=fw-a": one,
    "?target=fw-b&%74arget=fw-a": one,
    "?target": unlisted(`""`),
    "?target=": unlisted(`""`),
    "?target=fw-c": unlisted(`"fw-c"`),
    "?target=fw-b%00": unlisted(String.raw`"fw-b\u{0}"`),
    "?target=%ff": unlisted(`"\ufffd"`),
    "?target=%": unlisted(`"%"`),
    "?target=<script>": unlisted(`"<script>"`),
    "?target=fw-b%0d%0aSet-Cookie:x": unlisted(
      String.raw`"fw-b\u{d}\u{a}Set-Cookie:x"`,
    ),
    [`?target=${"x".repeat(100_000)}`]: unlisted(`"${"x".repeat(80)}…"`),
  };
  for (const [query, line] of Object.entries(cases)) {
    await t.step(query.slice(0, 60), async () => {
      const { get, firewall, target, logged } = start();
      const { status, headers, text } = await get(`/probe${query}`);
      assert.deepEqual([status, text], [400, line]);
      assert.equal(headers.get("content-type"), TEXT);
      assert.deepEqual([firewall.waits, target.waits], [[], []]);
      assert.equal(logged.length, line === one ? 0 : 1);
    });
  }
});

Deno.test("/probe says when TARGETS is not set", async () => {
  const { get } = start({ targets: [] });
  assert.equal(
    (await get("/probe?target=fw-c")).text,
    'Cannot probe "fw-c": TARGETS is not set, so nothing can be probed\n',
  );
});

Deno.test("the log tells each refused target once, and no more than 100", async () => {
  const { get, logged } = start();
  for (let count = 1; count <= 150; count++) {
    await get(`/probe?target=fw-${count}`);
    await get(`/probe?target=fw-${count}`);
  }
  assert.equal(logged.length, 100);
  assert.match(logged[0] ?? "", /^warn probe refused/);
});

Deno.test("the log quotes a refused target once, and escapes and cuts it", () => {
  const lines: string[] = [];
  const log = createLog({
    level: "warn",
    format: "logfmt",
    mask: (text) => text,
    write: (line) => lines.push(line),
  });
  const refusals = new Refusals(true, log);
  refusals.refuse("fw c");
  refusals.refuse(`fw\n${"x".repeat(90)}`);
  assert.match(lines[0] ?? "", / asked="fw c" problem=/);
  assert.match(lines[1] ?? "", / asked="fw\\\\u\{a\}x{77}…" problem=/);
});

Deno.test("/sd lists TARGETS for http_sd_configs", async () => {
  const { status, headers, text } = await start().get("/sd");
  assert.equal(status, 200);
  assert.equal(headers.get("content-type"), "application/json");
  assert.deepEqual(JSON.parse(text), [{ targets: ["fw-b", "fw-d:2222"] }]);
});

Deno.test("/?firewall= shows one firewall that is configured, and no other", async (t) => {
  const { get, firewall, target } = start();
  await t.step("one that is", async () => {
    const { status, text } = await get("/?firewall=fw-b");
    assert.deepEqual([status, text], [200, "<!doctype html>page of fw-b"]);
  });
  await t.step("one that is not", async () => {
    const { status, text } = await get("/?firewall=fw%0ac");
    assert.equal(status, 400);
    assert.equal(
      text,
      'Cannot show "fw\\u{a}c": neither HOSTNAME nor TARGETS names it\n',
    );
  });
  assert.deepEqual([firewall.waits, target.waits], [[], []]);
});

Deno.test("the page is rendered once a second, however many ask for it", async () => {
  using time = stopTime();
  let rendered = 0;
  const { get } = start({
    statusPage: () => `page ${++rendered}`,
    clock: time.clock,
  });
  assert.equal((await get("/")).text, "page 1");
  assert.equal((await get("/")).text, "page 1");
  assert.equal((await get("/?firewall=fw-b")).text, "page 2");
  await time.pass(1_000);
  assert.equal((await get("/")).text, "page 3");
});

Deno.test("a Host header that is no host is refused", async (t) => {
  const bad = ["x/metrics?", "x?", "x#", "[", "a b", "x:99999", "u@x", "x, y"];
  for (const host of bad) {
    await t.step(host, async () => {
      const { get, firewall } = start();
      const { status } = await get("/-/healthy", { headers: { host } });
      assert.equal(status, 400);
      assert.deepEqual(firewall.waits, []);
    });
  }
  for (const host of ["", "fw_a", "192.0.2.1:9098", "[2001:db8::1]:9098"]) {
    await t.step(JSON.stringify(host), async () => {
      const { get } = start();
      const { status } = await get("/-/healthy", { headers: { host } });
      assert.equal(status, 200);
    });
  }
});

Deno.test("the scraper's timeout bounds the wait, less the way back", async (t) => {
  const cases: Readonly<Record<string, number>> = {
    "10": 9_500,
    "0.9": 400,
    "0.5": 250,
    "0.1": 250,
    "1e1": 9_500,
    " 10 ": 9_500,
    "120.4": 119_900,
    "120.5": 120_000,
    "1e9": 120_000,
    "0": 30_000,
    "-1": 30_000,
    "-0.1": 30_000,
    "": 30_000,
    "NaN": 30_000,
    "Infinity": 30_000,
    "1e999": 30_000,
    "10s": 30_000,
    "10, 10": 30_000,
    "ten": 30_000,
  };
  for (const [timeout, waitMs] of Object.entries(cases)) {
    await t.step(JSON.stringify(timeout), async () => {
      const { get, firewall, target } = start();
      const headers = { "X-Prometheus-Scrape-Timeout-Seconds": timeout };
      await get("/metrics", { headers });
      await get("/probe?target=fw-b", { headers });
      assert.deepEqual([firewall.waits, target.waits], [[waitMs], [waitMs]]);
    });
  }
  await t.step("no header", async () => {
    const { get, firewall } = start();
    await get("/metrics");
    assert.deepEqual(firewall.waits, [30_000]);
  });
});

Deno.test("/ shows the status page, and polls nothing", async () => {
  const { get, firewall } = start();
  const { status, headers, text } = await get("/");
  assert.deepEqual([status, text], [200, "<!doctype html>page"]);
  assert.equal(headers.get("content-type"), "text/html; charset=utf-8");
  assert.match(
    headers.get("content-security-policy") ?? "",
    /^default-src 'none'/,
  );
  assert.deepEqual(firewall.waits, []);
});

Deno.test("/-/healthy is about the process, and polls nothing", async () => {
  const { get, firewall } = start();
  const { status, headers, text } = await get("/-/healthy");
  assert.deepEqual([status, text], [200, "Healthy\n"]);
  assert.equal(headers.get("content-type"), TEXT);
  assert.deepEqual(firewall.waits, []);
});

Deno.test("no other path is found", async (t) => {
  const paths = [
    "/metrics/",
    "//metrics",
    "/Metrics",
    "/%6detrics",
    "/-/healthy/",
    "/-/ready",
    "/probe/fw-b",
    "/favicon.ico",
    "/index.html",
    "/%zz",
  ];
  for (const path of paths) {
    await t.step(path, async () => {
      const { get, firewall } = start();
      const { status, text } = await get(path);
      assert.deepEqual([status, text], [404, "Not found: see /\n"]);
      assert.deepEqual(firewall.waits, []);
    });
  }
});

Deno.test("routes serve GET and HEAD, and no other method", async (t) => {
  const routes = ["/", "/metrics", "/probe?target=fw-b", "/sd", "/-/healthy"];
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "get2"]) {
    for (const path of routes) {
      await t.step(`${method} ${path}`, async () => {
        const { get, firewall, target } = start();
        const { status, headers } = await get(path, { method });
        assert.equal(status, 405);
        assert.equal(headers.get("allow"), "GET, HEAD");
        assert.deepEqual([firewall.waits, target.waits], [[], []]);
      });
    }
  }
  await t.step("HEAD /metrics", async () => {
    const { get } = start();
    const { status, headers } = await get("/metrics", { method: "HEAD" });
    assert.equal(status, 200);
    assert.equal(headers.get("content-type"), EXPOSITION);
  });
  await t.step("POST of an unknown path", async () => {
    const { get } = start();
    assert.equal((await get("/unknown", { method: "POST" })).status, 404);
  });
});

Deno.test("with a login set, every route but /-/healthy asks for it", async (t) => {
  const { get, firewall, target } = start({ login: LOGIN });
  const paths = ["/", "/metrics", "/probe?target=fw-b", "/sd", "/unknown"];
  for (const path of paths) {
    for (const method of ["GET", "POST"]) {
      await t.step(`${method} ${path}`, async () => {
        const { status, headers, text } = await get(path, { method });
        assert.deepEqual(
          [status, text],
          [401, "Cannot show this without a login\n"],
        );
        assert.match(headers.get("www-authenticate") ?? "", /^Basic realm="/);
      });
    }
  }
  assert.deepEqual([firewall.waits, target.waits], [[], []]);
  await t.step("/-/healthy", async () => {
    assert.equal((await get("/-/healthy")).status, 200);
  });
});

Deno.test("a login is accepted as RFC 7617 writes it, and nothing else is", async (t) => {
  const right = basic("prometheus:pa:ss wörd");
  const cases: Readonly<Record<string, number>> = {
    [right]: 200,
    [right.replace("Basic ", "basic ")]: 200,
    [right.replace("Basic ", "BASIC   ")]: 200,
    [right.replace("Basic ", "Bearer ")]: 401,
    [right.replace("Basic ", "Basic")]: 401,
    [right.slice(0, -2)]: 401,
    [`${right}A`]: 401,
    [right.toLowerCase()]: 401,
    [`${right}, ${right}`]: 401,
    [basic("prometheus:pa:ss word")]: 401,
    [basic("prometheus:pa:ss wörd ")]: 401,
    [basic("Prometheus:pa:ss wörd")]: 401,
    [basic("prometheus:")]: 401,
    [basic(":")]: 401,
    [basic("prometheus")]: 401,
    "Basic ": 401,
    "Basic": 401,
    "": 401,
  };
  for (const [authorization, status] of Object.entries(cases)) {
    await t.step(JSON.stringify(authorization), async () => {
      const { get } = start({ login: LOGIN });
      const answer = await get("/metrics", { headers: { authorization } });
      assert.equal(answer.status, status);
    });
  }
});

Deno.test("no answer is kept, sniffed or tells where it was linked from", async (t) => {
  const paths = ["/", "/metrics", "/probe", "/-/healthy", "/unknown"];
  for (const path of paths) {
    await t.step(path, async () => {
      const { headers } = await start().get(path);
      assert.equal(headers.get("cache-control"), "no-store");
      assert.equal(headers.get("x-content-type-options"), "nosniff");
      assert.equal(headers.get("referrer-policy"), "no-referrer");
    });
  }
});

Deno.test("a bug is answered with 500, and told in the log alone", async () => {
  const { get, logged } = start({
    statusPage: () => {
      throw new TypeError("x is not a function");
    },
  });
  const { status, text } = await get("/");
  assert.equal(status, 500);
  assert.equal(text, "Cannot answer, as this program has a bug: see its log\n");
  assert.equal(logged.length, 1);
  assert.match(
    logged[0] ?? "",
    /^error bug: please report it .* TypeError: x is not a function\n {4}at /,
  );
});

/** A firewall that answers at once, and remembers how long it might take. */
interface StubbedFirewall extends Firewall {
  readonly waits: readonly number[];
}

interface Started {
  readonly firewall: StubbedFirewall;
  /** What `/probe?target=fw-b` polls. */
  readonly target: StubbedFirewall;
  /** What `/probe` looked for. */
  readonly lookups: readonly string[];
  readonly logged: readonly string[];
  get(path: string, init?: RequestInit): Promise<{
    readonly status: number;
    readonly headers: Headers;
    readonly text: string;
  }>;
}

function start(changes: Partial<HandlerOptions> = {}): Started {
  const firewall = createFirewall("fw-a", GOOD);
  const target = createFirewall("fw-b", GOOD);
  const lookups: string[] = [];
  const logged: string[] = [];
  const handle = createHandler({
    firewall,
    findTarget(text): Firewall | undefined {
      lookups.push(text);
      return text === "fw-b" ? target : undefined;
    },
    ownFamilies: () => [OWN_METRIC],
    probeFamilies: buildFamilies({
      version: "1.2.3",
      revision: "abc",
      denoVersion: "2.9.6",
    }),
    targets: ["fw-b", "fw-d:2222"],
    find: (text) => text === "fw-b" ? target : undefined,
    statusPage: (only) =>
      only === undefined
        ? "<!doctype html>page"
        : `<!doctype html>page of ${only}`,
    clock: systemClock,
    login: undefined,
    scrapeTimeoutMs: 30_000,
    log: (level, message, { error } = {}) =>
      void logged.push(`${level} ${message} ${error}`),
    ...changes,
  });
  return {
    firewall,
    target,
    lookups,
    logged,
    async get(path, init): ReturnType<Started["get"]> {
      const request = new Request(`${ORIGIN}${path}`, init);
      const response = await handle(request, { remoteAddr: {} });
      const { status, headers } = response;
      return { status, headers, text: await response.text() };
    },
  };
}

const LOGIN: HandlerOptions["login"] = {
  username: "prometheus",
  password: new Secret("pa:ss wörd"),
};

function basic(pair: string): string {
  const bytes = new TextEncoder().encode(pair);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}

const OWN_METRIC: MetricFamily = {
  name: "own_metric",
  type: "gauge",
  help: "Is there.",
  samples: [{ value: 1 }],
};

const GOOD = goodPoll([tunnelOf({ id: "1", name: "oslo" })]);

function createFirewall(target: string, poll: Poll): StubbedFirewall {
  const waits: number[] = [];
  const status = statusAfter([poll], { target });
  return {
    target,
    status,
    waits,
    poll: (waitMs) => {
      waits.push(waitMs);
      return Promise.resolve(status);
    },
    end: () => Promise.resolve(),
  };
}
