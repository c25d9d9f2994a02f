/**
 * A fleet through the faults of its account: the exporter's own code from the
 * poll to the guard, with its logins answered by simulated firewalls and the
 * AAA server behind them, in simulated time.
 *
 * @module
 */

import type { Command } from "../../src/panos/cli.ts";
import { createFleet, type Fleet } from "../../src/firewall/fleet.ts";
import type {
  LoginProgress,
  OpenSession,
  Session,
} from "../../src/firewall/session.ts";
import { PollError } from "../../src/model/poll.ts";
import type { Target } from "../../src/model/target.ts";
import type { FakeTime } from "../support/fake_time.ts";
import { createConfig } from "../support/fleet_of_one.ts";
import { inventTunnels, printVpnFlow } from "../support/vpn_flow_reply.ts";
import type { Random } from "./random.ts";

/** What a server makes of the credentials. */
export type Verdict = "accept" | "reject" | "silent";

/** A firewall of the world; what it does may be changed at any time. */
export interface SimulatedFirewall {
  readonly name: string;
  /** What its own account says, or the AAA server if it has none. */
  verdict: Verdict | "ask AAA";
  /** Sessions that stand. */
  readonly sessions: Set<SimulatedSession>;
}

/** A session as the firewall sees it. */
export interface SimulatedSession {
  /** The firewall ends it: a reboot, a limit, an administrator. */
  kill(): void;
}

/** The server that most firewalls ask. */
export interface AaaServer {
  verdict: Exclude<Verdict, "silent">;
  /** How long it takes; with some jitter. */
  verdictMs: number;
}

/** A credential that has reached a server. */
export interface Submission {
  readonly atMs: number;
  readonly firewall: string;
  readonly verdict: Verdict;
}

export interface WorldOptions {
  readonly size: number;
  readonly time: FakeTime;
  readonly random: Random;
  /** How long a session may stand unused; 0 ends it after each poll. */
  readonly idleTimeoutMs: number;
}

const MINUTE_MS = 60_000;
const LOGIN_TIMEOUT_MS = 60_000;
const SCRAPE_TIMEOUT_MS = 25_000;
/** TCP connect and handshake. */
const CONNECT_MS = 200;
/** Shell, prompt and settings. */
const SHELL_MS = 500;
const TABLE = printVpnFlow(inventTunnels(1)).split("\n");
/** Neither events nor their order may depend on who is served first. */
const MAX_MICROTASKS = 5;

/** A fleet that is scraped; disposed, it has ended. */
export class World implements AsyncDisposable {
  readonly aaa: AaaServer = { verdict: "accept", verdictMs: 300 };
  readonly firewalls: readonly SimulatedFirewall[];
  readonly submissions: Submission[] = [];
  /** Logins that were between sending and verdict at a time. */
  mostInFlight = 0;
  #inFlight = 0;
  readonly #time: FakeTime;
  readonly #random: Random;
  readonly #fleet: Fleet;
  readonly #darkSinceMs = new Map<string, number>();
  readonly #darkMs = new Map<string, number>();
  readonly #scrapes = new Set<Promise<void>>();

  constructor(options: WorldOptions) {
    this.#time = options.time;
    this.#random = options.random;
    const targets = Array.from({ length: options.size }, (_, index): Target => {
      const name = `fw${index + 1}`;
      return { name, host: name, port: 22 };
    });
    this.firewalls = targets.map(({ name }) => ({
      name,
      verdict: "ask AAA",
      sessions: new Set(),
    }));
    const config = createConfig({ port: 1 }, {
      firewall: undefined,
      targets,
      sessionIdleTimeoutMs: options.idleTimeoutMs,
      loginTimeoutMs: LOGIN_TIMEOUT_MS,
    });
    this.#fleet = createFleet(config, () => {}, {
      clock: options.time.clock,
      createLogin: (_config, { name }) =>
        this.#createLogin(this.firewall(name)),
    });
  }

  firewall(name: string): SimulatedFirewall {
    const firewall = this.firewalls.find((each) => each.name === name);
    if (firewall === undefined) throw new RangeError(`There is no ${name}`);
    return firewall;
  }

  /** Scrapes all firewalls at once, so that their logins overlap. */
  async run(ms: number, scrapeIntervalMs = MINUTE_MS): Promise<void> {
    const end = this.#time.now + ms;
    while (this.#time.now < end) {
      const startedAt = this.#time.now;
      for (const firewall of this.#random.shuffle(this.#fleet.firewalls)) {
        const scrape = this.#scrape(firewall);
        this.#scrapes.add(scrape);
        scrape.finally(() => this.#scrapes.delete(scrape));
      }
      await this.#time.pass(
        Math.min(scrapeIntervalMs, end - startedAt),
      );
    }
  }

  /** As `systemctl reload` does. */
  reload(): void {
    this.#fleet.forgetHolds();
  }

  /** Milliseconds that each firewall has been dark, if it has been at all. */
  darkMs(): ReadonlyMap<string, number> {
    const now = this.#time.now;
    const dark = new Map(this.#darkMs);
    for (const [name, since] of this.#darkSinceMs) {
      dark.set(name, (dark.get(name) ?? 0) + now - since);
    }
    return dark;
  }

  /** Names of the firewalls whose last poll has failed. */
  dark(): readonly string[] {
    return [...this.#darkSinceMs.keys()];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = Promise.all([
      this.#fleet[Symbol.asyncDispose](),
      ...this.#scrapes,
    ]);
    await this.#time.until(ended);
  }

  async #scrape(firewall: Fleet["firewalls"][number]): Promise<void> {
    const { poll } = await firewall.poll(SCRAPE_TIMEOUT_MS);
    const { target } = firewall;
    const now = this.#time.now;
    if (poll?.ok) {
      const since = this.#darkSinceMs.get(target);
      if (since === undefined) return;
      this.#darkSinceMs.delete(target);
      this.#darkMs.set(target, (this.#darkMs.get(target) ?? 0) + now - since);
    } else if (!this.#darkSinceMs.has(target)) {
      this.#darkSinceMs.set(target, now);
    }
  }

  #createLogin(firewall: SimulatedFirewall): OpenSession {
    return async (progress, signal): Promise<Session> => {
      const aborted = Promise.withResolvers<never>();
      aborted.promise.catch(() => {});
      signal.addEventListener("abort", () => aborted.reject(signal.reason));
      const login = this.#answerLogin(firewall, progress, signal);
      return await Promise.race([login, aborted.promise]);
    };
  }

  /** What happens at the firewall; a lost login goes on there for a while. */
  async #answerLogin(
    firewall: SimulatedFirewall,
    progress: LoginProgress,
    signal: AbortSignal,
  ): Promise<Session> {
    progress.onPhase("connect");
    await this.#take(CONNECT_MS);
    progress.onPhase("auth");
    await progress.beforeCredential();
    signal.throwIfAborted();
    const own = firewall.verdict;
    const verdict = own === "ask AAA" ? this.aaa.verdict : own;
    const atMs = this.#time.now;
    this.submissions.push({ atMs, firewall: firewall.name, verdict });
    if (verdict === "silent") return await new Promise(() => {});
    this.#inFlight++;
    this.mostInFlight = Math.max(this.mostInFlight, this.#inFlight);
    await this.#take(this.aaa.verdictMs);
    this.#inFlight--;
    signal.throwIfAborted();
    if (verdict === "reject") {
      throw new PollError("auth", "it rejected the credentials");
    }
    progress.onAccepted();
    progress.onPhase("session");
    await this.#take(SHELL_MS);
    signal.throwIfAborted();
    return openSession(firewall, signal);
  }

  /** Lets so much time pass, more or less, and up to five microtasks more. */
  async #take(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    // in steps, so that events fall on the same instant
    const steps = 1 + this.#random.below(4);
    this.#time.clock.setTimer(Math.round(ms * steps / 4), resolve);
    await promise;
    const microtasks = this.#random.below(MAX_MICROTASKS + 1);
    for (let task = 0; task < microtasks; task++) await Promise.resolve();
  }
}

function openSession(
  firewall: SimulatedFirewall,
  signal: AbortSignal,
): Session {
  const closed = Promise.withResolvers<PollError>();
  let isOpen = true;

  function close(reason: PollError): void {
    isOpen = false;
    firewall.sessions.delete(session);
    closed.resolve(reason);
  }

  const session: SimulatedSession = {
    kill: () => close(new PollError("session", "Lost the session")),
  };
  firewall.sessions.add(session);
  signal.addEventListener("abort", () => close(signal.reason));
  return {
    negotiated: {
      kex: "curve25519-sha256",
      hostKey: "ssh-ed25519",
      cipher: "aes256-gcm@openssh.com",
      mac: "",
    },
    cli: {
      haState: "active",
      closed: closed.promise,
      async run<Reply>({ parse }: Command<Reply>): Promise<Reply> {
        await Promise.resolve();
        if (!isOpen) throw new PollError("session", "Lost the session");
        return parse(TABLE);
      },
      setXmlOutput: () => Promise.reject(new Error("Cannot: no XML here")),
    },
    async end(): Promise<void> {
      session.kill();
      await closed.promise;
    },
  };
}
