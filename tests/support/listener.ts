/**
 * A TCP listener of the tests: opened on the loopback, closed with everything
 * that it accepted.
 *
 * @module
 */

import { once } from "node:events";
import type { Server, Socket } from "node:net";

/**
 * Listens on 127.0.0.1 and returns the port.
 *
 * @param port 0 to be given a free one.
 */
export async function listen(
  server: Server,
  port: number,
  host = "127.0.0.1",
): Promise<number> {
  server.listen(port, host);
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") {
    throw new TypeError("Cannot read the port: the server does not listen");
  }
  return address.port;
}

/** Stops listening and drops all connections; settles when all are closed. */
export async function closeServer(
  server: Server,
  sockets: Iterable<Socket>,
): Promise<void> {
  const closed = [once(server, "close")];
  server.close();
  for (const socket of [...sockets]) {
    closed.push(once(socket, "close"));
    socket.destroy();
  }
  await Promise.all(closed);
}
