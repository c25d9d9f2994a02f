/**
 * The words that a firewall itself prints, and that name no customer.
 *
 * @module
 */

import { HA_STATES } from "../model/high_availability.ts";

/** Words of the table and its states, of commands, refusals and messages. */
const WORDS = `
  total tunnels tunnel configured shown filter type ipsec state any target-dp
  id name monitor mon local-ip peer-ip tunnel-i/f gwid mode transport
  sslvpn globalprotect inner-if outer-if localip peerip dp mp
  active inactive inactiv init off on up down none unknown n/a
  rekey pending established connecting dead installed expired initial
  show vpn flow set cli scripting-mode pager op-command-xml-output exit quit
  configure terminal width height confirmation-prompt system info clock
  invalid syntax command unrecognized server error validation permission
  denied access not authorized you do have allowed permitted need superuser
  privileges to that such node timed out while getting config lock please try
  again as is client available dataplane or for in the of and
  message from broadcast root going reboot now last login number failed
  attempts since successful welcome warning your device still with default
  account credentials change password prior deployment
  connection closed session target vsys changed lines more end
  success response op an occurred occured execute interpret intepret ready
  mon tue wed thu fri sat sun
  jan feb mar apr may jun jul aug sep oct nov dec utc
`.trim().split(/\s+/);

/** In small letters. */
export const VOCABULARY: ReadonlySet<string> = new Set([
  ...WORDS,
  ...HA_STATES,
]);

/** Data planes and terminals are numbered alike everywhere. */
export const DEVICE =
  /^(?:(?<word>dp|mp|pts)[./]?[0-9]{1,3}|s[0-9]{1,2}dp[0-9]{1,2})$/i;

/** An interface: the firewall says what it is, the customer which one. */
export const INTERFACE =
  /^(?<word>tunnel|loopback|vlan|ae|ethernet)[./0-9][./0-9xX*]*$/i;
