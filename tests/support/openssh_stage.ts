/**
 * Scenarios of the whole program against real OpenSSH servers that play PAN-OS.
 *
 * Each scenario has a server and an exporter of its own. What must hold in all
 * of them is checked by `onStage()` and by `scrape()`.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  type Environment,
  type Exporter,
  type Scrape,
  startExporter,
} from "./exporter.ts";
import {
  type OpenSsh,
  type OpenSshOptions,
  type Shell,
  SIX_TUNNELS,
  startOpenSsh,
  testWithOpenSsh,
} from "./openssh.ts";
import type { TerminalOutput } from "./panos_output.ts";
import { eventually } from "./system.ts";

export const SHOW = "show vpn flow";

/** The reply in two halves: the cut is behind a name, in the third row. */
export const [TOP = "", BOTTOM = ""] = SIX_TUNNELS.split(/(?<=LIMA)/);

export const PATIENT = { SCRAPE_TIMEOUT: "20" };

/** Every variable that a scenario wants to be different; `undefined` unsets. */
export type Changes = Readonly<Record<string, string | undefined>>;

export interface Setting {
  readonly server?: OpenSshOptions;
  /** Shorthand for `server.shell`. */
  readonly shell?: Partial<Shell>;
  /** Shorthand for the reply to `show vpn flow`. */
  readonly reply?: TerminalOutput;
  readonly env?: Changes | ((server: OpenSsh) => Changes);
}

export interface Stage {
  readonly server: OpenSsh;
  readonly exporter: Exporter;
}

export type Act = (stage: Stage) => Promise<void>;

export interface Scenario extends Setting {
  readonly act: Act;
}

/** Plays a scenario; a failure shows what both sides have logged. */
async function onStage({ act, ...setting }: Scenario): Promise<void> {
  await using server = await startOpenSsh(toServer(setting));
  await using exporter = await startExporter(toEnvironment(setting, server));
  try {
    await act({ server, exporter });
    await assertCleanEnd({ server, exporter }, setting);
  } catch (error) {
    const events = (await server.events()).map((event) =>
      JSON.stringify(event)
    );
    const { log } = await exporter.stop("SIGKILL");
    const logs = [log, server.log(), events].map((lines) =>
      lines.slice(-30).join("\n").slice(0, 5_000)
    );
    throw new Error(["the scenario failed", ...logs].join("\n\n"), {
      cause: error,
    });
  }
}

/** What must hold at the end of each scenario. */
async function assertCleanEnd(
  { server, exporter }: Stage,
  setting: Setting,
): Promise<void> {
  const { code, shown } = await exporter.stop();
  assert.equal(code, 0);
  if (!setting.shell?.ignoreHangup) {
    assert(
      await eventually(hasShells(server, 0)),
      "a shell outlives the exporter",
    );
  }
  for (const secret of [server.password, ...server.privateKey.split("\n")]) {
    // Lines such as "-----BEGIN" are no secret.
    if (!/^(?:-----.*)?$/.test(secret)) {
      assert(!shown.includes(secret), "a secret is shown");
    }
  }
}

function toServer({ server, shell, reply }: Setting): OpenSshOptions {
  const replies = reply === undefined ? {} : { replies: { [SHOW]: reply } };
  return { ...server, shell: { ...replies, ...shell } };
}

export function toEnvironment({ env }: Setting, server: OpenSsh): Environment {
  const variables: Changes = {
    USERNAME: server.username,
    PASSWORD: server.password,
    HOSTNAME: "127.0.0.1",
    SSH_PORT: String(server.port),
    LOG_LEVEL: "debug",
    MIN_POLL_INTERVAL: "0",
    ...(typeof env === "function" ? env(server) : env),
  };
  const isSet = (pair: [string, string | undefined]): pair is [
    string,
    string,
  ] => pair[1] !== undefined;
  return Object.fromEntries(Object.entries(variables).filter(isSet));
}

/** Scenarios that are played at the same time: nearly all of them wait. */
const AT_ONCE = 8;

/** Declares a test with a step for each scenario. */
export function scenarios(
  name: string,
  all: Readonly<Record<string, Scenario>>,
): void {
  testWithOpenSsh({
    name,
    fn: async (t) => {
      const waiting = Object.entries(all).map(([when, scenario]) => ({
        when,
        scenario,
        outcome: Promise.withResolvers<unknown>(),
      }));
      const steps = [...waiting];
      const workers = Array.from({ length: AT_ONCE }, async () => {
        for (let next = waiting.shift(); next; next = waiting.shift()) {
          const { scenario, outcome } = next;
          outcome.resolve(await onStage(scenario).catch((error) => error));
        }
      });
      for (const { when, outcome } of steps) {
        await t.step({
          name: when,
          // What runs beside a step is none of its own; the test checks all.
          sanitizeOps: false,
          sanitizeResources: false,
          fn: async () => {
            const error = await outcome.promise;
            if (error !== undefined) throw error;
          },
        });
      }
      await Promise.all(workers);
    },
  });
}

/** The same act in many settings. */
export function each(
  act: Act,
  settings: Readonly<Record<string, Setting>>,
): Readonly<Record<string, Scenario>> {
  return Object.fromEntries(
    Object.entries(settings).map(([when, setting]) => [
      when,
      { ...setting, act },
    ]),
  );
}

export function assertSix({ verdict, states }: Scrape): void {
  assert.equal(verdict, "up");
  assert.deepEqual(states, [2, 1, 1, 2, 1, 1]);
}

export function hasShells(
  server: OpenSsh,
  count: number,
): () => Promise<boolean> {
  return async () => (await server.shells()).length === count;
}

export function isAsked(server: OpenSsh): () => Promise<boolean> {
  return async () => (await server.commands()).includes(SHOW);
}

/** Two scrapes see the six tunnels, and the second needs no login. */
export async function seesSixTwice({ server, exporter }: Stage): Promise<void> {
  assertSix(await exporter.scrape());
  assertSix(await exporter.scrape());
  assert.equal(server.logins(), 1);
  assert.equal(server.connections(), 1);
}

/** A scrape fails for this reason, and so says the log. */
export function fails(reason: string): Act {
  return async ({ exporter }) => {
    const { verdict } = await exporter.scrape();
    assert.equal(verdict, reason);
    await exporter.logged(`reason=${reason}`);
  };
}
