import assert from "node:assert/strict";
import { compareReadings } from "../../src/check/compare.ts";
import { readColumns } from "../../src/check/layout.ts";
import type { Tunnel } from "../../src/model/tunnel.ts";
import { tunnelOf } from "../support/status.ts";

const COLUMNS = readColumns([
  "",
  "total IPSec tunnel shown: 1",
  `id    ${"name".padEnd(30)}state   monitor ${"local-ip".padEnd(30)}${
    "peer-ip".padEnd(30)
  }tunnel-i/f`,
]);

const HQ = tunnelOf({ id: "4", name: "hq" });
const DOWN = { state: "inactive", stateWord: "inactiv" } as const;
const LONG = "a".repeat(40);

Deno.test("a layout is the words of its header, and how wide they stand", () => {
  assert.deepEqual(
    COLUMNS.map(({ name, width }) => `${name} ${width}`),
    [
      "id 6",
      "name 30",
      "state 8",
      "monitor 8",
      "local-ip 30",
      "peer-ip 30",
      "tunnel-i/f undefined",
    ],
  );
  assert.deepEqual(readColumns(["id state", "1 active"]), []);
  assert.deepEqual(readColumns([]), []);
  const [first] = readColumns(["NAME  ID  STATE", "NAME ID STATE"]);
  assert.deepEqual(first, { name: "name", width: 6 });
});

Deno.test("text and XML agree where the text only cuts", async (t) => {
  const cases:
    readonly (readonly [string, Partial<Tunnel>, Partial<Tunnel>])[] = [
      ["the same row", {}, {}],
      ["a name", { name: LONG.slice(0, 29) }, { name: LONG }],
      [
        "a name at a blank",
        { name: LONG.slice(0, 28) },
        { name: `${LONG.slice(0, 28)} b` },
      ],
      ["a name by bytes", { name: "å".repeat(14) }, { name: "å".repeat(40) }],
      [
        "a name within a character",
        { name: `${"å".repeat(14)}\ufffd` },
        { name: "å".repeat(40) },
      ],
      ["inactiv", DOWN, { state: "inactive", stateWord: "inactive" }],
      [
        "a state that nobody knows",
        { state: "unknown", stateWord: "rekeyin" },
        { state: "unknown", stateWord: "rekeying" },
      ],
      [
        "an address",
        { peerIp: "2001:db8:1111:2222:3333:4444:" },
        { peerIp: "2001:db8:1111:2222:3333:4444:5555:6666" },
      ],
      ["a monitor that XML does not know", {}, { monitor: "" }],
    ];
  for (const [what, shown, whole] of cases) {
    await t.step(what, () => {
      const text = [{ ...HQ, ...shown }];
      const xml = [{ ...HQ, ...whole }];
      assert.deepEqual(
        compareReadings({ before: text, xml, after: text, columns: COLUMNS }),
        { compared: 1, differences: [], changed: [] },
      );
    });
  }
});

Deno.test("text and XML differ", async (t) => {
  const cases: readonly (readonly [
    string,
    Partial<Tunnel>,
    Partial<Tunnel>,
    string,
  ])[] = [
    ["in the name", {}, { name: "hq-2" }, "name"],
    ["in what a cut cannot explain", { name: LONG.slice(0, 29) }, {
      name: `b${LONG}`,
    }, "name"],
    ["in a name that is cut too early", { name: LONG.slice(0, 20) }, {
      name: LONG,
    }, "name"],
    ["in the state", {}, DOWN, "state"],
    ["in the monitor", {}, { monitor: "down" }, "monitor"],
    [
      "in both addresses",
      {},
      { localIp: "192.0.2.2", peerIp: "192.0.2.3" },
      "local address,peer address",
    ],
    [
      "in an interface that the text lacks",
      { interfaceName: "" },
      {},
      "interface",
    ],
    [
      "in an interface, whose column cuts nothing",
      { interfaceName: "tunnel.1" },
      { interfaceName: "tunnel.12" },
      "interface",
    ],
  ];
  for (const [what, shown, whole, fields] of cases) {
    await t.step(what, () => {
      const text = { ...HQ, ...shown };
      const xml = { ...HQ, ...whole };
      const { differences } = compareReadings({
        before: [text],
        xml: [xml],
        after: [text],
        columns: COLUMNS,
      });
      assert.deepEqual(differences, [
        { id: "4", text, xml, fields: fields.split(",") },
      ]);
    });
  }
});

Deno.test("a row that only one form has is a difference", () => {
  const other = { ...HQ, id: "5" };
  const compared = (
    text: readonly Tunnel[],
    xml: readonly Tunnel[],
  ): ReturnType<typeof compareReadings> =>
    compareReadings({ before: text, xml, after: text, columns: COLUMNS });
  assert.deepEqual(compared([HQ, other], [HQ]).differences, [
    { id: "5", text: other, xml: undefined, fields: [] },
  ]);
  assert.deepEqual(compared([HQ], [HQ, other]).differences, [
    { id: "5", text: undefined, xml: other, fields: [] },
  ]);
});

Deno.test("what changes between the two texts is not compared", () => {
  const down = { ...HQ, ...DOWN };
  const other = { ...HQ, id: "5" };
  assert.deepEqual(
    compareReadings({
      before: [HQ, other],
      xml: [{ ...down, name: "any" }, other],
      after: [down, other, { ...HQ, id: "6" }],
      columns: COLUMNS,
    }),
    { compared: 1, differences: [], changed: ["4", "6"] },
  );
});

Deno.test("rows of two data planes with one id are compared in their order", () => {
  const second = { ...HQ, ...DOWN };
  const rows = [HQ, second];
  const readings = { before: rows, after: rows, columns: COLUMNS };
  assert.equal(
    compareReadings({ ...readings, xml: rows }).differences.length,
    0,
  );
  const [difference] = compareReadings({ ...readings, xml: [HQ, HQ] })
    .differences;
  assert.deepEqual(difference?.fields, ["state"]);
});

Deno.test("a column that the text lacks is not compared", () => {
  const text = [{ ...HQ, monitor: "", interfaceName: "" }];
  const columns = readColumns(["name  id  state  local-ip  peer-ip"]);
  assert.deepEqual(
    compareReadings({ before: text, xml: [HQ], after: text, columns }),
    { compared: 1, differences: [], changed: [] },
  );
});
