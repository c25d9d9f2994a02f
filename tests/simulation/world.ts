/**
 * Plays a plan: the exporter's own code from the poll to the guard, its
 * journal, metrics and page, among simulated firewalls and scrapers.
 *
 * @module
 */

import { createFleet, type Fleet } from "../../src/firewall/fleet.ts";
import type { Firewall } from "../../src/firewall/firewall.ts";
import type { Poll, Status } from "../../src/model/poll.ts";
import { toView } from "../../src/view/conclusions.ts";
import { render } from "../../src/view/exposition.ts";
import { firewallFamilies } from "../../src/view/metrics.ts";
import { createConfig } from "../support/fleet_of_one.ts";
import {
  type Deed,
  describe,
  GOOD,
  nameOf,
  type Plan,
  type Planned,
} from "./plan.ts";
import { createRandom, type Random } from "./random.ts";
import { AaaServer, SimulatedFirewall } from "./simulated_firewall.ts";
import { numberOf } from "./simulated_session.ts";
import type { Printed } from "./surroundings.ts";
import { SimulatedTime } from "./time.ts";
import { type Broken, Witness } from "./witness.ts";

/** What came of a history. */
export interface Outcome {
  readonly broken: Broken | undefined;
  readonly simulatedMs: number;
  readonly scrapes: number;
  readonly events: number;
  /** What happened, in words; empty unless asked for. */
  readonly timeline: readonly string[];
}

const MINUTE_MS = 60_000;
const STOP_LIMIT_MS = 3_000;

/** A scrape that tells whether a firewall is up waits at least so long. */
const PATIENT_MS = 9_500;

/** A firewall without a fault or a hold does not fail so often for so long. */
const LIVELY_MS = 10 * MINUTE_MS;
const LIVELY_SCRAPES = 4;

/** Timers that a request or a firewall may have at a time. */
const TIMERS_EACH = 6;

/** Tables that are remembered: more than can be told any more. */
const MAX_PRINTED = 1_000;

/** A login may wait for the end of the session before it, and its place. */
const MAX_IDLE_MS = 4_000;

/** A request that waits. */
interface Request {
  readonly firewall: Firewall;
  readonly startedAtMs: number;
  readonly waitMs: number;
}

/** What the world remembers of a firewall's polls. */
interface Memory {
  /** When it last was not plainly good. */
  troubledAtMs: number;
  /** Patient scrapes in a row that have failed since then. */
  failures: number;
  /** When a login or a command was last under way. */
  busyAtMs: number;
  /** From when to when those lasted. */
  failedFromMs: number;
  failedToMs: number;
  last: Poll | undefined;
  lastGood: Poll | undefined;
  /** What the log says: the reason of the failure, if it fails. */
  logged: string | undefined;
  /** In which form tables are read, by what the log says. */
  loggedForm: "text" | "xml";
  /** The most that a request has waited that may share the poll under way. */
  longestWaitMs: number;
}

/** Plays a plan to its end, or until a rule is broken. */
export async function play(
  plan: Plan,
  options: { readonly isTold?: boolean } = {},
): Promise<Outcome> {
  const world = new World(plan, options.isTold ?? false);
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
export class World {
  readonly #plan: Plan;
  readonly #random: Random;
  readonly #time: SimulatedTime;
  readonly #witness: Witness;
  readonly #aaa: AaaServer;
  readonly #fleet: Fleet;
  readonly #firewalls: readonly SimulatedFirewall[];
  readonly #memories: ReadonlyMap<string, Memory>;
  readonly #requests = new Set<Request>();
  /** By the number that they hold. */
  readonly #printed = new Map<number, Printed>();
  #lastPrinted = 0;
  /** Polls that some request was told. */
  readonly #told = new WeakSet<Poll>();
  /** Polls that were answered again at the instant that is under way. */
  readonly #toldAgain: Poll[] = [];
  readonly #timeline: string[] = [];
  readonly #isTold: boolean;
  #isStopping = false;
  #scrapes = 0;
  #events = 0;

  constructor(plan: Plan, isTold = false) {
    this.#plan = plan;
    this.#isTold = isTold;
    this.#random = createRandom(plan.seed ^ 0x5eed);
    this.#time = new SimulatedTime(this.#random);
    this.#witness = new Witness(this.#time);
    this.#aaa = new AaaServer(plan.lockAfter);
    const names = Array.from({ length: plan.firewalls }, (_, n) => nameOf(n));
    this.#memories = new Map(names.map((name) => [name, newMemory()]));
    this.#firewalls = names.map((name) =>
      new SimulatedFirewall(name, {
        time: this.#time,
        witness: this.#witness,
        aaa: this.#aaa,
        print: (table) => this.#print(table),
        longestWaitMs: (name) => this.#longestWaitMs(name),
        openWaitMs: (name) => this.#openWaitMs(name),
        loginTimeoutMs: plan.loginTimeoutMs,
        isStopping: () => this.#isStopping,
        tell: (what) => this.#tell(what),
      })
    );
    this.#fleet = this.#createFleet(names);
  }

  /** Something was thrown that nobody caught. */
  findBug(error: unknown): void {
    this.#witness.breaks(
      "nothing is thrown that nobody catches",
      error instanceof Error ? error.stack ?? error.message : `${error}`,
    );
  }

  /** The first rule that was broken. */
  get broken(): Broken | undefined {
    return this.#witness.broken;
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
      simulatedMs: this.#time.now,
      scrapes: this.#scrapes,
      events: this.#events,
      timeline: this.#timeline,
    };
  }

  /** Has so much time pass; what happens meanwhile is counted from now on. */
  async goOn(events: readonly Planned[], ms: number): Promise<void> {
    for (const { atMs, deed } of events) {
      this.#time.after(atMs, () => this.#act(deed));
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
      const memory = this.#memories.get(String(fields["target"]));
      if (memory === undefined) return;
      if (message === "poll failed") memory.logged = String(fields["reason"]);
      if (message === "poll recovered") memory.logged = undefined;
      if (message.startsWith("text cannot be read")) memory.loggedForm = "xml";
      if (message === "text can be read again") memory.loggedForm = "text";
    }, {
      clock: this.#time.clock,
      createLogin: (_config, { name }) => {
        const firewall = this.#firewalls.find((one) => one.name === name);
        if (firewall === undefined) throw new RangeError(`There is no ${name}`);
        return firewall.openSession;
      },
    });
  }

  #print(table: Printed): number {
    const number = ++this.#lastPrinted;
    this.#printed.set(number, table);
    this.#printed.delete(number - MAX_PRINTED);
    return number;
  }

  async #pass(ms: number): Promise<void> {
    if (this.broken !== undefined) return;
    await this.#time.pass(ms, () => {
      this.#events++;
      this.#check();
      return this.broken !== undefined;
    });
  }

  #act(deed: Deed): void {
    this.#tell(describe(deed));
    if (deed.kind === "AAA") this.#aaa.verdict = deed.verdict;
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
        firewall.manner = { ...firewall.manner, ...deed.change };
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
    await this.#time.concluded();
    this.#aaa.unlock();
    this.#witness.reloads();
    this.#fleet.forgetHolds();
  }

  async #scrape(firewall: Firewall, waitMs: number): Promise<void> {
    const request = { firewall, startedAtMs: this.#time.now, waitMs };
    this.#scrapes++;
    this.#requests.add(request);
    const memory = this.#memory(firewall.target);
    memory.longestWaitMs = Math.max(memory.longestWaitMs, waitMs);
    try {
      const before = firewall.status.poll;
      const status = await firewall.poll(waitMs);
      this.#judge(request, status, before);
    } catch (error) {
      this.findBug(error);
    } finally {
      this.#requests.delete(request);
    }
  }

  /** What a scraper is told has to be true. */
  #judge(request: Request, status: Status, before: Poll | undefined): void {
    const { poll, target } = status;
    const witness = this.#witness;
    if (poll === undefined) {
      witness.breaks("every request is answered with a poll");
      return;
    }
    this.#tell(
      `the scraper of ${target} is told: ${
        poll.ok ? "up" : `${poll.reason}, ${poll.message}`
      }`,
    );
    const isAgain = poll === before && this.#time.now === request.startedAtMs;
    if (isAgain) this.#toldAgain.push(poll);
    else this.#told.add(poll);
    const isKeptLost = this.#firewalls
      .some(({ name, hasLostKept }) => name === target && hasLostKept);
    witness.expect(
      poll.ok || poll.reason !== "session" || !isKeptLost || this.#isStopping,
      "a kept session that was dead is replaced",
      () => target,
    );
    this.#judgeTruth(request, status, poll);
    this.#judgeMetrics(status, poll);
    if (request.waitMs < PATIENT_MS) return;
    const memory = this.#memory(target);
    if (poll.ok) memory.failures = 0;
    else if (request.startedAtMs > memory.troubledAtMs) {
      if (memory.failures++ === 0) memory.failedFromMs = request.startedAtMs;
      memory.failedToMs = this.#time.now;
    }
  }

  #judgeTruth(request: Request, { target }: Status, poll: Poll): void {
    if (!poll.ok) return;
    const [tunnel] = poll.flow.tunnels;
    const printed = this.#printed.get(numberOf(tunnel?.peerIp ?? ""));
    const oldestMs = request.startedAtMs - this.#plan.minPollIntervalMs;
    this.#witness.expect(
      printed !== undefined && printed.firewall === target &&
        printed.atMs >= oldestMs,
      "tunnels are told from a table of this poll",
      () => target,
    );
    this.#witness.expect(
      printed?.form === poll.form && printed.haState === poll.haState,
      "form and high availability are those of the table",
      () => target,
    );
    this.#witness.expect(
      printed?.isDown === (tunnel?.state === "inactive"),
      "the state of a tunnel is what was printed",
      () => target,
    );
  }

  /** Metrics and page say the same as the poll. */
  #judgeMetrics(status: Status, poll: Poll): void {
    const text = render(firewallFamilies(status));
    const holds = text.includes(`\npanos_ipsec_up ${poll.ok ? 1 : 0}\n`) &&
      text.includes("ifIPsecOperStatus{") === poll.ok &&
      (!poll.ok || text.includes(`reading_info{form="${poll.form}"} 1\n`)) &&
      toView(status, poll.finishedAt).isFailing === !poll.ok;
    this.#witness.expect(
      holds,
      "metrics and page say what the poll says",
      () => `${status.target}: ${text}`,
    );
  }

  /** After each event: what has to be true at any moment. */
  #check(): void {
    const now = this.#time.now;
    for (const { firewall, startedAtMs, waitMs } of this.#requests) {
      this.#witness.expect(
        now < startedAtMs + waitMs,
        "every request is answered by its deadline",
        () => `${firewall.target}, after ${(now - startedAtMs) / 1_000} s`,
      );
    }
    this.#checkBusy();
    for (const poll of this.#toldAgain.splice(0)) {
      this.#witness.expect(
        this.#told.has(poll),
        "a poll that nobody heard is not answered again",
      );
    }
    this.#witness.expect(
      this.#time.coreTimers <=
        TIMERS_EACH * (this.#requests.size + this.#plan.firewalls),
      "timers do not gather",
      () => `${this.#time.coreTimers}`,
    );
    this.#witness.checkGate(this.#plan.loginTimeoutMs);
    const isAllGood = this.#aaa.verdict === "accept" && !this.#aaa.isLocked &&
      this.#firewalls.every((one) => !isTroublesome(one));
    for (const firewall of this.#fleet.firewalls) {
      const { status } = firewall;
      this.#checkRecord(status);
      this.#checkHold(status);
      this.#checkLiveness(status, isAllGood);
    }
  }

  /** Who waits, waits for something that is under way. */
  #checkBusy(): void {
    const now = this.#time.now;
    for (const { name, isBusy } of this.#firewalls) {
      const memory = this.#memory(name);
      if (isBusy) memory.busyAtMs = now;
    }
    for (const { firewall: { target }, startedAtMs } of this.#requests) {
      const sinceMs = Math.max(startedAtMs, this.#memory(target).busyAtMs);
      this.#witness.expect(
        now - sinceMs <= MAX_IDLE_MS,
        "who waits, waits for something that is under way",
        () => target,
      );
    }
  }

  /** Page, log and metrics tell of the same poll. */
  #checkRecord({ target, poll, lastSuccessAt, history }: Status): void {
    const memory = this.#memory(target);
    if (poll === undefined || poll === memory.last) return;
    memory.last = poll;
    // the next poll may have begun in this instant
    memory.longestWaitMs = this.#openWaitMs(target);
    if (poll.ok) memory.lastGood = poll;
    const witness = this.#witness;
    witness.expect(
      !poll.ok || this.#told.has(poll),
      "a poll that nobody heard is a failed one",
      () => target,
    );
    witness.expect(
      memory.logged === (poll.ok ? undefined : poll.reason),
      "the log says what the poll says",
      () => `${target} is ${memory.logged ?? "up"} in the log`,
    );
    witness.expect(
      !poll.ok || memory.loggedForm === poll.form,
      "the log says in which form the table is read",
      () => target,
    );
    witness.expect(
      lastSuccessAt === memory.lastGood?.finishedAt &&
        (history.failing === undefined) === poll.ok,
      "the page knows when it last succeeded",
      () => target,
    );
  }

  #checkHold({ target, authRetryAt }: Status): void {
    const { clock } = this.#time;
    this.#witness.showsHold(
      target,
      authRetryAt === undefined
        ? undefined
        : this.#time.now + (authRetryAt - clock.unixSeconds()) * 1_000,
    );
    if (authRetryAt !== undefined) {
      this.#memory(target).troubledAtMs = this.#time.now;
    }
  }

  /** A good firewall is up, whatever came before. */
  #checkLiveness({ target }: Status, isAllGood: boolean): void {
    const memory = this.#memory(target);
    if (!isAllGood) memory.troubledAtMs = this.#time.now;
    if (memory.troubledAtMs === this.#time.now) memory.failures = 0;
    const failedMs = memory.failedToMs - memory.failedFromMs;
    this.#witness.expect(
      memory.failures < LIVELY_SCRAPES || failedMs < LIVELY_MS,
      "a good firewall is up again",
      () =>
        `${target} has failed ${memory.failures} times in ${
          failedMs / MINUTE_MS
        } min without a fault`,
    );
  }

  /** All faults pass, the holds too, and everybody has to be up. */
  async #healAll(): Promise<void> {
    this.#tell("all faults have passed");
    this.#aaa.verdict = "accept";
    this.#aaa.unlock();
    for (const firewall of this.#firewalls) firewall.manner = GOOD;
    const startedAtMs = this.#time.now;
    let isFailing = true;
    while (isFailing && this.broken === undefined) {
      const holds = this.#fleet.firewalls.map(({ status }) =>
        status.authRetryAt
      )
        .filter((at) => at !== undefined);
      const aheadMs = holds.length === 0
        ? 0
        : Math.max(...holds) - this.#time.clock.unixSeconds();
      await this.#pass(Math.max(30_000, aheadMs * 1_000));
      for (const firewall of this.#random.shuffle(this.#fleet.firewalls)) {
        this.#time.after(0, () => void this.#scrape(firewall, 25_000));
      }
      await this.#pass(25_000);
      isFailing = this.#fleet.firewalls.some(({ status }) => !status.poll?.ok);
      this.#witness.expect(
        this.#time.now - startedAtMs < 2 * 24 * 60 * MINUTE_MS,
        "every hold ends",
      );
    }
  }

  /** The exporter is stopped. */
  async stop(): Promise<void> {
    if (this.broken !== undefined) return;
    this.#tell("the exporter is stopped");
    let isStopped = false;
    this.#isStopping = true;
    this.#fleet[Symbol.asyncDispose]().then(
      () => isStopped = true,
      (error) => this.findBug(error),
    );
    this.#time.after(0, () => {}); // lets everything settle that needs no time
    this.#time.after(STOP_LIMIT_MS, () => {});
    await this.#pass(STOP_LIMIT_MS);
    const witness = this.#witness;
    witness.expect(isStopped, "it stops within three seconds");
    witness.expect(
      this.#requests.size === 0,
      "a stopped exporter leaves no request unanswered",
    );
    witness.expect(
      this.#time.coreTimers === 0,
      "a stopped exporter leaves no timer",
      () => `${this.#time.coreTimers}`,
    );
    witness.expect(
      this.#firewalls.every(({ connections }) => connections === 0),
      "a stopped exporter leaves no session",
    );
  }

  #longestWaitMs(target: string): number {
    return this.#memory(target).longestWaitMs;
  }

  #openWaitMs(target: string): number {
    let longestMs = 0;
    for (const { firewall, waitMs } of this.#requests) {
      if (firewall.target === target) longestMs = Math.max(longestMs, waitMs);
    }
    return longestMs;
  }

  #memory(target: string): Memory {
    const memory = this.#memories.get(target);
    if (memory === undefined) throw new RangeError(`There is no ${target}`);
    return memory;
  }

  #tell(what: string): void {
    if (!this.#isTold) return;
    const seconds = Math.floor(this.#time.now / 1_000);
    const [h, m, s, ms] = [
      Math.floor(seconds / 3_600),
      Math.floor(seconds / 60) % 60,
      seconds % 60,
      Math.round(this.#time.now % 1_000),
    ].map((part, index) => String(part).padStart(index === 3 ? 3 : 2, "0"));
    this.#timeline.push(`${h}:${m}:${s}.${ms}  ${what}`);
  }
}

function newMemory(): Memory {
  return {
    troubledAtMs: 0,
    failures: 0,
    busyAtMs: 0,
    failedFromMs: 0,
    failedToMs: 0,
    last: undefined,
    lastGood: undefined,
    logged: undefined,
    loggedForm: "text",
    longestWaitMs: 0,
  };
}

function isTroublesome({ manner }: SimulatedFirewall): boolean {
  return manner !== GOOD &&
    Object.entries(GOOD).some(([key, value]) =>
      manner[key as keyof typeof manner] !== value
    );
}
