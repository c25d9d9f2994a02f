import { readVpnFlow } from "../support/vpn_flow_reply.ts";
import assert from "node:assert/strict";
import { ConfigError, parseConfig } from "../../src/config/config.ts";
import type { MetricFamily } from "../../src/view/exposition.ts";
import {
  buildFamilies,
  firewallFamilies,
  processFamilies,
} from "../../src/view/metrics.ts";
import { parsePrivateKey } from "../../src/ssh/private_key.ts";
import { inventTunnels, printVpnFlow } from "../support/vpn_flow_reply.ts";
import { goodPoll, NEGOTIATED, statusAfter } from "../support/status.ts";

const README = await Deno.readTextFile(
  new URL("../../README.md", import.meta.url),
);

/** Rows of all tables, their cells without backticks. */
const ROWS = [...README.matchAll(/^\| `.*\|$/gm)].map(([row]) =>
  row.split("|").slice(1, -1).map((cell) => cell.replaceAll("`", "").trim())
);

Deno.test("README.md documents exactly the variables that are read", () => {
  const asked = new Set<string>();
  try {
    parseConfig((name) => void asked.add(name), parsePrivateKey);
  } catch (error) {
    assert(error instanceof ConfigError);
  }
  const isVariable = (name = ""): boolean => /^[A-Z_]+$/.test(name);
  const documented = ROWS.map(([name]) => name).filter(isVariable);
  const plain = [...asked].filter((name) => !name.startsWith("PE_"));
  assert.deepEqual(documented.sort(), plain.sort());
  for (const name of asked) {
    assert(README.includes(`\`${name}\``), `${name} is not documented`);
  }
});

Deno.test("README.md documents exactly the metrics that are shown", () => {
  const flow = readVpnFlow(
    printVpnFlow(
      inventTunnels(1).map((tunnel) => ({ ...tunnel, monitor: "up" })),
    ),
  );
  const poll = goodPoll(flow.tunnels, { haState: "active" });
  const families = [
    ...firewallFamilies(statusAfter([poll], { negotiated: NEGOTIATED })),
    ...buildFamilies({ version: "1", revision: "1", denoVersion: "1" }),
    ...processFamilies({ cpuSeconds: 1, residentMemoryBytes: 1, startedAt: 1 }),
  ];
  const documented = ROWS
    .filter(([, type]) => type === "gauge" || type === "counter")
    .map(([name, type, labels]) => [name, type, labels]);
  assert.deepEqual(documented, families.map(toRow));
});

function toRow({ name, type, samples }: MetricFamily): string[] {
  return [name, type, Object.keys(samples[0]?.labels ?? {}).join(", ")];
}

Deno.test("README.md begins with the two commands of a newcomer", () => {
  const firstScreen = README.split("\n").slice(0, 28).join("\n");
  assert.match(firstScreen, /^npx -y deno@2\.9\.6 task demo$/m);
  assert.match(firstScreen, /^npx -y deno@2\.9\.6 task test$/m);
  assert.match(firstScreen, /^!\[.+\]\(docs\/status-page\.png\)$/m);
});

const ROOT = new URL("../../", import.meta.url);

/** Paths from the root of the repository. */
const DOCUMENTS = [
  "README.md",
  ...Array.from(Deno.readDirSync(new URL("docs", ROOT)), ({ name }) => name)
    .filter((name) => name.endsWith(".md")).sort()
    .map((name) => `docs/${name}`),
];

for (const path of DOCUMENTS) {
  const url = new URL(path, ROOT);

  Deno.test(`${path} links to files and headings that exist`, async () => {
    const text = withoutCode(await Deno.readTextFile(url));
    for (
      const { groups } of text.matchAll(
        /\]\((?<path>[^)#:]*)(?:#(?<id>[^)]+))?\)/g,
      )
    ) {
      const linked = new URL(groups?.["path"] || url.href, url);
      const { isFile } = await Deno.stat(linked);
      const id = groups?.["id"];
      if (!isFile || id === undefined) continue;
      const ids = await idsOf(linked);
      assert(ids.includes(id), `${linked.pathname} has no heading ${id}`);
    }
  });

  Deno.test(`${path} has no sentence of more than 30 words`, async () => {
    const long = sentencesOf(await Deno.readTextFile(url))
      .filter((sentence) => sentence.split(/\s+/).length > MAX_WORDS);
    assert.deepEqual(long, []);
  });
}

Deno.test("docs/architecture.md names files that exist", async () => {
  const text = await Deno.readTextFile(new URL("docs/architecture.md", ROOT));
  const paths = Array.from(
    text.matchAll(/`((?:src|tests|deploy|fixtures)\/[^`\s]*)`/g),
    ([, path = ""]) => path,
  );
  assert(paths.length > 20, "found too few files");
  for (const path of paths) await Deno.stat(new URL(path, ROOT));
});

Deno.test("docs/architecture.md has a row for each room", async () => {
  const text = await Deno.readTextFile(new URL("docs/architecture.md", ROOT));
  const rooms = Array.from(
    text.matchAll(/^\| `([a-z]+)` +\|/gm),
    ([, room = ""]) => room,
  );
  const folders = await Array.fromAsync(
    Deno.readDir(new URL("src", ROOT)),
    ({ name }) => name,
  );
  assert.deepEqual(rooms.sort(), folders.sort());
});

Deno.test("docs/operations.md has a heading for each alert", async () => {
  const alerts = await Deno.readTextFile(new URL("deploy/alerts.yml", ROOT));
  const ids = await idsOf(new URL("docs/operations.md", ROOT));
  const anchors = Array.from(
    alerts.matchAll(/^\s*runbook_url: \S+\/operations\.md#(\S+)$/gm),
    ([, id = ""]) => id,
  );
  const names = Array.from(
    alerts.matchAll(/^\s*- alert: (\S+)$/gm),
    ([, name = ""]) => name,
  );
  assert(names.length > 10, "found too few alerts");
  assert.equal(anchors.length, names.length, "an alert has no runbook_url");
  assert.deepEqual(anchors.filter((id) => !ids.includes(id)), []);
});

const MAX_WORDS = 30;

/** The sentences of a text, and the items of its lists: no tables, no code. */
function sentencesOf(markdown: string): readonly string[] {
  return withoutCode(markdown)
    .replace(/^\|.*$/gm, "")
    .replace(/\]\([^)]*\)/g, "]")
    // a paragraph, an item and a heading end a sentence, whatever they end in
    .split(/\n\s*\n|\n(?=\s*(?:[-*]|\d+\.)\s)|^#+ .*$|·/m)
    .flatMap((part) => part.split(/(?<=[.!?][*_`)"”]*)\s+(?=[^a-z])/))
    .map((sentence) => sentence.trim());
}

function withoutCode(markdown: string): string {
  return markdown.replace(/^ *```[^]*?^ *```$/gm, "");
}

async function idsOf(url: URL): Promise<readonly string[]> {
  const headings = withoutCode(await Deno.readTextFile(url))
    .matchAll(/^#+ (.*)$/gm);
  return Array.from(headings, ([, text = ""]) => toId(text));
}

/** As Markdown renderers make an id of a heading. */
function toId(heading: string): string {
  return heading.toLowerCase().replace(/[^\w\s-]/g, "").replaceAll(" ", "-");
}
