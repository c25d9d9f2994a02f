/**
 * A fleet of simulated firewalls in a process of its own, so that what is
 * measured in another process is not theirs.
 *
 * Parent and child speak in lines of JSON: the child prints a
 * {@linkcode FleetAddress} when all firewalls listen, then
 * {@linkcode FleetCounts} for each line it is given, and ends with its input.
 *
 * @module
 */

import { type SimulatedFirewall, startFirewall } from "./firewall.ts";
import { createKeyPair } from "./key_pair.ts";
import { lines } from "./child_log.ts";
import { inventTunnels, printVpnFlow } from "./vpn_flow_reply.ts";

/** What kind of fleet. */
export interface FleetOptions {
  /** Number of firewalls. */
  readonly size: number;
  /** Tunnels of each of them. */
  readonly tunnels: number;
}

/** Where the fleet is, and how to log in. */
export interface FleetAddress {
  /** Each firewall as `host:port`. */
  readonly targets: readonly string[];
  /** Of the host key that they share. */
  readonly fingerprint: string;
  readonly username: string;
  readonly password: string;
}

/** What all firewalls together have seen. */
export interface FleetCounts {
  readonly logins: number;
  /** The most sessions that any one firewall has ever had at a time. */
  readonly mostSessions: number;
}

/** A fleet that runs. */
export interface Fleet extends FleetAddress, AsyncDisposable {
  count(): Promise<FleetCounts>;
}

/** Starts a fleet; it ends with its parent. */
export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--allow-net=127.0.0.1",
      new URL(import.meta.url).pathname,
      JSON.stringify(options),
    ],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const input = child.stdin.getWriter();
  const output = lines(child.stdout);

  async function receive<Message>(): Promise<Message> {
    const { done, value } = await output.next();
    if (done) throw new Error("Cannot ask the fleet: its process has ended");
    return JSON.parse(value);
  }
  const address = await receive<FleetAddress>();
  return {
    ...address,
    async count(): Promise<FleetCounts> {
      await input.write(new TextEncoder().encode("count\n"));
      return await receive();
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await input.close();
      await output.return(undefined);
      await child.status;
    },
  };
}

async function serveFleet({ size, tunnels }: FleetOptions): Promise<void> {
  const text = printVpnFlow(inventTunnels(tunnels));
  const hostKeys = [createKeyPair()];
  const firewalls = await Promise.all(
    Array.from(
      { length: size },
      () => startFirewall({ hostKeys, reply: () => text }),
    ),
  );
  const [first] = firewalls;
  if (first === undefined) throw new RangeError("A fleet needs a firewall");
  const { fingerprint, username, password } = first;
  const targets = firewalls.map(({ port }) => `127.0.0.1:${port}`);
  print({ targets, fingerprint, username, password } satisfies FleetAddress);
  for await (const _ of lines(Deno.stdin.readable)) {
    print(countAll(firewalls));
  }
  Deno.exit();
}

function countAll(firewalls: readonly SimulatedFirewall[]): FleetCounts {
  return {
    logins: firewalls.reduce((sum, { logins }) => sum + logins, 0),
    mostSessions: Math.max(...firewalls.map((each) => each.mostSessions)),
  };
}

function print(message: FleetAddress | FleetCounts): void {
  // deno-lint-ignore no-console -- standard output is how the parent is told
  console.log(JSON.stringify(message));
}

if (import.meta.main) await serveFleet(JSON.parse(Deno.args[0] ?? "{}"));
