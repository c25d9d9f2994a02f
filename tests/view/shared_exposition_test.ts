import assert from "node:assert/strict";
import type { Poll } from "../../src/model/poll.ts";
import { render } from "../../src/view/exposition.ts";
import { firewallFamilies } from "../../src/view/metrics.ts";
import { SharedExposition } from "../../src/view/shared_exposition.ts";
import {
  failedPoll,
  goodPoll,
  NEVER_POLLED,
  statusAfter,
  tunnelOf,
} from "../support/status.ts";

const TUNNELS = [tunnelOf({ id: "1" }), tunnelOf({ id: "2" })];
const UP = goodPoll(TUNNELS);
const CHANGED = goodPoll([tunnelOf({ id: "1", state: "inactive" })]);

Deno.test("SharedExposition says of each poll what there is to say", () => {
  const shared = new SharedExposition();
  const later = { ...UP, finishedAt: 60 };
  const polls: readonly Poll[] = [UP, later, failedPoll(), UP, CHANGED, UP];
  const statuses = [
    NEVER_POLLED,
    ...polls.map((poll) => statusAfter([poll])),
    statusAfter([UP], { authRetryAt: 99 }),
  ];
  for (const status of statuses) {
    const text = new TextDecoder();
    const parts = shared.render(status).map((part) => text.decode(part));
    assert.equal(parts.join(""), render(firewallFamilies(status)));
  }
});

Deno.test("SharedExposition renders tunnels that have not changed once", () => {
  const shared = new SharedExposition();
  const first = shared.render(statusAfter([UP]));
  const second = shared.render(statusAfter([{ ...UP, finishedAt: 60 }]));
  const kept = second.map((part, index) => part === first[index]);
  assert.deepEqual(kept, [true, false, true, false]);
});

Deno.test("SharedExposition keeps firewalls apart", () => {
  const shared = new SharedExposition();
  const one = statusAfter([UP]);
  const other = { ...statusAfter([CHANGED]), target: "fw2.example" };
  const parts = shared.render(one);
  assert.notDeepEqual(shared.render(other), parts);
  assert.equal(shared.render(one), parts);
});
