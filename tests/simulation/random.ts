/**
 * Chance that replays: the same seed gives the same history.
 *
 * @module
 */

/** A stream of chances. */
export interface Random {
  /** A whole number from 0 up to, and without, the limit. */
  below(limit: number): number;
  /** The same values in another order. */
  shuffle<Value>(values: readonly Value[]): readonly Value[];
}

/** Creates a stream; the algorithm is mulberry32, by Tommy Ettinger. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;

  function below(limit: number): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    const fraction = ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    return Math.floor(fraction * limit);
  }

  return {
    below,
    shuffle<Value>(values: readonly Value[]): readonly Value[] {
      return values.map((value) => ({ value, rank: below(2 ** 32) }))
        .sort((one, other) => one.rank - other.rank)
        .map(({ value }) => value);
    },
  };
}
