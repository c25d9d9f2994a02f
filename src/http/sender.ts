/**
 * Sending answers to clients that may never read them: what is not read lies in
 * the memory of this process and of the kernel, many times over.
 *
 * @module
 */

import type { Clock } from "../std/clock.ts";
import { type Answer, type Part, plain } from "./answer.ts";

/** Up to this a body is sent at once. */
const SMALL_BYTES = 65_536;
/** So much of a larger body is handed over at a time. */
const PIECE_BYTES = 65_536;
/** At most so many larger bodies are being sent at the same time. */
const MAX_LARGE_BODIES = 32;
/** How long an answer waits until one of these has been sent. */
const MAX_WAIT_MS = 5_000;
/**
 * When a body has been sent, the kernel has it, and the client may not. So its
 * place is kept for as long as a client of this speed needs to read it, or until
 * the same connection asks for more.
 */
const READ_BYTES_PER_MS = 400;
/** A body of which nothing was read for so long is cancelled. */
const MAX_STALL_MS = 30_000;

const BUSY = plain(
  503,
  "Cannot answer: too many large answers are being sent",
  { "retry-after": "1" },
);

/** Turns answers into responses, large ones in pieces and few at a time. */
export class Sender {
  readonly #clock: Clock;
  #places = MAX_LARGE_BODIES;
  /** Who waits for a place, in the order of arrival. */
  readonly #waiting = new Set<(place: "given" | "refused") => void>();
  /** Gives back the place that is kept for a connection, by its name. */
  readonly #kept = new Map<string, () => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * @param method Of the request: `HEAD` gets no body.
   * @param connection Any name that no other connection has.
   */
  async send(
    answer: Answer,
    method: string,
    connection: string,
  ): Promise<Response> {
    this.#kept.get(connection)?.();
    const { status, headers, parts } = answer;
    const size = parts.reduce((sum, { length }) => sum + length, 0);
    if (method === "HEAD") {
      return new Response(null, {
        status,
        headers: { ...headers, "content-length": String(size) },
      });
    }
    if (size <= SMALL_BYTES) {
      return new Response(join(parts, size), { status, headers });
    }
    if (!await this.#takePlace()) {
      return await this.send(BUSY, method, connection);
    }
    // if the client has gone meanwhile, the runtime cancels the body
    const readAtMs = this.#clock.monotonicMs() + size / READ_BYTES_PER_MS;
    const source = new LargeBody(parts, this.#clock, (end) => {
      if (end === "cancelled") this.#givePlace();
      else this.#keepPlace(connection, readAtMs - this.#clock.monotonicMs());
    });
    const body = new ReadableStream(source, { highWaterMark: 0 });
    return new Response(body, {
      status,
      headers: { ...headers, "content-length": String(size) },
    });
  }

  async #takePlace(): Promise<boolean> {
    if (this.#places > 0) {
      this.#places--;
      return true;
    }
    const { promise, resolve } = Promise.withResolvers<"given" | "refused">();
    this.#waiting.add(resolve);
    const cancel = this.#clock.setTimer(MAX_WAIT_MS, () => {
      this.#waiting.delete(resolve);
      resolve("refused");
    });
    const place = await promise;
    cancel();
    return place === "given";
  }

  #keepPlace(connection: string, ms: number): void {
    this.#kept.get(connection)?.();
    const end = (): void => {
      cancel();
      this.#kept.delete(connection);
      this.#givePlace();
    };
    const cancel = this.#clock.setTimer(Math.max(0, ms), end);
    this.#kept.set(connection, end);
  }

  #givePlace(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#places++;
      return;
    }
    this.#waiting.delete(next);
    next("given");
  }
}

/** A body that is handed over as it is read. */
class LargeBody implements UnderlyingDefaultSource<Part> {
  readonly #clock: Clock;
  readonly #pieces: Generator<Part, undefined>;
  /** Told once that nothing is sent any more. */
  readonly #onEnd: (end: "sent" | "cancelled") => void;
  #stopTimer = (): void => {};

  constructor(
    parts: readonly Part[],
    clock: Clock,
    onEnd: (end: "sent" | "cancelled") => void,
  ) {
    this.#clock = clock;
    this.#pieces = cut(parts);
    this.#onEnd = onEnd;
  }

  start(controller: ReadableStreamDefaultController<Part>): void {
    this.#stopTimer = this.#clock.setTimer(MAX_STALL_MS, () => {
      controller.error(new Error("Cannot send an answer that nobody reads"));
      this.#onEnd("cancelled");
    });
  }

  pull(controller: ReadableStreamDefaultController<Part>): void {
    this.#stopTimer();
    const { value, done } = this.#pieces.next();
    if (done) {
      controller.close();
      this.#onEnd("sent");
      return;
    }
    controller.enqueue(value);
    this.start(controller);
  }

  cancel(): void {
    this.#stopTimer();
    this.#onEnd("cancelled");
  }
}

function* cut(parts: readonly Part[]): Generator<Part, undefined> {
  for (const part of parts) {
    for (let start = 0; start < part.length; start += PIECE_BYTES) {
      yield part.subarray(start, start + PIECE_BYTES);
    }
  }
}

function join(parts: readonly Part[], size: number): Part {
  const [only, second] = parts;
  if (only !== undefined && second === undefined) return only;
  const all = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
