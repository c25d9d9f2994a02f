import assert from "node:assert/strict";
import { acceptFirst, acceptPinned } from "../../src/ssh/host_key.ts";

const ONE = `SHA256:${"A".repeat(43)}`;
const OTHER = `SHA256:${"B".repeat(43)}`;
const THIRD = `SHA256:${"C".repeat(43)}`;

Deno.test("acceptPinned() accepts each of the pinned keys", () => {
  const check = acceptPinned([ONE, OTHER]);
  assert.equal(check(OTHER), undefined);
  assert.equal(check(ONE), undefined);
});

Deno.test("acceptPinned() says which keys were wanted and which one came", () => {
  assert.equal(
    acceptPinned([ONE, OTHER])(THIRD),
    `SSH_HOST_KEY is ${ONE} or ${OTHER}, and the firewall shows ${THIRD}: find out by another way whether that is its key`,
  );
});

Deno.test("acceptPinned() accepts no key where none is pinned", () => {
  assert.equal(
    acceptPinned([])(ONE),
    `SSH_HOST_KEY has no entry for this firewall, and the firewall shows ${ONE}: find out by another way whether that is its key`,
  );
});

Deno.test("acceptPinned() does not fold case nor accept a part", () => {
  const check = acceptPinned([ONE]);
  assert.notEqual(check(ONE.toLowerCase()), undefined);
  assert.notEqual(check(ONE.slice(0, -1)), undefined);
  assert.notEqual(check(""), undefined);
});

Deno.test("acceptFirst() tells the first key once and accepts it from then on", () => {
  const told: string[] = [];
  const check = acceptFirst((fingerprint) => told.push(fingerprint));
  assert.deepEqual([check(ONE), check(ONE)], [undefined, undefined]);
  assert.deepEqual(told, [ONE]);
});

Deno.test("acceptFirst() accepts no other key, and does not learn it either", () => {
  const told: string[] = [];
  const check = acceptFirst((fingerprint) => told.push(fingerprint));
  check(ONE);
  const why =
    `its host key was ${ONE} since the exporter started, and is ${OTHER} now: find out by another way whether that is its key, then restart the exporter`;
  assert.deepEqual([check(OTHER), check(OTHER)], [why, why]);
  assert.equal(check(ONE), undefined);
  assert.deepEqual(told, [ONE]);
});
