/**
 * Tries the parser on damaged replies, and judges what it accepts.
 *
 * What is accepted and says of each tunnel what the undamaged reply said is
 * right. Where it says something else, the damage has to be the reason: what
 * stands below the headers says the same. Anything else is a misread.
 *
 * @module
 */

import fc from "fast-check";
import type { Tunnel, TunnelState } from "../../src/model/tunnel.ts";
import { type ColumnRow, readColumns } from "./column_reader.ts";
import { mutate, type Random } from "./mutations.ts";
import {
  entry,
  oddEntry,
  printReply,
  type Reply,
  replyWith,
  rowLine,
  tunnelsOf,
} from "./tables.ts";
import { parseOrRefuse } from "./vpn_flow_properties.ts";

/** How many replies were judged how. */
export type Tally = Map<string, number>;

/** Thrown with all that is needed to see it. */
export class MisreadError extends Error {
  override readonly name = "MisreadError";
}

/** A reply, and what a reader should find in it. */
export interface Original {
  readonly text: string;
  readonly tunnels: readonly Tunnel[];
  readonly reply: Reply;
}

/** Replies that the parser reads whole, in the layouts that are known. */
export function inventOriginals(seed: number, count: number): Original[] {
  const replies = fc.sample(replyWith(fc.oneof(entry, oddEntry)), {
    seed,
    numRuns: count,
  });
  return replies.flatMap((reply) => {
    const text = printReply(reply).replaceAll("\r", "");
    const isRead = parseOrRefuse(text) !== undefined;
    return isRead ? [{ text, tunnels: tunnelsOf(reply), reply }] : [];
  });
}

/** Damages an original so many times; counts what became of it. */
export function tryMutations(
  { text, tunnels, reply }: Original,
  { times, random, tally }: {
    readonly times: number;
    readonly random: Random;
    readonly tally: Tally;
  },
): void {
  for (let left = times; left > 0; left--) {
    const mutated = mutate(text, random);
    const flow = parseOrRefuse(mutated.text);
    const kind = flow === undefined
      ? "refused"
      : judge(flow.tunnels, { text: mutated.text, tunnels, reply });
    if (kind === "misread") {
      const odd = flow?.tunnels.filter((tunnel) =>
        !tunnels.some((original) => isSame(tunnel, original))
      );
      throw new MisreadError(
        `${mutated.how.join(", ")}:\n${mutated.text}\nis read as\n${
          odd?.map((tunnel) => JSON.stringify(tunnel)).join("\n")
        }\nand was\n${
          tunnels.map((tunnel) => JSON.stringify(tunnel)).join("\n")
        }`,
      );
    }
    tally.set(kind, (tally.get(kind) ?? 0) + 1);
  }
}

/**
 * Judges all tunnels of a reply by the worst of them.
 *
 * @param damaged The damaged text, and what it was made of.
 */
function judge(read: readonly Tunnel[], damaged: Original): string {
  let rows: readonly ColumnRow[] | undefined;
  let worst = "accepted, as it was";
  for (const tunnel of read) {
    if (damaged.tunnels.some((original) => isSame(tunnel, original))) continue;
    rows ??= readColumns(damaged.text);
    const verdict = judgeTunnel(tunnel, rows, damaged);
    if (verdict === "misread") return verdict;
    worst = verdict;
  }
  if (
    worst === "accepted, as it was" && read.length !== damaged.tunnels.length
  ) {
    return "accepted, with another number of tunnels, which the text announces";
  }
  return worst;
}

function judgeTunnel(
  tunnel: Tunnel,
  rows: readonly ColumnRow[],
  { text, tunnels: originals, reply }: Original,
): string {
  const saysSo = rows.some((row) =>
    row["id"] === tunnel.id && row["name"] === tunnel.name &&
    (row["state"] ?? "") === tunnel.stateWord &&
    (row["monitor"] ?? "") === tunnel.monitor
  );
  if (saysSo) return "accepted, as the columns of the damaged text say";
  const original = originals.find((other) =>
    other.stateWord === tunnel.stateWord && other.monitor === tunnel.monitor &&
    (other.id === tunnel.id || other.name === tunnel.name)
  );
  if (original !== undefined) {
    if (original.name === tunnel.name && original.id === tunnel.id) {
      return "accepted, address or interface damaged, state as it was";
    }
    return "accepted, name or id damaged, state as it was";
  }
  const isSameRow = originals.some(({ id, name, monitor, state }) =>
    id === tunnel.id && name === tunnel.name && monitor === tunnel.monitor &&
    !isUpOrDown(state)
  );
  if (isSameRow && tunnel.stateWord === "") {
    return "accepted, unknown as it was, its word missed";
  }
  if (isPrinted(tunnel, reply, text)) {
    return "accepted, as a firewall would print the damaged row";
  }
  // Whatever else is accepted has to stand there, word for word.
  const claimsNoMonitor = !["off", "up", "down", ""].includes(tunnel.monitor);
  if (claimsNoMonitor && hasItsState(tunnel, originals)) {
    return "accepted, monitor a word nobody knows, state as it was";
  }
  const found = rowsOf(tunnel, text);
  if (found.length > 0) return judgeRow(tunnel, found, originals, text);
  const isOddState = !isUpOrDown(tunnel.state) &&
    !originals.some((original) => isOfName(tunnel, original)) &&
    rowsOf({ ...tunnel, monitor: "" }, text).length > 0;
  return isOddState
    ? "accepted, a word nobody knows as the state, before a column nobody knows"
    : "misread";
}

/** Judges a tunnel whose words stand in these rows of the damaged text. */
function judgeRow(
  tunnel: Tunnel,
  rows: readonly string[],
  originals: readonly Tunnel[],
  text: string,
): string {
  const isColumnGone =
    /^(?!.* monitor )(?=.*\bname\b).*\bstate\b/im.test(text) &&
    originals.some(({ id, name, state }) =>
      tunnel.monitor === "" && (id === tunnel.id || name === tunnel.name) &&
      state === tunnel.state
    );
  if (isColumnGone) return "accepted, monitor not known: its header is damaged";
  if (rows.some((row) => !row.trim().includes("  "))) {
    return "accepted, single blanks: nothing shows that a word is gone";
  }
  if (hasItsState(tunnel, originals)) {
    return "accepted, monitor damaged, state as it was";
  }
  if (!isUpOrDown(tunnel.state)) {
    return "accepted, a word nobody knows as the state, word for word";
  }
  return originals.some((original) => isOfName(tunnel, original))
    ? "misread"
    : "accepted, a state that came in, word for word";
}

/** Whether the row was read whole up to its state, as it was. */
function hasItsState(
  { id, name, stateWord }: Tunnel,
  originals: readonly Tunnel[],
): boolean {
  return originals.some((original) =>
    id === original.id && name === original.name &&
    stateWord === original.stateWord
  );
}

/** Any other state is a 3, whatever its word. */
function isUpOrDown(state: TunnelState): boolean {
  return state === "active" || state === "inactive";
}

/**
 * Whether the state that was read is a word that the name has lost. The id may
 * be damaged, too; then the name has to be the start of the other.
 */
function isOfName(
  { id, name, stateWord }: Tunnel,
  original: Tunnel,
): boolean {
  const [words, wordsBefore] = [name.split(" "), original.name.split(" ")];
  const countIn = (all: readonly string[]): number =>
    all.filter((word) => word === stateWord).length;
  const isStart = `${original.name} `.startsWith(`${name} ${stateWord} `);
  // of as many words, one is damaged and none is lost
  const isShorter = wordsBefore.length > words.length;
  return (isStart && stateWord !== original.stateWord) ||
    (id === original.id && isShorter && countIn(wordsBefore) > countIn(words));
}

/** The lines of a text that hold just these words in this order. */
function rowsOf(
  { id, name, stateWord, monitor }: Tunnel,
  text: string,
): readonly string[] {
  const tail = [stateWord, monitor];
  const join = (words: readonly string[]): string =>
    words.filter((word) => word !== "").join(" ").replace(/ +/g, " ");
  return text.split("\n").filter((line) => {
    const words = ` ${line.trim().replace(/ +/g, " ")} `;
    return words.includes(` ${id} `) &&
      (words.includes(` ${join([name, ...tail])} `) ||
        words.startsWith(` ${join([name, id, ...tail])} `));
  });
}

/** How far a word may stand from where a firewall would print it. */
const TOLERANCE = 2;

/**
 * Whether the damaged text has the row that a firewall prints for a tunnel; its
 * state may be cut or whole, as firewalls of either kind are known.
 */
function isPrinted(
  tunnel: Tunnel,
  { layout, tables }: Reply,
  text: string,
): boolean {
  const others = tables.flat().filter(({ id }) => id === tunnel.id);
  const printed = others.flatMap((other) =>
    [true, false].map((cutsState) =>
      rowLine({
        ...other,
        name: tunnel.name,
        state: tunnel.stateWord,
        monitor: tunnel.monitor,
        local: tunnel.localIp,
        peer: tunnel.peerIp,
        tunnelInterface: tunnel.interfaceName,
      }, { ...layout, cutsState })
    )
  );
  const places = printed.map(placesOf);
  return text.split("\n").map(placesOf).some((line) =>
    places.some((row) =>
      row.length === line.length &&
      row.every(({ word, start }, index) =>
        word === line[index]?.word &&
        Math.abs(start - line[index].start) <= TOLERANCE
      )
    )
  );
}

function placesOf(line: string): { word: string; start: number }[] {
  return [...line.matchAll(/[^ ]+/g)].map(({ 0: word, index }) => ({
    word,
    start: index,
  }));
}

function isSame(one: Tunnel, other: Tunnel): boolean {
  return one.id === other.id && one.name === other.name &&
    one.stateWord === other.stateWord && one.monitor === other.monitor &&
    one.localIp === other.localIp && one.peerIp === other.peerIp &&
    one.interfaceName === other.interfaceName;
}
