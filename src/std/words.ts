/**
 * Numbers and names, as they stand in a sentence.
 *
 * @module
 */

/** A whole number, its thousands separated. */
export function formatCount(amount: number): string {
  return String(amount).replace(/\B(?=(?:\d{3})+$)/g, ",");
}

/** "1 tunnel", "12,345 tunnels". */
export function formatAmount(amount: number, noun: string): string {
  return `${formatCount(amount)} ${noun}${amount === 1 ? "" : "s"}`;
}

/** What stands between commas, with "and" before the last one. */
export function joinNames(names: readonly string[], limit = 5): string {
  const shown = names.slice(0, limit);
  const others = names.length - shown.length;
  if (others > 0) shown.push(`${formatCount(others)} more`);
  const last = shown.pop() ?? "";
  return shown.length === 0 ? last : `${shown.join(", ")} and ${last}`;
}
