import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import { type Answer, encode, plain } from "../../src/http/answer.ts";
import { compress } from "../../src/http/compression.ts";

const PARTS = ["up 1\n".repeat(500), "down 0\n".repeat(500)];
const ANSWER: Answer = { ...plain(200, ""), parts: PARTS.map(encode) };

for (
  const accepted of [
    "gzip",
    "GZIP",
    "gzip, deflate, br, zstd",
    "br;q=1.0, gzip;q=0.8, *;q=0.1",
    "identity,gzip;q=0.001",
  ]
) {
  Deno.test(`a client that accepts "${accepted}" gets gzip`, () => {
    const { headers, parts } = ask(accepted);
    assert.equal(headers["content-encoding"], "gzip");
    assert.equal(headers["vary"], "accept-encoding");
    assert.equal(headers["content-type"], ANSWER.headers["content-type"]);
    assert.equal(parts.length, 1);
    const [body = new Uint8Array()] = parts;
    assert.equal(new TextDecoder().decode(gunzipSync(body)), PARTS.join(""));
  });
}

for (
  const accepted of [
    undefined,
    "",
    "identity",
    "br",
    "deflate, x-gzip2",
    "gzip;q=0",
    "gzip; q=0.000, br",
    "gzip ; Q = 0.0",
  ]
) {
  Deno.test(`a client that accepts ${JSON.stringify(accepted)} gets the text`, () => {
    assert.equal(ask(accepted), ANSWER);
  });
}

Deno.test("what fits into a packet is not compressed", () => {
  const line = plain(200, "Healthy");
  const headers = new Headers({ "accept-encoding": "gzip" });
  assert.equal(compress(line, headers), line);
});

function ask(accepted: string | undefined): Answer {
  const headers = accepted === undefined ? {} : { "accept-encoding": accepted };
  return compress(ANSWER, new Headers(headers));
}
