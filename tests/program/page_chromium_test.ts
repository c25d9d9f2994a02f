import {
  failedPoll,
  goodPoll,
  NEVER_POLLED,
  statusAfter,
  tunnelOf,
} from "../support/status.ts";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { renderPage } from "../../src/view/page.ts";
import { CONTENT_SECURITY_POLICY } from "../../src/view/page_style.ts";
import { REASONS, type Status } from "../../src/model/poll.ts";
import type { Tunnel } from "../../src/model/tunnel.ts";
import {
  CHROMIUM,
  type Chromium,
  type Reader,
  startChromium,
  type Tab,
} from "../support/chromium.ts";

const NOW = Date.UTC(2026, 2, 1, 3, 0, 0) / 1_000;

const HOSTILE_NAMES = [
  "<script>document.title = 'owned'</script>",
  "<img src=x onerror=\"document.title = 'owned'\">",
  "</td></tr></table><style>* { display: none }</style>",
  "<meta http-equiv=refresh content='0; url=/elsewhere'>",
  "\u202egnp.exe\u0085\u001b[31m",
  "\u05de\u05e0\u05d4\u05e8\u05d4 12 (34)",
  "two  blanks",
  "x".repeat(500),
];

const READERS: readonly Reader[] = [
  { scheme: "light", width: 1_280 },
  { scheme: "dark", width: 1_280 },
  { scheme: "light", width: 390 },
  { scheme: "dark", width: 390 },
];

Deno.test({
  name: "the status page in a real browser (needs chromium)",
  ignore: CHROMIUM === undefined && Deno.env.get("CI") !== "true",
}, async (t) => {
  await using browser = await startChromium();
  for (const reader of READERS) {
    const name = `${reader.scheme}, ${reader.width} px`;
    await t.step(`${name}: nothing is refused or executed`, async () => {
      const { tab, requests } = await show(browser, renderSample(), reader);
      assert.deepEqual(tab.issues, []);
      assert.deepEqual(requests, ["/"]);
      assert.equal(await tab.evaluate("document.scripts.length"), 0);
      assert.equal(await tab.evaluate("document.images.length"), 0);
      assert.match(
        await tab.evaluate("document.title"),
        /^1 firewall with the login rejected/,
      );
    });

    await t.step(`${name}: no text is too pale to read`, async () => {
      const { tab } = await show(browser, renderSample(), reader);
      const texts = await tab.evaluate(`(${measureContrast})()`);
      assert(texts.length > 100, `found ${texts.length} texts`);
      const pale = texts.filter((text: Contrast) => !(text.ratio >= 4.5));
      assert.deepEqual(pale, []);
    });

    await t.step(`${name}: nothing sticks out sideways`, async () => {
      const { tab } = await show(browser, renderSample(), reader);
      assert.equal(await tab.evaluate("innerWidth"), reader.width);
      const outside = `Array.from(document.body.querySelectorAll("*"))
          .filter((element) => element.getBoundingClientRect().right > innerWidth)
          .map((element) => element.outerHTML)`;
      assert.deepEqual(await tab.evaluate(outside), []);
      const width = "document.documentElement.scrollWidth";
      assert.equal(await tab.evaluate(width), reader.width);
    });

    await t.step(
      `${name}: the tunnels are a table to read aloud`,
      async () => {
        const { tab } = await show(browser, renderSample(), reader);
        const spoken = await readAloud(tab);
        const count = (role: string): number =>
          spoken.filter((node) => node.role === role).length;
        assert.equal(count("table"), 1);
        assert.equal(count("columnheader"), 8);
        assert.equal(count("rowheader"), HOSTILE_NAMES.length);
        assert.equal(count("row"), HOSTILE_NAMES.length + 1);
        assert.equal(count("cell"), 7 * HOSTILE_NAMES.length);
        assert(
          spoken.some(({ role, name }) =>
            role === "region" && name === "fw-a.example.net"
          ),
        );
        // The words alone: shapes are for the eye.
        const names = spoken.filter(({ role }) => role === "cell")
          .map(({ name }) => name)
          .filter((name) => name.includes("down"));
        assert.deepEqual(names.sort(), [
          ...Array(6).fill("down"),
          ...Array(2).fill("up, monitor down"),
        ]);
      },
    );
  }

  await t.step("a hostile name is shown as it was sent", async () => {
    const { tab } = await show(browser, renderSample(), READERS[0]);
    const names: string[] = await tab.evaluate(
      `Array.from(document.querySelectorAll("tbody th"), (cell) => cell.innerText)`,
    );
    const shown = HOSTILE_NAMES.map((name) =>
      name.replace("\u202e", "\\u{202e}").replace("\u0085", "\\u{85}")
        .replace("\u001b", "\\u{1b}")
    );
    assert.deepEqual(names.sort(), shown.sort());
  });

  await t.step("each state has a shape and a colour of its own", async () => {
    for (const reader of READERS) {
      const { tab } = await show(browser, renderSample(), reader);
      const looks: Record<string, string>[] = await tab.evaluate(
        `Array.from(["bad", "warn", "idle", "good"], (tone) => {
            const element = document.querySelector(".is." + tone);
            const { color } = getComputedStyle(element);
            const { content } = getComputedStyle(element, "::before");
            return { color, content };
          })`,
      );
      assert.equal(new Set(looks.map(({ color }) => color)).size, 4);
      assert.equal(new Set(looks.map(({ content }) => content)).size, 4);
    }
  });

  await t.step("the colours follow the reader's scheme", async () => {
    const background = async (reader?: Reader): Promise<number> => {
      const { tab } = await show(browser, renderSample(), reader);
      const color: string = await tab.evaluate(
        "getComputedStyle(document.body).backgroundColor",
      );
      return Math.max(...Array.from(color.matchAll(/\d+/g), Number));
    };
    assert(await background({ scheme: "light", width: 800 }) > 200);
    assert(await background({ scheme: "dark", width: 800 }) < 50);
  });

  await t.step("a link that has the focus can be seen", async () => {
    const { tab } = await show(browser, renderSample(), READERS[0]);
    for (const type of ["keyDown", "keyUp"]) {
      await tab.send("Input.dispatchKeyEvent", {
        type,
        key: "Tab",
        code: "Tab",
        windowsVirtualKeyCode: 9,
      });
    }
    const focused = "document.activeElement";
    const first = await tab.evaluate(`${focused}.innerText`);
    assert.equal(first, "fw-auth.example.net");
    const outline = `getComputedStyle(${focused}).outlineStyle`;
    assert.equal(await tab.evaluate(outline), "solid");
  });

  await t.step("the policy refuses what is not the page's own", async () => {
    const page = renderSample()
      .replace("</style>", " </style>")
      .replace("</main>", "<script>document.title = 'owned'</script></main>");
    const { tab } = await show(browser, page, READERS[0]);
    assert.notEqual(await tab.evaluate("document.title"), "owned");
    const refused = tab.issues.join("\n");
    assert.match(refused, /"violatedDirective":"style-src-elem"/);
    assert.match(refused, /"violatedDirective":"script-src-elem"/);
  });
});

/** What README.md shows, and the hash of the page that it was drawn from. */
const PICTURE = new URL("../../docs/status-page.png", import.meta.url);
const DRAWN_FROM = new URL(
  "../../docs/status-page.html.sha256",
  import.meta.url,
);

/** Set to draw the picture anew. */
const DRAW = "DRAW_STATUS_PAGE";

// no test by default: it writes into the repository
if (Deno.env.get(DRAW) === "1") {
  Deno.test("the picture in README.md is drawn", drawPicture);
}

async function drawPicture(): Promise<void> {
  await using browser = await startChromium();
  const { tab } = await show(browser, renderPicture(), READERS[0]);
  await tab.send("Emulation.setDeviceMetricsOverride", {
    width: 1_280,
    height: await tab.evaluate("document.documentElement.scrollHeight"),
    deviceScaleFactor: 1,
    mobile: false,
  });
  await Deno.writeFile(PICTURE, await tab.takePicture());
  await Deno.writeTextFile(DRAWN_FROM, `${hashOf(renderPicture())}\n`);
}

Deno.test("the picture in README.md shows the page as it is", async () => {
  const png = await Deno.readFile(PICTURE);
  assert.equal(new DataView(png.buffer).getUint32(16), 1_280, "its width");
  assert.equal(
    (await Deno.readTextFile(DRAWN_FROM)).trim(),
    hashOf(renderPicture()),
    `the page has changed: ${DRAW}=1 deno test -A tests/program/page_chromium_test.ts`,
  );
});

function hashOf(page: string): string {
  return createHash("sha256").update(page).digest("hex");
}

const NO_ROUTE =
  'Cannot connect to fw2.example.net port 22: "connect EHOSTUNREACH 192.0.2.2:22" (there is no route to it)';

/** A page with what an operator may find in the morning. */
function renderPicture(): string {
  const east = [
    tunnelOf({ id: "2", name: "hq-to-berlin", monitor: "up" }),
    tunnelOf({ id: "3", name: "hq-to-oslo", monitor: "up" }),
    tunnelOf({ id: "4", name: "cloud-east:orders" }),
    tunnelOf({ id: "5", name: "cloud-east:billing" }),
    tunnelOf({ id: "6", name: "hq-to-lyon", monitor: "up" }),
    tunnelOf({
      id: "7",
      name: "old-lab",
      state: "init",
      stateWord: "init",
    }),
  ];
  const isDown = { state: "inactive", stateWord: "inactiv" } as const;
  const later = east.map((tunnel) =>
    tunnel.id === "3" ? { ...tunnel, ...isDown, monitor: "down" } : tunnel
  );
  const durations = {
    connect: 0,
    handshake: 0,
    auth: 0,
    session: 0,
    command: 0.31,
  };
  const good = { durations, haState: "active" } as const;
  const west = [
    tunnelOf({ id: "8", name: "dr-site" }),
    tunnelOf({ id: "9", name: "partner" }),
  ];
  return renderPage({
    firewalls: [
      statusAfter([
        goodPoll(east, { ...good, finishedAt: NOW - 9_000 }),
        goodPoll(later, { ...good, finishedAt: NOW - 4_020 }),
        goodPoll(later, { ...good, finishedAt: NOW - 12 }),
      ], { target: "fw1.example.net", loginDuration: 3.4, logins: 1 }),
      statusAfter([
        goodPoll(west, { durations, finishedAt: NOW - 1_500 }),
        failedPoll({
          message: NO_ROUTE,
          finishedAt: NOW - 1_470,
        }),
        failedPoll({
          message: NO_ROUTE,
          durations: { ...durations, command: 0, connect: 3.06 },
          finishedAt: NOW - 9,
        }),
      ], { target: "fw2.example.net", loginDuration: 2.9, logins: 49 }),
      statusAfter([
        goodPoll(west, { ...good, finishedAt: NOW - 20 }),
      ], { target: "fw3.example.net", loginDuration: 4.1, logins: 1 }),
    ],
    isWhole: false,
    metricsTarget: "fw1.example.net",
    hold: undefined,
    mask: (text) => text,
    username: "prometheus",
    version: "1.1.0",
    now: NOW,
  });
}

/** Serves a page with the policy, and opens it in a tab of its own. */
async function show(
  browser: Chromium,
  page: string,
  reader: Reader = { scheme: "light", width: 1_280 },
): Promise<{ readonly tab: Tab; readonly requests: readonly string[] }> {
  const requests: string[] = [];
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => {
      requests.push(new URL(request.url).pathname);
      return new Response(page, {
        headers: {
          "Content-Security-Policy": CONTENT_SECURITY_POLICY,
          "Content-Type": "text/html; charset=utf-8",
        },
      });
    },
  );
  const tab = await browser.openTab();
  await tab.open(`http://127.0.0.1:${server.addr.port}/`, reader);
  return { tab, requests };
}

interface Contrast {
  readonly text: string;
  readonly ratio: number;
}

/**
 * Runs in the page: the contrast of each text with what is behind it.
 *
 * @see {@link https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio}
 */
function measureContrast(): Contrast[] {
  // deno-lint-ignore no-explicit-any -- the types of a page are not loaded
  const { document, getComputedStyle } = globalThis as any;
  const parse = (color: string): number[] =>
    Array.from(color.matchAll(/[\d.]+/g), Number);
  const luminance = (color: string): number => {
    const [red = 0, green = 0, blue = 0] = parse(color)
      .map((value) => value / 255)
      .map((value) =>
        value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
      );
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const contrasts: Contrast[] = [];
  for (const element of document.querySelectorAll("body, body *")) {
    const text = Array.from(element.childNodes)
      // deno-lint-ignore no-explicit-any -- as above
      .map((node: any) => node.nodeType === 3 ? node.data.trim() : "")
      .join("");
    if (text === "") continue;
    let behind = element;
    let background: string;
    do {
      background = getComputedStyle(behind).backgroundColor;
      behind = behind.parentElement;
    } while (parse(background)[3] === 0);
    const [darker = 0, lighter = 0] = [
      luminance(getComputedStyle(element).color),
      luminance(background),
    ].sort((a, b) => a - b);
    contrasts.push({ text, ratio: (lighter + 0.05) / (darker + 0.05) });
  }
  return contrasts;
}

interface Spoken {
  readonly role: string;
  readonly name: string;
}

/** What a screen reader is told, in order. */
async function readAloud(tab: Tab): Promise<Spoken[]> {
  const { nodes } = await tab.send("Accessibility.getFullAXTree");
  return nodes
    // deno-lint-ignore no-explicit-any -- a node as the protocol defines it
    .filter((node: any) => !node.ignored)
    // deno-lint-ignore no-explicit-any -- as above
    .map((node: any) => ({ role: node.role.value, name: node.name?.value }));
}

/** A page with one of everything that the page can show. */
function renderSample(): string {
  const blank = { ...NEVER_POLLED, target: "fw-new.example.net" };
  const finished = {
    durations: {
      connect: 0.1,
      handshake: 0.2,
      auth: 3,
      session: 4,
      command: 0,
    },
    finishedAt: NOW - 400,
  };
  const tunnels = HOSTILE_NAMES.map((name, index): Tunnel => ({
    id: String(index),
    name,
    state: (["inactive", "init", "active"] as const)[index % 3] ?? "active",
    stateWord: "init",
    monitor: ["down", "off", "down", "off", "off", "down"][index] ?? "off",
    localIp: "192.0.2.1",
    peerIp: "2001:db8:85a3:1234:5678:8a2e:370:7334",
    interfaceName: `tunnel.${index}`,
  }));
  return renderPage({
    firewalls: [
      statusAfter([
        goodPoll([], { ...finished, haState: "passive" }),
        goodPoll(tunnels, { ...finished, haState: "active" }),
      ], { target: "fw-a.example.net", loginDuration: 31, logins: 2 }),
      ...REASONS.map((reason): Status => ({
        ...blank,
        target: `fw-${reason}.example.net`,
        poll: failedPoll({
          ...finished,
          reason,
          message: `Cannot log in: "${"x".repeat(120)}"`,
        }),
        authRetryAt: NOW + 900,
      })),
      blank,
      statusAfter([goodPoll([], { ...finished, finishedAt: NOW })], {
        target: "fw-empty.example.net",
      }),
      statusAfter([
        goodPoll([tunnelOf({ id: "1" })], { ...finished, finishedAt: NOW }),
      ], { target: "fw-well.example.net" }),
    ],
    isWhole: false,
    metricsTarget: "fw-a.example.net",
    hold: { endsAt: NOW + 900, culprits: ["fw-1", "fw-2"] },
    mask: (text) => text,
    username: "monitor",
    version: "1.2.3",
    now: NOW,
  });
}
