/**
 * The packages that `deno compile` has put into an executable.
 *
 * Among what it appends to the runtime is the tree of the embedded files, as
 * JSON behind its length in 8 bytes. It begins with the folder of the packages:
 *
 * ```json
 * [{"Dir":{"n":".deno_compile_node_modules","e":[{"Dir":{"n":"localhost", …
 * ```
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { ReleaseError } from "./command.ts";

/** Folder of the embedded packages: REGISTRY/NAME/VERSION below it. */
const PACKAGES = ".deno_compile_node_modules";

const START_OF_TREE = `[{"Dir":{"n":"${PACKAGES}"`;

/** Part of the tree of embedded files, as far as it matters here. */
interface Entry {
  readonly Dir?: { readonly n: string; readonly e: readonly Entry[] };
}

/**
 * Lists the embedded packages.
 *
 * @returns Each as `name@version`, sorted.
 * @throws {ReleaseError} If there are none, or the file is not made as described
 * above.
 */
export async function embeddedPackages(
  executable: string,
): Promise<readonly string[]> {
  const entries = await readTree(executable);
  return folders(folder(entries, PACKAGES)).flatMap(([, registry]) =>
    folders(registry).flatMap(([name, contents]) =>
      name.startsWith("@")
        ? folders(contents).flatMap(([rest, versions]) =>
          versionsOf(`${name}/${rest}`, versions)
        )
        : versionsOf(name, contents)
    )
  ).sort();
}

function versionsOf(
  name: string,
  entries: readonly Entry[],
): readonly string[] {
  return folders(entries).map(([version]) => `${name}@${version}`);
}

function folders(
  entries: readonly Entry[],
): readonly (readonly [name: string, entries: readonly Entry[]])[] {
  return entries.flatMap(({ Dir }) =>
    Dir === undefined ? [] : [[Dir.n, Dir.e]]
  );
}

function folder(entries: readonly Entry[], wanted: string): readonly Entry[] {
  return folders(entries).find(([name]) => name === wanted)?.[1] ?? [];
}

async function readTree(executable: string): Promise<readonly Entry[]> {
  const bytes = Buffer.from(await Deno.readFile(executable));
  const start = bytes.indexOf(START_OF_TREE);
  if (start < 8) {
    throw new ReleaseError(
      `Cannot list what is embedded in ${executable}: found no "${START_OF_TREE}"`,
    );
  }
  const length = Number(bytes.readBigUInt64LE(start - 8));
  return JSON.parse(bytes.toString("utf8", start, start + length));
}
