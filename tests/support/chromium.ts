/**
 * A headless Chromium, driven over the DevTools protocol.
 *
 * @see {@link https://chromedevtools.github.io/devtools-protocol/}
 * @module
 */

import assert from "node:assert/strict";
import { isInstalled } from "./program.ts";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];

/** Name of the browser; `undefined` when this machine has none. */
export const CHROMIUM = NAMES.find(isInstalled);

/** A browser, for as long as the test that started it. */
export interface Chromium extends AsyncDisposable {
  openTab(): Promise<Tab>;
}

/** What the reader of a page has set. */
export interface Reader {
  readonly scheme: "light" | "dark";
  /** CSS pixels. */
  readonly width: number;
}

/** One tab of a browser. */
export interface Tab {
  /** Sends a command of the protocol. */
  send(method: string, params?: object): Promise<Json>;
  /** Loads a page as the reader would see it, and waits for its `load`. */
  open(url: string, reader: Reader): Promise<void>;
  /** Runs an expression in the page; its value must be JSON. */
  evaluate(expression: string): Promise<Json>;
  /** The whole page, as PNG. */
  takePicture(): Promise<Uint8Array>;
  /** Each fault the browser found so far, a refused resource for example. */
  readonly issues: readonly string[];
}

/** What the protocol answers: its shapes are Chromium's to define. */
// deno-lint-ignore no-explicit-any
export type Json = any;

/** Starts a browser with a profile of its own and no page. */
export async function startChromium(): Promise<Chromium> {
  assert(CHROMIUM !== undefined, `found none of ${NAMES.join(", ")} on PATH`);
  const profile = await Deno.makeTempDir({ prefix: "chromium-" });
  const process = new Deno.Command(CHROMIUM, {
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--remote-debugging-port=0",
      `--user-data-dir=${profile}`,
    ],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const log = readLog(process.stderr);
  const connection = await connect(await log.address);

  return {
    openTab: () => openTab(connection),
    async [Symbol.asyncDispose](): Promise<void> {
      await process[Symbol.asyncDispose](); // SIGTERM, and waits for the end
      await Promise.all([connection.closed, log.ended]);
      await Deno.remove(profile, { recursive: true });
    },
  };
}

/** Finds the address in what the browser prints, and lets it print on. */
function readLog(
  stderr: ReadableStream<Uint8Array>,
): { readonly address: Promise<string>; readonly ended: Promise<void> } {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const read = async (): Promise<void> => {
    let text = "";
    for await (const chunk of stderr.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const address = /^DevTools listening on (?<url>\S+)$/m.exec(text)?.groups;
      if (address?.["url"] !== undefined) resolve(address["url"]);
    }
    reject(new Error(`Cannot start Chromium: it says ${text}`));
  };
  return { address: promise, ended: read() };
}

interface Connection {
  send(method: string, params: object, sessionId?: string): Promise<Json>;
  onEvent(listener: (event: Json) => void): void;
  readonly closed: Promise<void>;
}

async function connect(url: string): Promise<Connection> {
  const socket = new WebSocket(url);
  const opened = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  const replies = new Map<number, PromiseWithResolvers<Json>>();
  const listeners: ((event: Json) => void)[] = [];
  socket.onopen = () => opened.resolve();
  socket.onclose = () => {
    const error = new Error("Cannot talk to Chromium: the connection closed");
    opened.reject(error);
    for (const reply of replies.values()) reply.reject(error);
    closed.resolve();
  };
  socket.onmessage = ({ data }) => {
    const message: Json = JSON.parse(data);
    const reply = replies.get(message.id);
    replies.delete(message.id);
    if (reply === undefined) {
      for (const listener of listeners) listener(message);
    } else if (message.error === undefined) {
      reply.resolve(message.result);
    } else {
      reply.reject(new Error(`Chromium refused: ${message.error.message}`));
    }
  };
  await opened.promise;

  let lastId = 0;
  return {
    closed: closed.promise,
    onEvent: (listener) => void listeners.push(listener),
    send: (method, params, sessionId) => {
      const reply = Promise.withResolvers<Json>();
      replies.set(++lastId, reply);
      socket.send(JSON.stringify({ id: lastId, method, params, sessionId }));
      return reply.promise;
    },
  };
}

async function openTab(connection: Connection): Promise<Tab> {
  const { targetId } = await connection.send("Target.createTarget", {
    url: "about:blank",
  });
  const { sessionId } = await connection.send("Target.attachToTarget", {
    targetId,
    flatten: true,
  });
  const send: Tab["send"] = (method, params = {}) =>
    connection.send(method, params, sessionId);

  const issues: string[] = [];
  // By document: the blank page that was there first has its own "load".
  const loads = new Map<string, PromiseWithResolvers<void>>();
  const loadOf = (loaderId: string): PromiseWithResolvers<void> => {
    const load = loads.get(loaderId) ?? Promise.withResolvers<void>();
    loads.set(loaderId, load);
    return load;
  };
  connection.onEvent((event) => {
    if (event.sessionId !== sessionId) return;
    if (
      event.method === "Page.lifecycleEvent" && event.params.name === "load"
    ) {
      loadOf(event.params.loaderId).resolve();
    }
    if (event.method === "Audits.issueAdded") {
      issues.push(JSON.stringify(event.params.issue));
    }
    if (event.method === "Log.entryAdded") issues.push(event.params.entry.text);
  });
  for (const domain of ["Page", "Runtime", "Audits", "Log"]) {
    await send(`${domain}.enable`);
  }
  await send("Page.setLifecycleEventsEnabled", { enabled: true });

  return {
    send,
    issues,
    async open(url, { scheme, width }): Promise<void> {
      await send("Emulation.setEmulatedMedia", {
        features: [{ name: "prefers-color-scheme", value: scheme }],
      });
      await send("Emulation.setDeviceMetricsOverride", {
        width,
        height: 900,
        deviceScaleFactor: 1,
        mobile: false,
      });
      await send("Emulation.setScrollbarsHidden", { hidden: true });
      const { errorText, loaderId } = await send("Page.navigate", { url });
      assert.equal(errorText, undefined, `${url} did not load`);
      await loadOf(loaderId).promise;
    },
    async evaluate(expression): Promise<Json> {
      const { result, exceptionDetails } = await send("Runtime.evaluate", {
        expression,
        awaitPromise: true,
        returnByValue: true,
      });
      assert.equal(exceptionDetails, undefined, `${expression} threw`);
      return result.value;
    },
    async takePicture(): Promise<Uint8Array> {
      const { data } = await send("Page.captureScreenshot", {
        captureBeyondViewport: true,
      });
      return Uint8Array.fromBase64(data);
    },
  };
}
