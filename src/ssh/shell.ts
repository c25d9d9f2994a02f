/**
 * A shell on a firewall, over SSH.
 *
 * What it shields the others from: for a channel that the firewall never
 * answers, nothing is ever emitted.
 *
 * @module
 */

// @ts-types="@types/ssh2"
import type { ClientChannel } from "ssh2";
import type { Negotiated } from "../model/negotiated.ts";
import { PollError } from "../model/poll.ts";
import type { Shell } from "../model/shell.ts";
import type { Clock } from "../std/clock.ts";
import { settledWithin } from "../std/deadline.ts";
import { quoteWithout } from "../std/quote.ts";
import { Connection, type Login } from "./connection.ts";
import { dial } from "./dial.ts";
import { ENDED } from "./loss.ts";
import { inWords } from "./system_error.ts";

/** A shell that runs on a firewall. */
export interface SshShell extends Shell {
  readonly negotiated: Negotiated;
  /**
   * Says `exit`, and settles once the connection is closed: within three
   * seconds, whatever the firewall does.
   */
  end(): Promise<void>;
}

/** What a shell takes beside the login. */
export interface ShellOptions {
  readonly clock: Clock;
  /** How long a connection may be silent before the firewall is asked. */
  readonly keepaliveMs?: number;
}

/** A terminal so wide that no row is wrapped. */
const WINDOW = { term: "vt100", cols: 500, rows: 500 };

/** Two questions that nobody answers find a dead firewall in 45 s. */
const KEEPALIVE_MS = 15_000;

/** How long each of the three steps of a goodbye may take. */
const GOODBYE_MS = 1_000;

/**
 * Logs in and opens a shell.
 *
 * @param signal Aborted with a {@linkcode PollError} to destroy the connection,
 * also when the shell is long open.
 * @throws {PollError} `connect`, `host_key`, `auth` or `session`; or the
 * signal's reason.
 */
export async function openShell(
  login: Login,
  signal: AbortSignal,
  { clock, keepaliveMs = KEEPALIVE_MS }: ShellOptions,
): Promise<SshShell> {
  login.onPhase("connect");
  const socket = await reach(login, signal, clock);
  login.onPhase("handshake");
  const connection = new Connection(login, socket, signal, clock);
  connection.start(keepaliveMs);
  const { lost } = connection;
  const negotiated = await Promise.race([lost, connection.accepted]);
  const channel = await Promise.race([lost, connection.openShell(WINDOW)]);
  const channelClosed = new Promise<void>((resolve) => {
    channel.once("close", resolve);
  });
  return {
    negotiated,
    output: readOutput(channel, connection),
    write: (text) => void channel.write(text),
    expectOutput: ({ isExpected }) =>
      connection.traffic.expectOutput(isExpected),
    async end(): Promise<void> {
      channel.write("exit\n");
      await sayGoodbye(connection, channelClosed, clock);
    },
  };
}

async function reach(
  { host, port, credentials: { password } }: Login,
  signal: AbortSignal,
  clock: Clock,
): ReturnType<typeof dial> {
  try {
    return await dial(host, port, signal, { clock });
  } catch (error) {
    if (error instanceof PollError || !(error instanceof Error)) throw error;
    const message = `Cannot connect to ${host} port ${port}: ${
      quoteWithout(password)(error.message)
    }${inWords(error)}`;
    throw new PollError("connect", message, { cause: error });
  }
}

function readOutput(
  channel: ClientChannel,
  connection: Connection,
): ReadableStream<Uint8Array> {
  channel.stderr.resume();
  let isOpen = true;
  return new ReadableStream<Uint8Array>({
    start(controller): void {
      const finish = (): void => {
        if (!isOpen) return;
        isOpen = false;
        // a connection that is lost closes its channels, too
        if (connection.loss === undefined) controller.close();
        else controller.error(connection.loss);
      };
      channel.on("data", (chunk: Uint8Array) => {
        connection.traffic.printed(chunk.length);
        if (isOpen) controller.enqueue(chunk);
      });
      // nothing comes behind it, and the channel may stay open after it
      channel.on("end", finish);
      channel.on("close", finish);
      connection.lost.catch(finish);
    },
    cancel(): void {
      isOpen = false;
      connection.destroy(ENDED);
    },
  });
}

/**
 * Ends a connection whose shell was told to exit.
 *
 * @param channelClosed Settles when the shell has exited.
 */
export async function sayGoodbye(
  connection: Pick<Connection, "client" | "closed" | "destroy">,
  channelClosed: Promise<void>,
  clock: Clock,
): Promise<void> {
  const { client, closed } = connection;
  await settledWithin(GOODBYE_MS, Promise.race([channelClosed, closed]), clock);
  client.end();
  await settledWithin(GOODBYE_MS, closed, clock);
  connection.destroy(ENDED);
  await settledWithin(GOODBYE_MS, closed, clock);
}
