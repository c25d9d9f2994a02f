/**
 * The compiled program, which `deno task compile` makes: run by hand and by CI,
 * with its path in `EXPORTER_EXECUTABLE`, against an OpenSSH server with its
 * default algorithms.
 *
 * The runtime of an older release cannot do all that it has a name for, and
 * has to find out by itself.
 *
 * @module
 */

import assert from "node:assert/strict";
import { startExporter } from "../support/exporter.ts";
import {
  SIX_TUNNELS,
  startOpenSsh,
  testWithOpenSsh,
} from "../support/openssh.ts";
import { eventually } from "../support/system.ts";
import { execute } from "../support/program.ts";

const EXECUTABLE = Deno.env.get("EXPORTER_EXECUTABLE") ??
  new URL("../../dist/panos-ipsec-exporter", import.meta.url).pathname;
Deno.env.set("EXPORTER_EXECUTABLE", EXECUTABLE);

testWithOpenSsh({
  name: "the executable serves the tunnels of OpenSSH",
  fn: serveAndEnd,
});

async function serveAndEnd(): Promise<void> {
  await using server = await startOpenSsh({
    shell: { replies: { "show vpn flow": SIX_TUNNELS } },
  });
  await using exporter = await startExporter({
    HOSTNAME: "127.0.0.1",
    SSH_PORT: String(server.port),
    USERNAME: server.username,
    PASSWORD: server.password,
    SSH_HOST_KEY: server.fingerprint,
  });

  for (let scrape = 0; scrape < 3; scrape++) {
    const { verdict, states, text } = await exporter.scrape();
    assert.equal(verdict, "up", text);
    assert.deepEqual(states, [2, 1, 1, 2, 1, 1]);
  }
  assert.equal(server.logins(), 1);

  assert.equal((await exporter.stop()).code, 0);
  assert(await eventually(async () => (await server.shells()).length === 0));
  assert.equal((await server.commands()).at(-1), "exit");
}

Deno.test("the executable names every variable that is missing", async () => {
  const { code, stderr } = await execute(EXECUTABLE, [], { clearEnv: true });
  assert.equal(code, 78);
  for (const name of ["HOSTNAME", "USERNAME", "PASSWORD"]) {
    assert.match(stderr, new RegExp(`^ {2}${name} is not set`, "m"));
  }
});

Deno.test("the executable tells its version without any environment", async () => {
  const { code, stdout } = await execute(EXECUTABLE, ["--version"], {
    clearEnv: true,
  });
  assert.equal(code, 0);
  assert.match(stdout, /^panos-ipsec-exporter \d+\.\d+\.\d+ \(/);
});
