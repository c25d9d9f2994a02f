import assert from "node:assert/strict";
import fc from "fast-check";
import { oddEntry, printReply, replyWith } from "../support/tables.ts";
import { parseOrRefuse, properties } from "../support/vpn_flow_properties.ts";

for (const [name, check] of Object.entries(properties)) {
  Deno.test(name, () => {
    const failure = check(300);
    assert.equal(failure, undefined, failure);
  });
}

Deno.test("parseVpnFlow() refuses few of the tables with words nobody has seen", () => {
  const replies = fc.sample(replyWith(oddEntry), 1_000);
  const refused = replies.filter((reply) =>
    parseOrRefuse(printReply(reply)) === undefined
  );
  // About 200, most of them collapsed: each has some nine rows, every one of them with an oddity.
  assert(refused.length < 280, `refused ${refused.length} of 1,000`);
});
