/**
 * A socket whose reader leaves the rest of the program its turn.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import type { Clock } from "../std/clock.ts";

/**
 * Bytes that are handed on at once. As a table they cost 0.1 ms; as small
 * messages that want an answer, 50 ms.
 */
const MAX_PORTION_BYTES = 16 * 1024;
const MIN_PORTION_BYTES = 512;

/** How long portions are handed on before others get their turn. */
const TURN_MS = 5;

/**
 * How long their turn is, at least. The runtime looks after all its sockets
 * only when nothing is ready to run: `setImmediate` would always be, and then
 * it looks once in 61 turns.
 */
const PAUSE_MS = 1;

/**
 * Hands on what a socket receives in portions, with a pause between them when
 * they take long: whoever sends very many small messages must not keep the
 * program from answering others. What is written goes through at once.
 */
export class PacedSocket extends Duplex {
  readonly #socket: Socket;
  readonly #clock: Clock;
  /** What waits for its turn, and the end or the error behind it. */
  #waiting: (Uint8Array | (() => void))[] = [];
  #portionBytes = MAX_PORTION_BYTES;
  #written: Uint8Array[] = [];
  /** Ends the pause that is on. */
  #endPause: (() => void) | undefined;

  constructor(socket: Socket, clock: Clock) {
    super({ allowHalfOpen: false });
    this.#socket = socket;
    this.#clock = clock;
    socket
      .on("data", (chunk: Uint8Array) => this.#await(chunk))
      .on("end", () => this.#await(() => this.push(null)))
      .on("error", (error) => this.#await(() => this.destroy(error)))
      .on("close", () => this.#await(() => this.destroy()));
  }

  /** Whether something was written that leaves in this turn. */
  get isSending(): boolean {
    return this.#written.length > 0;
  }

  #await(next: Uint8Array | (() => void)): void {
    this.#waiting.push(next);
    if (this.#endPause === undefined) this.#handOn();
  }

  #handOn(): void {
    this.#endPause = undefined;
    const startedAtMs = this.#clock.monotonicMs();
    let nowMs = startedAtMs;
    while (this.#waiting.length > 0) {
      this.#handOnPortion();
      const beforeMs = nowMs;
      nowMs = this.#clock.monotonicMs();
      this.#adapt(nowMs - beforeMs);
      if (nowMs < startedAtMs + TURN_MS || this.destroyed) continue;
      // also behind the last one: the next chunk may be there already
      this.#socket.pause();
      this.#endPause = this.#clock.setTimer(PAUSE_MS, () => this.#handOn());
      return;
    }
    this.#socket.resume();
  }

  #handOnPortion(): void {
    const next = this.#waiting.shift();
    if (typeof next === "function") return next();
    if (next === undefined) return;
    const rest = next.subarray(this.#portionBytes);
    if (rest.length > 0) this.#waiting.unshift(rest);
    this.push(next.subarray(0, this.#portionBytes));
  }

  /** Keeps what one portion takes below a turn. */
  #adapt(tookMs: number): void {
    if (tookMs > TURN_MS) {
      this.#portionBytes = Math.max(MIN_PORTION_BYTES, this.#portionBytes / 4);
    } else if (tookMs < TURN_MS / 8) {
      this.#portionBytes = Math.min(MAX_PORTION_BYTES, this.#portionBytes * 2);
    }
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
    this.#endPause?.();
    this.#socket.destroy();
    done(error);
  }
}
