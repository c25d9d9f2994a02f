/**
 * A socket whose reader leaves the rest of the program its turn.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { clearImmediate, setImmediate } from "node:timers";

/** Read in one turn of the event loop: small messages cost 15 µs for 36 bytes. */
const PORTION_BYTES = 16 * 1024;

/**
 * Hands on what a socket receives in portions, with a turn of the event loop
 * behind each: whoever sends very many small messages must not keep the
 * program from answering others. What is written goes through at once.
 */
export class PacedSocket extends Duplex {
  readonly #socket: Socket;
  /** Portions that wait for their turn, and what came behind them. */
  #waiting: (() => void)[] = [];
  #written: Uint8Array[] = [];
  #turn: ReturnType<typeof setImmediate> | undefined;

  constructor(socket: Socket) {
    super({ allowHalfOpen: false });
    this.#socket = socket;
    socket
      .on("data", (chunk: Uint8Array) => this.#take(chunk))
      .on("end", () => this.#await(() => this.push(null)))
      .on("error", (error) => this.#await(() => this.destroy(error)))
      .on("close", () => this.#await(() => this.destroy()));
  }

  #take(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; at += PORTION_BYTES) {
      const portion = chunk.subarray(at, at + PORTION_BYTES);
      this.#await(() => this.push(portion));
    }
    if (this.#waiting.length > 0) this.#socket.pause();
  }

  #await(turn: () => void): void {
    this.#waiting.push(turn);
    if (this.#turn === undefined) this.#handOn();
  }

  #handOn(): void {
    this.#turn = undefined;
    const next = this.#waiting.shift();
    if (next === undefined || this.destroyed) return;
    if (this.#waiting.length === 0) this.#socket.resume();
    this.#turn = setImmediate(() => this.#handOn());
    next();
  }

  override _read(): void {
    // what comes is handed on whether or not somebody waits for it
  }

  override _write(
    chunk: Uint8Array,
    _encoding: string,
    done: () => void,
  ): void {
    // ssh2 writes a message in three parts: they leave in one packet
    if (this.#written.push(chunk) === 1) queueMicrotask(() => this.#flush());
    done();
  }

  #flush(): void {
    const written = this.#written;
    this.#written = [];
    if (this.destroyed || written.length === 0) return;
    this.#socket.write(Buffer.concat(written));
  }

  override _final(done: () => void): void {
    this.#flush();
    this.#socket.end();
    done();
  }

  override _destroy(
    error: Error | null,
    done: (error: Error | null) => void,
  ): void {
    this.#waiting = [];
    clearImmediate(this.#turn);
    this.#socket.destroy();
    done(error);
  }
}
