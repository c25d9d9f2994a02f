/**
 * Whether a firewall gets both key and password in a login, or one of them.
 *
 * A login that sends both is two rejections if both are wrong. Once a firewall
 * has rejected both, it gets one in a login, in turn, until it accepts.
 *
 * @module
 */

import type { Credential } from "../ssh/authentication.ts";

/** What is known of one firewall. */
interface Past {
  /** What it accepted last. */
  readonly accepted: Credential | undefined;
  /** What it has rejected since. */
  readonly rejected: ReadonlySet<Credential>;
  /** Whose turn it is, once both were rejected. */
  readonly only: Credential | undefined;
}

const NO_PAST: Past = {
  accepted: undefined,
  rejected: new Set(),
  only: undefined,
};

/** The turns of all firewalls of a process. */
export class CredentialTurns {
  readonly #pastByTarget = new Map<string, Past>();

  /** The only one that a firewall gets; `undefined` if it may get both. */
  onlyFor(target: string): Credential | undefined {
    return this.#pastOf(target).only;
  }

  /** A firewall has accepted a credential. */
  noteAccepted(target: string, accepted: Credential | undefined): void {
    this.#pastByTarget.set(target, { ...NO_PAST, accepted });
  }

  /**
   * A login has failed.
   *
   * @param sent What was sent in it, and rejected.
   */
  noteFailed(target: string, sent: readonly Credential[]): void {
    const { accepted, rejected, only } = this.#pastOf(target);
    const all = new Set([...rejected, ...sent]);
    // while an AAA server is down, a good password is rejected
    const first = all.size > 1 ? accepted ?? "password" : undefined;
    const next = only === undefined ? first : otherThan(only);
    this.#pastByTarget.set(target, { accepted, rejected: all, only: next });
  }

  /** Forgets all rejections. */
  forget(): void {
    for (const [target, { accepted }] of this.#pastByTarget) {
      this.noteAccepted(target, accepted);
    }
  }

  #pastOf(target: string): Past {
    return this.#pastByTarget.get(target) ?? NO_PAST;
  }
}

function otherThan(credential: Credential): Credential {
  return credential === "key" ? "password" : "key";
}
