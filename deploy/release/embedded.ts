/**
 * The packages that `deno compile` has put into an executable.
 *
 * It appends to the runtime: a mark, the metadata, a list of packages and the
 * tree of embedded files, each as its length and its bytes, then the contents
 * of the files. The last 8 bytes of the executable are the length of it all.
 * Numbers are little-endian and of 64 bits.
 *
 * @module
 */

import { ReleaseError } from "./command.ts";

const LITTLE_ENDIAN = true;

const MARK = "d3n0l4nd";

/** Folder of the embedded packages: REGISTRY/NAME/VERSION below it. */
const PACKAGES = ".deno_compile_node_modules";

/** Part of the tree of embedded files, as far as it matters here. */
interface Entry {
  readonly Dir?: { readonly n: string; readonly e: readonly Entry[] };
}

/**
 * Lists the embedded packages.
 *
 * @returns Each as `name@version`, sorted.
 * @throws {ReleaseError} If the file is not made as described above.
 */
export async function embeddedPackages(
  executable: string,
): Promise<readonly string[]> {
  const entries = parseTree(await readAppended(executable));
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

async function readAppended(executable: string): Promise<Uint8Array> {
  using file = await Deno.open(executable);
  const { size } = await file.stat();
  const length = readNumber(await readLast(file, 8), 0);
  if (length > size) throw new ReleaseError(strange(executable));
  const appended = await readLast(file, length);
  if (new TextDecoder().decode(appended.subarray(0, MARK.length)) !== MARK) {
    throw new ReleaseError(strange(executable));
  }
  return appended;
}

function strange(executable: string): string {
  return `Cannot list what is embedded in ${executable}: it is not made by a deno compile that this release knows`;
}

async function readLast(
  file: Deno.FsFile,
  length: number,
): Promise<Uint8Array> {
  await file.seek(-length, Deno.SeekMode.End);
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const count = await file.read(bytes.subarray(filled));
    if (count === null) break;
    filled += count;
  }
  return bytes.subarray(0, filled);
}

function parseTree(appended: Uint8Array): readonly Entry[] {
  let start = MARK.length;
  // Past the metadata and the list of packages.
  for (let part = 0; part < 2; part++) start += 8 + readNumber(appended, start);
  const end = start + 8 + readNumber(appended, start);
  return JSON.parse(
    new TextDecoder().decode(appended.subarray(start + 8, end)),
  );
}

function readNumber(bytes: Uint8Array, offset: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Number(view.getBigUint64(offset, LITTLE_ENDIAN));
}
