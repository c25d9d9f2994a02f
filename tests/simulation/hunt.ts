/**
 * Puts known faults into a copy of the source, one at a time, and plays
 * histories until each is found.
 *
 * @module
 */

import { type Fault, FAULTS } from "./faults/faults.ts";
import type { Found } from "./find.ts";

const ROOT = new URL("../../", import.meta.url);
const COPIED = ["src", "tests/simulation", "tests/support"];

/**
 * Hunts faults, for so many seconds each, whose name holds a text.
 *
 * @returns The exit status: 1 if a fault was not found, or does not apply.
 */
export async function hunt(
  [secondsText = "180", text = ""]: readonly string[],
): Promise<number> {
  const faults = FAULTS.filter(({ name }) => name.includes(text));
  if (faults.length === 0) throw new Error(`Cannot find a fault: ${text}`);
  print("| fault | found by | histories | scrapes |\n|---|---|---|---|");
  let missed = 0;
  for (const fault of faults) {
    const result = await findFault(fault, Number(secondsText));
    if (result.rule === undefined) missed++;
    print(
      `| ${fault.name} | ${
        result.rule ?? "NOT FOUND"
      } | ${result.histories} | ${result.scrapes} |`,
    );
  }
  print(`${faults.length - missed} of ${faults.length} found`);
  return missed === 0 ? 0 : 1;
}

/** Plays histories against a copy of the source that has the fault. */
async function findFault(fault: Fault, seconds: number): Promise<Found> {
  const folder = await Deno.makeTempDir({ prefix: "fault-" });
  try {
    await copySource(folder);
    await applyFault(fault, `${folder}/`);
    const { stdout, stderr, success } = await new Deno.Command(
      Deno.execPath(),
      {
        args: [
          "run",
          "--quiet",
          "--no-check",
          "--allow-all",
          `${folder}/tests/simulation/find.ts`,
          fault.isLeak ? "leak" : String(seconds),
        ],
        cwd: folder,
      },
    ).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    return JSON.parse(new TextDecoder().decode(stdout));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/**
 * Changes a file.
 *
 * @throws {Error} If the text to replace is not there exactly once.
 */
export async function applyFault(
  { name, file, find, replace }: Fault,
  folder: string | URL,
): Promise<void> {
  const path = `${folder instanceof URL ? folder.pathname : folder}${file}`;
  const parts = (await Deno.readTextFile(path)).split(find);
  if (parts.length !== 2) {
    const times = parts.length - 1;
    throw new Error(
      `Cannot apply "${name}": ${file} holds its text ${times} times`,
    );
  }
  await Deno.writeTextFile(path, parts.join(replace));
}

async function copySource(folder: string): Promise<void> {
  for (const path of COPIED) {
    await copyFolder(new URL(`${path}/`, ROOT), `${folder}/${path}`);
  }
  for (const file of ["deno.json", "deno.lock"]) {
    await Deno.copyFile(new URL(file, ROOT), `${folder}/${file}`);
  }
}

async function copyFolder(from: URL, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) {
      await copyFolder(new URL(`${name}/`, from), `${to}/${name}`);
    } else await Deno.copyFile(new URL(name, from), `${to}/${name}`);
  }
}

function print(line: string): void {
  // deno-lint-ignore no-console -- the table is what it is run for
  console.log(line);
}
