/**
 * The routes.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createHash, timingSafeEqual } from "node:crypto";
import type { HttpConfig } from "../config/http.ts";
import { CONTENT_TYPE, type MetricFamily, render } from "../view/exposition.ts";
import type { Firewall } from "../firewall/firewall.ts";
import type { Log } from "../std/log.ts";
import {
  type Build,
  buildFamilies,
  firewallFamilies,
} from "../view/metrics.ts";
import { CONTENT_SECURITY_POLICY } from "../view/page_style.ts";

/** What the routes show. */
export interface HandlerOptions {
  /** What `/metrics` polls, if it polls anything. */
  readonly firewall: Firewall | undefined;
  /** Finds what `/probe` may poll. */
  findTarget(text: string): Firewall | undefined;
  /** Everything but what firewalls told. */
  ownFamilies(): readonly MetricFamily[];
  readonly build: Build;
  statusPage(): string;
  readonly login: HttpConfig["login"];
  /** How long a request waits that does not say so itself. */
  readonly scrapeTimeoutMs: number;
  readonly log: Log;
}

type Route = (request: Request, url: URL) => Response | Promise<Response>;

const WAY_BACK_MS = 500;
const MIN_WAIT_MS = 250;
const MAX_WAIT_MS = 120_000;

/** Creates the handler of all requests. */
export function createHandler(
  options: HandlerOptions,
): (request: Request) => Promise<Response> {
  const { firewall, build, scrapeTimeoutMs } = options;
  const isWelcome = createDoor(options.login);

  const routes: ReadonlyMap<string, Route> = new Map<string, Route>([
    ["/", () => page(options.statusPage())],
    ["/metrics", async ({ headers }) => {
      const status = await firewall?.poll(patienceMs(headers, scrapeTimeoutMs));
      const families = status === undefined ? [] : firewallFamilies(status);
      return exposition([...families, ...options.ownFamilies()]);
    }],
    ["/probe", async ({ headers }, { searchParams }) => {
      const [text, ...others] = searchParams.getAll("target");
      if (text === undefined || others.length > 0) {
        return plain(400, "Cannot probe: there must be one parameter target");
      }
      const target = options.findTarget(text);
      if (target === undefined) {
        return plain(400, "Cannot probe: TARGETS does not list this target");
      }
      const status = await target.poll(patienceMs(headers, scrapeTimeoutMs));
      return exposition([...firewallFamilies(status), ...buildFamilies(build)]);
    }],
  ]);

  async function answer(request: Request): Promise<Response> {
    const url = URL.parse(request.url);
    // the header Host is part of it, and may be anything
    if (url === null) return plain(400, "Cannot read the URL of this request");
    const isHealth = url.pathname === "/-/healthy";
    if (!isHealth && !isWelcome(request.headers)) {
      return plain(401, "Cannot show this without a login", {
        "www-authenticate": 'Basic realm="panos-ipsec-exporter"',
      });
    }
    const route = isHealth
      ? () => plain(200, "Healthy")
      : routes.get(url.pathname);
    if (route === undefined) return plain(404, "Not found: see /");
    if (request.method !== "GET" && request.method !== "HEAD") {
      return plain(405, "Cannot do this: GET and HEAD are served", {
        allow: "GET, HEAD",
      });
    }
    return await route(request, url);
  }

  return async (request) => {
    try {
      return await answer(request);
    } catch (error) {
      const stack = error instanceof Error ? error.stack : undefined;
      options.log("error", "bug: a request failed", {
        error: stack ?? String(error),
      });
      return plain(
        500,
        "Cannot answer, as this program has a bug: see its log",
      );
    }
  };
}

/**
 * How long a scraper waits: what Prometheus says, less the time that the answer
 * needs to get there.
 */
function patienceMs(headers: Headers, defaultMs: number): number {
  const text = headers.get("x-prometheus-scrape-timeout-seconds") ?? "";
  const ms = Number(text) * 1_000;
  if (!Number.isFinite(ms) || ms <= 0) return defaultMs;
  return Math.min(MAX_WAIT_MS, Math.max(MIN_WAIT_MS, ms - WAY_BACK_MS));
}

/** Compares in a time that does not tell how much of a guess is right. */
function createDoor(login: HttpConfig["login"]): (headers: Headers) => boolean {
  if (login === undefined) return () => true;
  const digest = (text: string): Uint8Array =>
    createHash("sha256").update(text).digest();
  const pair = `${login.username}:${login.password.reveal()}`;
  const expected = digest(`Basic ${Buffer.from(pair).toString("base64")}`);
  return (headers) => {
    const given = headers.get("authorization") ?? "";
    return timingSafeEqual(
      digest(given.replace(/^basic +/i, "Basic ")),
      expected,
    );
  };
}

function exposition(families: readonly MetricFamily[]): Response {
  return respond(200, render(families), CONTENT_TYPE);
}

function page(html: string): Response {
  return respond(200, html, "text/html; charset=utf-8", {
    "content-security-policy": CONTENT_SECURITY_POLICY,
  });
}

function plain(
  status: number,
  line: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return respond(status, `${line}\n`, "text/plain; charset=utf-8", headers);
}

function respond(
  status: number,
  body: string,
  type: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(body, {
    status,
    headers: {
      "cache-control": "no-store",
      "content-type": type,
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
      ...headers,
    },
  });
}
