/**
 * What the compiled program is made of: run by CI, with its path in
 * `EXPORTER_EXECUTABLE`.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Lock } from "../../deploy/release/bill_of_materials.ts";
import { embeddedPackages } from "../../deploy/release/embedded.ts";
import { temporaryFolder } from "../support/program.ts";

const ROOT = new URL("../../", import.meta.url);
const EXECUTABLE = Deno.env.get("EXPORTER_EXECUTABLE") ??
  new URL("dist/panos-ipsec-exporter", ROOT).pathname;

const IMPORT = /^(?:(?:import|export)\b.*|\}) from "([^"]+)";/gm;

Deno.test("the executable embeds what the product imports, and what that needs", async () => {
  const embedded = await embeddedPackages(EXECUTABLE);
  // deno-lint-ignore no-console -- the list is what a reader of CI looks for
  console.log(embedded.join("\n"));
  const lock: Lock = JSON.parse(
    await Deno.readTextFile(new URL("deno.lock", ROOT)),
  );
  const needed = closure(await importedByProduct(), lock);
  assert(needed.some((id) => id.startsWith("ssh2@")));
  assert.deepEqual(embedded, needed);
});

Deno.test("a file that deno compile did not make is refused", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/executable`;
  for (const bytes of [new Uint8Array(8), new Uint8Array(64).fill(1)]) {
    await Deno.writeFile(path, bytes);
    await assert.rejects(embeddedPackages(path), {
      name: "ReleaseError",
      message: /^Cannot list what is embedded in /,
    });
  }
});

/** The names of the packages that the sources of the product import. */
async function importedByProduct(): Promise<readonly string[]> {
  const names = new Set<string>();
  for (const file of ["main.ts", ...await sourcesBelow("src")]) {
    const text = await Deno.readTextFile(new URL(file, ROOT));
    for (const [, specifier = ""] of text.matchAll(IMPORT)) {
      if (!/^(?:\.|node:)/.test(specifier)) names.add(specifier);
    }
  }
  return [...names];
}

async function sourcesBelow(folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  for await (
    const { name, isDirectory } of Deno.readDir(new URL(folder, ROOT))
  ) {
    const path = `${folder}/${name}`;
    if (isDirectory) found.push(...await sourcesBelow(path));
    if (name.endsWith(".ts")) found.push(path);
  }
  return found;
}

/** Packages with all that they need, each as `name@version`, sorted. */
function closure(names: readonly string[], { npm = {} }: Lock): string[] {
  const ids = Object.keys(npm);
  const find = (asked: string): string =>
    ids.find((id) =>
      id === asked || id.slice(0, id.lastIndexOf("@")) === asked
    ) ??
      assert.fail(`${asked} is not in deno.lock`);
  const needed = new Set(names.map(find));
  for (const id of needed) {
    const { dependencies = [], optionalDependencies = [] } = npm[id] ?? {};
    for (const asked of [...dependencies, ...optionalDependencies]) {
      needed.add(find(asked));
    }
  }
  return [...needed].sort();
}
