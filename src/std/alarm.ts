/**
 * Timers that are set and cancelled with every poll.
 *
 * The runtime remembers a timer that was cleared until it would have been due:
 * at a thousand polls a second and thirty seconds each, that is most of the
 * heap. All alarms share one timer, which is not touched while it would wake up
 * early enough.
 *
 * @module
 */

interface Alarm {
  /** Monotonic, in milliseconds. */
  readonly at: number;
  readonly ring: () => void;
}

const alarms = new Set<Alarm>();
let timer: ReturnType<typeof setTimeout> | undefined;
let wakesAt = Infinity;

/**
 * Calls back once, so many milliseconds from now.
 *
 * @returns What cancels it.
 */
export function setAlarm(ms: number, ring: () => void): () => void {
  const alarm = { at: performance.now() + ms, ring };
  alarms.add(alarm);
  if (alarm.at < wakesAt) wakeAt(alarm.at);
  return () => {
    alarms.delete(alarm);
    if (alarms.size === 0) wakeAt(Infinity);
  };
}

function wakeAt(at: number): void {
  clearTimeout(timer);
  wakesAt = at;
  if (at === Infinity) return;
  timer = setTimeout(wake, Math.max(0, at - performance.now()));
}

function wake(): void {
  const now = performance.now();
  try {
    for (const alarm of [...alarms].filter(({ at }) => at <= now)) {
      // one may have cancelled another
      if (alarms.delete(alarm)) alarm.ring();
    }
  } finally {
    wakeAt(Math.min(...Array.from(alarms, ({ at }) => at)));
  }
}
