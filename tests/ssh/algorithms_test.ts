import assert from "node:assert/strict";
import { offeredAlgorithms } from "../../src/ssh/algorithms.ts";
import { hasGroup, roundTripsStream } from "../../src/ssh/round_trip.ts";

const WITH_LEGACY = true;

Deno.test("offeredAlgorithms() begins with AES-GCM and has no SHA-1 nor CBC", () => {
  const { kex, cipher, hmac } = offeredAlgorithms(!WITH_LEGACY);
  assert(Array.isArray(kex) && Array.isArray(cipher) && Array.isArray(hmac));
  assert.deepEqual(cipher, [
    "aes256-gcm@openssh.com",
    "aes128-gcm@openssh.com",
    "chacha20-poly1305@openssh.com",
    "aes256-ctr",
    "aes192-ctr",
    "aes128-ctr",
  ]);
  assert.equal(kex.length, 10);
  const old = [...kex, ...cipher, ...hmac].filter((name) =>
    /sha1\b|cbc|nistp521/.test(name)
  );
  assert.deepEqual(old, []);
});

Deno.test("offeredAlgorithms() appends what old releases need and the runtime can do", () => {
  const usual = offeredAlgorithms(!WITH_LEGACY);
  const legacy = offeredAlgorithms(WITH_LEGACY);
  assert(Array.isArray(usual.cipher) && Array.isArray(legacy.cipher));
  assert.deepEqual(legacy.cipher, [
    ...usual.cipher,
    "aes256-cbc",
    "aes128-cbc",
    "3des-cbc",
  ]);
});

Deno.test("a name proves nothing: what fails the round trip is left out", () => {
  assert(!roundTripsStream("aes-192-cbc", 24, 16));
  assert(!roundTripsStream("no-such-cipher", 16, 16));
  // ends in other bytes than it began with where padding is left off
  assert(!roundTripsStream("aes-256-gcm", 16, 12));
  assert(hasGroup("modp14", 2048));
  assert(!hasGroup("modp14", 512));
  assert(!hasGroup("modp99", 2048));
});
