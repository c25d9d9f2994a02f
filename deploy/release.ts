/**
 * `deno task release`: everything that an operator installs, in `dist/`, with
 * its checksums.
 *
 * It is made from the last commit and not from the working tree, through
 * `git archive`, which also stamps the commit into `src/std/version.ts`. The
 * same commit gives the same bytes, if Deno, `dpkg-deb`, `gzip` and the build
 * folder are the same.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- a person at a terminal reads it

import { createHash } from "node:crypto";
import { type Audit, auditWithDeno } from "./release/audit.ts";
import {
  billOfMaterials,
  describePackages,
} from "./release/bill_of_materials.ts";
import {
  type Build,
  type Compile,
  compileAll,
  compileWithDeno,
  layOut,
  PLATFORMS,
} from "./release/build.ts";
import { namesIn, ReleaseError, run } from "./release/command.ts";
import { makeDebianPackage, shippedFiles } from "./release/debian_package.ts";
import { embeddedPackages } from "./release/embedded.ts";

/** Where a release is built: the path becomes part of the executables. */
const BUILD_FOLDER = "/tmp/panos-ipsec-exporter-release";

export interface ReleaseOptions {
  /** Folder of the repository. */
  readonly root: string;
  /** A folder that is made for the build, and removed. */
  readonly buildFolder?: string;
  readonly audit?: Audit;
  readonly compile?: Compile;
  /** Lists what is in an executable, each package as `name@version`. */
  readonly embedded?: (executable: string) => Promise<readonly string[]>;
  /** How `dpkg-deb` compresses. */
  readonly compression?: readonly string[];
}

/**
 * Makes a release, or nothing at all: what is in `dist/` is replaced when each
 * part of it is there and has been checked.
 *
 * @throws {ReleaseError} If it cannot be made.
 */
export async function release(options: ReleaseOptions): Promise<void> {
  const { root, buildFolder = BUILD_FOLDER, audit = auditWithDeno } = options;
  const { compile = compileWithDeno } = options;
  const changes = await run(["git", "status", "--porcelain"], { cwd: root });
  if (changes !== "") {
    throw new ReleaseError(
      `Cannot release with changes that are not committed:\n${changes}`,
    );
  }

  await using stack = new AsyncDisposableStack();
  await makeBuildFolder(buildFolder);
  stack.defer(() => Deno.remove(buildFolder, { recursive: true }));
  const build = await layOut(root, buildFolder);
  await audit(build.source);
  // In the same file system as its destination, for the renaming at the end.
  await Deno.mkdir(`${root}/dist`, { recursive: true });
  const staging = await Deno.makeTempDir({
    dir: `${root}/dist`,
    prefix: "release-",
  });
  stack.defer(() => Deno.remove(staging, { recursive: true }));
  const executables = await compileAll(compile, { build, folder: staging });
  await writePackages(staging, { ...options, build, executables });
  for (const file of await shippedFiles(`${build.source}/deploy`)) {
    await Deno.copyFile(`${build.source}/deploy/${file}`, `${staging}/${file}`);
  }
  await Deno.copyFile(`${build.source}/LICENSE`, `${staging}/LICENSE`);
  await writeChecksums(staging);
  for (const file of await namesIn(staging)) {
    await Deno.rename(`${staging}/${file}`, `${root}/dist/${file}`);
  }
}

/** Nobody else may have made it, or write into it. */
async function makeBuildFolder(path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { mode: 0o700 });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    throw new ReleaseError(
      `Cannot build in ${path}: it exists. If no other release runs, remove it`,
    );
  }
}

interface Parts extends Pick<ReleaseOptions, "compression" | "embedded"> {
  readonly build: Build;
  /** Path of the executable of each target. */
  readonly executables: ReadonlyMap<string, string>;
}

/** Writes the bill of materials, and the Debian package of each platform. */
async function writePackages(
  staging: string,
  { build, executables, compression, embedded = embeddedPackages }: Parts,
): Promise<void> {
  const { source, cache, commit } = build;
  const config = JSON.parse(await Deno.readTextFile(`${source}/deno.json`));
  const lock = JSON.parse(await Deno.readTextFile(`${source}/deno.lock`));
  const names = await embeddedInAll(embedded, executables);
  const packages = await describePackages(names, { lock, cache });
  const bill = billOfMaterials({
    version: config.version,
    commit,
    denoVersion: Deno.version.deno,
    packages,
    imports: Object.keys(config.imports),
  });
  await Deno.writeTextFile(`${staging}/panos-ipsec-exporter.cdx.json`, bill);
  for (const [target, executable] of executables) {
    const architecture = PLATFORMS.get(target)?.debian ?? target;
    const name = `panos-ipsec-exporter_${config.version}_${architecture}.deb`;
    await makeDebianPackage({
      source,
      executable,
      version: config.version,
      architecture,
      commit,
      packages,
      output: `${staging}/${name}`,
      ...(compression === undefined ? {} : { compression }),
    });
  }
}

/** One bill is for all platforms: they have to embed the same packages. */
async function embeddedInAll(
  embedded: (executable: string) => Promise<readonly string[]>,
  executables: ReadonlyMap<string, string>,
): Promise<readonly string[]> {
  const lists = await Promise.all([...executables.values()].map(embedded));
  const [first = [], ...others] = lists;
  for (const other of others) {
    if (other.join() !== first.join()) {
      throw new ReleaseError(
        `Cannot write one bill of materials: one executable embeds ${first.join()}, another ${other.join()}`,
      );
    }
  }
  return first;
}

/** Writes `SHA256SUMS` as `sha256sum --check` reads it. */
async function writeChecksums(folder: string): Promise<void> {
  let sums = "";
  for (const file of await namesIn(folder)) {
    const hash = createHash("sha256");
    hash.update(await Deno.readFile(`${folder}/${file}`));
    sums += `${hash.digest("hex")}  ${file}\n`;
  }
  await Deno.writeTextFile(`${folder}/SHA256SUMS`, sums);
}

if (import.meta.main) {
  const root = new URL("..", import.meta.url).pathname.replace(/\/$/, "");
  const [buildFolder = BUILD_FOLDER] = Deno.args;
  try {
    if (Deno.env.has("DENORT_BIN")) {
      throw new ReleaseError(
        "Cannot release with DENORT_BIN set: every target would get that base, whatever its machine",
      );
    }
    await release({ root, buildFolder });
    console.log(await Deno.readTextFile(`${root}/dist/SHA256SUMS`));
  } catch (error) {
    if (!(error instanceof ReleaseError)) throw error;
    console.error(error.message);
    Deno.exit(1);
  }
}
