/**
 * The routes.
 *
 * @module
 */

import type { HttpLogin } from "../config/http.ts";
import type { Firewall } from "../firewall/firewall.ts";
import { logBug } from "../std/bugs.ts";
import type { Clock } from "../std/clock.ts";
import type { Log } from "../std/log.ts";
import { quote } from "../std/quote.ts";
import { type MetricFamily, render } from "../view/exposition.ts";
import { SharedExposition } from "../view/shared_exposition.ts";
import {
  type Answer,
  encode,
  exposition,
  json,
  page,
  plain,
} from "./answer.ts";
import { createBasicAuth } from "./basic_auth.ts";
import { Pages } from "./pages.ts";
import { Refusals } from "./refusals.ts";
import { readRequestTarget, type RequestTarget } from "./request_target.ts";
import { Sender } from "./sender.ts";
import type { Handler } from "./server.ts";

/** What the routes show. */
export interface HandlerOptions {
  /** What `/metrics` polls; `undefined` if it polls nothing. */
  readonly firewall: Firewall | undefined;
  /** Names of what `/probe` may poll; none if `TARGETS` is not set. */
  readonly targets: readonly string[];
  /** Finds what `/probe` may poll. */
  findTarget(text: string): Firewall | undefined;
  /** Finds what the page may show. */
  find(text: string): Firewall | undefined;
  /** What `/metrics` shows of the exporter itself. */
  ownFamilies(): readonly MetricFamily[];
  /** What `/probe` shows of it; it never changes. */
  readonly probeFamilies: readonly MetricFamily[];
  /** The page of one firewall, by its configured name, or of all. */
  statusPage(firewall?: string): string;
  readonly login: HttpLogin | undefined;
  /** How long a request waits that does not say so itself. */
  readonly scrapeTimeoutMs: number;
  readonly log: Log;
  readonly clock: Clock;
}

type Query = RequestTarget["query"];
type Route = (headers: Headers, query: Query) => Answer | Promise<Answer>;
type Routes = Readonly<Record<string, Route>>;

/** What an answer needs to get back to the scraper. */
const WAY_BACK_MS = 500;

// Whatever a scraper says, a request waits within these limits.
const MIN_WAIT_MS = 250;
const MAX_WAIT_MS = 120_000;

/** Creates the handler of all requests. */
export function createHandler(
  options: HandlerOptions,
): Handler {
  const sender = new Sender(options.clock);
  const routes = createRoutes(options);
  const isLoggedIn = createBasicAuth(options.login);

  async function answer(request: Request): Promise<Answer> {
    const target = readRequestTarget(request);
    if (target === undefined) {
      return plain(
        400,
        "Cannot answer: the request header Host does not name a host",
      );
    }
    const { path, query } = target;
    if (path !== "/-/healthy" && !isLoggedIn(request.headers)) {
      return plain(401, "Cannot show this without a login", {
        "www-authenticate": 'Basic realm="panos-ipsec-exporter"',
      });
    }
    const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
    if (route === undefined) return plain(404, "Not found: see /");
    if (request.method !== "GET" && request.method !== "HEAD") {
      return plain(405, "Cannot do this: GET and HEAD are served", {
        allow: "GET, HEAD",
      });
    }
    return await route(request.headers, query);
  }

  return async (request, peer) => {
    try {
      return await sender.send(await answer(request), request, peer);
    } catch (error) {
      logBug(options.log, error);
      const line = "Cannot answer, as this program has a bug: see its log";
      return await sender.send(plain(500, line), request, peer);
    }
  };
}

function createRoutes(options: HandlerOptions): Routes {
  const { firewall, targets, scrapeTimeoutMs, log, clock } = options;
  const shared = new SharedExposition();
  const pages = new Pages(options.statusPage, clock);
  const refusals = new Refusals(targets.length > 0, log);
  const ofProbe = encode(render(options.probeFamilies));

  return {
    "/": (_, query) => showPage(options, pages, query),
    "/-/healthy": () => plain(200, "Healthy"),
    "/metrics": async (headers) => {
      const status = await firewall?.poll(patienceMs(headers, scrapeTimeoutMs));
      const own = encode(render(options.ownFamilies()));
      return status === undefined
        ? exposition(own)
        : exposition(...shared.render(status), own);
    },
    "/probe": async (headers, query) => {
      const [name, ...others] = query.getAll("target");
      if (name === undefined || others.length > 0) {
        return plain(400, "Cannot probe: there must be one parameter target");
      }
      const target = options.findTarget(name);
      if (target === undefined) return plain(400, refusals.refuse(name));
      const status = await target.poll(patienceMs(headers, scrapeTimeoutMs));
      return exposition(...shared.render(status), ofProbe);
    },
    "/sd": () => json([{ targets }]),
  };
}

function showPage(
  { find }: Pick<HandlerOptions, "find">,
  pages: Pages,
  query: Query,
): Answer {
  const name = query.get("firewall");
  if (name === null) return page(pages.get());
  const firewall = find(name);
  if (firewall !== undefined) return page(pages.get(firewall.target));
  const quoted = quote(name, 80);
  const reason = "neither HOSTNAME nor TARGETS names it";
  return plain(400, `Cannot show ${quoted}: ${reason}`);
}

/**
 * How long a scraper waits: what Prometheus says in its request, less the way
 * back.
 */
function patienceMs(headers: Headers, defaultMs: number): number {
  const text = headers.get("x-prometheus-scrape-timeout-seconds") ?? "";
  const ms = Number(text) * 1_000;
  if (!Number.isFinite(ms) || ms <= 0) return defaultMs;
  return Math.min(MAX_WAIT_MS, Math.max(MIN_WAIT_MS, ms - WAY_BACK_MS));
}
