/**
 * What each reason for a failed poll means, and what to do about it: the same
 * words on the page, in the log and in `--check`.
 *
 * @module
 */

import type { Reason } from "./poll.ts";

/** What an operator is told about one reason. */
export interface Advice {
  /** What the firewall is said to be: "2 firewalls not answering". */
  readonly finding: string;
  /** A few words, as a title. */
  readonly title: string;
  readonly meaning: string;
  readonly remedy: string;
}

/** What to do about a text that cannot be read, although its XML can. */
export const UNKNOWN_LAYOUT =
  "Save the output of “show vpn flow”, take the names out with --redact, and send it in, so that this layout can be read.";

/** Advice for an operator who has just been woken up. */
export const ADVICE: Readonly<Record<Reason, Advice>> = {
  auth: {
    finding: "with the login rejected",
    title: "login rejected",
    meaning:
      "The firewall rejected the login, or it asked a question that is not answered. No login is tried again for a while, so that the account is not locked.",
    remedy:
      "Look at the account on the firewall or its AAA server: password, expiry, lock. If the password is wrong here, correct it and restart the exporter. If the account works again, reload the exporter (SIGHUP): that ends the wait.",
  },
  command: {
    finding: "that refused the command",
    title: "command refused",
    meaning:
      "The login worked, but the command line refused “show vpn flow” or answered it with an error.",
    remedy:
      "Run the command with the exporter’s account. It needs the role superreader or devicereader; a virtual-system role is not enough.",
  },
  connect: {
    finding: "not answering",
    title: "no connection",
    meaning: "No SSH connection came about. No password was sent.",
    remedy:
      "From the exporter’s host, check the name, the route, the port and the permitted addresses of the management interface. A very old release may need SSH_LEGACY_ALGORITHMS=true.",
  },
  held: {
    finding: "with logins held",
    title: "logins held",
    meaning:
      "Other firewalls rejected the login, so no login is tried here either: one account serves all. Nothing was sent to this firewall.",
    remedy:
      "There is nothing to do on this firewall. Look at the account on the firewalls that rejected it, or at their AAA server; then reload the exporter (SIGHUP).",
  },
  // deno-lint-ignore camelcase -- a value of the label "reason"
  host_key: {
    finding: "with a host key that is not accepted",
    title: "host key not accepted",
    meaning:
      "The firewall showed another host key than the one pinned or first seen. No password was sent.",
    remedy:
      "If the firewall was replaced or upgraded, compare the fingerprint on its console and set SSH_HOST_KEY. If not, somebody may stand in between: find out first.",
  },
  parse: {
    finding: "with a reply that cannot be read",
    title: "reply not understood",
    meaning:
      "The reply is not one complete table of tunnels, so none of it is shown.",
    remedy:
      "The log quotes the line, if one is wrong. Save the output of “show vpn flow”, take the names out with --redact, and send it in.",
  },
  session: {
    finding: "with the session lost or refused",
    title: "session lost or refused",
    meaning:
      "The login worked, but the firewall gave no command line, or ended the session before it answered.",
    remedy:
      "Look with “show admins” for sessions left open, and compare with the number of sessions that the account may have.",
  },
  timeout: {
    finding: "not answering",
    title: "too slow",
    meaning:
      "The firewall did not answer within the time that the scrape waits.",
    remedy:
      "See which phase took the time. Look at the load of the management plane. If the firewall is just slow, raise scrape_timeout in Prometheus.",
  },
};
