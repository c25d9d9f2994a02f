/**
 * Listening, and listening again.
 *
 * @module
 */

import type { HttpConfig } from "../config/http.ts";
import { ConfigError } from "../config/reader.ts";
import { type Clock, delay } from "../std/clock.ts";
import type { Fields, Log } from "../std/log.ts";
import { StartError } from "../std/start_error.ts";
import type { Peer } from "./sender.ts";

/** How long to wait before listening again. */
const LISTEN_AGAIN_MS = 1_000;

/** What is used of the runtime's server. */
export interface Listener {
  /** Rejects when it can listen no longer. */
  readonly finished: Promise<void>;
  shutdown(): Promise<void>;
}

/** What the runtime serves with, such as `Deno.serve`. */
export type Serve = (
  options: {
    readonly hostname: string;
    readonly port: number;
    readonly onListen: () => void;
    readonly onError: (error: unknown) => Response;
    readonly cert?: string;
    readonly key?: string;
  },
  handler: Handler,
) => Listener;

/** Answers a request. */
export type Handler = (request: Request, peer: Peer) => Promise<Response>;

/** Where to listen, and who answers. */
export interface ServerOptions {
  readonly http: HttpConfig;
  readonly serve: Serve;
  readonly handler: Handler;
  readonly log: Log;
  /** What the log says beside the address. */
  readonly facts: Fields;
  readonly clock: Clock;
}

/**
 * Listens, and does so again when that fails: the process may have run out of
 * file descriptors, for one.
 */
export class Server {
  readonly #options: ServerOptions;
  #listener: Listener | undefined;
  #isStopping = false;

  /**
   * @throws {StartError} If the address cannot be listened on.
   * @throws {ConfigError} If certificate and key cannot be used.
   */
  constructor(options: ServerOptions) {
    this.#options = options;
    this.#listener = listen(options);
    this.#keepListening();
  }

  /** Listens no more; settles once all requests under way are answered. */
  async shutdown(): Promise<void> {
    this.#isStopping = true;
    await this.#listener?.shutdown();
  }

  async #keepListening(): Promise<void> {
    const { log, clock } = this.#options;
    for (;;) {
      try {
        await this.#listener?.finished;
      } catch (error) {
        log("error", "listener failed, listening again", {
          error: String(error),
        });
      }
      await delay(LISTEN_AGAIN_MS, clock);
      if (this.#isStopping) return;
      this.#listener = this.#tryListen();
    }
  }

  /** @returns `undefined` if it is not possible yet. */
  #tryListen(): Listener | undefined {
    try {
      return listen(this.#options);
    } catch (error) {
      if (!(error instanceof StartError)) throw error;
      const { message } = error;
      this.#options.log("error", "cannot listen yet", { error: message });
      return undefined;
    }
  }
}

function listen({ http, serve, handler, log, facts }: ServerOptions): Listener {
  const { address, port, tls } = http;
  const options = {
    hostname: address,
    port,
    onListen: (): void => {
      const security = tls === undefined ? "off" : "on";
      log("info", "listening", { address, port, tls: security, ...facts });
    },
    // the handler never throws: this is a body that was cancelled
    onError: (error: unknown): Response => {
      const message = error instanceof Error ? error.message : String(error);
      log("warn", "answer cancelled", { error: message });
      return new Response(null, { status: 500 });
    },
  };
  const pem = tls && { cert: tls.certificate, key: tls.key.reveal() };
  try {
    return serve({ ...options, ...pem }, handler);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    // an error of the system has a code; any other is about certificate and key
    if (tls === undefined || "code" in error) {
      const message =
        `Cannot listen on ${address} port ${port}: ${error.message}`;
      throw new StartError(message, { cause: error });
    }
    const what = "HTTP_TLS_CERT and HTTP_TLS_KEY cannot be used together";
    throw new ConfigError([`${what}: ${error.message}`]);
  }
}
