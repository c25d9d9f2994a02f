/**
 * Time, as one value that a test can replace.
 *
 * @module
 */

/** Ages are measured on the monotonic clock, and only shown on the other. */
export interface Clock {
  /** Milliseconds since some moment; never set back. */
  monotonicMs(): number;
  /** Unix time in seconds. */
  unixSeconds(): number;
  /**
   * Calls back once, so many milliseconds from now.
   *
   * @returns What cancels it.
   */
  setTimer(ms: number, ring: () => void): () => void;
}

interface Alarm {
  readonly atMs: number;
  readonly ring: () => void;
  /** Where it stands among the alarms. */
  index: number;
}

/**
 * The time of this computer.
 *
 * All alarms share one timer of the runtime, as nearly all of them are
 * cancelled: one timer for each grew a busy process by 48 % in 10,000 polls,
 * in place of 25 %. They stand in an array: the tables that a `Set` has grown
 * out of would keep each other, and what they hold, alive.
 */
class SystemClock implements Clock {
  readonly #alarms: Alarm[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** It may ring in vain, for an alarm that was cancelled. */
  #timerAtMs = Infinity;

  monotonicMs(): number {
    return performance.now();
  }

  unixSeconds(): number {
    return Date.now() / 1_000;
  }

  setTimer(ms: number, ring: () => void): () => void {
    const atMs = this.monotonicMs() + ms;
    const alarm = { atMs, ring, index: this.#alarms.length };
    this.#alarms.push(alarm);
    if (atMs < this.#timerAtMs) this.#wakeAt(atMs);
    return () => this.#remove(alarm);
  }

  #remove(alarm: Alarm): void {
    if (this.#alarms[alarm.index] !== alarm) return; // it has rung
    const last = this.#alarms.pop();
    if (last !== undefined && last !== alarm) {
      last.index = alarm.index;
      this.#alarms[last.index] = last;
    }
    if (this.#alarms.length === 0) this.#wakeAt(Infinity);
  }

  #wakeAt(atMs: number): void {
    clearTimeout(this.#timer);
    this.#timerAtMs = atMs;
    if (atMs === Infinity) return;
    const ms = Math.max(0, Math.ceil(atMs - this.monotonicMs()));
    this.#timer = setTimeout(() => this.#ringDue(), ms);
  }

  #ringDue(): void {
    const nowMs = this.monotonicMs();
    const due = this.#alarms.filter(({ atMs }) => atMs <= nowMs)
      .sort((one, other) => one.atMs - other.atMs);
    try {
      for (const alarm of due) {
        // one that rings may cancel another
        if (this.#alarms[alarm.index] !== alarm) continue;
        this.#remove(alarm);
        alarm.ring();
      }
    } finally {
      let nextAtMs = Infinity;
      for (const { atMs } of this.#alarms) nextAtMs = Math.min(nextAtMs, atMs);
      this.#wakeAt(nextAtMs);
    }
  }
}

/** The time of this computer. */
export const systemClock: Clock = new SystemClock();

/** Settles after so many milliseconds. */
export async function delay(ms: number, clock: Clock): Promise<void> {
  await new Promise<void>((resolve) => clock.setTimer(ms, resolve));
}
