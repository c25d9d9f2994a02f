/**
 * `deno task release`: everything that an operator installs, in `dist/`, with
 * its checksums.
 *
 * It is made from the last commit and not from the working tree, through
 * `git archive`, which also stamps the commit into `src/std/version.ts`.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- a person at a terminal reads it

import { createHash } from "node:crypto";

/** Platforms that a release is for, and the number of each in ELF files. */
export const MACHINES: ReadonlyMap<string, number> = new Map([
  ["x86_64-unknown-linux-gnu", 0x3e],
  ["aarch64-unknown-linux-gnu", 0xb7],
]);

/** What is released as it is. */
const FILES = [
  "panos-ipsec-exporter.service",
  "panos-ipsec-exporter@.service",
  "panos-ipsec-exporter.env.example",
  "alerts.yml",
  "dashboard.json",
];

/** Why there is no release. */
export class ReleaseError extends Error {
  override readonly name = "ReleaseError";
}

/** Makes the executable of a target out of sources. */
export type Compile = (job: {
  /** Folder of the sources. */
  readonly source: string;
  readonly target: string;
  /** Path of the executable. */
  readonly output: string;
}) => Promise<void>;

export interface ReleaseOptions {
  /** Folder of the repository. */
  readonly root: string;
  readonly compile?: Compile;
}

/**
 * Makes a release, or nothing at all: what is in `dist/` is replaced when each
 * part of it is there and has been checked.
 *
 * @throws {ReleaseError} If it cannot be made.
 */
export async function release(
  { root, compile = compileWithDeno }: ReleaseOptions,
): Promise<void> {
  const changes = await run(["git", "status", "--porcelain"], root);
  if (changes !== "") {
    throw new ReleaseError(
      `Cannot release with changes that are not committed:\n${changes}`,
    );
  }

  await using stack = new AsyncDisposableStack();
  const source = await temporaryFolder(stack, {});
  await unpackLastCommit(root, source);
  // In the same file system as its destination, for the renaming at the end.
  await Deno.mkdir(`${root}/dist`, { recursive: true });
  const staging = await temporaryFolder(stack, { dir: `${root}/dist` });
  await compileAll(compile, { source, staging });
  for (const file of FILES) {
    await Deno.copyFile(`${source}/deploy/${file}`, `${staging}/${file}`);
  }
  await writeChecksums(staging);
  for (const file of await filesIn(staging)) {
    await Deno.rename(`${staging}/${file}`, `${root}/dist/${file}`);
  }
}

async function unpackLastCommit(root: string, folder: string): Promise<void> {
  const archive = `${folder}/source.tar`;
  await run(["git", "archive", "--output", archive, "HEAD"], root);
  await run(["tar", "--extract", "--file", archive], folder);
  const version = await Deno.readTextFile(`${folder}/src/std/version.ts`);
  if (version.includes("$Format:")) {
    throw new ReleaseError(
      "Cannot stamp the commit into src/std/version.ts: src/std/.gitattributes is not in effect",
    );
  }
}

interface Folders {
  readonly source: string;
  readonly staging: string;
}

/** Tries every target, so that one run tells all that is wrong. */
async function compileAll(
  compile: Compile,
  { source, staging }: Folders,
): Promise<void> {
  const faults: string[] = [];
  for (const [target, machine] of MACHINES) {
    const output = `${staging}/panos-ipsec-exporter-${target}`;
    try {
      await compile({ source, target, output });
      checkExecutable(await readHeader(output), machine);
    } catch (error) {
      if (!(error instanceof ReleaseError)) throw error;
      faults.push(`${target}: ${error.message}`);
    }
  }
  if (faults.length > 0) {
    throw new ReleaseError(`Cannot compile for\n${faults.join("\n")}`);
  }
}

/** Compiles like the task `compile`, for any target. */
const compileWithDeno: Compile = async ({ source, target, output }) => {
  const config = JSON.parse(await Deno.readTextFile(`${source}/deno.json`));
  const args = compileArguments(config.tasks.compile.command, {
    target,
    output,
  });
  await run([Deno.execPath(), ...args], source);
};

/**
 * Turns the command of the task `compile` into arguments for another target
 * and output, so that the permissions of a release are those of the task.
 */
export function compileArguments(
  command: string,
  { target, output }: { readonly target: string; readonly output: string },
): readonly string[] {
  const parts = /^deno compile (?<flags>.*) --output \S+ (?<main>\S+)$/.exec(
    command,
  )
    ?.groups;
  const { flags, main } = parts ?? {};
  if (flags === undefined || main === undefined) {
    throw new ReleaseError(
      `Cannot read the task "compile": expected "deno compile … --output FILE MAIN", found "${command}"`,
    );
  }
  return [
    "compile",
    ...flags.split(" "),
    ...["--target", target, "--output", output],
    main,
  ];
}

/**
 * Checks the head of an executable: `deno compile` can be led to write that of
 * another platform without a word.
 *
 * @see {@link https://man7.org/linux/man-pages/man5/elf.5.html}
 * @throws {ReleaseError} If it is not a 64-bit ELF file of this machine.
 */
export function checkExecutable(header: Uint8Array, machine: number): void {
  const [class64, littleEndian] = [2, 1];
  const identity = [0x7f, 0x45, 0x4c, 0x46, class64, littleEndian];
  if (
    header.length < 20 || identity.some((byte, index) => header[index] !== byte)
  ) {
    throw new ReleaseError("the file is not a 64-bit ELF executable");
  }
  const [low = 0, high = 0] = header.subarray(18);
  const found = low + 0x100 * high;
  if (found !== machine) {
    throw new ReleaseError(
      `the executable must be for machine ${hex(machine)}: found ${hex(found)}`,
    );
  }
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

async function readHeader(path: string): Promise<Uint8Array> {
  using file = await Deno.open(path);
  const header = new Uint8Array(64);
  const length = await file.read(header) ?? 0;
  return header.subarray(0, length);
}

/** Writes `SHA256SUMS` as `sha256sum --check` reads it. */
async function writeChecksums(folder: string): Promise<void> {
  let sums = "";
  for (const file of await filesIn(folder)) {
    const hash = createHash("sha256");
    hash.update(await Deno.readFile(`${folder}/${file}`));
    sums += `${hash.digest("hex")}  ${file}\n`;
  }
  await Deno.writeTextFile(`${folder}/SHA256SUMS`, sums);
}

async function filesIn(folder: string): Promise<readonly string[]> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  return entries.map(({ name }) => name).sort();
}

async function temporaryFolder(
  stack: AsyncDisposableStack,
  options: Deno.MakeTempOptions,
): Promise<string> {
  const path = await Deno.makeTempDir({ prefix: "release-", ...options });
  stack.defer(() => Deno.remove(path, { recursive: true }));
  return path;
}

/** Runs a command and returns what it prints. */
async function run(
  [command, ...args]: readonly [string, ...string[]],
  cwd: string,
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args,
    cwd,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  if (!success) throw new ReleaseError(fault(decoder.decode(stderr)));
  return decoder.decode(stdout);
}

/** Leaves out what Deno prints before and after the error. */
function fault(stderr: string): string {
  return stderr.trim()
    .replace(/^[^]*?^error: /m, "")
    .replace(/\n+Stack backtrace:[^]*$/, "");
}

if (import.meta.main) {
  const root = new URL("..", import.meta.url).pathname.replace(/\/$/, "");
  try {
    if (Deno.env.has("DENORT_BIN")) {
      throw new ReleaseError(
        "Cannot release with DENORT_BIN set: every target would get that base, whatever its machine",
      );
    }
    await release({ root });
    console.log(await Deno.readTextFile(`${root}/dist/SHA256SUMS`));
  } catch (error) {
    if (!(error instanceof ReleaseError)) throw error;
    console.error(error.message);
    Deno.exit(1);
  }
}
