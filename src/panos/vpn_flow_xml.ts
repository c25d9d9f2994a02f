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
 * An answer is read completely or not at all: the `num_ipsec` of each data plane
 * has to be the number of its entries. Elements are known by their
 * names, in any order; what is not known is passed over.
 *
 * The text is read as a stream, so that no tree of it is ever held, and what is
 * nested too deep, or declares anything, ends the reading where it stands.
 *
 * @module
 */

import { SaxesParser } from "saxes";
import type { VpnFlow } from "../model/tunnel.ts";
import { isCommandEcho, isRefusal } from "./cli_messages.ts";
import { failuresIn } from "./vpn_flow_error.ts";
import { MORE_BEHIND, XmlAnswer } from "./vpn_flow_xml_answer.ts";

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

const BLANK = /^\s*$/;

const { refused, unreadable } = failuresIn("xml");

/** Where in a line an answer begins; `undefined` if none does. */
export function findXml(line: string): number | undefined {
  return ROOT.exec(line)?.[0].length;
}

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
  const answer = new XmlAnswer();
  const next = readDocument(lines, first, answer);
  for (let index = next; index < lines.length; index++) {
    const line = lines[index] ?? "";
    if (!VPN_FLOW.test(line)) continue;
    throw unreadable("a second answer stands below the first", { line, index });
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
  if (said === undefined) throw unreadable("the answer is blank");
  if (isRefusal(said.line)) throw refused(said.line);
  throw OTHER_ROOT.test(said.line)
    ? unreadable('the root element is not "response"', said)
    : unreadable("it holds no XML", said);
}

/** @returns The number of the line behind the document. */
function readDocument(
  lines: readonly string[],
  first: number,
  answer: XmlAnswer,
): number {
  let place = { line: "", index: first };
  const parser = new SaxesParser({ xmlns: false, position: false });
  parser.on("opentag", ({ name, attributes }) => answer.open(name, attributes));
  parser.on("text", (text) => answer.addText(text));
  parser.on("cdata", (text) => answer.addText(text));
  parser.on("closetag", ({ name }) => answer.close(name));
  parser.on("doctype", () => {
    throw unreadable("it has a DOCTYPE", place);
  });
  parser.on("error", ({ message }) => {
    // a prompt may stand on the last line of the document
    if (answer.isComplete) return;
    // what follows a colon or a quotation mark comes from the text
    const kind = message.replace(/[:".].*/s, "").trim();
    throw unreadable(`it is not well-formed XML (${kind})`, place);
  });
  for (let index = first; index < lines.length; index++) {
    const line = lines[index] ?? "";
    place = { line, index };
    const text = `${index === first ? line.slice(findXml(line)) : line}\n`;
    for (let start = 0; start < text.length; start += PIECE_LENGTH) {
      parser.write(text.slice(start, start + PIECE_LENGTH));
      if (!answer.isComplete) continue;
      const rest = text.slice(start + PIECE_LENGTH);
      if (VPN_FLOW.test(rest)) throw unreadable(MORE_BEHIND);
      return index + 1;
    }
  }
  throw unreadable("the XML ends before </response>");
}
