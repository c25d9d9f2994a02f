/**
 * Damages replies the way a bad line, an editor or a busy system may: bytes,
 * lines and columns deleted, inserted, doubled, shifted; cuts; messages in
 * between. From a seed, so that what was found can be found again.
 *
 * @module
 */

/** Numbers from 0 up to a limit, the same ones for the same seed. */
export type Random = (limit: number) => number;

/** Mulberry32: 32 bits of state, fast, and good enough to damage text. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % Math.max(1, limit);
  };
}

/** What can come in between. */
const INSERTS = [
  " ",
  "  ",
  "        ",
  "x",
  "0",
  "é",
  "東",
  "\n",
  "\r",
  "active",
  " active",
  "active ",
  " off ",
  "inactiv",
  "down",
  "7",
  " 9 ",
  "192.0.2.9 ",
  " tunnel.9",
  "-----",
  "Broadcast message from root (pts/1) (Tue Apr 22 15:31:09 2025):",
  "The system is going down for reboot NOW!",
  "\nBroadcast message from root (pts/1) (Tue Apr 22 15:31:09 2025):\n",
  "\nThe system is going down for reboot NOW!\n",
  "Server error : Timed out while getting config lock. Please try again.\n",
  "user@fw(active)> ",
  "total IPSec tunnel shown: 1\n",
  "lines 1-23",
];

type Mutation = (text: string, random: Random) => string;

const MUTATIONS: Readonly<Record<string, Mutation>> = {
  "characters deleted": (text, random) => {
    const at = random(text.length);
    return text.slice(0, at) + text.slice(at + 1 + random(12));
  },
  "characters doubled": (text, random) => {
    const at = random(text.length);
    return text.slice(0, at + random(40)) + text.slice(at);
  },
  "a character changed": (text, random) => {
    const at = random(text.length);
    const character = String.fromCharCode(32 + random(95));
    return text.slice(0, at) + character + text.slice(at + 1);
  },
  "something inserted": (text, random) => {
    const at = random(text.length);
    return text.slice(0, at) + INSERTS[random(INSERTS.length)] + text.slice(at);
  },
  "cut": (text, random) => text.slice(0, random(text.length)),
  "a line deleted": (text, random) =>
    changeLines(text, (lines) => {
      lines.splice(random(lines.length), 1);
    }),
  "a line doubled": (text, random) =>
    changeLines(text, (lines) => {
      const at = random(lines.length);
      lines.splice(at, 0, lines[at] ?? "");
    }),
  "two lines swapped": (text, random) =>
    changeLines(text, (lines) => {
      const [one, other] = [random(lines.length), random(lines.length)];
      [lines[one], lines[other]] = [lines[other] ?? "", lines[one] ?? ""];
    }),
  "a line shifted": (text, random) =>
    changeLines(text, (lines) => {
      const at = random(lines.length);
      const line = lines[at] ?? "";
      const from = random(line.length);
      const by = random(9);
      lines[at] = random(2) === 0
        ? line.slice(0, from) + " ".repeat(by) + line.slice(from)
        : line.slice(0, from) + line.slice(from + by);
    }),
  "columns deleted": (text, random) => {
    const [from, width] = [random(120), 1 + random(30)];
    return changeLines(text, (lines) => {
      for (const [at, line] of lines.entries()) {
        lines[at] = line.slice(0, from) + line.slice(from + width);
      }
    });
  },
  "columns inserted": (text, random) => {
    const [from, width] = [random(120), 1 + random(12)];
    return changeLines(text, (lines) => {
      for (const [at, line] of lines.entries()) {
        if (line.length <= from) continue;
        lines[at] = line.slice(0, from) + " ".repeat(width) + line.slice(from);
      }
    });
  },
  "blanks collapsed in a line": (text, random) =>
    changeLines(text, (lines) => {
      const at = random(lines.length);
      lines[at] = (lines[at] ?? "").replace(/ +/g, " ");
    }),
};

const NAMES = Object.keys(MUTATIONS);

function changeLines(text: string, change: (lines: string[]) => void): string {
  const lines = text.split("\n");
  change(lines);
  return lines.join("\n");
}

/** Damages a text once or twice; tells how. */
export function mutate(
  text: string,
  random: Random,
): { readonly text: string; readonly how: readonly string[] } {
  const how: string[] = [];
  for (let left = 1 + random(2); left > 0; left--) {
    const name = NAMES[random(NAMES.length)] ?? "";
    text = MUTATIONS[name]?.(text, random) ?? text;
    how.push(name);
  }
  return { text, how };
}
