/**
 * What the two sides of an SSH connection agreed on.
 *
 * @module
 */

/** The algorithms of a login, by their names in the SSH protocol. */
export interface Negotiated {
  readonly kex: string;
  readonly hostKey: string;
  /** For what the firewall sends, as is {@linkcode Negotiated.mac}. */
  readonly cipher: string;
  /** Empty with a cipher that authenticates by itself. */
  readonly mac: string;
}
