/**
 * What an answer to `show vpn flow` in XML says, element by element.
 *
 * @module
 */

import type { Tunnel, VpnFlow } from "../model/tunnel.ts";
import { isRefusal } from "./cli_messages.ts";
import {
  countMismatch,
  failuresIn,
  type VpnFlowError,
} from "./vpn_flow_error.ts";
import { toState } from "./vpn_flow_words.ts";

/** An answer is nested six deep. */
const MAX_DEPTH = 32;

/** The elements of an entry that are read. */
const FIELDS: ReadonlySet<string> = new Set([
  "name",
  "id",
  "inner-if",
  "localip",
  "peerip",
  "state",
  "mon",
]);

/** What is wrong with an answer that goes on behind `</response>`. */
export const MORE_BEHIND = "more stands behind its end";

const { refused, unreadable } = failuresIn("xml");

/** An element whose text is being read. */
interface Value {
  readonly name: string;
  text: string;
}

/** Takes in a document as it is read, and refuses what it should not hold. */
export class XmlAnswer {
  readonly #tunnels: Tunnel[] = [];
  readonly #path: string[] = [];
  /** Values of the entry that is being read, by the names of their elements. */
  #fields: Map<string, string> | undefined;
  #value: Value | undefined;
  /** Sum of `num_ipsec`; `undefined` before the first. */
  #counted: number | undefined;
  #status: string | undefined;
  /** What the firewall says in an error, or where only elements belong. */
  #message = "";
  #isComplete = false;

  /** Whether the end of the document was read. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** @throws {VpnFlowError} If the element cannot stand where it does. */
  open(name: string, attributes: Readonly<Record<string, string>>): void {
    if (this.#isComplete) throw unreadable(MORE_BEHIND);
    const path = this.#path;
    if (path.length === MAX_DEPTH) {
      throw unreadable(`its elements are nested more than ${MAX_DEPTH} deep`);
    }
    if (path.length === 0) this.#openRoot(name, attributes);
    if (this.#value !== undefined) {
      throw unreadable(`<${this.#value.name}> holds other elements`);
    }
    const parent = path.at(-1);
    path.push(name);
    if (this.#fields === undefined) {
      if (name === "entry" && parent === "IPSec") this.#fields = new Map();
      if (name === "num_ipsec") this.#value = { name, text: "" };
    } else if (parent === "entry" && FIELDS.has(name)) {
      if (this.#fields.has(name)) throw this.#entryFailure(`two <${name}>`);
      this.#value = { name, text: "" };
    }
  }

  #openRoot(name: string, attributes: Readonly<Record<string, string>>): void {
    if (name !== "response") {
      throw unreadable('the root element is not "response"', { line: name });
    }
    this.#status = attributes["status"];
  }

  /** Takes in a text, or a part of one. */
  addText(text: string): void {
    if (this.#isComplete) return;
    if (this.#value !== undefined) {
      this.#value.text += text;
    } else if (
      this.#path.length <= 2 ||
      (this.#status !== "success" && this.#path.includes("msg"))
    ) {
      this.#message += text;
    }
  }

  /** @throws {VpnFlowError} If the element does not hold what it has to. */
  close(name: string): void {
    if (this.#isComplete) return;
    const path = this.#path;
    path.pop();
    if (this.#value !== undefined) {
      this.#take(this.#value);
      this.#value = undefined;
    } else if (
      this.#fields !== undefined && name === "entry" &&
      path.at(-1) === "IPSec"
    ) {
      this.#tunnels.push(this.#toTunnel(this.#fields));
      this.#fields = undefined;
    }
    this.#isComplete = path.length === 0;
  }

  #take({ name, text }: Value): void {
    const value = text.trim();
    if (this.#fields === undefined) {
      if (!/^[0-9]{1,9}$/.test(value)) {
        throw unreadable("<num_ipsec> is no number", { line: value });
      }
      this.#addCount(Number(value));
      return;
    }
    if (/[\r\n]/.test(value)) {
      throw this.#entryFailure(`a line end in <${name}>`, value);
    }
    this.#fields.set(name, value);
  }

  /**
   * Each data plane has a count of its own, before or behind its entries: what
   * one has too many must not stand for what another lacks.
   */
  #addCount(count: number): void {
    const before = this.#counted ?? 0;
    const found = this.#tunnels.length;
    if (before !== found && before + count !== found) {
      throw unreadable(countMismatch(this.#counted ?? count, found));
    }
    this.#counted = before + count;
  }

  #toTunnel(fields: ReadonlyMap<string, string>): Tunnel {
    for (const name of ["name", "id"]) {
      if (!fields.get(name)) throw this.#entryFailure(`no <${name}>`);
    }
    // it may be blank, as in the text
    if (!fields.has("state")) throw this.#entryFailure("no <state>");
    const text = (name: string): string => fields.get(name) ?? "";
    const id = text("id");
    if (!/^[0-9]+$/.test(id)) {
      throw this.#entryFailure("an <id> that is no number", id);
    }
    const stateWord = text("state");
    const monitor = text("mon");
    return {
      id,
      name: text("name"),
      state: toState(stateWord) ?? "unknown",
      stateWord,
      // says that there is a monitor, and not what it sees
      monitor: monitor === "on" ? "" : monitor,
      localIp: text("localip"),
      peerIp: text("peerip"),
      interfaceName: text("inner-if"),
    };
  }

  #entryFailure(problem: string, line?: string): VpnFlowError {
    const said = line === undefined ? {} : { line };
    return unreadable(`entry ${this.#tunnels.length + 1} has ${problem}`, said);
  }

  /**
   * The table, once the document is complete.
   *
   * @throws {VpnFlowError} If it leaves any doubt.
   */
  toVpnFlow(): VpnFlow {
    const message = this.#message.replace(/\s+/g, " ").trim();
    const said = message === "" ? {} : { line: message };
    if (this.#status === "error") throw refused(message || "error");
    if (this.#status !== "success") {
      throw unreadable('its status is not "success"', said);
    }
    if (isRefusal(message)) throw refused(message);
    const counted = this.#counted;
    if (counted === undefined) {
      throw unreadable("it has no <num_ipsec>", said);
    }
    const found = this.#tunnels.length;
    if (counted !== found) {
      throw unreadable(countMismatch(counted, found));
    }
    return { tunnels: this.#tunnels, configured: counted };
  }
}
