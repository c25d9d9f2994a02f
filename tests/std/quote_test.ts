import assert from "node:assert/strict";
import {
  escapeUnsafe,
  maskOf,
  quote,
  quoteWithout,
} from "../../src/std/quote.ts";
import { Secret } from "../../src/std/secret.ts";

Deno.test("escapeUnsafe() shows what would act on a terminal or a line", async (t) => {
  const cases = {
    "a line end": ["a\nb\rc", String.raw`a\u{a}b\u{d}c`],
    "an escape sequence": ["\x1b[2J", String.raw`\u{1b}[2J`],
    "NUL and DEL": ["\0\x7f", String.raw`\u{0}\u{7f}`],
    "a control sequence of C1": ["\u009b2J", String.raw`\u{9b}2J`],
    "the next-line character": ["\u0085", String.raw`\u{85}`],
    "a line and a paragraph separator": [
      "\u2028\u2029",
      String.raw`\u{2028}\u{2029}`,
    ],
    "an override of the direction": [
      "\u202egnp.exe\u202c",
      String.raw`\u{202e}gnp.exe\u{202c}`,
    ],
    "an isolate of the direction": [
      "\u2066a\u2069",
      String.raw`\u{2066}a\u{2069}`,
    ],
    "marks without width": [
      "\u061c\u200b\u200f\ufeff",
      String.raw`\u{61c}\u{200b}\u{200f}\u{feff}`,
    ],
  };
  for (const [when, [text = "", escaped]] of Object.entries(cases)) {
    await t.step(when, () => assert.equal(escapeUnsafe(text), escaped));
  }
});

Deno.test("escapeUnsafe() leaves text of every script alone", () => {
  const text = String.raw`Zürich "a\b" 東京 עברית 🔒`;
  assert.equal(escapeUnsafe(text), text);
});

Deno.test("quote() puts text between double quotes", () => {
  assert.equal(quote("fw a\n"), String.raw`"fw a\u{a}"`);
  assert.equal(quote(""), '""');
});

Deno.test("quote() shows that it cut off what is too long", () => {
  assert.equal(quote("abcdef", 3), '"abc…"');
  assert.equal(quote("abc", 3), '"abc"');
  assert.equal(quote("x".repeat(200)), `"${"x".repeat(120)}…"`);
});

Deno.test("maskOf() replaces a secret wherever it stands", async (t) => {
  const cases: Readonly<Record<string, readonly [string, string, string]>> = {
    "once": ["hunter2", "bad password hunter2!", "bad password ***!"],
    "twice, and glued": ["hunter2", "hunter2hunter2", "******"],
    "in other letters": ["hunter2", "HUNTER2", "HUNTER2"],
    "characters of patterns": [
      "a.*(b|$&)",
      "x a.*(b|$&) y a__(b",
      "x *** y a__(b",
    ],
    "four characters": ["pass", "bypass", "by***"],
    "fewer, where it stands": ["abc", "an abcess", ""],
    "fewer, where it does not": ["abc", "an access", "an access"],
    "what is escaped on paper": ["pa\nss", "said pa\nss", "said ***"],
    "letters of two units": ["🔒🔒", "a 🔒🔒 b", "a *** b"],
    "none": ["", "anything", "anything"],
  };
  for (const [when, [secret, said, masked]] of Object.entries(cases)) {
    await t.step(when, () => {
      assert.equal(maskOf(new Secret(secret))(said), masked);
    });
  }
  await t.step("no secret at all", () => {
    assert.equal(maskOf(undefined)("anything"), "anything");
  });
});

Deno.test("quoteWithout() masks before it cuts and escapes", () => {
  const quoteSafely = quoteWithout(new Secret("pa\x1bss"));
  assert.equal(quoteSafely("no pa\x1bss\n"), String.raw`"no ***\u{a}"`);
  assert.equal(quoteSafely("12345pa\x1bss", 8), '"12345***"');
  assert.equal(quoteWithout(new Secret("abc"))("it is abc"), '""');
});
