/**
 * A firewall that answers a command and then sends very many small messages.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import {
  type ServedShell,
  type SimulatedFirewall,
  startFirewall,
} from "./firewall.ts";
import { serveShell } from "./panos_shell.ts";

/** Bytes of a flood, at least. */
export const FLOOD_BYTES = 1_500_000;

/** The smallest message that wants an answer takes more than this. */
const MESSAGE_BYTES = 50;

/** Starts one that works until it has answered. */
export async function startFloodingFirewall(): Promise<SimulatedFirewall> {
  return await startFirewall({
    serve(shell): void {
      const { channel } = shell;
      const host = {
        answered: 0,
        onLogin: (proceed: () => void) => proceed(),
        onCommand: () => {},
        // the prompt comes first
        onAnswered: () => void setImmediate(() => flood(shell)),
        onExit: () => channel.close(),
        drop: () => {},
      };
      serveShell({ channel, options: {}, host, rows: 500 });
    },
  });
}

/** Asks so often, and all at once, whether the client is still there. */
function flood({ client, socket }: ServedShell): void {
  const protocol = Reflect.get(client, "_protocol");
  socket.cork();
  for (let size = 0; size < FLOOD_BYTES; size += MESSAGE_BYTES) protocol.ping();
  socket.uncork();
}
