/**
 * The compiled program, which `deno task compile` makes: run by hand and by CI,
 * with its path in `EXPORTER_EXECUTABLE`.
 *
 * The runtime of an older release cannot decrypt AES-GCM, so the firewall
 * offers counter mode and elliptic curves only.
 *
 * @module
 */

import assert from "node:assert/strict";
import { startExporter } from "../support/exporter.ts";
import { startFirewall } from "../support/firewall.ts";
import { execute } from "../support/program.ts";

const EXECUTABLE = Deno.env.get("EXPORTER_EXECUTABLE") ??
  new URL("../../dist/panos-ipsec-exporter", import.meta.url).pathname;
Deno.env.set("EXPORTER_EXECUTABLE", EXECUTABLE);

Deno.test({
  name: "the executable serves the tunnels of a firewall and ends on SIGTERM",
  // the simulated firewall, with ssh2, never closes a cipher in counter mode
  sanitizeResources: false,
  fn: serveAndEnd,
});

async function serveAndEnd(): Promise<void> {
  await using firewall = await startFirewall({
    algorithms: {
      cipher: ["aes256-ctr", "aes128-ctr"],
      kex: ["curve25519-sha256", "ecdh-sha2-nistp256"],
    },
  });
  await using exporter = await startExporter({
    HOSTNAME: "127.0.0.1",
    SSH_PORT: String(firewall.port),
    USERNAME: firewall.username,
    PASSWORD: firewall.password,
    SSH_HOST_KEY: firewall.fingerprint,
  });

  const { verdict, states, text } = await exporter.scrape();
  assert.equal(verdict, "up", text);
  assert.deepEqual(states, [1, 1, 1, 1, 1, 1]);
  assert.match(
    text,
    /^ifIPsecOperStatus\{ifAlias="branch-1",ifDescr="tunnel\.1",ifIndex="1",ifName="tunnel\.1"\} 1$/m,
  );

  const { code, seconds } = await exporter.stop();
  assert.equal(code, 0);
  assert(seconds < 3, `it took ${seconds} s to end`);
  await firewall.waitFor(({ openSessions }) => openSessions === 0);
  assert.equal(firewall.commands.at(-1), "exit");
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
