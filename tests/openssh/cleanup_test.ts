/** What is left on this machine by tests that are interrupted: nothing. */

import assert from "node:assert/strict";
import { testWithOpenSsh } from "../support/openssh.ts";
import { lines } from "../support/child_log.ts";
import { eventually, processes } from "../support/system.ts";

const OPENSSH = new URL("../support/openssh.ts", import.meta.url).href;

testWithOpenSsh({
  name: "a server, its user and its folder are gone",
  fn: async (t) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGKILL"] as const) {
      await t.step(`after ${signal}`, async () => {
        const { name, home } = await startAndEnd(signal);
        assert(await eventually(() => isGone(name, home)));
      });
    }
  },
});

/** Starts a server in a process of its own, and ends that process. */
async function startAndEnd(
  signal: Deno.Signal,
): Promise<{ readonly name: string; readonly home: string }> {
  await using child = new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      `import { startOpenSsh } from "${OPENSSH}";
      const server = await startOpenSsh();
      console.log(server.username);
      setInterval(() => {}, 1_000);`,
    ],
    stdout: "piped",
  }).spawn();
  let name = "";
  for await (const line of lines(child.stdout)) {
    name = line;
    break;
  }
  const passwd = await Deno.readTextFile("/etc/passwd");
  const home = new RegExp(`^${name}:.*:([^:]*):`, "m").exec(passwd)?.[1];
  assert(home, "there is no such user");
  child.kill(signal);
  await child.status;
  return { name, home };
}

async function isGone(name: string, home: string): Promise<boolean> {
  const passwd = await Deno.readTextFile("/etc/passwd");
  if (passwd.includes(name)) return false;
  try {
    await Deno.stat(home);
    return false;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return (await processes()).every(({ command }) => !command.includes(home));
}
