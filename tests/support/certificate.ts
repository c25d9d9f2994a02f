/**
 * Certificates for the listener, made with `openssl`.
 *
 * @module
 */

import assert from "node:assert/strict";
import { execute, temporaryFolder } from "./program.ts";

/** PEM texts. */
export interface Certificate {
  readonly certificate: string;
  readonly key: string;
}

/** Makes a certificate for 127.0.0.1 that signs itself. */
export async function createCertificate(): Promise<Certificate> {
  await using folder = await temporaryFolder();
  const [certificate, key] = [`${folder.path}/cert`, `${folder.path}/key`];
  const { code, stderr } = await execute("openssl", [
    ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256".split(" "),
    ..."-noenc -days 2 -subj /CN=localhost".split(" "),
    ...["-addext", "subjectAltName=IP:127.0.0.1"],
    ...["-addext", "basicConstraints=critical,CA:FALSE"],
    ...["-keyout", key, "-out", certificate],
  ]);
  assert.equal(code, 0, stderr);
  return {
    certificate: await Deno.readTextFile(certificate),
    key: await Deno.readTextFile(key),
  };
}
