/**
 * Speed and memory, with the budgets beside them.
 *
 * ```sh
 * deno task bench                 # all sections
 * deno task bench cold warm       # some of them
 * ```
 *
 * @module
 */

import { benchCold, benchLarge } from "./bench/openssh.ts";
import { benchMemory, benchWarm } from "./bench/session.ts";
import { print } from "./bench/measure.ts";

const SECTIONS: ReadonlyMap<string, () => Promise<void>> = new Map([
  ["parse", () => runScript("./bench/parse.ts")],
  ["cold", () => benchCold()],
  ["warm", () => benchWarm()],
  ["large", () => benchLarge()],
  ["memory", () => benchMemory()],
  ["fleet", () => runScript("./bench/fleet.ts")],
]);

/** A section that prints a table of its own, in a process of its own. */
async function runScript(path: string): Promise<void> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", new URL(path, import.meta.url).pathname],
    stdin: "null",
  }).spawn().status;
  if (!success) throw new Error(`Cannot finish ${path}: see above`);
}

const wanted = Deno.args.length === 0 ? [...SECTIONS.keys()] : Deno.args;
for (const name of wanted) {
  const section = SECTIONS.get(name);
  if (section === undefined) {
    const known = [...SECTIONS.keys()].join(", ");
    throw new RangeError(`Cannot bench "${name}": the sections are ${known}`);
  }
  print(`\n== ${name}`);
  await section();
}
