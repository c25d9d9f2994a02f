/**
 * What the findings mean: what is wrong with a firewall, and what to do.
 *
 * @module
 */

import { ADVICE } from "../model/advice.ts";
import { isStandby } from "../model/high_availability.ts";
import { PollError } from "../model/poll.ts";
import type { Tunnel } from "../model/tunnel.ts";
import { countStates } from "../model/tunnel_words.ts";
import { formatAmount, joinNames } from "../std/words.ts";
import {
  compareReadings,
  type Comparison,
  type Difference,
} from "./compare.ts";
import {
  type Examined,
  type Findings,
  isTable,
  type Table,
} from "./findings.ts";

/** What an operator is told. */
export interface Diagnosis {
  /** Whether the exporter can rely on this firewall. */
  readonly isGood: boolean;
  /** In a few words. */
  readonly verdict: string;
  /** The tunnels, in the form that the exporter would read. */
  readonly tunnels: readonly Tunnel[] | undefined;
  readonly found: readonly string[];
  readonly wrong: readonly string[];
  /** Rows that text and XML show differently. */
  readonly differences: readonly Difference[];
  readonly remedies: readonly string[];
}

/** How to send in a layout that cannot be read. */
const HOW_TO_SEND = [
  'Log in to the firewall by hand, run "show vpn flow", and save the whole session as session.txt.',
  "Take the names out: panos-ipsec-exporter --redact < session.txt > layout.txt",
  "Look through layout.txt, then send it in as an issue of this project: the layout gets a test of its own.",
];

const KNOWN_FAULTS = [
  "PAN-OS has had faults of this kind: PAN-107207 (up in the display while down), PAN-153908 (wrong details in show vpn flow), PAN-259091 (other values in XML than in text, fixed in 11.1.8 and 11.2.8), PAN-149008 (XML that cannot be read, fixed in 9.1.5).",
  "Find out by the tunnel itself which row is right (traffic, show vpn ipsec-sa), compare your release with those, and ask the vendor's support. The exporter reads the text.",
];

/** Draws the conclusions from what was found. */
export function diagnose(findings: Findings): Diagnosis {
  if (findings.loginError !== undefined) return failed(findings.loginError);
  const { text, xml } = findings;
  if (!(text instanceof PollError)) return diagnoseText(findings, text);
  if (isTable(xml)) return diagnoseXml(findings, text, xml);
  // without an answer in XML the session was lost, or the command refused
  return xml === undefined ? failed(text) : diagnoseUnread(text, xml);
}

/** Neither form can be read. */
function diagnoseUnread(text: PollError, xml: PollError | "none"): Diagnosis {
  const { wrong, ...rest } = failed(text);
  return {
    ...rest,
    found: xml === "none" ? [NO_XML] : [],
    wrong: [...wrong, ...(xml === "none" ? [] : [xml.message])],
    remedies: HOW_TO_SEND,
  };
}

const NO_XML =
  "This firewall does not know XML on its command line, so there is nothing to compare the text with.";

function failed({ reason, message }: PollError): Diagnosis {
  const { title, meaning, remedy } = ADVICE[reason];
  return {
    isGood: false,
    verdict: title,
    tunnels: undefined,
    found: [],
    wrong: [message, meaning],
    differences: [],
    remedies: [remedy],
  };
}

/** The text was read, which is what the exporter needs. */
function diagnoseText(findings: Examined, text: Table): Diagnosis {
  const { tunnels } = text.flow;
  const { xml, textAgain } = findings;
  const good: Diagnosis = {
    isGood: true,
    verdict: countStates(tunnels),
    tunnels,
    found: [...findStandby(findings)],
    wrong: [],
    differences: [],
    remedies: [],
  };
  if (xml === "none") return { ...good, found: [...good.found, NO_XML] };
  if (!isTable(xml)) {
    return unsure(good, "The XML cannot be read", xml);
  }
  if (!isTable(textAgain)) {
    return unsure(good, "The text cannot be read a second time", textAgain);
  }
  const comparison = compareReadings({
    before: tunnels,
    xml: xml.flow.tunnels,
    after: textAgain.flow.tunnels,
    columns: text.columns,
  });
  return withComparison(good, comparison);
}

/** Text and XML could not be compared, which the exporter does not need. */
function unsure(
  good: Diagnosis,
  what: string,
  error: PollError | undefined,
): Diagnosis {
  const why = error === undefined ? "" : `: ${error.message}`;
  return {
    ...good,
    verdict: `${good.verdict}; text and XML not compared`,
    wrong: [`${what}, so text and XML were not compared${why}`],
    remedies: [
      "Nothing has to be done, as the exporter reads the text. Releases before 9.1.5 are known for XML that cannot be read (PAN-149008).",
    ],
  };
}

function withComparison(good: Diagnosis, comparison: Comparison): Diagnosis {
  const { compared, differences, changed } = comparison;
  const found = [...good.found];
  if (changed.length > 0) {
    const ids = joinNames(changed, 10);
    found.push(
      `${
        formatAmount(changed.length, "row")
      } changed meanwhile and could not be compared: id ${ids}.`,
    );
  }
  if (differences.length === 0) {
    if (compared > 0 || changed.length === 0) {
      found.push(`Text and XML agree, in ${formatAmount(compared, "row")}.`);
    }
    const remedies = changed.length === 0
      ? []
      : ["To have all rows compared, check again when the tunnels are quiet."];
    return { ...good, found, remedies };
  }
  const count = differences.length;
  return {
    ...good,
    isGood: false,
    verdict: `${good.verdict}; text and XML differ in ${
      formatAmount(count, "row")
    }`,
    found,
    wrong: [
      `Text and XML differ in ${count} of ${formatAmount(compared, "row")}:`,
    ],
    differences,
    remedies: KNOWN_FAULTS,
  };
}

/** Only the XML tells: the exporter reads that instead. */
function diagnoseXml(
  findings: Examined,
  text: PollError,
  { flow: { tunnels } }: Table,
): Diagnosis {
  return {
    isGood: true,
    verdict: `${countStates(tunnels)}; read from XML`,
    tunnels,
    found: [
      ...findStandby(findings),
      "The XML was read, and the exporter uses it where the text cannot be read.",
    ],
    wrong: [text.message],
    differences: [],
    remedies: HOW_TO_SEND,
  };
}

function* findStandby({ haState }: Examined): Generator<string> {
  if (haState === undefined || !isStandby(haState)) return;
  yield `The firewall is ${haState}: it carries no traffic by design, and what it says of its tunnels means nothing. Check its partner too.`;
}
