/**
 * What the benches share: medians, and a table with the budget beside it.
 *
 * @module
 */

/** The middle of what was measured. */
export function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1] ??
    NaN;
}

/** Milliseconds that something takes. */
export async function time(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Prints what was measured, and what DESIGN allows. */
export function report(what: string, measured: string, budget: string): void {
  print(`${what.padEnd(52)}${measured.padStart(16)}   ${budget}`);
}

export function print(line: string): void {
  // deno-lint-ignore no-console -- a bench is there to print
  console.log(line);
}
