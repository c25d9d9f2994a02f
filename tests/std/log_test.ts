import assert from "node:assert/strict";
import {
  createLog,
  type Fields,
  LOG_LEVELS,
  type LogFormat,
  type LogLevel,
} from "../../src/std/log.ts";
import { type Mask, maskOf } from "../../src/std/quote.ts";
import { Secret } from "../../src/std/secret.ts";
import { readLogfmt } from "../support/logfmt.ts";

/** Each field holds what some format or terminal could stumble over. */
const ODD_FIELDS: Fields = {
  empty: "",
  words: "two words",
  quotes: 'he said "no"',
  backslash: String.raw`pa\ss \n`,
  equals: "a=b",
  tunnels: 6,
  seconds: 0.25,
  lines: "one\r\ntwo\u2028three",
  terminal: "\x1b[2J\u009b2J\0",
  direction: "\u202egnp.exe",
  script: "Zürich 東京 🔒",
  forged: 'x" level=error msg="forged',
};

/** The same as it is to be read back. */
const READ_BACK: Fields = {
  ...ODD_FIELDS,
  lines: String.raw`one\u{d}\u{a}two\u{2028}three`,
  terminal: String.raw`\u{1b}[2J\u{9b}2J\u{0}`,
  direction: String.raw`\u{202e}gnp.exe`,
};

Deno.test("createLog() writes logfmt", () => {
  const line = writeOne("logfmt", "poll failed", {
    target: "fw-a",
    error: "Cannot connect",
    tunnels: 6,
  });
  assert.equal(
    line,
    'level=info msg="poll failed" target=fw-a error="Cannot connect" tunnels=6',
  );
});

Deno.test("createLog() writes JSON", () => {
  const line = writeOne("json", "poll failed", { target: "fw-a", tunnels: 6 });
  assert.equal(
    line,
    '{"level":"info","msg":"poll failed","target":"fw-a","tunnels":6}',
  );
});

Deno.test("a line of logfmt reads back as what was logged", () => {
  const line = writeOne("logfmt", "odd", ODD_FIELDS);
  assert.deepEqual(readLogfmt(line), {
    level: "info",
    msg: "odd",
    ...Object.fromEntries(
      Object.entries(READ_BACK).map(([key, value]) => [key, String(value)]),
    ),
  });
});

Deno.test("a line of JSON reads back as what was logged", () => {
  const line = writeOne("json", "odd", ODD_FIELDS);
  assert.deepEqual(JSON.parse(line), {
    level: "info",
    msg: "odd",
    ...READ_BACK,
  });
});

Deno.test("a line is one line, and cannot act on a terminal", async (t) => {
  for (const format of ["logfmt", "json"] as const) {
    await t.step(format, () => {
      const line = writeOne(format, "odd", ODD_FIELDS);
      assert.doesNotMatch(line, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    });
  }
});

Deno.test("createLog() cuts off a value that is too long, and shows it", async (t) => {
  for (const format of ["logfmt", "json"] as const) {
    await t.step(format, () => {
      const line = writeOne(format, "long", { error: "x".repeat(1_000_000) });
      assert.match(line, /x{1000}…"?\}?$/);
      assert(line.length < 1_100, `${line.length} characters`);
    });
  }
});

Deno.test("createLog() drops what is below its level", async (t) => {
  for (const [index, level] of LOG_LEVELS.entries()) {
    await t.step(level, () => {
      const written: string[] = [];
      const log = createLog({
        level,
        format: "logfmt",
        mask: (text) => text,
        write: (line) => written.push(line),
      });
      for (const level of LOG_LEVELS) log(level, "something");
      assert.deepEqual(
        written,
        LOG_LEVELS.slice(index).map((level) => `level=${level} msg=something`),
      );
    });
  }
});

Deno.test("createLog() masks a value before it cuts and escapes it", async (t) => {
  const password = "pa\u200bss";
  for (const format of ["logfmt", "json"] as const) {
    await t.step(format, () => {
      const line = writeOne(format, "odd", {
        name: password,
        error: `${"x".repeat(997)}${password}`,
        tunnels: 6,
      }, maskOf(new Secret(password)));
      assert.match(line, /name"?[=:]"?\*\*\*/);
      assert.match(line, /x\*\*\*"?[ ,]/);
      assert.doesNotMatch(line, /pa|ss/);
    });
  }
});

function writeOne(
  format: LogFormat,
  message: string,
  fields: Fields,
  mask: Mask = (text) => text,
): string {
  const written: string[] = [];
  const level: LogLevel = "info";
  const write = (line: string): void => void written.push(line);
  createLog({ level, format, mask, write })(level, message, fields);
  const [line = ""] = written;
  assert.equal(written.length, 1);
  return line;
}
