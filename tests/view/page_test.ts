import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { HA_STATES } from "../../src/model/high_availability.ts";
import {
  type FailedPoll,
  type GoodPoll,
  REASONS,
  type Status,
} from "../../src/model/poll.ts";
import { NO_DURATIONS } from "../../src/model/stopwatch.ts";
import type { Tunnel } from "../../src/model/tunnel.ts";
import { type PageInput, renderPage } from "../../src/view/page.ts";
import { CONTENT_SECURITY_POLICY } from "../../src/view/page_style.ts";
import {
  failedPoll,
  goodPoll,
  NEVER_POLLED,
  statusAfter,
  tunnelOf,
} from "../support/status.ts";

/** 2026-03-01 03:00 UTC. */
const NOW = Date.UTC(2026, 2, 1, 3, 0, 0) / 1_000;

const UP = tunnelOf({ id: "2", name: "oslo" });
const DOWN = tunnelOf({
  id: "3",
  name: "lima",
  state: "inactive",
  stateWord: "inactiv",
});
const INIT = tunnelOf({
  id: "4",
  name: "cork",
  state: "init",
  stateWord: "init",
});
const REKEY = tunnelOf({
  id: "6",
  name: "bern",
  state: "unknown",
  stateWord: "rekey",
});
const MONITOR_DOWN = tunnelOf({ id: "5", name: "turin", monitor: "Down" });

Deno.test("renderPage() says in heading and title what is wrong", async (t) => {
  const cases: readonly {
    readonly text: string;
    readonly tone: string;
    readonly firewalls: readonly Status[];
  }[] = [
    { text: "1 tunnel up", tone: "good", firewalls: [good([UP])] },
    {
      text: "All 2 tunnels up",
      tone: "good",
      firewalls: [good([UP, { ...UP, name: "rome" }])],
    },
    { text: "1 tunnel down", tone: "bad", firewalls: [good([UP, DOWN])] },
    {
      text: "1 tunnel not established",
      tone: "warn",
      firewalls: [good([INIT])],
    },
    { text: "1 tunnel unknown", tone: "warn", firewalls: [good([REKEY])] },
    {
      text: "1 tunnel lost",
      tone: "bad",
      firewalls: [after(good([{ ...INIT, ...ACTIVE }]), good([INIT]))],
    },
    {
      text: "1 tunnel up with the monitor down",
      tone: "bad",
      firewalls: [good([MONITOR_DOWN])],
    },
    {
      text:
        "1 firewall not answering, 2 tunnels down, 1 tunnel not established",
      tone: "bad",
      firewalls: [
        good([UP, DOWN, INIT, { ...DOWN, name: "kiel" }]),
        failed(),
      ],
    },
    {
      text:
        "1 firewall with the login rejected, 2 firewalls not answering, 1 firewall with logins held",
      tone: "bad",
      firewalls: [
        failed({ poll: { reason: "held" } }),
        failed({ poll: { reason: "auth" } }),
        failed({ poll: { reason: "timeout" } }),
        failed({ poll: { reason: "connect" } }),
      ],
    },
    {
      text: "1 firewall not polled for over 5 min",
      tone: "warn",
      firewalls: [good([UP], { poll: { finishedAt: NOW - 301 } })],
    },
    {
      text: "1 firewall served over open sessions only",
      tone: "warn",
      firewalls: [good([UP], { authRetryAt: NOW + 60 })],
    },
    {
      text:
        "1 firewall with logins held, 1 firewall not polled yet, with logins held, 2 firewalls served over open sessions only",
      tone: "bad",
      firewalls: [
        good([UP], { authRetryAt: NOW + 60 }),
        failed({ poll: { reason: "held" }, authRetryAt: NOW + 60 }),
        { ...NEVER_POLLED, authRetryAt: NOW + 60 },
        good([UP], { authRetryAt: NOW + 60 }),
      ],
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
      text: "1 firewall unable to carry traffic",
      tone: "bad",
      firewalls: [good([UP], { poll: { haState: "non-functional" } })],
    },
    {
      text: "1 tunnel up",
      tone: "good",
      firewalls: [
        good([UP], { poll: { haState: "active-primary" } }),
        good([DOWN], { poll: { haState: "primary-passive" } }),
      ],
    },
    {
      text: "All 12,345 tunnels up",
      tone: "good",
      firewalls: [good(Array.from(
        { length: 12_345 },
        (_, index) => tunnelOf({ id: String(index) }),
      ))],
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

Deno.test("renderPage() counts a tunnel with proxy IDs once, by these", async (t) => {
  const bare = tunnelOf({ ...DOWN, name: "bonn" });
  const row = (name: string, tunnel: Tunnel): Tunnel => ({ ...tunnel, name });
  const cases: Readonly<Record<string, readonly Tunnel[]>> = {
    "1 tunnel up": [bare, row("bonn:lan", UP)],
    "1 tunnel down": [bare, row("bonn:a", DOWN), row("bonn:b", INIT)],
    "1 tunnel partly down": [row("bonn:a", DOWN), row("bonn:b", UP)],
    "1 tunnel not established": [row("bonn:a", INIT), row("bonn:b", INIT)],
    "2 tunnels down": [bare, row("bonn:", DOWN), row("bonn-2:lan", UP)],
    "1 tunnel up with the monitor down": [
      row("bonn:a", { ...UP, monitor: "down" }),
      row("bonn:b", { ...INIT, monitor: "down" }),
    ],
  };
  for (const [text, tunnels] of Object.entries(cases)) {
    await t.step(text, () => {
      const title = /<title>(.*) – /.exec(render([good(tunnels)]))?.[1];
      assert.equal(title, text);
    });
  }
  await t.step("an established proxy ID beside one that is not: up", () => {
    const page = render([good([row("bonn:a", INIT), row("bonn:b", UP)])]);
    assert.match(page, /<title>1 tunnel up – /);
  });
});

Deno.test("renderPage() takes PAN-OS' words for standby, and no others", () => {
  const standby = HA_STATES.filter((haState) =>
    render([good([DOWN], { poll: { haState } })]).includes("on standby")
  );
  assert.deepEqual(standby, [
    "passive",
    "primary-passive",
    "secondary-passive",
    "initial",
  ]);
});

Deno.test("renderPage() counts firewalls and tunnels below the heading", () => {
  const standby = good([UP, DOWN], { poll: { haState: "passive" } });
  const tunnels = [UP, DOWN, INIT, MONITOR_DOWN];
  const page = render([good(tunnels), failed(), NEVER_POLLED, standby]);
  assert.match(
    textOf(page),
    /\n4 firewalls, 2 answering, 1 not, 1 not polled yet · 4 tunnels: 1 up, 1 down, 1 up with the monitor down, 1 not established · 2 on standby, not counted\n/,
  );
});

Deno.test("renderPage() does not call tunnels gone that it cannot see", async (t) => {
  const dead = after(good([UP, DOWN]), failed());
  const cases: readonly (readonly [string, readonly Status[]])[] = [
    [
      "1 firewall, 0 answering, 1 not · no tunnel is known now · 2 last known, not counted",
      [dead],
    ],
    ["1 firewall, 0 answering, 1 not · no tunnel is known now", [failed()]],
    [
      "1 firewall, 0 answering, 1 not polled yet · no tunnel is known now",
      [NEVER_POLLED],
    ],
    [
      "2 firewalls, 1 answering, 1 not · 1 tunnel: 1 up · 2 last known, not counted",
      [dead, good([UP])],
    ],
    ["1 firewall, 1 answering · no tunnels", [good([])]],
  ];
  for (const [text, firewalls] of cases) {
    await t.step(text, () => {
      assert(textOf(render(firewalls)).includes(`\n${text}\n`));
    });
  }
});

Deno.test("renderPage() lists the firewalls, the worst first, with links", () => {
  const page = render([
    good([UP, MONITOR_DOWN, INIT, DOWN], { target: "fw-down" }),
    good([UP], { target: "[2001:db8::7]:2222" }),
    { ...NEVER_POLLED, target: "fw-new" },
    good([UP], { target: "fw-standby", poll: { haState: "passive" } }),
    good([INIT], { target: "fw-init" }),
    failed({ target: "fw-held", poll: { reason: "held" } }),
    failed({ target: "fw-failing" }),
  ]);
  const [, index = ""] = page.split("<nav");
  const lines = [
    ...index.split("</nav>")[0]?.matchAll(
      /<li(?: id="(?<id>.*?)")?>.*?href="(?<href>.*?)">(?<name>.*?)<\/a>/g,
    ) ?? [],
  ].map(({ groups = {} }) => [groups["name"], groups["href"]]);
  assert.deepEqual(lines, [
    ["fw-failing", "#fw-fw-failing"],
    ["fw-held", "#fw-fw-held"],
    ["fw-down", "#fw-fw-down"],
    ["fw-init", "#fw-fw-init"],
    ["fw-new", "#fw-fw-new"],
    ["[2001:db8::7]:2222", "/?firewall=%5B2001%3Adb8%3A%3A7%5D%3A2222"],
    ["fw-standby", "/?firewall=fw-standby"],
  ]);
  const ids = [...page.matchAll(/ id="(.*?)"/g)].map(([, id]) => id);
  assert.deepEqual(ids.sort(), [
    "fw-[2001:db8::7]:2222",
    "fw-fw-down",
    "fw-fw-failing",
    "fw-fw-held",
    "fw-fw-init",
    "fw-fw-new",
    "fw-fw-standby",
  ]);
});

Deno.test("renderPage() shows every column of a tunnel, the worst first", () => {
  const rows = rowsOf(render([good([
    UP,
    { ...INIT, peerIp: "2001:db8::7", interfaceName: "" },
    REKEY,
  ])]));
  assert.deepEqual(rows, [
    [
      "unknown (rekey)",
      "bern",
      "at least 02:59",
      "tunnel.6",
      "198.51.100.6",
      "192.0.2.1",
      "off",
      "6",
    ],
    [
      "not established",
      "cork",
      "at least 02:59",
      "",
      "2001:db8::7",
      "192.0.2.1",
      "off",
      "4",
    ],
    [
      "up",
      "oslo",
      "at least 02:59",
      "tunnel.2",
      "198.51.100.2",
      "192.0.2.1",
      "off",
      "2",
    ],
  ]);
});

Deno.test("renderPage() says since when a tunnel is in its state", () => {
  const before = good([{ ...DOWN, ...ACTIVE }], {
    poll: { finishedAt: NOW - 90_000 },
  });
  const page = render([
    after(before, good([DOWN], { poll: { finishedAt: NOW - 86_520 } })),
  ]);
  assert.equal(rowsOf(page)[0]?.[2], "2026-02-28 02:58");
  assert.match(textOf(page), /2026-02-28 02:58 UTC: lima went from up to down/);
});

Deno.test("renderPage() tells the last changes of a firewall", () => {
  const first = good([UP, DOWN, MONITOR_DOWN], {
    poll: { haState: "passive" },
  });
  const second = good([
    { ...MONITOR_DOWN, monitor: "up" },
    { ...DOWN, monitor: "" },
    INIT,
  ], {
    poll: { haState: "active", finishedAt: NOW - 60 },
  });
  const [, changes = ""] = render([after(first, second)]).split("<details");
  assert.deepEqual(
    textOf(changes.split("</details>")[0] ?? "").trim().split("\n").slice(2),
    [
      "02:59 UTC: oslo removed, it was up",
      "02:59 UTC: cork added, not established",
      "02:59 UTC: lima: monitor went from off to unknown",
      "02:59 UTC: turin: monitor went from down to up",
      "02:59 UTC: high availability went from passive to active",
    ],
  );
});

Deno.test("renderPage() shows the last known tunnels of a firewall that fails, as such", () => {
  const page = render([after(
    good([UP, DOWN], { poll: { finishedAt: NOW - 600, haState: "active" } }),
    failed({ poll: { finishedAt: NOW - 300 } }),
    failed(),
  )]);
  assert.match(page, /<p>HA active, last known<\/p>/);
  assert.match(
    page,
    /<table class="old">\n<caption>Last known, 10 min ago: 2 tunnels</,
  );
  assert.deepEqual(rowsOf(page).map((cells) => cells[1]), ["lima", "oslo"]);
  assert.doesNotMatch(page, /<tr class="(?:good|bad)"/);
  assert.match(textOf(page), /no connection, since 02:55 UTC \(5 min\)/);
});

Deno.test("renderPage() shows the tunnels of a standby firewall without alarm", () => {
  const page = render([good([DOWN], { poll: { haState: "passive" } })]);
  assert.match(page, /<p>HA passive<\/p>/);
  assert.match(page, /<tr class="idle"><td>down</);
  assert.match(textOf(page), /on standby, so not counted above/);
});

Deno.test("renderPage() gives the advice for each reason, once", () => {
  const page = render(REASONS.flatMap((reason) => [
    failed({ target: `a-${reason}`, poll: { reason, message: "No <b>luck" } }),
    failed({ target: `b-${reason}`, poll: { reason, message: "No luck" } }),
  ]));
  const notes = [...page.matchAll(/<div class="note bad">(.*?)<\/div>/gs)]
    .map(([, html = ""]) => textOf(html).trim().split("\n"));
  assert.equal(notes.length, REASONS.length);
  for (const [index, reason] of REASONS.entries()) {
    const [title = "", meaning = "", remedy = ""] = notes[index] ?? [];
    assert(title.endsWith(`: a-${reason} and b-${reason}`), title);
    assert.match(meaning, /^[A-Z].{20,}\.$/);
    assert.match(remedy, /^[A-Z].{20,}\.$/);
  }
  assert.equal(page.split("<bdi>No &lt;b&gt;luck").length - 1, REASONS.length);
});

Deno.test("renderPage() says above all who holds the logins of a fleet", () => {
  const hold = { endsAt: NOW + 3_900, culprits: ["fw-1", "fw-2"] };
  const page = render([
    good([UP]),
    good([UP]),
    failed({ poll: { reason: "held" } }),
  ], { hold });
  const [, section = ""] = page.split("<main>");
  assert.match(
    textOf(section).trimStart(),
    /^Logins held until 04:05 UTC \(65 min\) by fw-1 and fw-2; 2 firewalls served over open sessions\n.*reload the exporter/,
  );
  assert.doesNotMatch(
    render([good([UP])], { hold: { ...hold, endsAt: NOW } }),
    /Logins held/,
  );
});

Deno.test("renderPage() says when a firewall was polled and how long it took", () => {
  const durations = {
    ...NO_DURATIONS,
    connect: 0.0031,
    auth: 12.34,
    session: 1.5,
  };
  const text = textOf(render([
    good([DOWN], { loginDuration: 31.24, logins: 7, poll: { durations } }),
    good([DOWN], { poll: { durations: { ...NO_DURATIONS, command: 0.2 } } }),
    failed({ lastSuccessAt: NOW - 7_300 }),
    failed(),
  ]));
  assert.match(text, /Last polled12 s ago, 02:59 UTC\n/);
  assert.match(
    text,
    /Poll took13\.8 s: connect 4 ms, auth 12\.3 s, session 1\.50 s\n/,
  );
  assert.match(text, /Poll took200 ms, on a kept session: command 200 ms\n/);
  assert.match(text, /Poll tookno time: nothing was sent\n/);
  assert.match(text, /Last login took31\.2 s, 7 logins tried so far\n/);
  assert.match(text, /Last success2 h ago, 00:58 UTC\n/);
  assert.match(text, /Last successnone since the exporter started\n/);
});

Deno.test("renderPage() says until when a firewall is left alone", () => {
  const held = textOf(render([failed({ authRetryAt: NOW + 859 })]));
  // the minute that follows, as the message of the poll says it
  assert.match(held, /No login before 03:15 UTC, in 15 min,/);
  const over = textOf(render([failed({ authRetryAt: NOW - 1 })]));
  assert.doesNotMatch(over, /No login before/);
});

Deno.test("renderPage() says that a firewall has not been polled yet", () => {
  const page = render([NEVER_POLLED]);
  assert.match(page, /<p class="is idle">not polled yet<\/p>/);
  assert.match(textOf(page), /Last login took–, 0 logins tried so far\n/);
  assert.doesNotMatch(page, /Last polled|Poll took/);
});

Deno.test("renderPage() does not print an age below zero when the clock steps back", () => {
  const page = render([good([UP], { poll: { finishedAt: NOW + 5 } })]);
  assert.match(textOf(page), /Last polledjust now, /);
});

Deno.test("renderPage() links the metrics of each firewall that it shows", () => {
  const page = render([
    good([DOWN], { target: "fw-a.example.net" }),
    good([DOWN], { target: "[2001:db8::7]:2222" }),
  ]);
  assert.deepEqual(
    [...page.matchAll(/<a href="(.*?)" aria-label="Metrics/g)]
      .map((found) => found[1]),
    ["/metrics", "/probe?target=%5B2001%3Adb8%3A%3A7%5D%3A2222"],
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
        good([hostile], { target: `h${sent}` }),
        failed({ poll: { message: sent } }),
      ]);
      const places = page.split(shown).length - 1;
      assert(places >= 7 + 2 + 1, `${places}: tunnel, target, message`);
      if (sent !== shown) assert(!page.includes(sent));
    });
  }
});

Deno.test("renderPage() masks what a firewall says back", () => {
  const mask = (text: string): string => text.replaceAll("geheim", "***");
  const page = render([
    after(good([UP]), good([{ ...DOWN, name: "geheim", peerIp: "geheim" }])),
    after(good([UP]), good([{ ...UP, state: "unknown", stateWord: "geheim" }])),
    failed({ poll: { message: "Cannot: geheim" } }),
  ], { mask });
  assert(!page.includes("geheim"));
  assert.equal(page.split("***").length - 1, 6);
});

Deno.test("renderPage() lists 1,000 rows, and counts the rest", () => {
  const tunnels = Array.from(
    { length: 10_000 },
    (_, index) => tunnelOf({ id: String(index) }),
  );
  const big = good([...tunnels, DOWN], { target: "fw-big" });
  const page = render([big]);
  assert.equal(rowsOf(page).length, 1_000);
  assert.equal(rowsOf(page)[0]?.[1], "lima");
  assert.match(
    page,
    /<caption>10,001 tunnels: 10,000 up, 1 down; <a href="\/\?firewall=fw-big">9,001 more<\/a></,
  );
  assertSmall(page);
  const whole = render([big], { isWhole: true });
  assert.equal(rowsOf(whole).length, 10_001);
});

Deno.test("renderPage() lists only what somebody has to look at in a fleet", () => {
  const page = render([
    good([UP, DOWN, MONITOR_DOWN], { target: "fw-a" }),
    good([UP, { ...UP, name: "rome" }], { target: "fw-b" }),
  ]);
  assert.deepEqual(rowsOf(page).map((cells) => cells[1]), ["lima", "turin"]);
  assert.match(page, /<a href="\/\?firewall=fw-a">1 more<\/a>/);
  assert.match(page, /fw-b<\/a><\/span> 2 tunnels: 2 up/);
});

Deno.test("renderPage() stays under 300 KiB with 10,000 tunnels", async (t) => {
  const names: Readonly<Record<string, string>> = {
    "proxy IDs": `${"t".repeat(58)}:${"p".repeat(63)}`,
    "escaped names": "&".repeat(63),
    "names in three bytes a character": "\u6771".repeat(63),
  };
  for (const [what, name] of Object.entries(names)) {
    await t.step(what, () => {
      const tunnels = Array.from(
        { length: 10_000 },
        (_, index) => longTunnel(index, `${index}${name}`),
      );
      const big = after(good(tunnels), good(tunnels.map(turned)));
      const page = render([big]);
      assertSmall(page);
      const listed = rowsOf(page).length;
      assert(listed > 500, `${listed} rows`);
      const others = (10_000 - listed).toLocaleString("en-US");
      assert(page.includes(`>${others} more</a>`));
      assert.equal(changesOf(page), 5);
      assert.equal(rowsOf(render([big], { isWhole: true })).length, 10_000);
    });
  }
});

Deno.test("renderPage() stays under 300 KiB with 200 firewalls", async (t) => {
  const up = Array.from(
    { length: 19 },
    (_, index) => tunnelOf({ id: String(index + 10) }),
  );
  const long = Array.from({ length: 10 }, (_, index) => {
    const name = `${index}-branch-to-headquarters:proxy-id`;
    return longTunnel(index, name.padEnd(63, "-"));
  });
  const escaped = long.map((tunnel, index) => ({
    ...tunnel,
    name: `${index}`.padEnd(63, "&"),
  }));
  const fleetOf = (one: (target: string) => Status): readonly Status[] =>
    Array.from(
      { length: 200 },
      (_, index) => one(`firewall-${index}.branch.example.net`),
    );
  const changing = (tunnels: readonly Tunnel[]) => (target: string) =>
    after(good(tunnels, { target }), good(tunnels.map(turned)));
  const dead =
    (tunnels: readonly Tunnel[], message?: string) => (target: string) =>
      after(
        good(tunnels, { target }),
        good(tunnels.map(turned)),
        failed({ poll: message === undefined ? {} : { message } }),
      );
  const fleets: Readonly<Record<string, readonly Status[]>> = {
    "one of twenty tunnels down everywhere": fleetOf((target) =>
      good([...up, DOWN], { target })
    ),
    "all well": fleetOf((target) => good(up, { target })),
    "no tunnel up, changes": fleetOf(changing(long)),
    "no tunnel up, changes, escaped names": fleetOf(changing(escaped)),
    "all failing with their last tunnels": fleetOf(dead(long)),
    "all failing, escaped names": fleetOf(dead(escaped)),
    "all failing, long targets and messages": fleetOf((target) =>
      dead(escaped, "&".repeat(400))(`${"a.".repeat(100)}${target}`)
    ),
  };
  for (const [what, fleet] of Object.entries(fleets)) {
    await t.step(what, () => {
      const page = render(fleet);
      assertSmall(page);
      assert(rowsOf(page).length <= 1_000);
      assert(changesOf(page) <= 300);
      const [, nav = ""] = page.split("<nav");
      const [index = ""] = nav.split("</nav>");
      assert.equal(index.split("<li").length - 1, fleet.length);
    });
  }
});

Deno.test("renderPage() fills the page of a large fleet with the worst first", () => {
  const tunnels = Array.from(
    { length: 10 },
    (_, index) => longTunnel(index, `${index}`.padEnd(63, "&")),
  );
  const page = render(Array.from({ length: 200 }, (_, index) =>
    after(
      good(tunnels, { target: `fw-${index}.example.net` }),
      good(tunnels.map(turned)),
      failed(),
    )));
  const sections = page.split("<section id=").slice(1);
  assert.equal(sections.length, 200, "each has its section");
  const rows = sections.map((section) => rowsOf(section).length);
  assert(rowsOf(page).length >= 100, `${rowsOf(page).length} rows`);
  assert.deepEqual(rows, rows.toSorted((one, other) => other - one));
  for (const [index, section] of sections.entries()) {
    const others = 10 - (rows[index] ?? 0);
    assert.equal(section.includes(`>${others} more</a>`), others > 0);
  }
  assert.equal(changesOf(sections[0] ?? ""), 5);
});

Deno.test("renderPage() links a firewall that finds no room to its own page", () => {
  const message = "x".repeat(2_000);
  const page = render(Array.from(
    { length: 200 },
    (_, index) =>
      after(
        good([UP, DOWN], { target: `fw-${index}` }),
        failed({ poll: { message } }),
      ),
  ));
  const sections = page.split("<section id=").length - 1;
  assert(sections > 50 && sections < 200, `${sections} sections`);
  const rows = rowsOf(page).length;
  assert(rows > 100, `${rows} rows: the worst have their tunnels`);
  const [, nav = ""] = page.split("<nav");
  const [index = ""] = nav.split("</nav>");
  const links = [...index.matchAll(/href="(.*?)"/g)].map(([, href]) => href);
  const expected = Array.from(
    { length: 200 },
    (_, index) =>
      index < sections ? `#fw-fw-${index}` : `/?firewall=fw-${index}`,
  );
  assert.deepEqual(links, expected);
  const ids = [...page.matchAll(/ id="(.*?)"/g)].map(([, id]) => id);
  assert.equal(new Set(ids).size, 200);
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

/** What a tunnel that is up says. */
const ACTIVE = { state: "active", stateWord: "active" } as const;

interface Changes<T> extends Partial<Omit<Status, "poll">> {
  readonly poll?: Partial<T>;
}

function good(
  tunnels: readonly Tunnel[],
  { poll, ...changes }: Changes<GoodPoll> = {},
): Status {
  const last = goodPoll(tunnels, { finishedAt: NOW - 12, ...poll });
  return statusAfter([last], { target: "fw-a.example.net", ...changes });
}

function failed({ poll, ...changes }: Changes<FailedPoll> = {}): Status {
  const last = failedPoll({ finishedAt: NOW - 12, ...poll });
  return statusAfter([last], { target: "fw-a.example.net", ...changes });
}

/** One firewall, which was in one status after the other. */
function after(...statuses: readonly Status[]): Status {
  const polls = statuses.flatMap(({ poll }) =>
    poll === undefined ? [] : [poll]
  );
  return statusAfter(polls, { target: statuses[0]?.target ?? "" });
}

/** A tunnel whose every cell is as long as a firewall makes it. */
function longTunnel(id: number, name: string): Tunnel {
  return {
    ...DOWN,
    id: String(id),
    name,
    localIp: "2001:db8:aaaa:bbbb:cccc:dddd:eeee:1111",
    peerIp: "2001:db8:aaaa:bbbb:cccc:dddd:eeee:2222",
  };
}

/** The same tunnel, in another state. */
function turned(tunnel: Tunnel): Tunnel {
  return { ...tunnel, state: "init", stateWord: "init" };
}

function render(
  firewalls: readonly Status[],
  changes: Partial<PageInput> = {},
): string {
  return renderPage({
    firewalls,
    isWhole: false,
    metricsTarget: "fw-a.example.net",
    hold: undefined,
    mask: (text) => text,
    username: "monitor",
    version: "1.2.3",
    now: NOW,
    ...changes,
  });
}

function assertSmall(page: string): void {
  const { length } = new TextEncoder().encode(page);
  assert(length < 300 * 1_024, `${length} bytes`);
}

/** How many changes are told. */
function changesOf(page: string): number {
  return page.split("<details").slice(1)
    .map((html) => html.split("</details>")[0]?.split("<li>").length ?? 0)
    .reduce((sum, parts) => sum + parts - 1, 0);
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
