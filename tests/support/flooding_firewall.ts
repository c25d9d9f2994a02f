/**
 * A firewall that answers a command and then sends very many small messages.
 *
 * It is a process of its own, so that whoever watches the exporter is not held
 * up: started by itself, this file prints its port.
 *
 * @module
 */

import { createServer, type Socket } from "node:net";
// @ts-types="@types/ssh2"
import { type Connection, Server } from "ssh2";
import { createKeyPair } from "./key_pair.ts";
import { listen } from "./listener.ts";
import { serveShell } from "./panos_shell.ts";
import { lines } from "./child_log.ts";

/** Bytes of a flood, at least. */
export const FLOOD_BYTES = 1_500_000;

/** The smallest message that wants an answer takes more than this. */
const MESSAGE_BYTES = 50;

/** Starts one that lets in whoever has any password. */
export async function startFloodingFirewall(): Promise<
  AsyncDisposable & { readonly port: number }
> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", new URL(import.meta.url).pathname],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const said = lines(child.stdout);
  const { value } = await said.next();
  return {
    port: Number(value),
    async [Symbol.asyncDispose](): Promise<void> {
      child.kill("SIGKILL");
      await child.status;
      await said.return(undefined);
    },
  };
}

async function serve(): Promise<void> {
  const { privateKey } = createKeyPair();
  const server = createServer((socket) => {
    socket.setNoDelay();
    socket.on("error", () => {}); // a client that hangs up is no failure
    new Server({ hostKeys: [privateKey] }, (client) => {
      serveClient(client, socket);
    }).injectSocket(socket);
  });
  const port = await listen(server, 0);
  // deno-lint-ignore no-console -- whoever started it reads this
  console.log(port);
}

function serveClient(client: Connection, socket: Socket): void {
  client.on("error", () => {});
  client.on("authentication", (attempt) => {
    if (attempt.method === "password") attempt.accept();
    else attempt.reject(["password"]);
  });
  client.on("session", (accept) => {
    const session = accept();
    session.on("pty", (accept) => accept());
    session.on("shell", (accept) => {
      const channel = accept();
      channel.on("error", () => {});
      const host = {
        answered: 0,
        onLogin: (proceed: () => void) => proceed(),
        onCommand: () => {},
        // the prompt comes first
        onAnswered: () => void setTimeout(() => flood(client, socket), 50),
        onExit: () => channel.close(),
        drop: () => {},
      };
      serveShell({ channel, options: {}, host, rows: 500 });
    });
  });
}

/** Asks so often, and all at once, whether the client is still there. */
function flood(client: Connection, socket: Socket): void {
  const protocol = Reflect.get(client, "_protocol");
  socket.cork();
  for (let size = 0; size < FLOOD_BYTES; size += MESSAGE_BYTES) protocol.ping();
  socket.uncork();
}

if (import.meta.main) await serve();
