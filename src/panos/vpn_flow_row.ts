/**
 * Reader for the rows of the table of `show vpn flow`, such as
 *
 *     id    name                 state   monitor local-ip        peer-ip         tunnel-i/f
 *     2     oslo hub:proxy-1     inactiv off     192.0.2.1       198.51.100.7    tunnel.3
 *
 * A row is words between blanks, and a name may hold blanks and any word the
 * table itself uses. Three kinds of evidence say which word is whose value:
 *
 * 1. Counting. Each column holds one word; only the tunnel interface may be
 *    missing, and only the name may hold more. So words are counted off from
 *    both ends of the row, and the name is what is left in the middle.
 * 2. Vocabulary. `active` is never a monitor, `off` never a state, an address
 *    never an interface and `tunnel.3` nothing else.
 * 3. Position. A value stands under its header, moved right by what overflowed
 *    before it. This alone can tell that any other column is empty.
 *
 * Where all three agree the row is read; `vpn_flow_usual_row.ts` finds that out
 * quickly. Where each value stands just where it should, position alone decides
 * (`vpn_flow_exact_row.ts`). Else position may show another reading: the one with
 * the most words of the vocabulary counts. If there is none, or two are equally
 * good, the row is refused. A row whose name was
 * replaced by hand stands askew: then the values behind the name have to stand
 * as far apart as their headers, or a state would be read out of a name.
 *
 * Where runs of blanks were collapsed to one, in the header too, position tells
 * nothing, and columns that this parser does not know are taken to be filled.
 * Only a copy of a table looks like this: no firewall prints one.
 *
 * @module
 */

import type { Tunnel } from "../model/tunnel.ts";
import { holdsSystemMessage } from "./cli_messages.ts";
import {
  type Candidate,
  endsSurely,
  hasAddresses,
  hasUnknownWord,
  isBoundById,
  isGuess,
  isKnown,
  readWithout,
} from "./vpn_flow_candidate.ts";
import { readExactRow } from "./vpn_flow_exact_row.ts";
import type { Header } from "./vpn_flow_header.ts";
import {
  hasGap,
  hasUnknownColumnBehindState,
  Places,
  type Row,
  showsNameEnd,
} from "./vpn_flow_position.ts";
import { readUsualRow } from "./vpn_flow_usual_row.ts";
import { isAddress, isMonitor } from "./vpn_flow_words.ts";
import { isAscii, isCollapsed, splitWords } from "./words.ts";

/**
 * Finds the readings of a row that the evidence leaves.
 *
 * @returns One tunnel if the row is certain; none or several if it is not.
 */
export function readRow(line: string, header: Header): readonly Tunnel[] {
  const usual = readUsualRow(line, header);
  if (usual !== undefined) return [usual];
  if (holdsSystemMessage(line)) return [];
  const exact = readExactRow(line, header);
  if (exact !== undefined) return [exact];
  const row = { line, words: splitWords(line), header };
  if (!header.isUsual) return readFullRow(row);
  const counted = header.emptyByCount
    .map((empty) => readWithout(row, empty))
    .filter((candidate) => candidate !== undefined);
  const left = header.isCollapsed
    ? chooseByCount(row, counted)
    : chooseByPosition(row, counted);
  return left.map(({ tunnel }) => tunnel);
}

/**
 * Reads a row of a table whose columns stand in another order than firewalls are
 * known to print: only the interface may be missing, and two blanks have to show
 * where the name ends.
 */
function readFullRow(row: Row): readonly Tunnel[] {
  const { line, header } = row;
  const { numbers, starts } = header;
  if (header.isCollapsed) return [];
  const isNameLast = numbers.name === starts.length - 1;
  const places = new Places(row);
  const standing = header.emptyByCount
    .map((empty) => readWithout(row, empty))
    .filter((candidate) => candidate !== undefined)
    .filter((candidate) => isKnown(candidate, header))
    .filter(({ empty }) => places.areUnderHeaders(empty));
  // one by this measure and one by that: what is refused below may be the truth
  if (standing.length > 1 && !isAscii(line)) return [];
  const left = standing.filter(({ empty, cells }) => {
    const nameEnd = cells[numbers.name]?.end;
    return !empty.has(numbers.name + 1) && !hasGap(line, cells, header) &&
      (isNameLast || line.startsWith("  ", nameEnd));
  });
  return left.map(({ tunnel }) => tunnel);
}

/** Chooses where position tells nothing: only the interface may be missing. */
function chooseByCount(
  row: Row,
  counted: readonly Candidate[],
): readonly Candidate[] {
  const { line, words, header } = row;
  const whole = counted.filter(({ cells }) => !hasGap(line, cells, header));
  if (!isCollapsed(words)) {
    // an unknown column may be empty, and nothing shows which
    if (header.numbers.others.length > 0) return [];
    if (!header.isIdBehindName) return chooseAmongPadded(row, whole);
  }
  const known = whole.filter((candidate) => isKnown(candidate, header));
  if (known.length > 0) {
    const isWeak = header.numbers.monitor === undefined;
    const isCertain = ({ tunnel }: Candidate): boolean =>
      hasAddresses(tunnel) && (!isWeak || endsSurely(tunnel));
    return known.every(isCertain) ? known : [];
  }
  // it may be the end of the name, and the state in the unknown column
  if (hasUnknownColumnBehindState(header)) return [];
  // an unknown state is shown as 3, if what follows it is certain
  const isCertain = ({ tunnel }: Candidate): boolean =>
    isAddress(tunnel.localIp) && isAddress(tunnel.peerIp) &&
    (isMonitor(tunnel.monitor) || header.isIdBehindName);
  return whole.every(isCertain) ? whole : [];
}

/**
 * Chooses for a padded row below a header that was collapsed, so that nothing
 * shows where a value should stand: every word has to be certain.
 */
function chooseAmongPadded(
  { line, header }: Row,
  whole: readonly Candidate[],
): readonly Candidate[] {
  const isCertain = (candidate: Candidate): boolean =>
    showsNameEnd(line, candidate.cells, header) &&
    isKnown(candidate, header) && endsSurely(candidate.tunnel);
  return header.numbers.name <= 1 && whole.every(isCertain) ? whole : [];
}

/**
 * Chooses where position tells something: then also the state, the monitor or a
 * column that this parser does not know may be empty.
 */
function chooseByPosition(
  row: Row,
  counted: readonly Candidate[],
): readonly Candidate[] {
  const { line, header } = row;
  const places = new Places(row);
  const fitting = header.emptyByPosition
    .filter((empty) => places.fit(empty))
    .map((empty) => readWithout(row, empty))
    .filter((candidate) => candidate !== undefined);
  const mostKnown = Math.max(...fitting.map(({ knownWords }) => knownWords));
  const best = fitting.filter(({ knownWords }) => knownWords === mostKnown);
  if (best.some(({ empty }) => !places.showNameEnd(empty))) return [];
  if (best.some((candidate) => isKnown(candidate, header))) return best;
  const isDoubtful = (candidate: Candidate): boolean =>
    isGuess(candidate, header) ||
    (hasUnknownWord(candidate) &&
      !showsNameEnd(line, candidate.cells, header));
  if (fitting.some(isDoubtful)) return [];
  // A row whose words are certain may stand askew: a name was replaced by one
  // of another length, or values do not stand under their headers at all.
  const askew = counted.filter((candidate) =>
    isBoundById(row, candidate) ||
    (isKnown(candidate, header) &&
      showsNameEnd(line, candidate.cells, header) &&
      places.areMoved(candidate.empty))
  );
  const isOther = ({ empty }: Candidate): boolean =>
    best.every((candidate) => candidate.empty !== empty);
  return [...best, ...askew.filter(isOther)];
}
