import assert from "node:assert/strict";
import { acceptFirst, acceptPinned } from "../../src/ssh/host_key.ts";

const ONE = `SHA256:${"A".repeat(43)}`;
const OTHER = `SHA256:${"B".repeat(43)}`;
const THIRD = `SHA256:${"C".repeat(43)}`;

Deno.test("acceptPinned() accepts each of the pinned keys", () => {
  const { reject } = acceptPinned([ONE, OTHER]);
  assert.equal(reject(OTHER), undefined);
  assert.equal(reject(ONE), undefined);
});

Deno.test("acceptPinned() says which keys were wanted and which one came", () => {
  assert.equal(
    acceptPinned([ONE, OTHER]).reject(THIRD),
    `SSH_HOST_KEY is ${ONE} or ${OTHER}, and the firewall shows ${THIRD}: find out by another way whether that is its key`,
  );
});

Deno.test("acceptPinned() accepts no key where none is pinned", () => {
  assert.equal(
    acceptPinned([]).reject(ONE),
    `SSH_HOST_KEY has no entry for this firewall, and the firewall shows ${ONE}: find out by another way whether that is its key`,
  );
});

Deno.test("acceptPinned() does not fold case nor accept a part", () => {
  const { reject } = acceptPinned([ONE]);
  assert.notEqual(reject(ONE.toLowerCase()), undefined);
  assert.notEqual(reject(ONE.slice(0, -1)), undefined);
  assert.notEqual(reject(""), undefined);
});

Deno.test("acceptFirst() tells the first proved key once and accepts it from then on", () => {
  const told: string[] = [];
  const { reject, confirm } = acceptFirst((key) => told.push(key));
  confirm(ONE);
  confirm(ONE);
  assert.equal(reject(ONE), undefined);
  assert.deepEqual(told, [ONE]);
});

Deno.test("acceptFirst() does not hold a key that was only shown", () => {
  const told: string[] = [];
  const { reject, confirm } = acceptFirst((key) => told.push(key));
  assert.deepEqual([reject(ONE), reject(OTHER)], [undefined, undefined]);
  assert.deepEqual(told, []);
  confirm(OTHER);
  assert.deepEqual(told, [OTHER]);
});

Deno.test("acceptFirst() accepts no other key, and does not learn it either", () => {
  const told: string[] = [];
  const { reject, confirm } = acceptFirst((key) => told.push(key));
  confirm(ONE);
  const why =
    `its host key was ${ONE} since the exporter started, and is ${OTHER} now: find out by another way whether that is its key, then restart the exporter`;
  assert.deepEqual([reject(OTHER), reject(OTHER)], [why, why]);
  assert.equal(reject(ONE), undefined);
  assert.deepEqual(told, [ONE]);
});
