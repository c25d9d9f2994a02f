import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { renderPage } from "../../src/view/page.ts";
import { CONTENT_SECURITY_POLICY } from "../../src/view/page_style.ts";
import {
  type FailedPoll,
  type GoodPoll,
  type Reason,
  REASONS,
  type Status,
} from "../../src/model/poll.ts";
import type { Tunnel } from "../../src/model/tunnel.ts";

const NOW = Date.UTC(2026, 2, 1, 3, 0, 0) / 1_000;
const NO_TIME = { connect: 0, handshake: 0, auth: 0, session: 0, command: 0 };

const UP = tunnel({ id: "2", name: "oslo" });
const DOWN = tunnel({
  id: "3",
  name: "lima",
  state: "inactive",
  stateWord: "inactiv",
});
const INIT = tunnel({
  id: "4",
  name: "cork",
  state: "unknown",
  stateWord: "init",
});
const MONITOR_DOWN = tunnel({ id: "5", name: "turin", monitor: "down" });

Deno.test("renderPage() says in heading and title what is wrong", async (t) => {
  const cases: readonly {
    readonly text: string;
    readonly tone: string;
    readonly firewalls: readonly Status[];
  }[] = [
    { text: "1 tunnel up", tone: "good", firewalls: [good([UP])] },
    { text: "All 2 tunnels up", tone: "good", firewalls: [good([UP, UP])] },
    { text: "1 tunnel down", tone: "bad", firewalls: [good([UP, DOWN])] },
    { text: "1 tunnel unknown", tone: "warn", firewalls: [good([INIT])] },
    {
      text: "1 tunnel monitor down",
      tone: "warn",
      firewalls: [good([MONITOR_DOWN])],
    },
    {
      text: "1 firewall failing, 2 tunnels down, 1 tunnel unknown",
      tone: "bad",
      firewalls: [good([UP, DOWN, INIT, DOWN]), failed()],
    },
    {
      text: "1 tunnel up",
      tone: "good",
      firewalls: [good([
        tunnel({ ...DOWN, name: "bonn" }),
        tunnel({ ...UP, name: "bonn:lan" }),
      ])],
    },
    {
      text: "2 tunnels down",
      tone: "bad",
      firewalls: [good([
        tunnel({ ...DOWN, name: "bonn" }),
        tunnel({ ...DOWN, name: "bonn:" }),
        tunnel({ ...UP, name: "bonn-2:lan" }),
      ])],
    },
    {
      text: "1 firewall not polled for over 5 min",
      tone: "warn",
      firewalls: [good([UP], { poll: { finishedAt: NOW - 301 } })],
    },
    {
      text: "1 firewall with logins held back",
      tone: "warn",
      firewalls: [good([UP], { authRetryAt: NOW + 60 })],
    },
    {
      text: "1 firewall without tunnels",
      tone: "warn",
      firewalls: [good([])],
    },
    {
      text: "1 firewall not polled yet",
      tone: "idle",
      firewalls: [good([UP]), NEVER_POLLED],
    },
    {
      text: "1 firewall on standby",
      tone: "idle",
      firewalls: [good([DOWN], { poll: { haState: "passive" } })],
    },
    {
      text: "1 tunnel up",
      tone: "good",
      firewalls: [
        good([UP], { poll: { haState: "active-primary" } }),
        good([DOWN], { poll: { haState: "passive" } }),
      ],
    },
  ];
  for (const { text, tone, firewalls } of cases) {
    await t.step(text, () => {
      const page = render(firewalls);
      const heading = /<h1 class="is (?<tone>\w+)">(?<html>.*)<\/h1>/.exec(page)
        ?.groups ?? {};
      assert.equal(textOf(heading["html"] ?? ""), text);
      assert.equal(heading["tone"], tone);
      const subject = firewalls.length === 1
        ? "fw-a.example.net"
        : "panos-ipsec-exporter";
      assert(page.includes(`<title>${text} – ${subject}</title>`));
    });
  }
});

Deno.test("renderPage() counts firewalls and tunnels below the heading", () => {
  const standby = good([UP, DOWN], { poll: { haState: "passive" } });
  const tunnels = [UP, UP, UP, DOWN, DOWN, INIT, MONITOR_DOWN];
  const page = render([good(tunnels), failed(), NEVER_POLLED, standby]);
  assert.match(
    textOf(page),
    /\n4 firewalls, 2 up, 1 failing, 1 not polled yet · 7 tunnels: 3 up, 2 down, 1 unknown, 1 up with the monitor down · 2 on standby, not counted\n/,
  );
});

Deno.test("renderPage() puts what is broken first", () => {
  const page = render([
    good([UP, MONITOR_DOWN, INIT, DOWN], { target: "fw-down" }),
    good([UP], { target: "fw-good" }),
    { ...NEVER_POLLED, target: "fw-new" },
    good([INIT], { target: "fw-unknown" }),
    failed({ target: "fw-failing" }),
  ]);
  assert.deepEqual(
    [...page.matchAll(/<h2 .*><bdi>(.*)<\/bdi>/g)].map((found) => found[1]),
    ["fw-failing", "fw-down", "fw-unknown", "fw-new", "fw-good"],
  );
  const [, table = ""] = page.split("<table>");
  assert.deepEqual(
    rowsOf(table.split("</table>")[0] ?? "").map((cells) => cells[1]),
    ["lima", "cork", "turin", "oslo"],
  );
});

Deno.test("renderPage() shows every column of a tunnel", () => {
  const rows = rowsOf(render([good([
    UP,
    { ...INIT, peerIp: "2001:db8::7", interfaceName: "" },
  ])]));
  assert.deepEqual(rows, [
    [
      "unknowninit: IKE is up, IPsec is not",
      "cork",
      "",
      "2001:db8::7",
      "192.0.2.1",
      "off",
      "4",
    ],
    ["up", "oslo", "tunnel.2", "198.51.100.2", "192.0.2.1", "off", "2"],
  ]);
});

Deno.test("renderPage() shows the tunnels of a standby firewall without alarm", () => {
  const page = render([good([DOWN], { poll: { haState: "passive" } })]);
  assert.match(page, /HA <bdi>passive<\/bdi>/);
  assert.match(page, /<tr class="idle"><td><span class="is idle">down</);
  assert.match(textOf(page), /on standby, hence not counted above/);
});

Deno.test("renderPage() shows that a tunnel with proxy IDs counts by these", () => {
  const page = render([good([
    tunnel({ ...INIT, name: "bonn", monitor: "down" }),
    tunnel({ ...DOWN, name: "bonn:lan:a" }),
    tunnel({ ...UP, name: "bonn:lan:b" }),
  ])]);
  assert.match(
    page,
    /<caption>3 tunnels: 1 up, 1 down, 1 split into proxy IDs</,
  );
  assert.deepEqual(
    rowsOf(page).map(([state, name]) => [state, name]),
    [
      ["down", "bonn:lan:a"],
      ["up", "bonn:lan:b"],
      ["unknownits proxy IDs count", "bonn"],
    ],
  );
  assert.equal(page.split('class="is warn"').length, 1);
});

Deno.test("renderPage() says what each failure means and what to do", () => {
  const advice = REASONS.map((reason) => {
    const page = render([failed({ poll: { reason, message: "No <b>luck" } })]);
    assert.match(page, /<p class="is bad">failing: [a-z ]+<\/p>/);
    const note = /<div class="note bad">(?<html>.*?)<\/div>/s.exec(page)
      ?.groups?.["html"] ?? "";
    const [meaning, remedy, message] = textOf(note).trim().split("\n");
    assert.match(meaning ?? "", /^[A-Z].{20,}\.$/, reason);
    assert.match(remedy ?? "", /^[A-Z].{20,}\.$/, reason);
    assert.equal(message, "No &lt;b&gt;luck");
    return `${meaning}${remedy}`;
  });
  assert.equal(new Set(advice).size, REASONS.length);
});

Deno.test("renderPage() says when a firewall was polled and how long it took", () => {
  const durations = { ...NO_TIME, connect: 0.0031, auth: 12.34, session: 1.5 };
  const text = textOf(render([
    good([UP], { loginDuration: 31.24, logins: 7, poll: { durations } }),
    good([UP], { poll: { durations: { ...NO_TIME, command: 0.2 } } }),
    failed({ lastSuccessAt: NOW - 7_300 }),
    failed({ lastSuccessAt: undefined }),
  ]));
  assert.match(text, /Last polled12 s ago 2026-03-01 02:59:48 UTC\n/);
  assert.match(
    text,
    /Poll took13\.8 s connect 4 ms, auth 12\.3 s, session 1\.50 s\n/,
  );
  assert.match(text, /Poll took200 ms on a kept session: command 200 ms\n/);
  assert.match(text, /Poll tookno time nothing was sent\n/);
  assert.match(text, /Last login took31\.2 s 7 logins tried so far\n/);
  assert.match(text, /Last success2 h ago 2026-03-01 00:58:20 UTC\n/);
  assert.match(text, /Last successnone since the exporter started\n/);
});

Deno.test("renderPage() says until when logins are held back", () => {
  const held = textOf(render([failed({ authRetryAt: NOW + 900 })]));
  assert.match(held, /No login before 2026-03-01 03:15:00 UTC, in 15 min:/);
  const over = textOf(render([failed({ authRetryAt: NOW - 1 })]));
  assert.doesNotMatch(over, /No login before/);
});

Deno.test("renderPage() says that a firewall has not been polled yet", () => {
  const page = render([NEVER_POLLED]);
  assert.match(page, /<p class="is idle">not polled yet<\/p>/);
  assert.match(textOf(page), /Last login took– 0 logins tried so far\n/);
  assert.doesNotMatch(page, /Last polled|Poll took/);
});

Deno.test("renderPage() does not print an age below zero when the clock steps back", () => {
  const page = render([good([UP], { poll: { finishedAt: NOW + 5 } })]);
  assert.match(textOf(page), /Last polledjust now /);
});

Deno.test("renderPage() links the metrics of each firewall", () => {
  const page = render([
    good([UP], { target: "fw-a.example.net" }),
    good([UP], { target: "[2001:db8::7]:2222" }),
  ]);
  assert.deepEqual(
    [...page.matchAll(/<a href="(.*?)"/g)].map((found) => found[1]),
    ["/metrics", "/probe?target=%5B2001%3Adb8%3A%3A7%5D%3A2222", "/metrics"],
  );
});

Deno.test("renderPage() writes hostile text as text", async (t) => {
  const cases = [
    { sent: "<script>alert(1)</script>", shown: "&lt;script&gt;alert(1)" },
    { sent: `"' onclick=x`, shown: "&quot;&#39; onclick=x" },
    { sent: "</td></table>", shown: "&lt;/td&gt;&lt;/table&gt;" },
    { sent: "&lt;", shown: "&amp;lt;" },
    { sent: "\u202egnp.exe", shown: "\\u{202e}gnp.exe" },
    { sent: "a\u009b31m\u0000\r\n", shown: "a\\u{9b}31m\\u{0}\\u{d}\\u{a}" },
    { sent: "x".repeat(10_000), shown: "x".repeat(10_000) },
  ];
  for (const { sent, shown } of cases) {
    await t.step(shown.slice(0, 40), () => {
      const hostile: Tunnel = {
        id: sent,
        name: sent,
        state: "unknown",
        stateWord: sent,
        monitor: sent,
        localIp: sent,
        peerIp: sent,
        interfaceName: sent,
      };
      const page = render([
        good([hostile], { target: sent, poll: { haState: `active${sent}` } }),
        failed({ poll: { message: sent } }),
      ]);
      const places = page.split(`<bdi>${shown}`).length - 1;
      assert.equal(places, 7 + 1 + 1, "tunnel, target, message");
      assert(page.includes(`<bdi>active${shown}`));
      if (sent !== shown) assert(!page.includes(sent));
    });
  }
});

Deno.test("renderPage() lists 500 tunnels, and beyond that only the broken ones", () => {
  const tunnels = Array<Tunnel>(498).fill(UP);
  const full = render([good([...tunnels, DOWN, MONITOR_DOWN])]);
  assert.equal(rowsOf(full).length, 500);

  const text = render([
    good([...tunnels, DOWN, MONITOR_DOWN]),
    good([UP, UP]),
    good([DOWN], { poll: { haState: "passive" } }),
  ]);
  assert.deepEqual(rowsOf(text).map((cells) => cells[1]), ["lima", "turin"]);
  assert.match(
    text,
    /<caption>500 tunnels: 498 up, 1 down, .* only faults are listed</,
  );
  assert.match(
    text,
    /<p>2 tunnels: 2 up; with more than 500 .* only faults are listed</,
  );
  assert.match(
    text,
    /<p>1 tunnel: 0 up, 1 down; on standby, .* only faults are listed</,
  );
});

Deno.test("renderPage() keeps the page of a large fleet small", () => {
  const tunnels = [...Array<Tunnel>(19).fill(UP), DOWN];
  const fleet = Array.from(
    { length: 500 },
    (_, index) => good(tunnels, { target: `fw-${index}.example.net` }),
  );
  assert(render(fleet).length < 1_000_000);
});

Deno.test("CONTENT_SECURITY_POLICY allows the style sheet of the page and nothing else", () => {
  const styles = [...render([good([UP])]).matchAll(/<style>(.*?)<\/style>/gs)];
  assert.equal(styles.length, 1);
  const hash = createHash("sha256").update(styles[0]?.[1] ?? "");
  assert.equal(
    CONTENT_SECURITY_POLICY,
    `default-src 'none'; style-src 'sha256-${
      hash.digest("base64")
    }'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  );
});

Deno.test("renderPage() asks to be renewed and needs no script", () => {
  const page = render([good([UP])]);
  assert.match(page, /<meta http-equiv="refresh" content="30">/);
  assert.doesNotMatch(page, /<script|\sstyle=|\son\w+=|url\(|@import/i);
});

const NEVER_POLLED: Status = {
  target: "fw-a.example.net",
  poll: undefined,
  lastSuccessAt: undefined,
  loginDuration: undefined,
  authRetryAt: undefined,
  logins: 0,
};

interface Changes<T> extends Partial<Omit<Status, "poll">> {
  readonly poll?: Partial<T>;
}

function good(
  tunnels: readonly Tunnel[],
  { poll, ...changes }: Changes<GoodPoll> = {},
): Status {
  return {
    ...NEVER_POLLED,
    ...changes,
    poll: {
      ok: true,
      flow: { tunnels, configured: tunnels.length },
      haState: undefined,
      durations: NO_TIME,
      finishedAt: NOW - 12,
      ...poll,
    },
  };
}

function failed({ poll, ...changes }: Changes<FailedPoll> = {}): Status {
  const reason: Reason = "connect";
  return {
    ...NEVER_POLLED,
    ...changes,
    poll: {
      ok: false,
      reason,
      message: "Cannot connect: refused",
      durations: NO_TIME,
      finishedAt: NOW - 12,
      ...poll,
    },
  };
}

function tunnel(changes: Partial<Tunnel> & Pick<Tunnel, "id">): Tunnel {
  return {
    name: "",
    state: "active",
    stateWord: "active",
    monitor: "off",
    localIp: "192.0.2.1",
    peerIp: `198.51.100.${changes.id}`,
    interfaceName: `tunnel.${changes.id}`,
    ...changes,
  };
}

function render(firewalls: readonly Status[]): string {
  return renderPage({
    firewalls,
    metricsTarget: "fw-a.example.net",
    version: "1.2.3",
    now: NOW,
  });
}

/** What is left of HTML without its tags; entities stay as they are. */
function textOf(html: string): string {
  return html.replace(/<[^>]*>/g, "");
}

/** The texts of the cells of each tunnel. */
function rowsOf(page: string): string[][] {
  const rows = page.matchAll(/<tr class="\w+">(?<cells>.*)<\/tr>/g);
  return Array.from(
    rows,
    ({ groups }) =>
      (groups?.["cells"] ?? "").split(/(?<=<\/t[dh]>)/).map(textOf),
  );
}
