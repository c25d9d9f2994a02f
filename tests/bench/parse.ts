/**
 * Prints how long it takes to parse a reply and to render its metrics, by the
 * number of tunnels: `deno run tests/bench/parse.ts`.
 *
 * @module
 */

import { parseVpnFlow } from "../../src/panos/vpn_flow.ts";
import { parseVpnFlowXml } from "../../src/panos/vpn_flow_xml.ts";
import { render } from "../../src/view/exposition.ts";
import { firewallFamilies } from "../../src/view/metrics.ts";
import { mergeRows, type VpnFlow } from "../../src/model/tunnel.ts";
import { goodPoll, NEVER_POLLED } from "../support/status.ts";

const SIZES = [100, 1_000, 10_000, 100_000];

/** Each size is measured until it has had this much of the clock. */
const BUDGET_MS = 3_000;

/** A reply as wide as a firewall's, every fifth tunnel with a monitor. */
function createReply(size: number): string {
  const pad = (...cells: readonly string[]): string =>
    cells.map((cell, i) => cell.padEnd([5, 64, 7, 7, 30, 30, 8][i] ?? 0))
      .join(" ");
  const rows = Array.from({ length: size }, (_, i) =>
    pad(
      String(i + 1),
      `branch-${i % 500}-to-hub:proxy-${i}`,
      i % 3 === 0 ? "inactiv" : "active",
      i % 5 === 0 ? "up" : "off",
      "192.0.2.1",
      `198.51.100.${i % 256}`,
      `tunnel.${i + 1}`,
    ));
  return [
    `total tunnels configured:      ${size}`,
    "filter - type IPSec, state any",
    "",
    `total IPSec tunnel configured: ${size}`,
    `total IPSec tunnel shown:      ${size}`,
    "",
    pad("id", "name", "state", "monitor", "local-ip", "peer-ip", "tunnel-i/f"),
    pad("--", "----", "-----", "-------", "--------", "-------", "----------"),
    ...rows,
    "",
  ].join("\n");
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}

/** Median times in milliseconds, after as long a warm-up. */
function measure(
  reply: string,
  parse: (lines: readonly string[]) => VpnFlow,
): { parseMs: number; renderMs: number } {
  const parseTimes: number[] = [];
  const renderTimes: number[] = [];
  const start = performance.now();
  let isWarm = false;
  while (performance.now() - start < BUDGET_MS || parseTimes.length < 3) {
    if (!isWarm && performance.now() - start > BUDGET_MS / 2) {
      isWarm = true;
      parseTimes.length = renderTimes.length = 0;
    }
    const before = performance.now();
    const flow = parse(reply.split("\n"));
    const between = performance.now();
    const poll = goodPoll(flow.tunnels, { flow: mergeRows(flow) });
    render(firewallFamilies({ ...NEVER_POLLED, poll }));
    const after = performance.now();
    parseTimes.push(between - before);
    renderTimes.push(after - between);
  }
  return { parseMs: median(parseTimes), renderMs: median(renderTimes) };
}

function printRow(...cells: readonly string[]): void {
  // deno-lint-ignore no-console -- the table is what this program is for
  console.log(cells.map((cell) => cell.padStart(11)).join(""));
}

printRow("tunnels", "parse ms", "render ms", "both ms", "µs/tunnel");
for (const size of SIZES) {
  const { parseMs, renderMs } = measure(createReply(size), parseVpnFlow);
  const bothMs = parseMs + renderMs;
  printRow(
    size.toLocaleString("en"),
    parseMs.toFixed(2),
    renderMs.toFixed(2),
    bothMs.toFixed(2),
    (bothMs * 1_000 / size).toFixed(2),
  );
}

/** The same tunnels in XML. */
function createXml(size: number): string {
  const entries = Array.from({ length: size }, (_, i) =>
    `    <entry>
      <name>branch-${i % 500}-to-hub:proxy-${i}</name>
      <id>${i + 1}</id>
      <gwid>1</gwid>
      <inner-if>tunnel.${i + 1}</inner-if>
      <outer-if>ethernet1/1</outer-if>
      <localip>192.0.2.1</localip>
      <peerip>198.51.100.${i % 256}</peerip>
      <state>${i % 3 === 0 ? "inactive" : "active"}</state>
      <mon>${i % 5 === 0 ? "up" : "off"}</mon>
    </entry>
`);
  return `<response status="success"><result>
  <num_ipsec>${size}</num_ipsec>
  <IPSec>
${entries.join("")}  </IPSec>
</result></response>
`;
}

const xml = measure(createXml(10_000), parseVpnFlowXml);
printRow(
  "10,000 XML",
  xml.parseMs.toFixed(2),
  xml.renderMs.toFixed(2),
  (xml.parseMs + xml.renderMs).toFixed(2),
  ((xml.parseMs + xml.renderMs) / 10).toFixed(2),
);
