/**
 * A world: the exporter's own code from the poll to the guard, its journal,
 * metrics and page, among simulated firewalls, their AAA server and scrapers.
 *
 * @module
 */

import { createFleet, type Fleet } from "../../src/firewall/fleet.ts";
import type { Firewall } from "../../src/firewall/firewall.ts";
import { createConfig } from "../support/fleet_of_one.ts";
import {
  type Deed,
  describe,
  GOOD,
  nameOf,
  type Plan,
  type Planned,
} from "./plan.ts";
import { PollWitness } from "./poll_witness.ts";
import { createRandom, type Random } from "./random.ts";
import { type Broken, Rules } from "./rules.ts";
import { AaaServer, SimulatedFirewall } from "./simulated_firewall.ts";
import type { Observer, Surroundings } from "./surroundings.ts";
import { SimulatedTime } from "./time.ts";
import { Witness } from "./witness.ts";

export interface WorldOptions {
  /** Whether what happens is put into words. */
  readonly isTold?: boolean;
  readonly observer?: Observer | undefined;
}

/** What came of a history. */
export interface Outcome {
  readonly broken: Broken | undefined;
  readonly simulatedMs: number;
  readonly scrapes: number;
  readonly events: number;
  /** What happened, in words; empty unless asked for. */
  readonly timeline: readonly string[];
}

const DAY_MS = 24 * 3_600_000;
const STOP_LIMIT_MS = 3_000;

/** The program waits for its requests no longer than two seconds. */
const ANSWER_LIMIT_MS = 1_000;

/** Timers that a request or a firewall may have at a time. */
const TIMERS_EACH = 6;

/** Plays a plan to its end, or until a rule is broken. */
export async function play(
  plan: Plan,
  options: WorldOptions = {},
): Promise<Outcome> {
  const world = new World(plan, options);
  const survive = (event: PromiseRejectionEvent): void => {
    event.preventDefault();
    world.findBug(event.reason);
  };
  addEventListener("unhandledrejection", survive);
  try {
    return await world.play();
  } finally {
    removeEventListener("unhandledrejection", survive);
  }
}

/** One exporter, what it polls, and who asks it. */
export class World implements Surroundings {
  readonly time: SimulatedTime;
  readonly rules = new Rules();
  readonly witness: Witness;
  readonly polls: PollWitness;
  readonly aaa: AaaServer;
  readonly loginTimeoutMs: number;
  readonly observer: Observer | undefined;
  isStopping = false;
  readonly #plan: Plan;
  readonly #random: Random;
  readonly #firewalls: readonly SimulatedFirewall[];
  readonly #fleet: Fleet;
  readonly #timeline: string[] = [];
  readonly #isTold: boolean;
  #scrapes = 0;
  #events = 0;

  constructor(plan: Plan, { isTold = false, observer }: WorldOptions = {}) {
    this.#plan = plan;
    this.#isTold = isTold;
    this.observer = observer;
    this.loginTimeoutMs = plan.loginTimeoutMs;
    this.#random = createRandom(plan.seed ^ 0x5eed);
    this.time = new SimulatedTime(this.#random);
    this.witness = new Witness(this.time, this.rules);
    this.polls = new PollWitness(
      this.time,
      this.rules,
      plan.minPollIntervalMs,
    );
    this.aaa = new AaaServer(plan.lockAfter);
    const names = Array.from({ length: plan.firewalls }, (_, n) => nameOf(n));
    this.#firewalls = names.map((name) => new SimulatedFirewall(name, this));
    this.#fleet = this.#createFleet(names);
  }

  /** Something was thrown that nobody caught. */
  findBug(error: unknown): void {
    this.rules.breaks(
      "nothing is thrown that nobody catches",
      error instanceof Error ? error.stack ?? error.message : `${error}`,
    );
  }

  /** The first rule that was broken. */
  get broken(): Broken | undefined {
    return this.rules.broken;
  }

  async play(): Promise<Outcome> {
    const { events, stopAtMs = Infinity } = this.#plan;
    const played = events.filter(({ atMs }) => atMs < stopAtMs);
    const lastAtMs = events.at(-1)?.atMs ?? 0;
    await this.goOn(played, this.#plan.stopAtMs ?? lastAtMs);
    if (stopAtMs === Infinity) await this.#healAll();
    await this.stop();
    return {
      broken: this.broken,
      simulatedMs: this.time.now,
      scrapes: this.#scrapes,
      events: this.#events,
      timeline: this.#timeline,
    };
  }

  /** Has so much time pass; what happens meanwhile is counted from now on. */
  async goOn(events: readonly Planned[], ms: number): Promise<void> {
    // the last one first: a timer is put before those that are due later
    for (const { atMs, deed } of events.toReversed()) {
      this.time.after(atMs, () => this.#act(deed));
    }
    await this.#pass(ms);
  }

  #createFleet(names: readonly string[]): Fleet {
    const { idleTimeoutMs, minPollIntervalMs, loginTimeoutMs } = this.#plan;
    const config = createConfig({ port: 1 }, {
      firewall: undefined,
      targets: names.map((name) => ({ name, host: name, port: 22 })),
      sessionIdleTimeoutMs: idleTimeoutMs,
      minPollIntervalMs,
      loginTimeoutMs,
    });
    return createFleet(config, (_level, message, fields = {}) => {
      const { target } = fields;
      if (typeof target === "string") this.polls.logs(target, message, fields);
    }, {
      clock: this.time.clock,
      createLogin: (_config, { name }) => {
        const firewall = this.#firewalls.find((one) => one.name === name);
        if (firewall === undefined) throw new RangeError(`There is no ${name}`);
        return firewall.openSession;
      },
    });
  }

  async #pass(ms: number): Promise<void> {
    if (this.broken !== undefined) return;
    await this.time.pass(ms, () => {
      this.#events++;
      this.#check();
      return this.broken !== undefined;
    });
  }

  #act(deed: Deed): void {
    this.tell(describe(deed));
    if (deed.kind === "AAA") this.aaa.verdict = deed.verdict;
    if (deed.kind === "reload") this.#reload();
    if (!("firewall" in deed)) return;
    const firewall = this.#firewalls[deed.firewall];
    const polled = this.#fleet.firewalls[deed.firewall];
    if (firewall === undefined || polled === undefined) return;
    switch (deed.kind) {
      case "scrape":
        this.#scrape(polled, deed.waitMs);
        break;
      case "manner":
        firewall.change(deed.change);
        break;
      case "kill":
        firewall.kill();
        break;
      case "failover":
        firewall.haState = firewall.haState === "active" ? "passive" : "active";
        if (deed.kills) firewall.kill();
        break;
      case "tunnel":
        firewall.isTunnelDown = !firewall.isTunnelDown;
    }
  }

  async #reload(): Promise<void> {
    while (this.time.isConcluding) await undefined;
    this.aaa.unlock();
    this.witness.reloads();
    this.#fleet.forgetHolds();
  }

  async #scrape(firewall: Firewall, waitMs: number): Promise<void> {
    this.#scrapes++;
    const request = this.polls.asks(firewall.status, waitMs);
    this.witness.asks(firewall.target);
    try {
      const status = await firewall.poll(waitMs);
      const { poll, target } = status;
      const answer = poll?.ok ? "up" : `${poll?.reason}, ${poll?.message}`;
      this.tell(`the scraper of ${target} is told: ${answer}`);
      this.polls.isTold(request, status);
      if (poll?.ok === false && poll.reason === "held") {
        this.witness.turnedAway(target, poll.finishedAt);
      }
      this.observer?.onAnswer(status);
    } catch (error) {
      this.findBug(error);
    }
  }

  /** After each event: what has to be true at any moment. */
  #check(): void {
    const { time, rules, polls, witness } = this;
    const firewalls = this.#firewalls;
    const busy = firewalls.filter(({ isBusy }) => isBusy);
    polls.checkRequests(busy.map(({ name }) => name));
    rules.expect(
      time.coreTimers <= TIMERS_EACH * (polls.waiting + firewalls.length),
      "timers do not gather",
      () => `${time.coreTimers}`,
    );
    witness.checkGate(this.loginTimeoutMs);
    const isTroubled = this.aaa.verdict !== "accept" || this.aaa.isLocked ||
      firewalls.some(({ isTroubled }) => isTroubled);
    for (const { status } of this.#fleet.firewalls) {
      witness.showsHold(status.target, status.authRetryAt);
      polls.checkStatus(status, isTroubled);
    }
  }

  /** All faults pass, the holds too, and everybody has to be up. */
  async #healAll(): Promise<void> {
    this.tell("all faults have passed");
    this.aaa.verdict = "accept";
    this.aaa.unlock();
    for (const firewall of this.#firewalls) firewall.change(GOOD);
    const startedAtMs = this.time.now;
    let isFailing = true;
    while (isFailing && this.broken === undefined) {
      const holds = this.#fleet.firewalls.map(({ status }) =>
        status.authRetryAt
      )
        .filter((at) => at !== undefined);
      const aheadMs = holds.length === 0
        ? 0
        : Math.max(...holds) - this.time.clock.unixSeconds();
      await this.#pass(Math.max(30_000, aheadMs * 1_000));
      for (const firewall of this.#random.shuffle(this.#fleet.firewalls)) {
        this.time.after(0, () => void this.#scrape(firewall, 25_000));
      }
      await this.#pass(25_000);
      isFailing = this.#fleet.firewalls.some(({ status }) => !status.poll?.ok);
      this.rules.expect(
        this.time.now - startedAtMs < 2 * DAY_MS,
        "every hold ends",
      );
    }
  }

  /** The exporter is stopped. */
  async stop(): Promise<void> {
    if (this.broken !== undefined) return;
    this.tell("the exporter is stopped");
    let isStopped = false;
    this.isStopping = true;
    this.polls.stops();
    this.#fleet[Symbol.asyncDispose]().then(
      () => isStopped = true,
      (error) => this.findBug(error),
    );
    const { rules } = this;
    this.time.after(0, () => {}); // lets everything settle that needs no time
    this.time.after(ANSWER_LIMIT_MS, () => {});
    await this.#pass(ANSWER_LIMIT_MS);
    rules.expect(
      this.polls.waiting === 0,
      "an exporter that stops answers its requests within a second",
    );
    this.time.after(STOP_LIMIT_MS - ANSWER_LIMIT_MS, () => {});
    await this.#pass(STOP_LIMIT_MS - ANSWER_LIMIT_MS);
    rules.expect(isStopped, "it stops within three seconds");
    rules.expect(
      this.time.coreTimers === 0,
      "a stopped exporter leaves no timer",
      () => `${this.time.coreTimers}`,
    );
    rules.expect(
      this.#firewalls.every(({ connections }) => connections === 0),
      "a stopped exporter leaves no session",
    );
  }

  /** Adds a line to the timeline. */
  readonly tell = (what: string): void => {
    if (!this.#isTold) return;
    this.#timeline.push(`${showTime(this.time.now)}  ${what}`);
  };
}

/** `75:04:01.500` after the start. */
function showTime(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  const minutes = Math.floor(seconds / 60);
  const pad = (part: number, digits = 2): string =>
    String(part).padStart(digits, "0");
  return [
    pad(Math.floor(minutes / 60)),
    pad(minutes % 60),
    `${pad(seconds % 60)}.${pad(Math.round(ms % 1_000), 3)}`,
  ].join(":");
}
