/**
 * Reader for the answer to `show vpn flow` in XML, as it is printed after
 * `set cli op-command-xml-output on`.
 *
 * ```xml
 * <response status="success"><result>
 *   <dp>dp0</dp><num_ipsec>1</num_ipsec>
 *   <IPSec><entry>
 *     <name>to-branch:lan</name><id>4</id><inner-if>tunnel.4</inner-if>
 *     <localip>192.0.2.1</localip><peerip>198.51.100.7</peerip>
 *     <state>active</state><mon>off</mon>
 *   </entry></IPSec>
 * </result></response>
 * ```
 *
 * An answer is read completely or not at all: `num_ipsec`, added up over the
 * data planes, has to be the number of entries. Elements are known by their
 * names, in any order; what is not known is passed over.
 *
 * The text is read as a stream, so that no tree of it is ever held, and what is
 * nested too deep, or declares anything, ends the reading where it stands.
 *
 * @module
 */

import { SaxesParser } from "saxes";
import type { Tunnel, VpnFlow } from "../model/tunnel.ts";
import { isRefusal } from "./cli_messages.ts";
import { isCommandEcho, VpnFlowError } from "./vpn_flow.ts";
import { toState } from "./vpn_flow_words.ts";

/** An answer is nested six deep. */
const MAX_DEPTH = 32;

/**
 * Characters that are read at a time: what stands behind the end of an answer,
 * on its line, may cost the reader an error for each of them.
 */
const PIECE_LENGTH = 4_096;

/** The answer begins a line, or stands behind a prompt that nothing echoed. */
const ROOT = /^(?:[^<]{0,512}[>#])? *(?=<(?:\?xml|response)(?:[\s/>]|$))/;

/** XML of another kind, such as the page of a proxy. */
const OTHER_ROOT = /^ *<[a-z!?]/i;

/** What a second answer to the same command would hold. */
const VPN_FLOW = /<(?:num_ipsec|IPSec)\b/;

const MORE_BEHIND = "more stands behind its end";

const BLANK = /^\s*$/;

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

/** Whether a captured text holds an answer in XML. */
export function holdsVpnFlowXml(lines: readonly string[]): boolean {
  return lines.some((line) => ROOT.test(line));
}

/**
 * Reads the tunnels out of an answer, in the order the firewall lists them.
 *
 * The echo of the command, prompts and messages may stand around the answer,
 * as they do in a capture.
 *
 * @param lines Without their ends.
 * @throws {VpnFlowError} If the answer is not complete or leaves any doubt.
 */
export function parseVpnFlowXml(lines: readonly string[]): VpnFlow {
  const first = findRoot(lines);
  const answer = new Answer();
  const next = readDocument(lines, first, answer);
  for (let index = next; index < lines.length; index++) {
    const line = lines[index] ?? "";
    if (!VPN_FLOW.test(line)) continue;
    throw failure("a second answer stands below the first", { line, index });
  }
  return answer.toVpnFlow();
}

/** Finds the line where the answer begins, past echo and banner. */
function findRoot(lines: readonly string[]): number {
  let root: number | undefined;
  let isEchoed = false;
  let said: { readonly line: string; readonly index: number } | undefined;
  for (const [index, line] of lines.entries()) {
    if (isCommandEcho(line)) {
      // What an earlier command printed is no part of this answer.
      root = said = undefined;
      isEchoed = true;
    } else if (ROOT.test(line)) {
      root ??= index;
      if (isEchoed) break;
    } else if (isRefusal(line) || (said === undefined && !BLANK.test(line))) {
      said = { line, index };
    }
  }
  if (root !== undefined) return root;
  if (said === undefined) throw failure("the answer is blank");
  if (isRefusal(said.line)) throw refusal(said.line);
  throw OTHER_ROOT.test(said.line)
    ? failure('the root element is not "response"', said)
    : failure("it holds no XML", said);
}

/** @returns The number of the line behind the document. */
function readDocument(
  lines: readonly string[],
  first: number,
  answer: Answer,
): number {
  let place = { line: "", index: first };
  const parser = new SaxesParser({ xmlns: false, position: false });
  parser.on("opentag", ({ name, attributes }) => answer.open(name, attributes));
  parser.on("text", (text) => answer.addText(text));
  parser.on("cdata", (text) => answer.addText(text));
  parser.on("closetag", ({ name }) => answer.close(name));
  parser.on("doctype", () => {
    throw failure("it has a DOCTYPE", place);
  });
  parser.on("error", ({ message }) => {
    // a prompt may stand on the last line of the document
    if (answer.isComplete) return;
    // what follows a colon or a quotation mark comes from the text
    const kind = message.replace(/[:".].*/s, "").trim();
    throw failure(`it is not well-formed XML (${kind})`, place);
  });
  for (let index = first; index < lines.length; index++) {
    const line = lines[index] ?? "";
    place = { line, index };
    const text = `${index === first ? line.replace(ROOT, "") : line}\n`;
    for (let start = 0; start < text.length; start += PIECE_LENGTH) {
      parser.write(text.slice(start, start + PIECE_LENGTH));
      if (!answer.isComplete) continue;
      const rest = text.slice(start + PIECE_LENGTH);
      if (VPN_FLOW.test(rest)) throw failure(MORE_BEHIND);
      return index + 1;
    }
  }
  throw failure("the XML ends before </response>");
}

/** An element whose text is being read. */
interface Value {
  readonly name: string;
  text: string;
}

/** What was read of a document so far. */
class Answer {
  readonly #tunnels: Tunnel[] = [];
  readonly #path: string[] = [];
  /** Of the entry being read, by the name of the element. */
  #fields: Map<string, string> | undefined;
  #value: Value | undefined;
  /** Sum of `num_ipsec`; `undefined` before the first. */
  #counted: number | undefined;
  #status: string | undefined;
  /** Of an answer that is an error, or has text where elements belong. */
  #message = "";
  #isComplete = false;

  /** Whether the end of the document was read. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  open(name: string, attributes: Readonly<Record<string, string>>): void {
    if (this.#isComplete) throw failure(MORE_BEHIND);
    const path = this.#path;
    if (path.length === MAX_DEPTH) {
      throw failure(`its elements are nested more than ${MAX_DEPTH} deep`);
    }
    if (path.length === 0) this.#openRoot(name, attributes);
    if (this.#value !== undefined) {
      throw failure(`<${this.#value.name}> holds other elements`);
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
      throw failure('the root element is not "response"', { line: name });
    }
    this.#status = attributes["status"];
  }

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
        throw failure("<num_ipsec> is no number", { line: value });
      }
      this.#counted = (this.#counted ?? 0) + Number(value);
      return;
    }
    if (/[\r\n]/.test(value)) {
      throw this.#entryFailure(`a line end in <${name}>`, value);
    }
    this.#fields.set(name, value);
  }

  #toTunnel(fields: ReadonlyMap<string, string>): Tunnel {
    for (const name of ["name", "id", "state"]) {
      if (!fields.get(name)) throw this.#entryFailure(`no <${name}>`);
    }
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
    return failure(`entry ${this.#tunnels.length + 1} has ${problem}`, said);
  }

  /** Settles what a complete document says. */
  toVpnFlow(): VpnFlow {
    const message = this.#message.replace(/\s+/g, " ").trim();
    const said = message === "" ? {} : { line: message };
    if (this.#status === "error") throw refusal(message || "error");
    if (this.#status !== "success") {
      throw failure('its status is not "success"', said);
    }
    if (isRefusal(message)) throw refusal(message);
    const counted = this.#counted;
    if (counted === undefined) {
      throw failure("it has no <num_ipsec>", said);
    }
    const found = this.#tunnels.length;
    if (counted !== found) {
      throw failure(
        `the firewall announced ${counted} tunnels, and ${found} could be read`,
      );
    }
    return { tunnels: this.#tunnels, configured: counted };
  }
}

function refusal(line: string): VpnFlowError {
  const said = { before: ": the firewall answers ", line };
  return new VpnFlowError("command", 'Cannot run "show vpn flow" in XML', said);
}

/** @param said The text in question, and the number of its line if known. */
function failure(
  problem: string,
  said: { readonly line?: string; readonly index?: number } = {},
): VpnFlowError {
  const { line, index } = said;
  const place = index === undefined ? "" : ` at line ${index + 1}`;
  return new VpnFlowError(
    "parse",
    `Cannot read the reply to "show vpn flow" in XML${place}: ${problem}`,
    line === undefined ? undefined : { before: ", in ", line },
  );
}
