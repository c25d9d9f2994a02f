/**
 * Servers that never get as far as SSH (silent, closing, or sending garbage),
 * and one that stands in between.
 *
 * @module
 */

import { connect, createServer, type Socket } from "node:net";
import { Buffer } from "node:buffer";
import { closeServer, listen } from "./listener.ts";

/** A TCP server on the loopback that does one thing to each connection. */
export interface RawServer extends AsyncDisposable {
  readonly port: number;
  /** Connections accepted so far. */
  readonly connections: number;
  /** Connections open at the moment. */
  readonly openConnections: number;
  /** Everything that clients sent, as Latin-1. */
  readonly received: string;
}

/** What is done to a connection once it is accepted. */
export type RawBehaviour = (socket: Socket) => void;

/** Accepts the connection and says nothing. */
export function staySilent(): void {}

/** Closes the connection before a byte is sent. */
export function closeAtOnce(socket: Socket): void {
  socket.end();
}

/** Says that it speaks SSH, and then nothing more. */
export function hangInHandshake(socket: Socket): void {
  socket.write("SSH-2.0-Simulated\r\n");
}

/** Sends the text, then bytes without meaning for as long as anyone reads. */
export function sendGarbage(greeting: string): RawBehaviour {
  const garbage = Buffer.alloc(16_384, "\x7fgarbage\xff", "latin1");
  return (socket) => {
    function send(): void {
      while (!socket.destroyed && socket.write(garbage));
    }
    socket.write(greeting);
    socket.on("drain", send);
    send();
  };
}

/**
 * Stands between a client and a server on the loopback.
 *
 * @param alter What becomes of what the server says in a connection; the first
 * is 1.
 */
export function forwardTo(
  port: number,
  alter: (chunk: Buffer, connection: number) => Buffer,
): RawBehaviour {
  let connections = 0;
  return (socket) => {
    const connection = ++connections;
    const server = connect({ host: "127.0.0.1", port, noDelay: true });
    socket.setNoDelay();
    server.on("data", (chunk) => socket.write(alter(chunk, connection)));
    server.on("error", () => socket.destroy());
    server.on("close", () => socket.destroy());
    socket.on("data", (chunk) => server.write(chunk));
    socket.on("close", () => server.destroy());
  };
}

/** Damages an ed25519 host key by a byte where a server shows it unsigned. */
export function damageHostKey(chunk: Buffer): Buffer {
  return damageBehind(
    "\x1f\0\0\0\x33\0\0\0\x0bssh-ed25519\0\0\0\x20",
    chunk,
  );
}

/** Damages by a byte the signature with which a server proves such a key. */
export function damageSignature(chunk: Buffer): Buffer {
  return damageBehind("\0\0\0\x53\0\0\0\x0bssh-ed25519\0\0\0\x40", chunk);
}

function damageBehind(beginning: string, chunk: Buffer): Buffer {
  const shown = Buffer.from(beginning, "latin1");
  const at = chunk.indexOf(shown);
  if (at === -1) return chunk;
  const damaged = Buffer.from(chunk);
  const byte = at + shown.length + 7;
  damaged[byte] = 0xff - (chunk[byte] ?? 0);
  return damaged;
}

/**
 * Starts a server that treats every connection in the same way.
 *
 * @param port Given only where a server must come back at the same port.
 */
export async function startRawServer(
  behaviour: RawBehaviour,
  port = 0,
): Promise<RawServer> {
  const sockets = new Set<Socket>();
  let connections = 0;
  let received = "";
  const server = createServer((socket) => {
    connections++;
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", () => {}); // a client that hangs up is no failure
    socket.on("data", (data) => received += data.toString("latin1"));
    behaviour(socket);
  });
  return {
    port: await listen(server, port),
    get connections() {
      return connections;
    },
    get openConnections() {
      return sockets.size;
    },
    get received() {
      return received;
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await closeServer(server, sockets);
    },
  };
}
