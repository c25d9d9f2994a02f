/**
 * Where to listen, and whom to answer.
 *
 * @module
 */

import { isIP } from "node:net";
import { Secret } from "../std/secret.ts";
import type { Reader } from "./reader.ts";

/** How the exporter is reached. */
export interface HttpConfig {
  /** An IP address, without brackets. */
  readonly address: string;
  readonly port: number;
  /** What every route but `/-/healthy` asks for; `undefined` asks for nothing. */
  readonly login: HttpLogin | undefined;
  /** PEM text; `undefined` speaks plain HTTP. */
  readonly tls:
    | { readonly certificate: string; readonly key: Secret }
    | undefined;
}

/** The one account of basic authentication. */
export interface HttpLogin {
  readonly username: string;
  readonly password: Secret;
}

/** Reads where to listen, and what to ask for. */
export function readHttp(reader: Reader): HttpConfig {
  return {
    address: readAddress(reader),
    port: reader.port(reader.either("HTTP_SERVER_PORT"), 9_098),
    login: readLogin(reader),
    tls: readTls(reader),
  };
}

function readAddress(reader: Reader): string {
  const text = reader.text("HTTP_LISTEN_ADDRESS") ?? "0.0.0.0";
  const address = text.replace(/^\[(.*)\]$/, "$1");
  if (isIP(address) === 0) {
    reader.fault(
      "HTTP_LISTEN_ADDRESS",
      `must be an IP address: it is ${reader.quote(text)}`,
    );
  }
  return address;
}

function readLogin(reader: Reader): HttpLogin | undefined {
  const username = reader.text("HTTP_USERNAME");
  const password = reader.text("HTTP_PASSWORD");
  reader.both("HTTP_USERNAME", "HTTP_PASSWORD");
  reader.notPlaceholder({ name: "HTTP_PASSWORD", value: password });
  if (username === undefined || password === undefined) return undefined;
  if (username.includes(":")) {
    const problem = "must not hold a colon: browsers cannot send it";
    reader.fault("HTTP_USERNAME", problem);
  }
  return { username, password: new Secret(password) };
}

function readTls(reader: Reader): HttpConfig["tls"] {
  const certificate = reader.pem("HTTP_TLS_CERT");
  const key = reader.pem("HTTP_TLS_KEY");
  reader.both("HTTP_TLS_CERT", "HTTP_TLS_KEY");
  if (certificate === undefined || key === undefined) return undefined;
  const texts = { HTTP_TLS_CERT: certificate, HTTP_TLS_KEY: key };
  for (const [name, text] of Object.entries(texts)) {
    if (text.includes("-----BEGIN ")) continue;
    reader.fault(name, 'must be PEM text: it has no "-----BEGIN"');
  }
  return { certificate, key: new Secret(key) };
}
