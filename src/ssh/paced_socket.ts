/**
 * A socket whose reader leaves the rest of the program its turn.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { clearImmediate, setImmediate } from "node:timers";
import { type Clock, systemClock } from "../std/clock.ts";

/** Small messages cost 15 µs for 36 bytes: 7 ms for this much. */
const PORTION_BYTES = 16 * 1024;

/** How long portions are handed on before others get their turn. */
const TURN_MS = 5;

/**
 * Hands on what a socket receives in portions, with a turn of the event loop
 * between them when they take long: whoever sends very many small messages must not keep the
 * program from answering others. What is written goes through at once.
 */
export class PacedSocket extends Duplex {
  readonly #socket: Socket;
  readonly #clock: Clock;
  /** Portions that wait for their turn, and what came behind them. */
  #waiting: (() => void)[] = [];
  #written: Uint8Array[] = [];
  #turn: ReturnType<typeof setImmediate> | undefined;

  constructor(socket: Socket, clock: Clock = systemClock) {
    super({ allowHalfOpen: false });
    this.#socket = socket;
    this.#clock = clock;
    socket
      .on("data", (chunk: Uint8Array) => this.#take(chunk))
      .on("end", () => this.#await(() => this.push(null)))
      .on("error", (error) => this.#await(() => this.destroy(error)))
      .on("close", () => this.#await(() => this.destroy()));
  }

  #take(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; at += PORTION_BYTES) {
      const portion = chunk.subarray(at, at + PORTION_BYTES);
      this.#waiting.push(() => this.push(portion));
    }
    if (this.#turn === undefined) this.#handOn();
  }

  #await(last: () => void): void {
    this.#waiting.push(last);
    if (this.#turn === undefined) this.#handOn();
  }

  #handOn(): void {
    this.#turn = undefined;
    const endsAt = this.#clock.monotonicMs() + TURN_MS;
    for (
      let next = this.#waiting.shift();
      next !== undefined;
      next = this.#waiting.shift()
    ) {
      next();
      if (this.#clock.monotonicMs() < endsAt || this.destroyed) continue;
      // also behind the last one: the next chunk may be there already
      this.#socket.pause();
      this.#turn = setImmediate(() => this.#handOn());
      return;
    }
    this.#socket.resume();
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
