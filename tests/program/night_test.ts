/**
 * A night at the pager: what the shipped rules, Prometheus and Alertmanager
 * make of what happens to firewalls. A minute of it passes in a second.
 *
 * The times are those that Prometheus stored, and no clock of this test. On a
 * busy machine a scrape is late and an evaluation is left out, but two things
 * stay true. An evaluation knows every scrape that ended before it, and the
 * next scrape of a target begins when the last one has ended. An alert fires at
 * the first evaluation that is its `for` after the one that found it. So each
 * time is a time between evaluations, and "at most one evaluation later" is
 * that there was none between, however long that took.
 *
 * How long Alertmanager waits then is by its own clock, and not tested here.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  type Notification,
  startAlertmanager,
} from "../support/alertmanager.ts";
import { divideDurations } from "../support/divided_time.ts";
import {
  DIVISOR,
  evaluations,
  goneFrom,
  MINUTE_MS,
  readShipped,
  sampleTimes,
  scrapedTwice,
  startMonitoring,
} from "../support/monitoring.ts";
import { isAbsent } from "../support/program.ts";
import type { Prometheus } from "../support/prometheus.ts";
import { ScriptedExporter } from "../support/scripted_exporter.ts";
import { eventually } from "../support/system.ts";

/** A firewall that is scraped all night. */
const ALWAYS_THERE = "bern.example.net";

const GOOD = { tunnels: [{ name: "lima", state: 1 }] } as const;
const MONITORED = {
  tunnels: [
    { name: "lima", state: 1 },
    { name: "quito", state: 1, monitor: "up" },
  ],
} as const;

interface Event {
  readonly happens: string;
  readonly script: (exporter: ScriptedExporter) => void;
  /** What a person is told, and how many minutes after it was found. */
  readonly told: Readonly<Record<string, number>>;
  /** How many messages that makes. */
  readonly messages: number;
  /** What fires as well, and nobody is told. */
  readonly silenced?: readonly string[];
  /** Minutes behind that, in which nothing more is told. */
  readonly quiet?: number;
  /** What is gone from the scrapes, instead of being seen in them. */
  readonly gone?: string;
}

const NIGHT: readonly Event[] = [
  {
    happens: "a tunnel dies",
    script: set("bern", {
      tunnels: [{ name: "lima", state: 2 }, { name: "quito", state: 1 }],
    }),
    told: { "firing: IPsecTunnelDown bern.example.net lima": 3 },
    messages: 1,
  },
  {
    happens: "a firewall loses a tunnel, and the monitor of another goes down",
    script: set("kiev", {
      tunnels: [
        { name: "lima", state: 3 },
        { name: "quito", state: 1, monitor: "down" },
      ],
    }),
    told: {
      "firing: IPsecTunnelLost kiev.example.net lima": 3,
      "firing: IPsecTunnelMonitorDown kiev.example.net quito": 3,
    },
    messages: 1,
  },
  {
    happens: "a firewall dies",
    script: set("rome", { reason: "timeout", tunnels: [] }),
    told: { "firing: PanosIpsecPollFailing rome.example.net": 3 },
    messages: 1,
  },
  {
    happens: "it returns, while a pair fails over",
    script: (exporter) => {
      set("rome", GOOD)(exporter);
      set("oslo-fw1", {
        ha: "passive",
        tunnels: [{ name: "lima", state: 2 }],
      })(exporter);
      set("oslo-fw2", { ha: "active", ...GOOD })(exporter);
    },
    told: { "resolved: PanosIpsecPollFailing rome.example.net": 0 },
    messages: 1,
    quiet: 5,
  },
  {
    happens: "two firewalls reject the login, and all others are held for it",
    script: (exporter) => {
      for (const [name, firewall] of exporter.firewalls) {
        const reason = /bern|rome/.test(name) ? "auth" : "held";
        exporter.firewalls.set(name, { ...firewall, reason });
      }
    },
    told: {
      "firing: PanosIpsecLoginRejected bern.example.net": 0,
      "firing: PanosIpsecLoginRejected rome.example.net": 0,
      "firing: PanosIpsecLoginsHeld": 0,
    },
    messages: 1,
    silenced: [
      "IPsecTunnelNotEstablished kiev.example.net lima",
      "PanosIpsecFirewallHeld kiev.example.net",
      "PanosIpsecFirewallHeld oslo-fw1.example.net",
      "PanosIpsecFirewallHeld oslo-fw2.example.net",
      "PanosIpsecPollFailing bern.example.net",
      "PanosIpsecPollFailing kiev.example.net",
      "PanosIpsecPollFailing oslo-fw1.example.net",
      "PanosIpsecPollFailing oslo-fw2.example.net",
      "PanosIpsecPollFailing rome.example.net",
    ],
    quiet: 2,
  },
  {
    happens:
      "the account is unlocked, and the lost tunnel was mended meanwhile",
    script: (exporter) => {
      for (const [name, firewall] of exporter.firewalls) {
        const { reason: _, ...rest } = firewall;
        exporter.firewalls.set(name, rest);
      }
      set("kiev", MONITORED)(exporter);
    },
    told: {
      "resolved: IPsecTunnelLost kiev.example.net lima": 0,
      "resolved: IPsecTunnelMonitorDown kiev.example.net quito": 0,
      // A line more in a message that is due: the one that silenced it ends.
      "resolved: IPsecTunnelNotEstablished kiev.example.net lima": 0,
      "resolved: PanosIpsecLoginRejected bern.example.net": 0,
      "resolved: PanosIpsecLoginRejected rome.example.net": 0,
      "resolved: PanosIpsecLoginsHeld": 0,
    },
    messages: 2,
  },
  {
    happens: "the exporter dies, and for twelve minutes nobody hears RESOLVED",
    script: (exporter) => exporter.isDead = true,
    told: {
      "firing: PanosIpsecExporterDown bern.example.net": 2,
      "firing: PanosIpsecExporterDown kiev.example.net": 2,
      "firing: PanosIpsecExporterDown oslo-fw1.example.net": 2,
      "firing: PanosIpsecExporterDown oslo-fw2.example.net": 2,
      "firing: PanosIpsecExporterDown rome.example.net": 2,
      "firing: PanosIpsecExporterDown the exporter": 2,
    },
    messages: 1,
    quiet: 12,
  },
  {
    happens: "the exporter returns, and the tunnel is still down",
    script: (exporter) => exporter.isDead = false,
    told: {
      "resolved: PanosIpsecExporterDown bern.example.net": 0,
      "resolved: PanosIpsecExporterDown kiev.example.net": 0,
      "resolved: PanosIpsecExporterDown oslo-fw1.example.net": 0,
      "resolved: PanosIpsecExporterDown oslo-fw2.example.net": 0,
      "resolved: PanosIpsecExporterDown rome.example.net": 0,
      "resolved: PanosIpsecExporterDown the exporter": 0,
    },
    messages: 1,
  },
  {
    happens: "the tunnel recovers",
    script: set("bern", {
      tunnels: [{ name: "lima", state: 1 }, { name: "quito", state: 1 }],
    }),
    told: { "resolved: IPsecTunnelDown bern.example.net lima": 0 },
    messages: 1,
  },
  {
    happens: "TARGETS lacks a firewall that Prometheus asks for",
    script: set("kiev", { ...MONITORED, isRefused: true }),
    told: { "firing: PanosIpsecTargetRefused kiev.example.net": 5 },
    messages: 1,
  },
  {
    happens: "Prometheus does not ask for it any more",
    script: set("kiev", { ...MONITORED, isRefused: true, isUnlisted: true }),
    told: {
      "resolved: PanosIpsecTargetRefused kiev.example.net": 0,
      "firing: PanosIpsecTargetGone kiev.example.net": 5,
    },
    messages: 2,
    gone: "kiev.example.net",
    // Longer than group_interval: nothing is told behind the end, either. Less
    // than an hour after the exporter was dead for over ten minutes: in that gap
    // PanosIpsecTargetGone would end.
    quiet: 6,
  },
];

Deno.test({
  name:
    "a night yields the notifications that a person would want (needs prometheus, prometheus-alertmanager)",
  ignore: isAbsent("prometheus") || isAbsent("prometheus-alertmanager"),
  async fn(t): Promise<void> {
    await using exporter = new ScriptedExporter();
    for (const name of ["bern", "rome"]) set(name, GOOD)(exporter);
    set("kiev", MONITORED)(exporter);
    set("oslo-fw1", { ha: "active", ...GOOD })(exporter);
    set("oslo-fw2", {
      ha: "passive",
      tunnels: [{ name: "lima", state: 2 }],
    })(exporter);
    await using alertmanager = await startAlertmanager(
      divideDurations(await readShipped("alertmanager.yml"), DIVISOR),
    );
    await using prometheus = await startMonitoring(exporter.address, {
      alertmanager: alertmanager.address,
    });
    await eventually(
      async () => (await prometheus.query("up == 1")).length === 6,
    );

    let heard = 0;
    const told = new Map<string, string>();
    const listen = (): readonly Message[] => {
      const latest = alertmanager.notifications.slice(heard);
      heard += latest.length;
      return latest.map((each) => readMessage(each, told, exporter.address));
    };
    // Where the start was slow, the exporter was absent before the night.
    const isCalm = async (): Promise<boolean> => {
      listen();
      return [...told.values()].every((status) => status === "resolved") &&
        (await prometheus.query("ALERTS")).length === 0;
    };
    assert(await eventually(isCalm), "the night does not begin");
    for (const event of NIGHT) {
      await t.step(event.happens, async () => {
        event.script(exporter);
        const happenedMs = Date.now();
        const expected = Object.keys(event.told);
        const messages: Message[] = [];
        await eventually(async () => {
          messages.push(...listen());
          return messages.flatMap(({ news }) => news).length >=
              expected.length &&
            await areFiring(prometheus, event.silenced ?? []);
        });
        await pass(prometheus, event.quiet ?? 0);
        messages.push(...listen());
        const said = messages.flatMap(({ news }) =>
          news.map(({ text }) => text)
        );
        assert.deepEqual(said.sort(), expected.sort());
        assert(await areFiring(prometheus, event.silenced ?? []));
        const knownMs = event.gone === undefined
          ? await scrapedTwice(prometheus, happenedMs)
          : await goneFrom(prometheus, event.gone);
        await checkTimes(prometheus, event, messages, knownMs);
        checkCount(event, messages);
      });
    }
  },
});

/** Scripts one firewall. */
function set(
  name: string,
  firewall: Parameters<ScriptedExporter["firewalls"]["set"]>[1],
): (exporter: ScriptedExporter) => void {
  return (exporter) => {
    exporter.firewalls.set(`${name}.example.net`, firewall);
  };
}

/** One message, and what it says that no message before it said. */
interface Message {
  readonly group: string;
  readonly news: readonly News[];
}

interface News {
  readonly text: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly isFiring: boolean;
  /** The evaluation at which it began or ended, in Unix milliseconds. */
  readonly changedMs: number;
}

function readMessage(
  { groupKey, alerts }: Notification,
  told: Map<string, string>,
  exporter: string,
): Message {
  const news = alerts.flatMap(({ status, labels, startsAt, endsAt }) => {
    const alert = nameOf(labels).replace(` ${exporter}`, " the exporter");
    if (told.get(alert) === status) return [];
    told.set(alert, status);
    const isFiring = status === "firing";
    const changedMs = Date.parse(isFiring ? startsAt : endsAt);
    return [{ text: `${status}: ${alert}`, labels, isFiring, changedMs }];
  });
  return { group: groupKey, news };
}

function nameOf(labels: Readonly<Record<string, string>>): string {
  const { alertname, instance = "", tunnel = "" } = labels;
  return `${alertname} ${instance} ${tunnel}`.trim();
}

async function areFiring(
  prometheus: Prometheus,
  alerts: readonly string[],
): Promise<boolean> {
  const firing = await prometheus.query('ALERTS{alertstate="firing"}');
  const names = new Set(firing.map(({ labels }) => nameOf(labels)));
  return alerts.every((alert) => names.has(alert));
}

/** Waits until the rules were evaluated for some minutes. */
async function pass(prometheus: Prometheus, minutes: number): Promise<void> {
  const last = async (): Promise<number> =>
    (await evaluations(prometheus, ALWAYS_THERE)).at(-1) ?? NaN;
  const endMs = await last() + minutes * MINUTE_MS;
  const hasPassed = await eventually(async () => await last() >= endMs);
  assert(hasPassed, "the rules are not evaluated any more");
}

/**
 * Checks that each alert was found at the first evaluation that could find it,
 * and changed at the first one that was due.
 *
 * @param knownMs From when on an evaluation knows what happened.
 */
async function checkTimes(
  prometheus: Prometheus,
  { told }: Event,
  messages: readonly Message[],
  knownMs: number,
): Promise<void> {
  const evaluated = await evaluations(prometheus, ALWAYS_THERE);
  const between = (startMs: number, endMs: number): number =>
    evaluated.filter((at) => at >= startMs && at < endMs).length;
  for (
    const { text, labels, isFiring, changedMs } of messages.flatMap((
      { news },
    ) => news)
  ) {
    const foundMs = isFiring
      ? await foundAt(prometheus, labels, changedMs, evaluated)
      : changedMs;
    const afterMs = (told[text] ?? NaN) * MINUTE_MS;
    const minutes = (changedMs - foundMs) / MINUTE_MS;
    assert(evaluated.includes(changedMs), `${text}: at no evaluation`);
    assert.equal(between(knownMs, foundMs), 0, `${text}: found too late`);
    assert(changedMs - foundMs >= afterMs, `${text}: after ${minutes} minutes`);
    assert.equal(
      between(foundMs + afterMs, changedMs),
      0,
      `${text}: only after ${minutes} minutes`,
    );
  }
}

/** Finds the first of the evaluations in a row that saw what an alert is for. */
async function foundAt(
  prometheus: Prometheus,
  labels: Readonly<Record<string, string>>,
  firedMs: number,
  evaluated: readonly number[],
): Promise<number> {
  const matchers = Object.entries(labels).map(([name, value]) =>
    `${name}=${JSON.stringify(value)}`
  );
  const seen = new Set(
    (await sampleTimes(prometheus, `ALERTS{${matchers}}`)).flat(),
  );
  const before = evaluated.filter((at) => at <= firedMs);
  return before[before.findLastIndex((at) => !seen.has(at)) + 1] ?? NaN;
}

/**
 * Checks that each group spoke once. What two evaluations found may be two
 * messages: the end of an alert is not waited for.
 */
function checkCount(event: Event, messages: readonly Message[]): void {
  const groups = Map.groupBy(messages, ({ group }) => group);
  assert.equal(groups.size, event.messages, [...groups.keys()].join("\n"));
  for (const [group, spoken] of groups) {
    const changes = spoken.flatMap(({ news }) =>
      news.map(({ changedMs }) => changedMs)
    );
    assert(spoken.length <= new Set(changes).size, `${group} spoke too often`);
  }
}
