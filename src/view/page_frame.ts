/**
 * What the parts of the status page share.
 *
 * @module
 */

import type { Html } from "./html.ts";

/** How much more the page may hold; what is written is taken off. */
export interface Budget {
  rows: number;
  changes: number;
  bytes: number;
}

/** How items of one kind are rendered within the budget. */
export interface Fitting<T> {
  readonly budget: Budget;
  readonly kind: "rows" | "changes";
  /** How many of the kind an item is. */
  readonly amountOf: (item: T) => number;
  /** Bytes of what stands around the items, if there is one. */
  readonly frameBytes: number;
  readonly render: (item: T) => Html;
}

/** Renders items up to the first that does not fit, and takes them off the budget. */
export function renderFitting<T>(
  items: readonly T[],
  { budget, kind, amountOf, frameBytes, render }: Fitting<T>,
): readonly Html[] {
  const rendered: Html[] = [];
  for (const item of items) {
    const amount = amountOf(item);
    // before it is rendered: one tunnel can have 10,000 rows
    if (budget[kind] < amount) break;
    const html = render(item);
    const bytes = html.bytes + (rendered.length === 0 ? frameBytes : 0);
    if (budget.bytes < bytes) break;
    budget[kind] -= amount;
    budget.bytes -= bytes;
    rendered.push(html);
  }
  return rendered;
}

/** What a firewall is shown with. */
export interface Frame {
  /** Unix time in seconds. */
  readonly now: number;
  /** The target that `/metrics` polls; `/probe` serves all others. */
  readonly metricsTarget: string | undefined;
  readonly budget: Budget;
  /** Whether tunnels that are up are listed, too. */
  readonly listsAll: boolean;
  /** Whether the page shows this firewall alone, and whole. */
  readonly isWhole: boolean;
}

/** Where on the page a firewall stands; made of its name alone. */
export function anchorOf(target: string): string {
  return `fw-${target}`;
}

/** Where a firewall is shown alone, and whole. */
export function pathOf(target: string): string {
  return `/?firewall=${encodeURIComponent(target)}`;
}
