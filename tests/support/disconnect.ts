/**
 * A message of SSH that `ssh2` sends only without a text.
 *
 * @module
 */

import { Buffer } from "node:buffer";
// @ts-types="@types/ssh2"
import type { Connection } from "ssh2";

/** Ends a connection of a server, and says why. */
export function disconnect(client: Connection, text: string): void {
  const { _packetRW: { write }, _cipher } = Reflect.get(client, "_protocol");
  const tooManyConnections = 12;
  const length = Buffer.byteLength(text);
  const packet: Buffer = write.alloc(1 + 4 + 4 + length + 4);
  let at = packet.writeUInt8(1, write.allocStart);
  at = packet.writeUInt32BE(tooManyConnections, at);
  at = packet.writeUInt32BE(length, at);
  at += packet.write(text, at);
  packet.writeUInt32BE(0, at);
  _cipher.encrypt(write.finalize(packet));
}
