import assert from "node:assert/strict";
import { ConfigError, parseConfig } from "../src/config.ts";
import { parsePrivateKey } from "../src/ssh.ts";
import denoConfig from "../deno.json" with { type: "json" };

const ROOT = new URL("../", import.meta.url);

Deno.test("only src/ssh.ts imports ssh2", () => {
  const importers = productFiles()
    .filter((file) => importsOf(file).includes("ssh2"));
  assert.deepEqual(importers, ["src/ssh.ts"]);
});

Deno.test("the product imports itself, ssh2 and the runtime, and no test", () => {
  const own = /^(?:\.\/(?:src\/)?[a-z_]+\.ts|\.\.\/deno\.json|ssh2|node:.+)$/;
  const foreign = productFiles().flatMap(importsOf)
    .filter((specifier) => !own.test(specifier));
  assert.deepEqual(foreign, []);
});

Deno.test("only main.ts touches the process", () => {
  const uses = productFiles()
    .filter((file) =>
      /\bDeno\.(?!customInspect)|node:process/.test(code(file))
    );
  assert.deepEqual(uses, ["main.ts"]);
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

function productFiles(): readonly string[] {
  const found = ["main.ts", ...filesIn("src")];
  assert(found.length > 20, "hardly any file was found");
  return found;
}

function filesIn(folder: string): readonly string[] {
  return Array.from(Deno.readDirSync(new URL(folder, ROOT)))
    .filter(({ name }) => name.endsWith(".ts"))
    .map(({ name }) => `${folder}/${name}`);
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
