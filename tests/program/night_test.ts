/**
 * A night at the pager: what the shipped rules, Prometheus and Alertmanager
 * make of what happens to firewalls. A minute of it passes in a second.
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
  readShipped,
  startMonitoring,
} from "../support/monitoring.ts";
import { isAbsent } from "../support/program.ts";
import { ScriptedExporter } from "../support/scripted_exporter.ts";
import { eventually } from "../support/system.ts";

const EXPORTER = [
  "PanosIpsecExporterDown bern.example.net",
  "PanosIpsecExporterDown kiev.example.net",
  "PanosIpsecExporterDown oslo-fw1.example.net",
  "PanosIpsecExporterDown oslo-fw2.example.net",
  "PanosIpsecExporterDown rome.example.net",
  "PanosIpsecExporterDown the exporter",
];
const LOGINS = [
  "PanosIpsecLoginRejected bern.example.net",
  "PanosIpsecLoginRejected rome.example.net",
  "PanosIpsecLoginsHeld",
];

const GOOD = { tunnels: [{ name: "lima", state: 1 }] } as const;

interface Event {
  readonly happens: string;
  readonly script: (exporter: ScriptedExporter) => void;
  /** What a person is told, and nothing else. */
  readonly told: readonly string[];
  /** Minutes that pass before, at least. */
  readonly leastMinutes: number;
  /** Minutes in which nothing more is told. */
  readonly quiet?: number;
}

const NIGHT: readonly Event[] = [
  {
    happens: "a tunnel dies",
    script: set("bern", {
      tunnels: [{ name: "lima", state: 2 }, { name: "quito", state: 1 }],
    }),
    told: ["firing: IPsecTunnelDown bern.example.net lima"],
    leastMinutes: 3,
  },
  {
    happens: "the exporter dies, and for twelve minutes nobody hears RESOLVED",
    script: (exporter) => exporter.isDead = true,
    told: EXPORTER.map((alert) => `firing: ${alert}`),
    leastMinutes: 2,
    quiet: 12,
  },
  {
    happens: "the exporter returns, and the tunnel is still down",
    script: (exporter) => exporter.isDead = false,
    told: EXPORTER.map((alert) => `resolved: ${alert}`),
    leastMinutes: 0,
  },
  {
    happens: "the tunnel recovers",
    script: set("bern", {
      tunnels: [{ name: "lima", state: 1 }, { name: "quito", state: 1 }],
    }),
    told: ["resolved: IPsecTunnelDown bern.example.net lima"],
    leastMinutes: 0,
  },
  {
    happens: "a firewall dies",
    script: set("rome", { reason: "timeout", tunnels: [] }),
    told: ["firing: PanosIpsecPollFailing rome.example.net"],
    leastMinutes: 3,
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
    told: ["resolved: PanosIpsecPollFailing rome.example.net"],
    leastMinutes: 0,
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
    told: LOGINS.map((alert) => `firing: ${alert}`),
    leastMinutes: 0,
    quiet: 5,
  },
  {
    happens: "the account is unlocked",
    script: (exporter) => {
      for (const [name, firewall] of exporter.firewalls) {
        const { reason: _, ...rest } = firewall;
        exporter.firewalls.set(name, rest);
      }
    },
    told: LOGINS.map((alert) => `resolved: ${alert}`),
    leastMinutes: 0,
  },
  {
    happens: "a firewall is removed from TARGETS",
    // Prometheus takes up to five seconds to act on a list, whatever the
    // divisor: answering meanwhile stands for the restart that is due.
    script: set("kiev", { ...GOOD, isUnlisted: true }),
    told: ["firing: PanosIpsecTargetGone kiev.example.net"],
    leastMinutes: 5,
  },
];

Deno.test({
  name:
    "a night yields the notifications that a person would want (needs prometheus, prometheus-alertmanager)",
  ignore: isAbsent("prometheus") || isAbsent("prometheus-alertmanager"),
  async fn(t): Promise<void> {
    await using exporter = new ScriptedExporter();
    for (const name of ["bern", "rome", "kiev", "oslo-fw1", "oslo-fw2"]) {
      set(name, GOOD)(exporter);
    }
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
    const listen = (): readonly string[] => {
      const latest = alertmanager.notifications.slice(heard);
      heard += latest.length;
      return latest.flatMap((notification) =>
        newsOf(notification, told, exporter.address)
      );
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
        const start = performance.now();
        const news: string[] = [];
        await eventually(() => {
          news.push(...listen());
          return news.length >= event.told.length;
        });
        const minutes = (performance.now() - start) / 1_000;
        await new Promise((resolve) =>
          setTimeout(resolve, (event.quiet ?? 0) * 1_000)
        );
        news.push(...listen());
        assert.deepEqual(news.sort(), [...event.told].sort());
        assert(minutes >= event.leastMinutes, `after ${minutes} minutes`);
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

/** What a notification says of alerts that was not said before. */
function newsOf(
  { alerts }: Notification,
  told: Map<string, string>,
  exporter: string,
): readonly string[] {
  return alerts.flatMap(({ status, labels }) => {
    const { alertname, instance = "", tunnel = "" } = labels;
    const subject = instance === exporter ? "the exporter" : instance;
    const alert = `${alertname} ${subject} ${tunnel}`.trim();
    if (told.get(alert) === status) return [];
    told.set(alert, status);
    return [`${status}: ${alert}`];
  });
}
