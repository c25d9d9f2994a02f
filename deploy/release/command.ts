/**
 * Commands that a release is made with, and how one says why there is none.
 *
 * @module
 */

/** Why there is no release. */
export class ReleaseError extends Error {
  override readonly name = "ReleaseError";
}

/** What a command did. */
export interface Outcome {
  readonly success: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where and with what a command runs. */
export interface Surroundings {
  /** Its folder. */
  readonly cwd: string;
  /** Variables beside those of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a command to its end, whatever that is. */
export async function attempt(
  [command, ...args]: readonly [string, ...string[]],
  { cwd, env }: Surroundings,
): Promise<Outcome> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args,
    cwd,
    env: { ...env, NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return {
    success,
    stdout: decoder.decode(stdout),
    stderr: withoutFrame(decoder.decode(stderr)),
  };
}

/**
 * Runs a command and returns what it prints.
 *
 * @throws {ReleaseError} With what it says, if it fails.
 */
export async function run(
  command: readonly [string, ...string[]],
  surroundings: Surroundings,
): Promise<string> {
  const { success, stdout, stderr } = await attempt(command, surroundings);
  if (!success) throw new ReleaseError(stderr);
  return stdout;
}

/** Leaves out what Deno prints before and after the error. */
function withoutFrame(stderr: string): string {
  return stderr.trim()
    .replace(/^[^]*?^error: /m, "")
    .replace(/\n+Stack backtrace:[^]*$/, "");
}

/** Lists what a folder holds, sorted. */
export async function namesIn(folder: string): Promise<readonly string[]> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  return entries.map(({ name }) => name).sort();
}
