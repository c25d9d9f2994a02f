import { NO_HISTORY } from "../../src/model/history.ts";
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
import { NEGOTIATED } from "../support/status.ts";

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
  const durations = {
    connect: 0,
    handshake: 0,
    auth: 0,
    session: 0,
    command: 0,
  };
  const families = [
    ...firewallFamilies({
      target: "fw1.example.net",
      poll: {
        ok: true,
        flow,
        form: "text",
        haState: "active",
        durations,
        finishedAt: 1,
      },
      lastSuccessAt: 1,
      loginDuration: 1,
      negotiated: NEGOTIATED,
      authRetryAt: undefined,
      logins: 1,
      history: NO_HISTORY,
    }),
    ...buildFamilies({ version: "1", revision: "1", denoVersion: "1" }),
    ...processFamilies({ cpuSeconds: 1, residentMemoryBytes: 1, startTime: 1 }),
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
  const firstScreen = README.split("\n").slice(0, 24).join("\n");
  assert.match(firstScreen, /^npx -y deno@2\.9\.6 task demo$/m);
  assert.match(firstScreen, /^npx -y deno@2\.9\.6 task test$/m);
});

Deno.test("README.md links to files and headings that exist", async () => {
  const links = [
    ...README.matchAll(/\]\((?<path>[^)#:]+)(?:#(?<id>[^)]+))?\)/g),
  ];
  assert(links.length > 5, "found too few links");
  for (const { groups } of links) {
    const url = new URL(`../../${groups?.["path"]}`, import.meta.url);
    const { isFile } = await Deno.stat(url);
    const id = groups?.["id"];
    if (!isFile || id === undefined) continue;
    const headings = (await Deno.readTextFile(url)).matchAll(/^#+ (.*)$/gm);
    const ids = Array.from(headings, ([, text = ""]) => toId(text));
    assert(ids.includes(id), `${url.pathname} has no heading ${id}`);
  }
});

/** As Markdown renderers make an id of a heading. */
function toId(heading: string): string {
  return heading.toLowerCase().replace(/[^\w\s-]/g, "").replaceAll(" ", "-");
}
