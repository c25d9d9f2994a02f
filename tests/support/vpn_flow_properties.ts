/**
 * What must hold of the parser for every reply, good or damaged. The tests try
 * a few cases of each, the fuzz task as many as there is time for.
 *
 * @module
 */

import { readVpnFlow } from "./vpn_flow_reply.ts";
import assert from "node:assert/strict";
import fc from "fast-check";
import { render } from "../../src/view/exposition.ts";
import { mergeRows } from "../../src/model/tunnel.ts";
import { firewallFamilies } from "../../src/view/metrics.ts";
import type { VpnFlow } from "../../src/model/tunnel.ts";
import { VpnFlowError } from "../../src/panos/vpn_flow_error.ts";
import { readExposition } from "./exposition_reader.ts";
import { statusOf } from "./status.ts";
import {
  configuredOf,
  entry,
  oddEntry,
  oddReplyWith,
  printReply,
  type Reply,
  replyWith,
  tunnelsOf,
} from "./tables.ts";

/** Parses; `undefined` if the parser refuses, and throws for anything else. */
export function parseOrRefuse(text: string): VpnFlow | undefined {
  try {
    return readVpnFlow(text);
  } catch (error) {
    if (error instanceof VpnFlowError) return undefined;
    throw error;
  }
}

function assertReads(text: string, reply: Reply): void {
  const flow = readVpnFlow(text);
  assert.deepEqual(flow.tunnels, tunnelsOf(reply));
  assert.equal(flow.configured, configuredOf(reply));
}

/** Damaged or odd: all tunnels, or none and an error, and nothing between. */
function assertReadsOrRefuses(text: string, reply: Reply): void {
  const flow = parseOrRefuse(text);
  if (flow === undefined) return;
  assert.deepEqual(flow.tunnels, tunnelsOf(reply));
  const configured = flow.configured ?? configuredOf(reply);
  assert.equal(configured, configuredOf(reply));
}

/** A cut between two complete tables leaves a reply of fewer tables. */
function assertReadsTablesOrRefuses(text: string, reply: Reply): void {
  const flow = parseOrRefuse(text);
  if (flow === undefined) return;
  const wholes = reply.tables.map((_, index) =>
    tunnelsOf({ ...reply, tables: reply.tables.slice(0, index + 1) })
  );
  const whole = wholes.find(({ length }) => length === flow.tunnels.length);
  assert.deepEqual(flow.tunnels, whole);
}

const usualReply = replyWith(entry);

const garbage = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 200 }),
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.constantFrom(
    "",
    "-----",
    "user@fw(active)> ",
    "user@fw> show vpn flow",
    "show vpn flow",
    "Invalid syntax.",
    "Server error : op command for client timed out",
    "--more--",
    "lines 1-23",
    "total IPSec tunnel shown: 1",
    "total IPSec tunnel configured: many",
    "filter - type IPSec, state any",
    "id name state monitor local-ip peer-ip tunnel-i/f",
  ),
).map((text) => text.replaceAll("\n", ""));

/** How far into a text something happens. */
const fraction = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

const damage = fc.record({
  kind: fc.constantFrom("remove", "double", "replace"),
  at: fraction,
  garbage,
});

/** Damages one line of a text. */
function damageLine(
  text: string,
  { kind, at, garbage }: {
    readonly kind: string;
    readonly at: number;
    readonly garbage: string;
  },
): string {
  const lines = text.split(/(?<=\n)/);
  const index = Math.floor(at * lines.length);
  const line = lines[index] ?? "";
  const instead = kind === "remove"
    ? []
    : kind === "double"
    ? [line, line]
    : [garbage + (line.endsWith("\n") ? "\n" : "")];
  return lines.toSpliced(index, 1, ...instead).join("");
}

/** Lines as replies have them, in any order, and anything else. */
const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 2_000 }),
  fc.array(
    fc.oneof(
      garbage,
      usualReply.chain((reply) =>
        fc.constantFrom(...printReply(reply).split("\n"))
      ),
    ),
    { maxLength: 40 },
  ).map((lines) => lines.join("\n")),
);

/** Tries a property on so many cases; tells why it failed, if it did. */
export type Check = (cases: number) => string | undefined;

function forAll<T>(
  arbitrary: fc.Arbitrary<T>,
  predicate: (value: T) => void,
): Check {
  const property = fc.property(arbitrary, predicate);
  return (cases) => {
    const details = fc.check(property, { numRuns: cases });
    return details.failed ? fc.defaultReportMessage(details) : undefined;
  };
}

export const properties: Readonly<Record<string, Check>> = {
  "parseVpnFlow() reads what any layout prints": forAll(
    usualReply,
    (reply) => assertReads(printReply(reply), reply),
  ),

  "parseVpnFlow() reads or refuses words and gaps nobody has seen": forAll(
    replyWith(oddEntry),
    (reply) => assertReadsOrRefuses(printReply(reply), reply),
  ),

  "parseVpnFlow() reads or refuses any columns in any order": forAll(
    oddReplyWith(fc.oneof(entry, oddEntry)),
    (reply) => assertReadsOrRefuses(printReply(reply), reply),
  ),

  "parseVpnFlow() reads a reply cut at any byte whole or not at all": forAll(
    fc.tuple(usualReply, fraction),
    ([reply, at]) => {
      const bytes = new TextEncoder().encode(printReply(reply));
      const cut = bytes.subarray(0, Math.floor(at * bytes.length));
      assertReadsTablesOrRefuses(new TextDecoder().decode(cut), reply);
    },
  ),

  "parseVpnFlow() reads a reply with a damaged line whole or not at all":
    forAll(
      fc.tuple(usualReply, damage),
      ([reply, damage]) =>
        assertReadsOrRefuses(damageLine(printReply(reply), damage), reply),
    ),

  "parseVpnFlow() throws nothing but its own error": forAll(
    anyText,
    (text) => void parseOrRefuse(text),
  ),

  "every tunnel of a reply reads back from the exposition": forAll(
    usualReply,
    (reply) => {
      const flow = readVpnFlow(printReply(reply));
      const [family] = readExposition(render(firewallFamilies(statusOf(flow))));
      assert.deepEqual(
        family?.samples.map(({ labels, value }) => ({
          ...labels,
          value,
        })),
        mergeRows(flow).tunnels.map((tunnel) => ({
          ifAlias: tunnel.name,
          ifDescr: tunnel.interfaceName,
          ifIndex: tunnel.id,
          ifName: tunnel.interfaceName,
          value: { active: 1, inactive: 2, init: 3, unknown: 3 }[tunnel.state],
        })),
      );
    },
  ),
};
