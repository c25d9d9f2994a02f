/**
 * The exporter beside the `ssh` client, both on the same OpenSSH server.
 *
 * Both log in with the same key, say the same and get the same; they take
 * turns, so that what else the machine does hits both.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type Exporter, startExporter } from "../support/exporter.ts";
import { type OpenSsh, startOpenSsh } from "../support/openssh.ts";
import { inventTunnels, printVpnFlow } from "../support/vpn_flow_reply.ts";
import { median, report, time } from "./measure.ts";

const WARM_UP = 5;
const DIALOGUE =
  "set cli scripting-mode on\nset cli pager off\nshow vpn flow\nexit\n";

/** A scrape with a login of its own: login, shell, command, exit. */
export async function benchCold(rounds = 30): Promise<void> {
  await using server = await startServer(6);
  await using exporter = await startFor(server, "0");
  const { client, scrape } = await takeTurns(server, exporter, rounds);
  report("cold: ssh client, median", `${client.toFixed(0)} ms`, "");
  report("cold: scrape, median", `${scrape.toFixed(0)} ms`, "");
  report("cold: ratio", (scrape / client).toFixed(2), "≤ 0.45");
}

/** A scrape of very many tunnels on a session that is kept. */
export async function benchLarge(rounds = 15): Promise<void> {
  await using server = await startServer(10_000);
  await using exporter = await startFor(server, "600");
  const { client, scrape } = await takeTurns(server, exporter, rounds);
  report("10,000 tunnels: ssh client, median", `${client.toFixed(0)} ms`, "");
  report("10,000 tunnels: scrape, median", `${scrape.toFixed(0)} ms`, "");
  report("10,000 tunnels: ratio", (scrape / client).toFixed(2), "≤ 0.45");
}

async function startServer(tunnels: number): Promise<OpenSsh> {
  const server = await startOpenSsh({
    methods: ["publickey"],
    userKey: "ed25519",
  });
  const reply = printVpnFlow(inventTunnels(tunnels));
  await server.play({ replies: { "show vpn flow": reply } });
  return server;
}

async function startFor(
  server: OpenSsh,
  idleTimeout: string,
): Promise<Exporter> {
  return await startExporter({
    HOSTNAME: "127.0.0.1",
    SSH_PORT: String(server.port),
    USERNAME: server.username,
    SSH_PRIVATE_KEY: server.privateKey,
    SSH_HOST_KEY: server.fingerprint,
    SSH_SESSION_IDLE_TIMEOUT: idleTimeout,
    MIN_POLL_INTERVAL: "0",
  });
}

async function takeTurns(
  server: OpenSsh,
  exporter: Exporter,
  rounds: number,
): Promise<{ client: number; scrape: number }> {
  const keyFile = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(keyFile, server.privateKey);
    const client: number[] = [];
    const scrape: number[] = [];
    for (let round = 0; round < WARM_UP + rounds; round++) {
      const clientMs = await time(() => runClient(server, keyFile));
      const scrapeMs = await time(async () => {
        const response = await fetch(`${exporter.url}/metrics`);
        assert.match(await response.text(), /^panos_ipsec_up 1$/m);
      });
      if (round < WARM_UP) continue;
      client.push(clientMs);
      scrape.push(scrapeMs);
    }
    return { client: median(client), scrape: median(scrape) };
  } finally {
    await Deno.remove(keyFile);
  }
}

async function runClient(server: OpenSsh, keyFile: string): Promise<void> {
  const child = new Deno.Command("ssh", {
    args: [
      ...["-F", "/dev/null", "-tt", "-i", keyFile, "-p", String(server.port)],
      ...["-o", "StrictHostKeyChecking=no", "-o", "LogLevel=ERROR"],
      ...["-o", "UserKnownHostsFile=/dev/null"],
      `${server.username}@127.0.0.1`,
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const input = child.stdin.getWriter();
  await input.write(new TextEncoder().encode(DIALOGUE));
  const output = await new Response(child.stdout).text();
  await child.status;
  await input.close().catch(() => {}); // the client may be gone by then
  assert.match(output, /total IPSec tunnel shown/);
}
