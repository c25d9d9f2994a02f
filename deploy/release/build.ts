/**
 * From a commit to the executables, so that the same commit gives the same
 * bytes.
 *
 * `deno compile` writes into an executable where the sources and the cache were
 * and when each file was changed. A build has therefore always the same folder,
 * a cache of its own, and the time of the commit on all that it reads.
 *
 * @module
 */

import { ReleaseError, run } from "./command.ts";

/** Platforms that a release is for, by the target that Deno calls them. */
export const PLATFORMS: ReadonlyMap<string, Platform> = new Map([
  ["x86_64-unknown-linux-gnu", { machine: 0x3e, debian: "amd64" }],
  ["aarch64-unknown-linux-gnu", { machine: 0xb7, debian: "arm64" }],
]);

/** How others call a platform. */
export interface Platform {
  /** In the head of an ELF file. */
  readonly machine: number;
  /** As `dpkg --print-architecture` says. */
  readonly debian: string;
}

/** A commit, laid out to be built. */
export interface Build {
  readonly source: string;
  /** `DENO_DIR` of the build, with the packages in it. */
  readonly cache: string;
  readonly commit: Commit;
}

export interface Commit {
  readonly id: string;
  /** When it was made, in seconds since 1970. */
  readonly madeAt: number;
}

/**
 * Unpacks the last commit into a folder, with the packages that it needs.
 *
 * @throws {ReleaseError} If it cannot be unpacked, or was not stamped.
 */
export async function layOut(root: string, folder: string): Promise<Build> {
  const commit = await lastCommit(root);
  const build = {
    commit,
    source: `${folder}/source`,
    cache: `${folder}/cache`,
  };
  const archive = `${folder}/source.tar`;
  await Deno.mkdir(build.source);
  await Deno.mkdir(build.cache);
  await run(["git", "archive", "--output", archive, "HEAD"], { cwd: root });
  await run(["tar", "--extract", "--file", archive], { cwd: build.source });
  const version = await Deno.readTextFile(`${build.source}/src/std/version.ts`);
  if (version.includes("$Format:")) {
    throw new ReleaseError(
      "Cannot stamp the commit into src/std/version.ts: src/std/.gitattributes is not in effect",
    );
  }
  await run(
    [Deno.execPath(), "install", "--entrypoint", "main.ts"],
    { cwd: build.source, env: { DENO_DIR: build.cache } },
  );
  await setTimes(folder, commit.madeAt);
  return build;
}

async function lastCommit(root: string): Promise<Commit> {
  const format = "--format=%H %ct";
  const text = await run(["git", "log", "-1", format], { cwd: root });
  const [id = "", seconds] = text.trim().split(" ");
  return { id, madeAt: Number(seconds) };
}

/** Gives one time to a folder and all that is in it. */
async function setTimes(folder: string, seconds: number): Promise<void> {
  await run(
    ["find", ".", "-exec", "touch", "-h", "-d", `@${seconds}`, "{}", "+"],
    { cwd: folder },
  );
}

/** Makes the executable of a target out of a build. */
export type Compile = (job: CompileJob) => Promise<void>;

export interface CompileJob extends Build {
  readonly target: string;
  /** Path of the executable. */
  readonly output: string;
}

/** Compiles like the task `compile`, for any target. */
export async function compileWithDeno(
  { source, cache, target, output }: CompileJob,
): Promise<void> {
  const config = JSON.parse(await Deno.readTextFile(`${source}/deno.json`));
  const args = compileArguments(config.tasks.compile.command, {
    target,
    output,
  });
  await run([Deno.execPath(), ...args], {
    cwd: source,
    env: { DENO_DIR: cache },
  });
}

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
 * Compiles for all targets, and tries every one, so that one run tells all that
 * is wrong.
 *
 * @returns The path of the executable of each target.
 * @throws {ReleaseError} With the faults of the targets that have one.
 */
export async function compileAll(
  compile: Compile,
  { build, folder }: { readonly build: Build; readonly folder: string },
): Promise<ReadonlyMap<string, string>> {
  const executables = new Map<string, string>();
  const faults: string[] = [];
  for (const [target, { machine }] of PLATFORMS) {
    const output = `${folder}/panos-ipsec-exporter-${target}`;
    try {
      await compile({ ...build, target, output });
      checkExecutable(await readHeader(output), machine);
      await Deno.chmod(output, 0o755);
      executables.set(target, output);
    } catch (error) {
      if (!(error instanceof ReleaseError)) throw error;
      faults.push(`${target}: ${error.message}`);
    }
  }
  if (faults.length > 0) {
    throw new ReleaseError(`Cannot compile for\n${faults.join("\n")}`);
  }
  return executables;
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
