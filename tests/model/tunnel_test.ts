import assert from "node:assert/strict";
import { mergeRows, type Tunnel } from "../../src/model/tunnel.ts";
import { tunnelOf } from "../support/status.ts";

const OSLO = tunnelOf({ id: "2", name: "oslo", monitor: "up" });
const INIT = { state: "init", stateWord: "init" } as const;
const REKEY = { state: "unknown", stateWord: "rekey" } as const;
const DOWN = { state: "inactive", stateWord: "inactiv" } as const;

Deno.test("mergeRows() says what the rows of one tunnel come to", async (t) => {
  const contradicted = {
    ...OSLO,
    state: "unknown",
    stateWord: "active or inactiv",
  } as const;
  const cases = {
    "they agree": { rows: [OSLO, OSLO], tunnel: OSLO, contradicts: false },
    "one says the word in full": {
      rows: [{ ...OSLO, ...DOWN }, { ...OSLO, ...DOWN, stateWord: "inactive" }],
      tunnel: { ...OSLO, ...DOWN },
      contradicts: false,
    },
    "their states differ": {
      rows: [OSLO, { ...OSLO, ...DOWN }, OSLO],
      tunnel: contradicted,
      contradicts: true,
    },
    "their states differ, in the other order": {
      rows: [{ ...OSLO, ...DOWN }, OSLO],
      tunnel: contradicted,
      contradicts: true,
    },
    "their peers differ": {
      rows: [OSLO, { ...OSLO, peerIp: "203.0.113.9" }],
      tunnel: { ...OSLO, localIp: "", peerIp: "" },
      contradicts: true,
    },
    "their monitors differ": {
      rows: [OSLO, { ...OSLO, monitor: "down" }],
      tunnel: { ...OSLO, monitor: "" },
      contradicts: true,
    },
    "they were never established, in small letters or not": {
      rows: [{ ...OSLO, ...INIT }, { ...OSLO, ...INIT, stateWord: "INIT" }],
      tunnel: { ...OSLO, ...INIT },
      contradicts: false,
    },
    "one was never established, two say a word that is not known": {
      rows: [
        { ...OSLO, ...INIT },
        { ...OSLO, ...REKEY },
        { ...OSLO, ...REKEY },
      ],
      tunnel: { ...OSLO, state: "unknown", stateWord: "init or rekey" },
      contradicts: true,
    },
    "two were never established, one says a word that is not known": {
      rows: [
        { ...OSLO, ...INIT },
        { ...OSLO, ...REKEY },
        { ...OSLO, ...INIT },
      ],
      tunnel: { ...OSLO, state: "unknown", stateWord: "init or rekey" },
      contradicts: true,
    },
    "they agree on a word with a slash": {
      rows: Array<Tunnel>(2).fill({
        ...OSLO,
        state: "unknown",
        stateWord: "n/a",
      }),
      tunnel: { ...OSLO, state: "unknown", stateWord: "n/a" },
      contradicts: false,
    },
  };
  for (const [when, { rows, tunnel, contradicts }] of Object.entries(cases)) {
    await t.step(when, () => {
      const merged = mergeRows({ tunnels: rows, configured: undefined });
      assert.deepEqual(merged.tunnels, [tunnel]);
      assert.deepEqual(merged.contradictions, contradicts ? [tunnel] : []);
    });
  }
});

Deno.test("mergeRows() takes another interface for another tunnel", () => {
  const tunnels = [OSLO, { ...OSLO, ...DOWN, interfaceName: "tunnel.3" }];
  const merged = mergeRows({ tunnels, configured: 2 });
  assert.deepEqual(merged, { tunnels, configured: 2, contradictions: [] });
});
