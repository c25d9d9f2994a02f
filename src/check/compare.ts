/**
 * Compares what a firewall says of its tunnels as text and in XML.
 *
 * The text is asked before and after the XML: what differs between the two has
 * changed meanwhile, and is not compared. Rows are matched by their ids.
 *
 * @module
 */

import type { Tunnel } from "../model/tunnel.ts";
import type { Column } from "./layout.ts";

/** A row that text and XML show differently. */
export interface Difference {
  readonly id: string;
  /** `undefined` if the text has no such row. */
  readonly text: Tunnel | undefined;
  /** `undefined` if the XML has no such row. */
  readonly xml: Tunnel | undefined;
  /** What differs, in words; empty if one of the rows is missing. */
  readonly fields: readonly string[];
}

/** What a comparison has found. */
export interface Comparison {
  /** Rows that stood still and were compared. */
  readonly compared: number;
  readonly differences: readonly Difference[];
  /** Ids of the rows that changed between the two texts. */
  readonly changed: readonly string[];
}

/** The same tunnels, read three times. */
export interface Readings {
  readonly before: readonly Tunnel[];
  readonly xml: readonly Tunnel[];
  readonly after: readonly Tunnel[];
  /** The columns of the text. */
  readonly columns: readonly Column[];
}

/** Compares row by row. */
export function compareReadings(readings: Readings): Comparison {
  const before = byId(readings.before);
  const after = byId(readings.after);
  const xml = byId(readings.xml);
  const changed = new Set<string>();
  const differences: Difference[] = [];
  let compared = 0;
  for (
    const key of new Set([...before.keys(), ...after.keys(), ...xml.keys()])
  ) {
    const id = key.replace(/ .*/, "");
    const text = before.get(key);
    if (!isSameRow(text, after.get(key))) {
      changed.add(id);
      continue;
    }
    compared++;
    const other = xml.get(key);
    const fields = text === undefined || other === undefined
      ? []
      : differingFields(text, other, readings.columns);
    if (text === undefined || other === undefined || fields.length > 0) {
      differences.push({ id, text, xml: other, fields });
    }
  }
  return { compared, differences, changed: [...changed] };
}

/** Several data planes may each list an id: those rows keep their order. */
function byId(tunnels: readonly Tunnel[]): ReadonlyMap<string, Tunnel> {
  const rows = new Map<string, Tunnel>();
  const counts = new Map<string, number>();
  for (const tunnel of tunnels) {
    const number = counts.get(tunnel.id) ?? 0;
    counts.set(tunnel.id, number + 1);
    rows.set(`${tunnel.id} ${number}`, tunnel);
  }
  return rows;
}

function isSameRow(
  one: Tunnel | undefined,
  other: Tunnel | undefined,
): boolean {
  if (one === undefined || other === undefined) return one === other;
  return one.name === other.name && one.stateWord === other.stateWord &&
    one.monitor === other.monitor && one.localIp === other.localIp &&
    one.peerIp === other.peerIp && one.interfaceName === other.interfaceName;
}

/** The fields that text and XML share, by the header and in words. */
const FIELDS = [
  { column: "name", words: "name", of: ({ name }: Tunnel) => name },
  { column: "state", words: "state", of: stateOf },
  { column: "monitor", words: "monitor", of: ({ monitor }: Tunnel) => monitor },
  {
    column: "local-ip",
    words: "local address",
    of: ({ localIp }: Tunnel) => localIp,
  },
  {
    column: "peer-ip",
    words: "peer address",
    of: ({ peerIp }: Tunnel) => peerIp,
  },
  {
    column: "tunnel-i/f",
    words: "interface",
    of: ({ interfaceName }: Tunnel) => interfaceName,
  },
] as const;

function differingFields(
  text: Tunnel,
  xml: Tunnel,
  columns: readonly Column[],
): readonly string[] {
  return FIELDS.filter(({ column, of }) => {
    const found = columns.find(({ name }) => name === column);
    if (found === undefined) return false;
    const [shown, whole] = [of(text), of(xml)];
    // one of the forms may not know whether there is a monitor
    if (column === "monitor" && (shown === "" || whole === "")) return false;
    return shown !== whole && !isCut(shown, whole, found.width);
  }).map(({ words }) => words);
}

/** `inactiv` and `inactive` are one state. */
function stateOf({ state, stateWord }: Tunnel): string {
  return state === "unknown" ? stateWord.toLowerCase() : state;
}

/** By so many characters a value that was cut can be shorter than its column. */
const MARGIN = 2;
/** The same in bytes, as a firewall may cut within a character. */
const MARGIN_BYTES = 4;

/** Whether the text holds as much of a value as its column could take. */
function isCut(
  shown: string,
  whole: string,
  width: number | undefined,
): boolean {
  const kept = shown.replace(/\ufffd+$/, "");
  if (width === undefined || kept === "" || !whole.startsWith(kept)) {
    return false;
  }
  const bytes = new TextEncoder().encode(kept).length;
  return [...kept].length >= width - MARGIN || bytes >= width - MARGIN_BYTES;
}
