/**
 * Sending answers to clients that may never read them: what is not read lies in
 * the memory of this process and of the kernel, many times over.
 *
 * @module
 */

import type { Clock } from "../std/clock.ts";
import type { Part } from "../view/shared_exposition.ts";
import { type Answer, join, plain, sizeOf } from "./answer.ts";
import { compress } from "./compression.ts";

/** Up to this a body is sent at once. */
const SMALL_BYTES = 65_536;
/** So much of a larger body is handed over at a time. */
const PIECE_BYTES = 65_536;
/** At most so many larger bodies are under way at the same time. */
const MAX_LARGE_BODIES = 32;
/** How long an answer waits until there is a place for it. */
const MAX_WAIT_MS = 5_000;
/**
 * When a body has been sent, the kernel has it, and the client may not. So its
 * place is kept for as long as a client of this speed needs to read it, or until
 * the same connection asks for more.
 */
const READ_BYTES_PER_MS = 3_000;
/** A larger one keeps its place no longer than this. */
const MAX_READ_MS = 1_000;
/**
 * When more than this waits for a place, a crowd has come: 33 answers with 10,000
 * tunnels each. Many small ones cost little.
 */
const MAX_QUEUED_BYTES = 75_000_000;
/**
 * How long the place of a client is kept that came in a crowd. Until then the
 * next crowd gets nothing, while the memory of the first may still be in use.
 */
const MAX_SUSPICION_MS = 3_600_000;
/** A body of which nothing was read for so long is cancelled. */
const MAX_STALL_MS = 30_000;

const BUSY = plain(
  503,
  "Cannot answer: too many large answers are being sent",
  { "retry-after": "1" },
);

/** Who asks: each connection has another address. */
export interface Peer {
  readonly remoteAddr: object;
}

/** What of a request changes how it is answered. */
type Asked = Pick<Request, "method" | "headers">;

/** Turns answers into responses, large ones in pieces and few at a time. */
export class Sender {
  readonly #clock: Clock;
  readonly #places: Places;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#places = new Places(clock);
  }

  /** Answers a request; a large body waits for a place, or is refused. */
  async send(
    answer: Answer,
    request: Asked,
    peer: Peer,
  ): Promise<Response> {
    this.#places.giveKept(peer);
    const isHead = request.method === "HEAD";
    if (!isHead && sizeOf(answer.parts) > SMALL_BYTES) {
      return await this.#sendLarge(answer, request, peer);
    }
    const sent = compress(answer, request.headers);
    return respond(sent, isHead ? null : join(sent.parts));
  }

  async #sendLarge(
    answer: Answer,
    request: Asked,
    peer: Peer,
  ): Promise<Response> {
    const address = JSON.stringify(peer.remoteAddr);
    if (!await this.#places.take(sizeOf(answer.parts))) {
      return await this.send(BUSY, request, peer);
    }
    const sent = compress(answer, request.headers);
    // if the client has gone meanwhile, the runtime cancels the body
    const source = new LargeBody(sent.parts, this.#clock, (end) => {
      if (end === "sent") this.#places.keep(address, sizeOf(sent.parts));
      else this.#places.give();
    });
    return respond(sent, new ReadableStream(source, { highWaterMark: 0 }));
  }
}

function respond(
  { status, headers, parts }: Answer,
  body: Part | ReadableStream<Part> | null,
): Response {
  const size = String(sizeOf(parts));
  return new Response(body, {
    status,
    headers: { ...headers, "content-length": size },
  });
}

/** The place of a body that has been sent. */
interface Kept {
  /** Whether a crowd waited when it should have been read. */
  isSuspect: boolean;
  stopTimer: () => void;
}

/**
 * Who may send a large body. A client that does not read cannot be told from one
 * that does. But those that cost much memory come in crowds: then each of them is
 * a suspect, and its place is kept for long. Who comes later, and in no crowd,
 * may have the place of a suspect.
 */
class Places {
  readonly #clock: Clock;
  #free = MAX_LARGE_BODIES;
  /** Who waits for a place, in the order of arrival, and for how many bytes. */
  readonly #waiting = new Map<(end: "given" | "refused") => void, number>();
  /** By the address of the peer, the oldest first. */
  readonly #kept = new Map<string, Kept>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @returns Whether there was a place in time. */
  async take(size: number): Promise<boolean> {
    if (this.#free > 0) {
      this.#free--;
      return true;
    }
    const { promise, resolve } = Promise.withResolvers<"given" | "refused">();
    const settle = (end: "given" | "refused"): void => {
      stopTimer();
      this.#waiting.delete(settle);
      resolve(end);
    };
    const readMs = readMsOf(size);
    // not again later: the last of a crowd would look alone when the others have
    // been refused
    let stopTimer = this.#clock.setTimer(readMs, () => {
      if (!this.#isCrowded() && this.#takeFromSuspect()) {
        settle("given");
        return;
      }
      const ms = MAX_WAIT_MS - readMs;
      stopTimer = this.#clock.setTimer(ms, () => settle("refused"));
    });
    this.#waiting.set(settle, size);
    return await promise === "given";
  }

  /** Gives a place to who has waited longest. */
  give(): void {
    const [next] = this.#waiting.keys();
    if (next === undefined) this.#free++;
    else next("given");
  }

  keep(address: string, size: number): void {
    const give = (): void => this.#giveKept(address);
    give();
    const kept: Kept = {
      isSuspect: false,
      stopTimer: this.#clock.setTimer(readMsOf(size), () => {
        kept.isSuspect = this.#isCrowded();
        if (!kept.isSuspect) give();
        else kept.stopTimer = this.#clock.setTimer(MAX_SUSPICION_MS, give);
      }),
    };
    this.#kept.set(address, kept);
  }

  /** Gives the place that is kept for a peer, if there is one. */
  giveKept(peer: Peer): void {
    // to read an address is slow
    if (this.#kept.size > 0) this.#giveKept(JSON.stringify(peer.remoteAddr));
  }

  #giveKept(address: string): void {
    if (this.#endKept(address)) this.give();
  }

  #endKept(address: string): boolean {
    this.#kept.get(address)?.stopTimer();
    return this.#kept.delete(address);
  }

  /** Takes the place of the oldest suspect, if there is one. */
  #takeFromSuspect(): boolean {
    for (const [address, { isSuspect }] of this.#kept) {
      if (isSuspect) return this.#endKept(address);
    }
    return false;
  }

  #isCrowded(): boolean {
    let bytes = 0;
    for (const size of this.#waiting.values()) bytes += size;
    return bytes > MAX_QUEUED_BYTES;
  }
}

function readMsOf(size: number): number {
  return Math.min(size / READ_BYTES_PER_MS, MAX_READ_MS);
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
