import assert from "node:assert/strict";
import { ConfigError, parseConfig } from "../src/config/config.ts";
import { parsePrivateKey } from "../src/ssh/private_key.ts";
import denoConfig from "../deno.json" with { type: "json" };

const ROOT = new URL("../", import.meta.url);

/** From the top of the house to its ground floor: imports go down. */
const ROOMS = [
  "http",
  "check",
  "view",
  "firewall",
  "config",
  "panos",
  "ssh",
  "model",
  "std",
];

const MAX_FUNCTION_LINES = 60;

Deno.test("only the room ssh imports ssh2", () => {
  const importers = productFiles()
    .filter((file) => importsOf(file).includes("ssh2"))
    .filter((file) => roomOf(file) !== "ssh");
  assert.deepEqual(importers, []);
});

Deno.test("only the reader of XML imports saxes", () => {
  const importers = productFiles()
    .filter((file) => importsOf(file).includes("saxes"));
  assert.deepEqual(importers, ["src/panos/vpn_flow_xml.ts"]);
});

Deno.test("imports between rooms go down, and never back up", () => {
  const upward = productFiles().flatMap((file) =>
    ownImportsOf(file)
      .filter((imported) => floorOf(imported) < floorOf(file))
      .map((imported) => `${file} imports ${imported}`)
  );
  assert.deepEqual(upward, []);
});

Deno.test("no file imports itself by a detour", () => {
  const circles = productFiles().filter((file) => reaches(file, file));
  assert.deepEqual(circles, []);
});

Deno.test("the product imports itself, two packages and the runtime, and no test", () => {
  const own = /^(?:\.{1,2}\/.*|ssh2|saxes|node:.+)$/;
  const foreign = productFiles().flatMap(importsOf)
    .filter((specifier) => !own.test(specifier));
  assert.deepEqual(foreign, []);
  const outside = productFiles().flatMap(ownImportsOf)
    .filter((file) => !/^(?:src\/[a-z]+\/[a-z_]+\.ts|deno\.json)$/.test(file));
  assert.deepEqual(outside, []);
});

Deno.test("only main.ts touches the process", () => {
  const uses = productFiles()
    .filter((file) =>
      /\bDeno\.(?!customInspect)|node:process/.test(code(file))
    );
  assert.deepEqual(uses, ["main.ts"]);
});

Deno.test("a function fits on a screen", () => {
  const longest = productFiles().flatMap(functionsOf)
    .reduce((one, other) => other.lines > one.lines ? other : one);
  assert(longest.lines > 40, "hardly any function was found");
  assert(
    longest.lines <= MAX_FUNCTION_LINES,
    `${longest.name} in ${longest.file} has ${longest.lines} lines`,
  );
});

Deno.test("the tasks allow exactly the variables that are asked for", async (t) => {
  const { start, dev, compile } = denoConfig.tasks;
  for (const [task, { command }] of Object.entries({ start, dev, compile })) {
    await t.step(task, () => {
      const allowed = /--allow-env=(\S+)/.exec(command)?.[1]?.split(",");
      assert.deepEqual(allowed?.sort(), namesAskedFor());
    });
  }
});

Deno.test("the tasks allow the network, those variables, and nothing else", async (t) => {
  const { start, dev, compile } = denoConfig.tasks;
  for (const [task, { command }] of Object.entries({ start, dev, compile })) {
    await t.step(task, () => {
      const flags = command.split(" ")
        .filter((word) => /^-(-allow|-deny|-no-prompt|A$)/.test(word))
        .map((flag) => flag.replace(/=.*/, ""));
      assert.deepEqual(flags, ["--no-prompt", "--allow-net", "--allow-env"]);
    });
  }
});

interface FoundFunction {
  readonly name: string;
  readonly file: string;
  readonly lines: number;
}

/**
 * Functions and methods, known by how they are formatted: a name in front of a
 * parenthesis or of an arrow's, then lines that stand deeper, then a brace.
 */
function functionsOf(file: string): readonly FoundFunction[] {
  const text = Deno.readTextFileSync(new URL(file, ROOT)).split("\n");
  return text.flatMap((line, start) => {
    const { indent = "", name } = FUNCTION.exec(line)?.groups ?? {};
    if (name === undefined || STATEMENTS.includes(name)) return [];
    const isDeeper = new RegExp(`^(?:${indent}[ )]|$)`);
    const length = text.slice(start + 1).findIndex((other) =>
      !isDeeper.test(other)
    );
    const isFunction = text[start + 1 + length]?.startsWith(`${indent}}`);
    return isFunction ? [{ name, file, lines: length + 2 }] : [];
  });
}

const FUNCTION =
  /^(?<indent> *)(?:(?:export|async|static|override|get|set|function\*?|const) )*(?<name>[#\w]+)(?:<.*)?(?:\(| = (?:async )?\()(?!.*;$)/;

const STATEMENTS = ["if", "for", "while", "switch", "catch", "return"];

function productFiles(): readonly string[] {
  const found = ["main.ts", ...ROOMS.flatMap((room) => filesIn(`src/${room}`))];
  assert(found.length > 20, "hardly any file was found");
  const rooms = Array.from(Deno.readDirSync(new URL("src", ROOT)))
    .filter(({ isDirectory }) => isDirectory).map(({ name }) => name);
  assert.deepEqual(rooms.sort(), [...ROOMS].sort());
  return found;
}

function filesIn(folder: string): readonly string[] {
  return Array.from(Deno.readDirSync(new URL(folder, ROOT)))
    .filter(({ name }) => name.endsWith(".ts"))
    .map(({ name }) => `${folder}/${name}`);
}

function roomOf(file: string): string | undefined {
  return /^src\/(?<room>[^/]+)\//.exec(file)?.groups?.["room"];
}

/** -1 is `main.ts`; what is no room, such as `deno.json`, lies below all. */
function floorOf(file: string): number {
  if (file === "main.ts") return -1;
  const room = roomOf(file);
  return room === undefined ? ROOMS.length : ROOMS.indexOf(room);
}

/** The files of this project that a file imports, from the top folder. */
function ownImportsOf(file: string): readonly string[] {
  return importsOf(file).filter((specifier) => specifier.startsWith("."))
    .map((specifier) =>
      new URL(specifier, `file:///${file}`).pathname.slice(1)
    );
}

function reaches(from: string, wanted: string): boolean {
  const seen = new Set<string>();
  const waiting = [...ownImportsOf(from)];
  for (const file of waiting) {
    if (file === wanted) return true;
    if (seen.has(file) || !file.endsWith(".ts")) continue;
    seen.add(file);
    waiting.push(...ownImportsOf(file));
  }
  return false;
}

function importsOf(file: string): readonly string[] {
  const imports =
    /^(?:(?:import|export)\b.* from|\} from|import) "([^"]+)"|\bimport\(\s*"([^"]+)"/gm;
  const found = code(file).matchAll(imports);
  return Array.from(found, ([, fixed, dynamic = ""]) => fixed ?? dynamic);
}

/** A file without its comments. */
function code(file: string): string {
  return Deno.readTextFileSync(new URL(file, ROOT))
    .replaceAll(/\/\*\*[^]*?\*\//g, "")
    .replaceAll(/^ *\/\/.*$/gm, "");
}

function namesAskedFor(): readonly string[] {
  const names = new Set<string>();
  assert.throws(
    () => parseConfig((name) => void names.add(name), parsePrivateKey),
    ConfigError,
  );
  return [...names].sort();
}
