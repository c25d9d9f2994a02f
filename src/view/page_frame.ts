/**
 * What the parts of the status page share.
 *
 * @module
 */

/** How much more the page may hold; what is written is taken off. */
export interface Budget {
  rows: number;
  changes: number;
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
