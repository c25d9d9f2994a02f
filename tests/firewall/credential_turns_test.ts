import assert from "node:assert/strict";
import { CredentialTurns } from "../../src/firewall/credential_turns.ts";

Deno.test("a firewall may get both credentials until it has rejected both", () => {
  const turns = new CredentialTurns();
  assert.equal(turns.onlyFor("fw1"), undefined);
  turns.noteFailed("fw1", ["key"]);
  assert.equal(turns.onlyFor("fw1"), undefined);
  turns.noteFailed("fw1", ["key", "password"]);
  assert.equal(turns.onlyFor("fw1"), "password");
  assert.equal(turns.onlyFor("fw2"), undefined);
});

Deno.test("who has but one credential sends it in each login", () => {
  const turns = new CredentialTurns();
  for (let logins = 0; logins < 3; logins++) {
    turns.noteFailed("fw1", ["password"]);
    assert.equal(turns.onlyFor("fw1"), undefined);
  }
});

Deno.test("after both were rejected it is the turn of what was accepted last", () => {
  for (const accepted of ["key", "password"] as const) {
    const turns = new CredentialTurns();
    turns.noteAccepted("fw1", accepted);
    turns.noteFailed("fw1", ["key", "password"]);
    assert.equal(turns.onlyFor("fw1"), accepted);
  }
});

Deno.test("a turn passes to the other credential, also if nothing was sent", () => {
  const turns = new CredentialTurns();
  turns.noteFailed("fw1", ["key", "password"]);
  turns.noteFailed("fw1", ["password"]);
  assert.equal(turns.onlyFor("fw1"), "key");
  turns.noteFailed("fw1", []);
  assert.equal(turns.onlyFor("fw1"), "password");
});

Deno.test("an acceptance, or a reload, makes both possible again", () => {
  const turns = new CredentialTurns();
  turns.noteFailed("fw1", ["key", "password"]);
  turns.noteAccepted("fw1", "key");
  assert.equal(turns.onlyFor("fw1"), undefined);
  turns.noteFailed("fw1", ["key", "password"]);
  turns.forget();
  assert.equal(turns.onlyFor("fw1"), undefined);
  turns.noteFailed("fw1", ["key", "password"]);
  assert.equal(turns.onlyFor("fw1"), "key", "what was accepted is remembered");
});
