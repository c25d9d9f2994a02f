/**
 * Programs of the system that tests lean on, such as `promtool`.
 *
 * @module
 */

/**
 * Whether a test that needs a program is to be ignored here. On CI none is: a
 * program that is missing there fails its tests.
 */
export function isAbsent(program: string): boolean {
  return Deno.env.get("CI") !== "true" && !isInstalled(program);
}

/** Whether a program is found, also where only root looks for it. */
export function isInstalled(program: string): boolean {
  const folders = Deno.env.get("PATH")?.split(":") ?? [];
  return [...folders, "/usr/sbin", "/sbin"]
    .some((folder) => isFile(`${folder}/${program}`));
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** What a program did. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, whatever that is. */
export async function execute(
  program: string,
  args: readonly string[],
  { input = "", ...options }:
    & Pick<Deno.CommandOptions, "clearEnv" | "cwd" | "env">
    & { readonly input?: string } = {},
): Promise<Outcome> {
  await using child = new Deno.Command(program, {
    ...options,
    args: [...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const [{ code, stdout, stderr }] = await Promise.all([
    child.output(),
    // a program that reads nothing is gone before all is written
    new Blob([input]).stream().pipeTo(child.stdin).catch(() => {}),
  ]);
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}

/**
 * Runs a program that has to succeed.
 *
 * @returns What it printed, without the last line end.
 */
export async function run(
  program: string,
  args: readonly string[],
  options: { readonly input?: string } = {},
): Promise<string> {
  const { code, stdout, stderr } = await execute(program, args, options);
  if (code !== 0) throw new Error(`Cannot run ${program}: ${stderr}`);
  return stdout.trim();
}

/** A folder that is gone after the test. */
export async function temporaryFolder(): Promise<
  AsyncDisposable & { readonly path: string }
> {
  const path = await Deno.makeTempDir({ prefix: "panos-ipsec-" });
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}
