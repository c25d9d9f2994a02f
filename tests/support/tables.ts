/**
 * Prints replies to `show vpn flow` the way a C program prints a table: each
 * value padded to the width of its field, a blank between fields, longer
 * values pushing the rest of the line to the right.
 *
 * Nothing here is shared with the parser, on purpose.
 *
 * @module
 */

import fc from "fast-check";
import type { Tunnel } from "../../src/model/tunnel.ts";

/** One tunnel as the firewall knows it. */
export interface Entry {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly monitor: string;
  readonly local: string;
  readonly peer: string;
  readonly tunnelInterface: string;
  readonly gwid: string;
  readonly mode: string;
}

/** How a release of PAN-OS, or whoever copied its text, lays a reply out. */
export interface Layout {
  readonly idWidth: number;
  readonly nameWidth: number;
  readonly stateWidth: number;
  readonly addressWidth: number;
  /** What fields are padded by; `screen` counts a wide character twice. */
  readonly unit: "byte" | "character" | "screen";
  readonly idsAtRight: boolean;
  /** Whether states are cut to the width of their field. */
  readonly cutsState: boolean;
  /** The words of the header, from left to right. */
  readonly columns: readonly string[];
  /** Whether the header is set apart by two blanks, not by its fields. */
  readonly isHeaderLoose: boolean;
  /** By how much each header is off its field: -1, 0 or 1. */
  readonly headerOffsets: readonly number[];
  readonly ruler: "groups" | "unbroken" | "none";
  readonly rulerGroup: number;
  /** Which lines had their runs of blanks made one. */
  readonly collapsed: "nothing" | "header" | "everything";
  readonly padsLastField: boolean;
  readonly upperCaseHeader: boolean;
  readonly lineEnd: "\n" | "\r\n";
  readonly before: string;
  readonly after: string;
  /** Whether a table without rows has its header all the same. */
  readonly hasEmptyHeader: boolean;
  readonly saysConfigured: boolean;
  /** Tunnels of other types, which are counted and not listed. */
  readonly otherTunnels: number;
}

/** A reply, as one data plane or several compose it. */
export interface Reply {
  readonly layout: Layout;
  /** One table for each data plane. */
  readonly tables: readonly (readonly Entry[])[];
}

interface Field {
  readonly header: string;
  readonly width: number;
  readonly print: (entry: Entry) => string;
}

function fieldsOf(layout: Layout): readonly Field[] {
  const { nameWidth, stateWidth, addressWidth, cutsState } = layout;
  const fields: readonly Field[] = [
    { header: "id", width: layout.idWidth, print: ({ id }) => id },
    { header: "name", width: nameWidth, print: ({ name }) => name },
    {
      header: "state",
      width: stateWidth,
      print: ({ state }) => cutsState ? state.slice(0, stateWidth) : state,
    },
    { header: "monitor", width: 7, print: ({ monitor }) => monitor },
    { header: "local-ip", width: addressWidth, print: ({ local }) => local },
    { header: "peer-ip", width: addressWidth, print: ({ peer }) => peer },
    {
      header: "tunnel-i/f",
      width: 12,
      print: ({ tunnelInterface }) => tunnelInterface,
    },
    { header: "mode", width: 9, print: ({ mode }) => mode },
    { header: "gwid", width: 5, print: ({ gwid }) => gwid },
  ];
  return layout.columns.flatMap((column) =>
    fields.filter(({ header }) => header === column)
  );
}

/** How much of its field a value takes. */
function lengthOf(value: string, unit: Layout["unit"]): number {
  if (unit === "byte") return new TextEncoder().encode(value).length;
  return [...value].reduce(
    (sum, character) => sum + (unit === "screen" ? columnsOf(character) : 1),
    0,
  );
}

/** A rough idea of a terminal's, for the characters that are made up here. */
function columnsOf(character: string): number {
  if (/\p{M}/u.test(character)) return 0;
  return /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uff01-\uff60]/.test(
      character,
    )
    ? 2
    : 1;
}

/** The reply, from the line after the echo to the line before the prompt. */
export function printReply({ layout, tables }: Reply): string {
  const lines = tables.flatMap((entries) => tableLines(entries, layout));
  const body = lines.map((line) => line + layout.lineEnd).join("");
  return layout.before + body + layout.after;
}

function tableLines(entries: readonly Entry[], layout: Layout): string[] {
  const count = entries.length;
  const lines = [
    "",
    `total tunnels configured:                     ${
      count + layout.otherTunnels
    }`,
    "filter - type IPSec, state any",
    "",
  ];
  if (layout.saysConfigured) {
    lines.push(`total IPSec tunnel configured:                ${count}`);
  }
  lines.push(`total IPSec tunnel shown:                     ${count}`, "");
  if (count > 0 || layout.hasEmptyHeader) {
    lines.push(headerLine(layout), ...rulerLines(layout));
  }
  lines.push(...entries.map((entry) => rowLine(entry, layout)), "");
  return layout.collapsed === "everything" ? lines.map(collapse) : lines;
}

function headerLine(layout: Layout): string {
  let line = "";
  let fieldStart = 0;
  for (const [index, { header, width }] of fieldsOf(layout).entries()) {
    const offset = index === 0 ? 0 : layout.headerOffsets[index] ?? 0;
    const start = layout.isHeaderLoose
      ? index && line.length + 2
      : Math.max(fieldStart + offset, index && line.length + 1);
    line = line.padEnd(start) + header;
    fieldStart += width + 1;
  }
  if (layout.upperCaseHeader) line = line.toUpperCase();
  return layout.collapsed === "nothing" ? line : collapse(line);
}

function rulerLines({ ruler, rulerGroup, ...layout }: Layout): string[] {
  if (ruler === "none") return [];
  if (ruler === "unbroken") return ["-".repeat(rulerGroup * 10)];
  const fields = fieldsOf({ ruler, rulerGroup, ...layout });
  return [
    fields.map(({ width }, index) => {
      const dashes = Math.min(width, (rulerGroup + index * 5) % width + 1);
      return "-".repeat(dashes).padEnd(width);
    }).join(" ") + "  ",
  ];
}

/** A row as the firewall prints it. */
export function rowLine(entry: Entry, layout: Layout): string {
  const cells = fieldsOf(layout).map(({ header, width, print }) => {
    const value = print(entry);
    const length = lengthOf(value, layout.unit);
    const padding = " ".repeat(Math.max(0, width - length));
    return header === "id" && layout.idsAtRight
      ? padding + value
      : value + padding;
  });
  const line = cells.join(" ");
  return layout.padsLastField ? line : line.replace(/ +$/, "");
}

function collapse(line: string): string {
  return line.replace(/ +/g, " ").replace(/^ | $/g, "");
}

/** What a reader of the reply should find. */
export function tunnelsOf({ layout, tables }: Reply): readonly Tunnel[] {
  const fields = fieldsOf(layout);
  return tables.flat().map((entry) => {
    const find = (header: string): string =>
      fields.find((field) => field.header === header)?.print(entry) ?? "";
    const stateWord = find("state");
    return {
      id: entry.id,
      name: layout.collapsed === "everything"
        ? collapse(entry.name)
        : entry.name,
      state: stateWord === "active"
        ? "active"
        : stateWord === "inactiv" || stateWord === "inactive"
        ? "inactive"
        : stateWord === "init"
        ? "init"
        : "unknown",
      stateWord,
      monitor: find("monitor"),
      localIp: find("local-ip"),
      peerIp: find("peer-ip"),
      interfaceName: find("tunnel-i/f"),
    };
  });
}

/** What a reader of the reply should find as the number configured. */
export function configuredOf({ layout, tables }: Reply): number | undefined {
  return layout.saysConfigured ? tables.flat().length : undefined;
}

// What follows makes up tables.

/** Words that a table has a use for, and that stand in names nevertheless. */
const TABLE_WORDS = [
  "active",
  "inactive",
  "inactiv",
  "init",
  "off",
  "up",
  "down",
  "tunnel.1",
  "tunnel",
  "transport",
  "192.0.2.1",
  "2001:db8::1",
  "0.0.0.0",
  "7",
  "id",
  "name",
  "-",
  "---",
  "--more--",
  "total",
  "user@fw>",
];

const WIDE_WORDS = ["東京", "大阪 本社", "ｔｋ", "서울", "Bodø"] as const;

const nameWord = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom(...WIDE_WORDS) },
  { weight: 3, arbitrary: fc.stringMatching(/^[A-Za-z0-9_.:-]{1,20}$/) },
  { weight: 3, arbitrary: fc.constantFrom(...TABLE_WORDS) },
  { weight: 1, arbitrary: fc.constantFrom('"Oslo"', "c\\d", "\\", "it's") },
  {
    weight: 1,
    arbitrary: fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 })
      // How wide these are on a screen is for each terminal to say.
      .map((text) =>
        text.replace(
          /[\s\p{Emoji}\p{M}\p{Cf}\u303f\u3040\ua960-\ua97f\uf900-\uffff\u{16fe0}-\u{3ffff}]/gu,
          "",
        ) || "ø"
      ),
  },
);

const name = fc.oneof(
  { weight: 3, arbitrary: fc.stringMatching(/^[A-Za-z0-9_.:-]{1,63}$/) },
  {
    weight: 4,
    arbitrary: fc.array(nameWord, { minLength: 1, maxLength: 8 })
      .map((words) => [...words.join(" ")].slice(0, 63).join("").trimEnd()),
  },
  { weight: 1, arbitrary: fc.stringMatching(/^[A-Za-z0-9 _-]{63}$/) },
).map((text) => text.replace(/^ +| +$/g, "") || "x");

const address = fc.oneof(
  fc.ipV4(),
  fc.ipV6(),
  fc.constantFrom("0.0.0.0", "XXX.XX.XX.XX", "192.0.2.X", "XXXX", "::"),
);

const tunnelInterface = fc.oneof(
  { weight: 6, arbitrary: fc.nat(99_999).map((unit) => `tunnel.${unit}`) },
  { weight: 1, arbitrary: fc.constant("tunnel") },
  { weight: 2, arbitrary: fc.constant("") },
);

/** Entries that any layout prints so that they can be told apart. */
export const entry: fc.Arbitrary<Entry> = fc.record({
  id: fc.oneof(fc.nat(9_999), fc.nat(65_535)).map(String),
  name,
  state: fc.constantFrom("active", "active", "inactive", "init"),
  monitor: fc.constantFrom("off", "off", "up", "down"),
  local: address,
  peer: address,
  tunnelInterface,
  gwid: fc.nat(999).map(String),
  mode: fc.constantFrom("tunnel", "transport"),
});

/** Entries with a word or a gap that firewalls are not known to print. */
export const oddEntry: fc.Arbitrary<Entry> = fc.tuple(
  entry,
  fc.oneof(
    fc.record({
      state: fc.constantFrom("rekey", "n/a", "?", "up?", "established", ""),
    }),
    fc.record({ monitor: fc.constantFrom("wait", "n/a", "-", "") }),
    fc.record({ state: fc.constant(""), monitor: fc.constant("") }),
    fc.record({ gwid: fc.constantFrom("", "gw-1") }),
    fc.record({ mode: fc.constantFrom("", "beet") }),
  ),
).map(([usual, odd]) => withTellableState({ ...usual, ...odd }));

/**
 * Where the state is blank, a last word behind two blanks in the name may stand
 * under the header of the state, and nobody can tell it from one.
 */
function withTellableState(entry: Entry): Entry {
  if (entry.state !== "") return entry;
  return { ...entry, name: entry.name.replace(/ {2,}/g, " ") };
}

const USUAL: readonly string[] = [
  "id",
  "name",
  "state",
  "monitor",
  "local-ip",
  "peer-ip",
  "tunnel-i/f",
];

/** Columns that have been seen, and others like them. */
const columns: fc.Arbitrary<readonly string[]> = fc.oneof(
  fc.constantFrom<readonly string[]>(
    USUAL,
    [...USUAL, "mode"],
    ["name", "id", "state", "local-ip", "peer-ip", "tunnel-i/f"],
    ["name", "id", "state", "monitor", "local-ip", "peer-ip", "tunnel-i/f"],
    ["id", "name", "state", "local-ip", "peer-ip", "tunnel-i/f"],
  ),
  fc.constantFrom(1, 4, 6).map((at) => USUAL.toSpliced(at, 0, "gwid")),
);

/** Any columns in any order: they are read, or refused. */
const anyColumns: fc.Arbitrary<readonly string[]> = fc.tuple(
  fc.subarray([...USUAL.slice(3), "mode", "gwid"]),
  fc.array(fc.nat(), { minLength: 9, maxLength: 9 }),
).map(([optional, keys]) =>
  [...USUAL.slice(0, 3), ...optional]
    .map((column, index) => ({ column, key: keys[index] ?? 0 }))
    .toSorted((one, other) => one.key - other.key)
    .map(({ column }) => column)
);

export const layout: fc.Arbitrary<Layout> = fc.record({
  idWidth: fc.constantFrom(4, 5, 6),
  nameWidth: fc.constantFrom(30, 64),
  stateWidth: fc.constantFrom(7, 8, 10),
  addressWidth: fc.constantFrom(16, 30, 48),
  unit: fc.constantFrom("byte", "character", "screen"),
  idsAtRight: fc.boolean(),
  cutsState: fc.boolean(),
  columns,
  isHeaderLoose: fc.boolean(),
  headerOffsets: fc.array(fc.constantFrom(-1, 0, 0, 1), { maxLength: 9 }),
  ruler: fc.constantFrom("groups", "unbroken", "none"),
  rulerGroup: fc.integer({ min: 1, max: 14 }),
  collapsed: fc.constantFrom("nothing", "nothing", "header", "everything"),
  padsLastField: fc.boolean(),
  upperCaseHeader: fc.boolean(),
  lineEnd: fc.constantFrom("\n", "\r\n"),
  before: fc.constantFrom(
    "",
    "\n",
    "show vpn flow\n",
    "user@fw(active)> show vpn flow\r\n",
    "Welcome.\nNumber of failed attempts since last successful login: 0\n" +
      "user@fw> set cli pager off\nuser@fw> show vpn flow\n",
    "user@fw> show vpn flw\nInvalid syntax.\nuser@fw> show vpn flow \n",
  ),
  after: fc.constantFrom(
    "",
    "\n",
    "user@fw(active)> ",
    "\nuser@my fw(passive)>\n",
    "corp\\user@fw> exit\nConnection to fw closed.\n",
  ),
  hasEmptyHeader: fc.boolean(),
  saysConfigured: fc.boolean(),
  otherTunnels: fc.nat(3),
});

/**
 * Replies of one to three tables in a layout that can be read.
 *
 * That a column is empty can be seen only where positions tell and where the
 * name before it stays well within its field. Elsewhere there is no gap but
 * the missing interface. Nor does a name hold two blanks elsewhere.
 */
export function replyWith(entries: fc.Arbitrary<Entry>): fc.Arbitrary<Reply> {
  return fc.record({ layout, tables: tablesOf(entries) }).map((reply) => {
    const layout = toReadable(reply.layout);
    return {
      layout,
      tables: reply.tables.map((table) =>
        table.map((entry) => fit(entry, layout))
      ),
    };
  });
}

/**
 * Replies with any columns in any order, and states blank beside any name. Before
 * a column of any words, what stands behind a gap in a name may be one of them.
 */
export function oddReplyWith(
  entries: fc.Arbitrary<Entry>,
): fc.Arbitrary<Reply> {
  const collapsed = fc.constantFrom<"nothing" | "header">(
    "nothing",
    "nothing",
    "header",
  );
  return fc.record({
    layout,
    collapsed,
    columns: fc.oneof(columns, anyColumns),
    tables: tablesOf(entries),
  }).map(({ layout, collapsed, columns, tables }) => ({
    tables: tables.map((table) =>
      table.map((entry) =>
        isBeforeAnyWord(columns)
          ? { ...entry, name: collapse(entry.name) }
          : entry
      )
    ),
    layout: {
      ...layout,
      collapsed,
      columns,
      // Only there it has been seen.
      isHeaderLoose: layout.isHeaderLoose &&
        columns.slice(0, 3).join() === "name,id,state",
    },
  }));
}

function isBeforeAnyWord(columns: readonly string[]): boolean {
  const next = columns[columns.indexOf("name") + 1] ?? "";
  return ["gwid", "mode"].includes(next);
}

function tablesOf(
  entries: fc.Arbitrary<Entry>,
): fc.Arbitrary<readonly (readonly Entry[])[]> {
  return fc.array(fc.array(entries, { maxLength: 6 }), {
    minLength: 1,
    maxLength: 3,
  });
}

/** Takes out of a layout what leaves its rows in doubt. */
function toReadable(layout: Layout): Layout {
  const { columns, collapsed } = layout;
  const isIdFirst = columns[0] === "id";
  const hasExtra = columns.includes("gwid") || columns.includes("mode");
  return {
    ...layout,
    isHeaderLoose: layout.isHeaderLoose && !isIdFirst,
    collapsed: hasExtra && collapsed === "header" ? "nothing" : collapsed,
  };
}

/**
 * Cuts a name to its column, which it may fill, unless the headers on either side
 * are off to different sides: with wide characters, nothing but an id or two
 * blanks shows where one ends that is longer.
 */
function cutToColumn(
  name: string,
  { idWidth, nameWidth, unit, columns, headerOffsets }: Layout,
  id: string,
): string {
  const at = columns.indexOf("name");
  const [offset = 0, nextOffset = 0] = headerOffsets.slice(at);
  const toSpare = Math.abs(nextOffset - offset) > 1 ? 1 : 0;
  const room = nameWidth - toSpare - id.slice(idWidth).length;
  const characters = [...name];
  while (lengthOf(characters.join(""), unit) > room) characters.pop();
  return characters.join("").trimEnd();
}

function fit(entry: Entry, layout: Layout): Entry {
  const isLoose = layout.isHeaderLoose || layout.collapsed !== "nothing";
  const { id, columns } = { ...entry, ...layout };
  const isFull = [entry.state, entry.monitor, entry.gwid, entry.mode]
    .every((value) => value !== "");
  const isPlain = /^[ -~]*$/.test(entry.name);
  const blanksKept = isFull && isPlain ? entry.name : collapse(entry.name);
  const isOverflowRead = isPlain || columns[0] === "name";
  const name = isOverflowRead
    ? blanksKept
    : cutToColumn(blanksKept, layout, id);
  const length = Math.max(
    lengthOf(id.slice(layout.idWidth) + name, "byte"),
    lengthOf(name, layout.unit),
  );
  const isShort = length < layout.nameWidth - 4;
  const fitted = {
    ...entry,
    // A name that comes first must not look like a prompt.
    name: columns[0] === "name" ? name.replaceAll(/[@>#]/g, "-") : name,
  };
  if (isShort && !isLoose) return fitted;
  const isWeak = isLoose &&
    (columns[0] === "name" || !columns.includes("monitor") ||
      layout.collapsed === "header");
  // Below a header without positions two blanks have to follow the name.
  const needsShortName = layout.collapsed === "header" && columns[0] === "id";
  return {
    ...fitted,
    name: needsShortName
      ? [...collapse(fitted.name)].slice(0, 6).join("").trim()
      : collapse(fitted.name),
    state: isWeak || entry.state === "" ? "init" : entry.state,
    monitor: isWeak || entry.monitor === "" ? "off" : entry.monitor,
    gwid: entry.gwid || "0",
    mode: entry.mode || "tunnel",
    // Where the interface is missing, too, a masked address is any word.
    local: isWeak ? "192.0.2.1" : entry.local,
    peer: isWeak ? "192.0.2.1" : entry.peer,
  };
}
