/**
 * The high-availability states of PAN-OS.
 *
 * @module
 */

/** Every word that a prompt can show in parentheses for such a state. */
export const HA_STATES = [
  "active",
  "active-primary",
  "active-secondary",
  "primary-active",
  "secondary-active",
  "passive",
  "primary-passive",
  "secondary-passive",
  "initial",
  "tentative",
  "suspended",
  "non-functional",
] as const;

/** One of them. */
export type HaState = (typeof HA_STATES)[number];

/** By design these carry no traffic: what their tunnels say means nothing. */
const STANDBY: ReadonlySet<HaState> = new Set([
  "passive",
  "primary-passive",
  "secondary-passive",
  "initial",
]);

/** These cannot carry any, and should: worth waking somebody for. */
const FAULTY: ReadonlySet<HaState> = new Set([
  "tentative",
  "suspended",
  "non-functional",
]);

/** @returns `undefined` for any other word: a host name, `none`. */
export function toHaState(word: string | undefined): HaState | undefined {
  return HA_STATES.find((state) => state === word);
}

/** Whether a firewall in this state carries no traffic by design. */
export function isStandby(state: HaState): boolean {
  return STANDBY.has(state);
}

/** Whether a firewall in this state is unable to carry traffic. */
export function isFaulty(state: HaState): boolean {
  return FAULTY.has(state);
}
