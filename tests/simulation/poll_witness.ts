/**
 * What must be true of every poll: of what scrapers are told, and of what log,
 * metrics and page say.
 *
 * @module
 */

import type { Poll, Status } from "../../src/model/poll.ts";
import type { Fields } from "../../src/std/log.ts";
import { toView } from "../../src/view/firewall_view.ts";
import { SharedExposition } from "../../src/view/shared_exposition.ts";
import { numberOf } from "./printed_table.ts";
import type { Rules } from "./rules.ts";
import type { SimulatedTime } from "./time.ts";

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;

/** A scrape that tells whether a firewall is up waits at least so long. */
const PATIENT_MS = 9_500;

/** A firewall without a fault or a hold does not fail so often for so long. */
const LIVELY_MS = 10 * MINUTE_MS;
const LIVELY_SCRAPES = 4;

/** A login may wait for the end of the session before it, and its place. */
const MAX_IDLE_MS = 4 * SECOND_MS;

/** Tables that are remembered: more than can be told any more. */
const MAX_PRINTED = 1_000;

/** A table that was printed as a whole. */
export interface Printed {
  readonly firewall: string;
  readonly atMs: number;
  readonly form: "text" | "xml";
  readonly haState: "active" | "passive";
  readonly isDown: boolean;
}

/** A request that waits. */
export interface Request {
  readonly firewall: string;
  readonly startedAtMs: number;
  readonly waitMs: number;
  /** The poll that was known when it came. */
  readonly before: Poll | undefined;
}

/** What is remembered of a firewall's polls. */
interface Memory {
  /** The most that a request has waited that may share the poll under way. */
  longestWaitMs: number;
  /** Whether a login or a command is under way, and when one last was. */
  isBusy: boolean;
  busyAtMs: number;
  /** A kept session was dead when it was asked, and there is no other yet. */
  hasLostKept: boolean;
  last: Poll | undefined;
  lastGood: Poll | undefined;
  /** What the log says: the reason of the failure, if it fails. */
  logged: string | undefined;
  /** In which form tables are read, by what the log says. */
  loggedForm: "text" | "xml";
  /** When something was last wrong with any firewall, or this one was held. */
  troubledAtMs: number;
  /** Patient scrapes in a row that have failed since then, and from when to when. */
  failures: number;
  failedFromMs: number;
  failedToMs: number;
}

/** Compares polls with what the firewalls printed. */
export class PollWitness {
  readonly #time: SimulatedTime;
  readonly #rules: Rules;
  readonly #shared = new SharedExposition();
  readonly #minPollIntervalMs: number;
  readonly #memories = new Map<string, Memory>();
  readonly #requests = new Set<Request>();
  /** By the number that they hold. */
  readonly #printed = new Map<number, Printed>();
  #lastPrinted = 0;
  /** Polls that some request was told. */
  readonly #told = new WeakSet<Poll>();
  /** Polls that were answered again at the instant that is under way. */
  readonly #toldAgain: Poll[] = [];
  #isStopping = false;

  /** @param minPollIntervalMs How long a poll may be answered again. */
  constructor(time: SimulatedTime, rules: Rules, minPollIntervalMs: number) {
    this.#time = time;
    this.#rules = rules;
    this.#minPollIntervalMs = minPollIntervalMs;
  }

  /** Requests that wait. */
  get waiting(): number {
    return this.#requests.size;
  }

  /** The most that a request waits that may share the poll of a command. */
  longestWaitMs(firewall: string): number {
    return this.#memory(firewall).longestWaitMs;
  }

  /** The most that a request waits that waits at this moment. */
  openWaitMs(firewall: string): number {
    let longestMs = 0;
    for (const request of this.#requests) {
      if (request.firewall !== firewall) continue;
      longestMs = Math.max(longestMs, request.waitMs);
    }
    return longestMs;
  }

  /** The exporter logs something. */
  logs(firewall: string, message: string, fields: Fields): void {
    const memory = this.#memory(firewall);
    if (message === "poll failed") memory.logged = String(fields["reason"]);
    if (message === "poll recovered") memory.logged = undefined;
    if (message.startsWith("text cannot be read")) memory.loggedForm = "xml";
    if (message === "text can be read again") memory.loggedForm = "text";
  }

  /** @returns The number that the table has to hold. */
  prints(table: Printed): number {
    const number = ++this.#lastPrinted;
    this.#printed.set(number, table);
    this.#printed.delete(number - MAX_PRINTED);
    return number;
  }

  /** A kept session turns out to be dead before it has printed anything. */
  losesKept(firewall: string): void {
    this.#memory(firewall).hasLostKept = true;
  }

  logsIn(firewall: string): void {
    this.#memory(firewall).hasLostKept = false;
  }

  /** A scraper asks. */
  asks({ target, poll }: Status, waitMs: number): Request {
    const startedAtMs = this.#time.now;
    const request = { firewall: target, startedAtMs, waitMs, before: poll };
    this.#requests.add(request);
    const memory = this.#memory(target);
    memory.longestWaitMs = Math.max(memory.longestWaitMs, waitMs);
    return request;
  }

  /** A scraper is told something, which has to be true. */
  isTold(request: Request, status: Status): void {
    this.#requests.delete(request);
    const { poll, target } = status;
    const memory = this.#memory(target);
    if (poll === undefined) {
      return this.#rules.breaks("every request is answered with a poll");
    }
    const isAgain = poll === request.before &&
      this.#time.now === request.startedAtMs;
    if (isAgain) this.#toldAgain.push(poll);
    else this.#told.add(poll);
    // now, as another poll may fail in this instant
    if (poll.ok) memory.lastGood = poll;
    this.#rules.expect(
      poll.ok || poll.reason !== "session" || !memory.hasLostKept ||
        this.#isStopping,
      "a kept session that was dead is replaced",
      () => target,
    );
    this.#checkTable(request, poll);
    this.#checkMetrics(status, poll);
    if (request.waitMs < PATIENT_MS) return;
    if (poll.ok) memory.failures = 0;
    else if (request.startedAtMs > memory.troubledAtMs) {
      if (memory.failures++ === 0) memory.failedFromMs = request.startedAtMs;
      memory.failedToMs = this.#time.now;
    }
  }

  /** From here on polls may fail for that. */
  stops(): void {
    this.#isStopping = true;
  }

  /**
   * After each event: all who ask are answered in time.
   *
   * @param busy Firewalls with a login or a command under way.
   */
  checkRequests(busy: readonly string[]): void {
    const now = this.#time.now;
    for (const [firewall, memory] of this.#memories) {
      const isBusy = busy.includes(firewall);
      // what was under way until this instant has ended in it
      if (isBusy || memory.isBusy) memory.busyAtMs = now;
      memory.isBusy = isBusy;
    }
    for (const { firewall, startedAtMs, waitMs } of this.#requests) {
      this.#rules.expect(
        now < startedAtMs + waitMs,
        "every request is answered by its deadline",
        () => `${firewall}, after ${(now - startedAtMs) / SECOND_MS} s`,
      );
      const sinceMs = Math.max(startedAtMs, this.#memory(firewall).busyAtMs);
      this.#rules.expect(
        now - sinceMs <= MAX_IDLE_MS,
        "who waits, waits for something that is under way",
        () => firewall,
      );
    }
    for (const poll of this.#toldAgain.splice(0)) {
      this.#rules.expect(
        this.#told.has(poll),
        "a poll that nobody heard is not answered again",
      );
    }
  }

  /**
   * After each event: page, log and metrics tell of the same poll, and a good
   * firewall is up, whatever came before.
   *
   * @param isTroubled Whether something is wrong with any firewall.
   */
  checkStatus(status: Status, isTroubled: boolean): void {
    const { target, poll, authRetryAt } = status;
    const memory = this.#memory(target);
    if (poll !== undefined && poll !== memory.last) {
      memory.last = poll;
      // the next poll may have begun in this instant
      memory.longestWaitMs = this.openWaitMs(target);
      this.#checkRecord(status, poll, memory);
    }
    if (isTroubled || authRetryAt !== undefined) {
      memory.troubledAtMs = this.#time.now;
      memory.failures = 0;
    }
    const failedMs = memory.failedToMs - memory.failedFromMs;
    this.#rules.expect(
      memory.failures < LIVELY_SCRAPES || failedMs < LIVELY_MS,
      "a good firewall is up again",
      () =>
        `${target} has failed ${memory.failures} times in ${
          failedMs / MINUTE_MS
        } min without a fault`,
    );
  }

  #checkTable({ firewall, startedAtMs }: Request, poll: Poll): void {
    if (!poll.ok) return;
    const [tunnel] = poll.flow.tunnels;
    const printed = this.#printed.get(numberOf(tunnel?.peerIp ?? ""));
    this.#rules.expect(
      printed !== undefined && printed.firewall === firewall &&
        printed.atMs >= startedAtMs - this.#minPollIntervalMs,
      "tunnels are told from a table of this poll",
      () => firewall,
    );
    this.#rules.expect(
      printed?.isDown === (tunnel?.state === "inactive"),
      "the state of a tunnel is what was printed",
      () => firewall,
    );
    this.#rules.expect(
      printed?.form === poll.form && printed.haState === poll.haState,
      "form and high availability are those of the table",
      () => firewall,
    );
  }

  #checkMetrics(status: Status, poll: Poll): void {
    const parts = this.#shared.render(status);
    const text = parts.map((part) => new TextDecoder().decode(part)).join("");
    const holds = text.includes(`\npanos_ipsec_up ${poll.ok ? 1 : 0}\n`) &&
      text.includes("ifIPsecOperStatus{") === poll.ok &&
      (!poll.ok || text.includes(`reading_info{form="${poll.form}"} 1\n`)) &&
      toView(status, poll.finishedAt).failure === (poll.ok ? undefined : poll);
    this.#rules.expect(
      holds,
      "metrics and page say what the poll says",
      () => `${status.target}: ${text}`,
    );
  }

  #checkRecord(
    { target, lastSuccessAt, history }: Status,
    poll: Poll,
    { logged, loggedForm, lastGood }: Memory,
  ): void {
    this.#rules.expect(
      !poll.ok || this.#told.has(poll),
      "a poll that nobody heard is a failed one",
      () => target,
    );
    this.#rules.expect(
      logged === (poll.ok ? undefined : poll.reason),
      "the log says what the poll says",
      () => `${target} is ${logged ?? "up"} in the log`,
    );
    this.#rules.expect(
      !poll.ok || loggedForm === poll.form,
      "the log says in which form the table is read",
      () => target,
    );
    this.#rules.expect(
      lastSuccessAt === lastGood?.finishedAt &&
        (history.failing === undefined) === poll.ok,
      "the page knows when it last succeeded",
      () => target,
    );
  }

  #memory(firewall: string): Memory {
    let memory = this.#memories.get(firewall);
    if (memory === undefined) {
      memory = newMemory();
      this.#memories.set(firewall, memory);
    }
    return memory;
  }
}

function newMemory(): Memory {
  return {
    longestWaitMs: 0,
    isBusy: false,
    busyAtMs: 0,
    hasLostKept: false,
    last: undefined,
    lastGood: undefined,
    logged: undefined,
    loggedForm: "text",
    troubledAtMs: 0,
    failures: 0,
    failedFromMs: 0,
    failedToMs: 0,
  };
}
