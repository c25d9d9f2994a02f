import assert from "node:assert/strict";
import { format, inspect } from "node:util";
import { Secret } from "../../src/std/secret.ts";

const VALUE = "correct horse";

Deno.test("Secret.reveal() gives the value away", () => {
  assert.equal(new Secret(VALUE).reveal(), VALUE);
});

Deno.test("a Secret does not print itself", async (t) => {
  const secret = new Secret(VALUE);
  const config = { credentials: { password: secret } };
  const prints: Readonly<Record<string, () => string>> = {
    "String()": () => String(secret),
    "a template string": () => `${secret}`,
    "concatenation": () => "" + secret,
    "JSON.stringify()": () => JSON.stringify(config),
    "Deno.inspect()": () => Deno.inspect(config, { depth: 9 }),
    "Deno.inspect() of hidden fields": () =>
      Deno.inspect(secret, { showHidden: true, getters: true }),
    "inspect() of node:util": () => inspect(config, { depth: 9 }),
    "inspect() of hidden fields": () => inspect(secret, { showHidden: true }),
    "format() of node:util": () => format("%s %o %j", secret, secret, secret),
    "the message of an error": () => new Error(`Cannot use ${secret}`).message,
    "its keys and values": () => JSON.stringify(Object.entries(secret)),
    "a structured clone": () => Deno.inspect(structuredClone({ ...secret })),
  };
  for (const [how, print] of Object.entries(prints)) {
    await t.step(how, () => {
      assert(!print().includes(VALUE), print());
    });
  }
});
