/**
 * The package for Debian and Ubuntu, made by `dpkg-deb`.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { dirname } from "node:path";
import type { Package } from "./bill_of_materials.ts";
import type { Commit } from "./build.ts";
import { namesIn, ReleaseError, run } from "./command.ts";

const NAME = "panos-ipsec-exporter";
/** A project and no person; nobody reads mail at an address of `.example`. */
const MAINTAINER = `The ${NAME} project <maintainer@${NAME}.example>`;
const MANUAL = `${NAME}.1`;
const TEMPLATE = `${NAME}.env.example`;
const UNITS = [`${NAME}.service`, `${NAME}@.service`];
const SCRIPTS = ["postinst", "prerm", "postrm"];

/** What a package is made of. */
export interface DebianPackage {
  /** Folder of the repository, or of a commit that was unpacked. */
  readonly source: string;
  readonly executable: string;
  readonly version: string;
  /** Debian's name of the machine, such as `amd64`. */
  readonly architecture: string;
  readonly commit: Commit;
  /** The embedded packages, whose licences want to be told. */
  readonly packages: readonly Package[];
  /** Path of the file to write. */
  readonly output: string;
  /**
   * Options of `dpkg-deb` on how to compress; the bytes do not depend on the
   * number of processors.
   *
   * @default {["-Zxz"]}
   */
  readonly compression?: readonly string[];
}

/**
 * Writes a package; the same bytes for the same parts.
 *
 * @throws {ReleaseError} If `dpkg-deb` fails, or a unit is not as expected.
 */
export async function makeDebianPackage(parts: DebianPackage): Promise<void> {
  const { commit, output, compression = ["-Zxz"] } = parts;
  const dir = dirname(output);
  const tree = await Deno.makeTempDir({ dir, prefix: "deb-" });
  try {
    await layOutFiles(tree, parts);
    await writeControl(tree, parts);
    await run(
      ["dpkg-deb", ...compression, "--root-owner-group", "-b", tree, output],
      // Files that are younger get the time of the commit.
      { cwd: tree, env: { SOURCE_DATE_EPOCH: String(commit.madeAt) } },
    );
  } finally {
    await Deno.remove(tree, { recursive: true });
  }
}

async function layOutFiles(tree: string, parts: DebianPackage): Promise<void> {
  const { source, executable } = parts;
  await Deno.chmod(tree, 0o755);
  await makeFolder(tree, "usr/bin");
  await Deno.copyFile(executable, `${tree}/usr/bin/${NAME}`);
  await Deno.chmod(`${tree}/usr/bin/${NAME}`, 0o755);

  await makeFolder(tree, "usr/lib/systemd/system");
  for (const unit of UNITS) {
    const text = await Deno.readTextFile(`${source}/deploy/${unit}`);
    await write(`${tree}/usr/lib/systemd/system/${unit}`, forPackage(text));
  }

  // Not below /usr/share/doc, which small systems leave out.
  await makeFolder(tree, `usr/share/${NAME}`);
  const template = await Deno.readTextFile(`${source}/deploy/${TEMPLATE}`);
  await write(`${tree}/usr/share/${NAME}/${TEMPLATE}`, template);
  await layOutDocuments(tree, parts);

  await makeFolder(tree, "usr/share/man/man1");
  const manual = await Deno.readTextFile(`${source}/deploy/deb/${MANUAL}`);
  await write(`${tree}/usr/share/man/man1/${MANUAL}`, manual);
  await run(["gzip", "-9n", MANUAL], { cwd: `${tree}/usr/share/man/man1` });

  await makeFolder(tree, "usr/share/lintian/overrides");
  const overrides = await Deno.readTextFile(
    `${source}/deploy/deb/lintian-overrides`,
  );
  await write(`${tree}/usr/share/lintian/overrides/${NAME}`, overrides);
}

/** Turns a unit of the repository into that of the package. */
function forPackage(unit: string): string {
  const changed = unit.replace(
    /^ExecStart=\/usr\/local\/bin\//m,
    "ExecStart=/usr/bin/",
  );
  if (changed === unit) {
    throw new ReleaseError(
      "Cannot package a unit: it has no ExecStart= in /usr/local/bin",
    );
  }
  return changed;
}

/** Lays the documents out as in the repository, so that their links work. */
async function layOutDocuments(
  tree: string,
  { source, version, commit, packages }: DebianPackage,
): Promise<void> {
  const folder = `usr/share/doc/${NAME}`;
  await makeFolder(tree, `${folder}/docs`);
  await makeFolder(tree, `${folder}/deploy`);
  const documents = [
    "README.md",
    ...(await namesIn(`${source}/docs`)).map((name) => `docs/${name}`),
    ...(await shippedFiles(`${source}/deploy`))
      .filter((name) => !UNITS.includes(name) && name !== TEMPLATE)
      .map((name) => `deploy/${name}`),
  ];
  for (const path of documents) {
    // the picture is no text
    await Deno.copyFile(`${source}/${path}`, `${tree}/${folder}/${path}`);
    await Deno.chmod(`${tree}/${folder}/${path}`, 0o644);
  }
  await Deno.symlink(
    `../../../${NAME}/${TEMPLATE}`,
    `${tree}/${folder}/deploy/${TEMPLATE}`,
  );
  const licence = await Deno.readTextFile(`${source}/LICENSE`);
  await write(
    `${tree}/${folder}/copyright`,
    copyright(licence, packages),
  );
  await write(`${tree}/${folder}/changelog`, changelog(version, commit));
  await run(["gzip", "-9n", "changelog"], { cwd: `${tree}/${folder}` });
}

/** What an operator takes from `deploy/`: its files that are no program. */
export async function shippedFiles(deploy: string): Promise<readonly string[]> {
  const entries = await Array.fromAsync(Deno.readDir(deploy));
  return entries
    .filter(({ isFile, name }) => isFile && !name.endsWith(".ts"))
    .map(({ name }) => name).sort();
}

function copyright(licence: string, packages: readonly Package[]): string {
  const embedded = packages.map(({ name, version, licenceText }) =>
    `----\n${name} ${version} is in the executable:\n\n${licenceText.trim()}\n`
  );
  return [
    `${NAME}:\n\n${licence.trim()}\n`,
    "----\nThe executable holds the Deno runtime, Copyright 2018-2026 the Deno" +
    "\nauthors, under the same MIT License, and through it V8 and others:" +
    "\nhttps://github.com/denoland/deno/blob/main/LICENSE.md\n",
    ...embedded,
  ].join("\n");
}

function changelog(version: string, { id, madeAt }: Commit): string {
  const date = new Date(madeAt * 1_000).toUTCString().replace("GMT", "+0000");
  return [
    `${NAME} (${version}) unstable; urgency=medium`,
    "",
    `  * Made from commit ${id.slice(0, 12)}; what is new: docs/CHANGELOG.md.`,
    "",
    ` -- ${MAINTAINER}  ${date}`,
    "",
  ].join("\n");
}

async function writeControl(
  tree: string,
  { source, version, architecture }: DebianPackage,
): Promise<void> {
  const files = await filesBelow(tree);
  let bytes = 0;
  let sums = "";
  for (const path of files) {
    const contents = await Deno.readFile(`${tree}/${path}`);
    bytes += contents.length;
    sums += `${createHash("md5").update(contents).digest("hex")}  ${path}\n`;
  }

  await makeFolder(tree, "DEBIAN");
  const values: Readonly<Record<string, string>> = {
    VERSION: version,
    ARCHITECTURE: architecture,
    MAINTAINER,
    INSTALLED_SIZE: String(Math.ceil(bytes / 1_024)),
  };
  const template = await Deno.readTextFile(`${source}/deploy/deb/control`);
  const control = template.replaceAll(
    /@([A-Z_]+)@/g,
    (whole, name) => values[name] ?? whole,
  );
  await write(`${tree}/DEBIAN/control`, control);
  await write(`${tree}/DEBIAN/md5sums`, sums);
  for (const script of SCRIPTS) {
    const text = await Deno.readTextFile(`${source}/deploy/deb/${script}`);
    await write(`${tree}/DEBIAN/${script}`, text);
    await Deno.chmod(`${tree}/DEBIAN/${script}`, 0o755);
  }
}

/** Lists files, without links, by their paths from a folder. */
async function filesBelow(folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory, isFile } of Deno.readDir(folder)) {
    if (isFile) found.push(name);
    if (!isDirectory) continue;
    const below = await filesBelow(`${folder}/${name}`);
    found.push(...below.map((path) => `${name}/${path}`));
  }
  return found.sort();
}

/** Makes a folder and those above it, whatever this process' umask is. */
async function makeFolder(tree: string, path: string): Promise<void> {
  let folder = tree;
  for (const part of path.split("/")) {
    folder += `/${part}`;
    await Deno.mkdir(folder, { recursive: true });
    await Deno.chmod(folder, 0o755);
  }
}

async function write(path: string, text: string): Promise<void> {
  await Deno.writeTextFile(path, text);
  await Deno.chmod(path, 0o644);
}
