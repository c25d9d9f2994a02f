import assert from "node:assert/strict";
import { Screen } from "../../src/panos/screen.ts";

interface Case {
  readonly when: string;
  readonly written: string;
  /** The lines above, and the line of the cursor as the last one. */
  readonly shown: readonly string[];
}

const CASES: readonly Case[] = [
  {
    when: "lines end in CR LF",
    written: "one\r\ntwo\r\n",
    shown: ["one", "two", ""],
  },
  {
    when: "lines end in LF, and the last one does not end",
    written: "one\ntwo",
    shown: ["one", "two"],
  },
  {
    when: "a line ends in CR CR LF",
    written: "one\r\r\ntwo",
    shown: ["one", "two"],
  },
  {
    when: "a command line redraws itself at each blank",
    written: "admin@fw> show \r\x1b[Kadmin@fw> show vpn \r\x1b[Kadmin@fw> " +
      "show vpn flow\r\n",
    shown: ["admin@fw> show vpn flow", ""],
  },
  {
    when: "a shorter text is written over a longer one",
    written: "lines 1-23\rok",
    shown: ["ok"],
  },
  {
    when: "the line is erased without being written again",
    written: "--more--\r\x1b[K",
    shown: [""],
  },
  {
    when: "the whole line is erased",
    written: "--more--\x1b[2K",
    shown: [""],
  },
  {
    when: "what is right of the cursor is erased, and nothing is there",
    written: "admin@fw> \x1b[K",
    shown: ["admin@fw> "],
  },
  {
    when: "a character is rubbed out",
    written: "showw\b \b vpn",
    shown: ["show vpn"],
  },
  {
    when: "the cursor goes back and forth",
    written: "showxx\x1b[2D\x1b[3Cvpn",
    shown: ["show   vpn"],
  },
  {
    when: "the cursor goes to the first column",
    written: "typed\x1b[Gadmin@fw> ",
    shown: ["admin@fw> "],
  },
  {
    when: "the cursor passes over what is there",
    written: "id  name\r\x1b[4Cother",
    shown: ["id  other"],
  },
  {
    when: "there are tabs",
    written: "id\tname\t\tstate",
    shown: ["id      name            state"],
  },
  {
    when: "there are colours and attributes",
    written: "\x1b[1;32mactive\x1b[0m \x1b[7mlines 1-23\x1b[27m",
    shown: ["active lines 1-23"],
  },
  {
    when: "the screen is cleared",
    written: "banner\x1b[H\x1b[2Jadmin@fw> ",
    shown: ["banner", "admin@fw> "],
  },
  {
    when: "a window title ends in BEL",
    written: "\x1b]0;admin@fw\x07admin@fw> ",
    shown: ["admin@fw> "],
  },
  {
    when: "a window title ends in ST",
    written: "\x1b]0;admin@fw\x1b\\admin@fw> ",
    shown: ["admin@fw> "],
  },
  {
    when: "a window title ends with its line",
    written: "\x1b]0;admin@fw\r\nadmin@fw> ",
    shown: ["", "admin@fw> "],
  },
  {
    when: "character sets and keypad modes are chosen",
    written: "\x1b(B\x1b)0\x1b=\x1b[?1hadmin@fw> ",
    shown: ["admin@fw> "],
  },
  {
    when: "one escape character follows another",
    written: "\x1b\x1b[Kadmin@fw> ",
    shown: ["admin@fw> "],
  },
  {
    when: "other control characters are printed, of C1 too",
    written: "\x00a\x07c\x0bt\x7fi\u0085v\u009be",
    shown: ["active"],
  },
  {
    when: "text is not ASCII",
    written: "Zürich–Bonn \u{1f512}\r\n",
    shown: ["Zürich–Bonn \u{1f512}", ""],
  },
  {
    when: "a byte order mark comes first",
    written: "\ufeffone",
    shown: ["\ufeffone"],
  },
];

Deno.test("Screen shows what a terminal would", async (t) => {
  for (const { when, written, shown } of CASES) {
    await t.step(when, () => {
      assert.deepEqual(content(written), shown);
    });
  }
});

Deno.test("Screen shows the same wherever a chunk ends", async (t) => {
  for (const { when, written, shown } of CASES) {
    await t.step(when, () => {
      const bytes = new TextEncoder().encode(written);
      for (let end = 1; end < bytes.length; end++) {
        const screen = new Screen();
        screen.write(bytes.subarray(0, end));
        screen.write(bytes.subarray(end));
        assert.deepEqual(contentOf(screen), shown, `split at byte ${end}`);
      }
      const screen = new Screen();
      for (const byte of bytes) screen.write(Uint8Array.of(byte));
      assert.deepEqual(contentOf(screen), shown, "byte by byte");
    });
  }
});

Deno.test("Screen replaces bytes that are not UTF-8", () => {
  const screen = new Screen();
  screen.write(Uint8Array.of(0x61, 0xff, 0x62, 0xe2, 0x82, 0x0a));
  assert.deepEqual(contentOf(screen), ["a\ufffdb\ufffd", ""]);
});

Deno.test("Screen does not wait for the end of an endless sequence", async (t) => {
  for (const opening of ["\x1b[", "\x1b]0;"]) {
    await t.step(JSON.stringify(opening), () => {
      const [line] = content(`${opening}${"1".repeat(300)} admin@fw> `);
      assert(line?.endsWith(" admin@fw> "), line);
    });
  }
});

Deno.test("Screen shows a prompt behind a sequence that is broken off", () => {
  assert.deepEqual(content("\x1b[12\r\nadmin@fw> ").at(-1), "admin@fw> ");
});

Deno.test("Screen.size counts bytes, and blanks that the cursor leaves", () => {
  const screen = new Screen();
  write(screen, "é\r\n");
  assert.equal(screen.size, 4);
  write(screen, "\x1b[200C");
  assert.equal(screen.size, 4 + 6 + 200);
});

Deno.test("Screen.size is never less than the text on the screen", () => {
  const screen = new Screen();
  write(screen, "\x1b[999999999C\n\t\n".repeat(1_000));
  const shown = contentOf(screen).join("\n").length;
  assert(shown > 100_000, "the cursor left no blanks");
  assert(screen.size >= shown, `${screen.size} < ${shown}`);
});

Deno.test("Screen.clear() leaves nothing but a sequence that is under way", () => {
  const screen = new Screen();
  write(screen, "banner\r\nadmin@fw> show\r\x1b[");
  const before = screen.lines;
  screen.clear();
  assert.deepEqual([screen.lines, screen.line, screen.size], [[], "", 0]);
  assert.deepEqual(before, ["banner"], "what was read before has changed");
  write(screen, "Kadmin@fw> ");
  assert.deepEqual(contentOf(screen), ["admin@fw> "]);
});

function content(written: string): readonly string[] {
  const screen = new Screen();
  write(screen, written);
  return contentOf(screen);
}

function contentOf({ lines, line }: Screen): readonly string[] {
  return [...lines, line];
}

function write(screen: Screen, text: string): void {
  screen.write(new TextEncoder().encode(text));
}
