import assert from "node:assert/strict";
import { diagnose } from "../../src/check/diagnosis.ts";
import type { Examined, Table } from "../../src/check/findings.ts";
import { readColumns } from "../../src/check/layout.ts";
import { writeReport } from "../../src/check/report.ts";
import { PollError } from "../../src/model/poll.ts";
import { NEGOTIATED } from "../support/status.ts";
import {
  inventTunnels,
  printVpnFlow,
  readVpnFlow,
} from "../support/vpn_flow_reply.ts";

const TEXT = tableOf(printVpnFlow(inventTunnels(2)));
const NOTHING = tableOf(printVpnFlow([]));

const FINDINGS: Examined = {
  target: "fw1",
  durations: [],
  credential: "accepted",
  loginError: undefined,
  negotiated: NEGOTIATED,
  haState: "active",
  text: TEXT,
  xml: TEXT,
  textAgain: TEXT,
};

function tableOf(text: string): Table {
  const columns = readColumns(text.split("\n"));
  return { flow: readVpnFlow(text), columns };
}

Deno.test("diagnose() finds what the exporter can rely on", async (t) => {
  const lost = new PollError("session", "The session has ended");
  const unread = new PollError("parse", "Cannot read the reply");
  const cases: readonly (readonly [
    string,
    Partial<Examined>,
    boolean,
    string,
  ])[] = [
    ["text and XML that agree", {}, true, "2 tunnels: 2 up"],
    [
      "no tunnel at all",
      { text: NOTHING, xml: NOTHING, textAgain: NOTHING },
      true,
      "0 tunnels",
    ],
    ["a passive firewall", { haState: "passive" }, true, "2 tunnels: 2 up"],
    [
      "a session that is lost in XML",
      { xml: lost, textAgain: undefined },
      true,
      "2 tunnels: 2 up; text and XML not compared",
    ],
    [
      "a text that cannot be asked again",
      { textAgain: lost },
      true,
      "2 tunnels: 2 up; text and XML not compared",
    ],
    [
      "XML alone",
      { text: unread, textAgain: undefined },
      true,
      "2 tunnels: 2 up; read from XML",
    ],
    [
      "neither form",
      { text: unread, xml: unread, textAgain: undefined },
      false,
      "reply not understood",
    ],
    [
      "a text that is cut off",
      { text: unread, xml: undefined, textAgain: undefined },
      false,
      "reply not understood",
    ],
    [
      "a tunnel less in XML",
      { xml: NOTHING },
      false,
      "2 tunnels: 2 up; text and XML differ in 2 rows",
    ],
  ];
  for (const [what, changes, isGood, verdict] of cases) {
    await t.step(what, () => {
      const diagnosis = diagnose({ ...FINDINGS, ...changes });
      assert.equal(diagnosis.isGood, isGood);
      assert.equal(diagnosis.verdict, verdict);
    });
  }
});

Deno.test("diagnose() says that a standby firewall tells nothing of its tunnels", () => {
  const { found } = diagnose({ ...FINDINGS, haState: "passive" });
  assert.match(
    found[0] ?? "",
    /^The firewall is passive: it carries no traffic/,
  );
});

Deno.test("a report shows a row that one form lacks", () => {
  const findings: Examined = { ...FINDINGS, xml: NOTHING };
  const diagnosis = diagnose(findings);
  const report = writeReport(
    { findings, diagnosis, advice: ["pin the key"] },
    (text) => text,
  );
  assert(report.includes("  id 2 stands only in the text\n"), report);
  assert.match(report, /^ {4}XML {3}\(no such row\)$/m);
  assert.match(report, /^ {2}pin the key$/m);
});
