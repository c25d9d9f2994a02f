/**
 * What is known about a firewall, and about the exporter itself, as metric
 * families. Every name and every help text of the exposition stands in one of
 * the six tables of this file.
 *
 * A family without samples is still rendered, so that what the exporter can
 * tell is to be read even while there is nothing to tell.
 *
 * @module
 */

import type { Negotiated } from "../model/negotiated.ts";
import {
  type GoodPoll,
  type Logins,
  PHASES,
  REASONS,
  type Status,
} from "../model/poll.ts";
import type { Tunnel } from "../model/tunnel.ts";
import type { MetricFamily, Sample } from "./exposition.ts";
import { infoSamples, monitorSamples, stateSamples } from "./tunnel_samples.ts";

/** Which build of the exporter runs on what. */
export interface Build {
  readonly version: string;
  /** Commit the executable was made from. */
  readonly revision: string;
  readonly denoVersion: string;
}

/** What the process has used so far. */
export interface ProcessStats {
  readonly cpuSeconds: number;
  readonly residentMemoryBytes: number;
  /** When it started; Unix time in seconds. */
  readonly startedAt: number;
}

/** One object, so that polls without tunnels share a text. */
const NO_TUNNELS: readonly Tunnel[] = [];

/** A family whose samples are made of a subject. */
interface Definition<Subject> extends Omit<MetricFamily, "samples"> {
  samples(subject: Subject): readonly Sample[];
}

/** What became of the last poll of a firewall. */
interface Polled {
  readonly status: Status;
  /** The last poll, if it is a good one. */
  readonly good: GoodPoll | undefined;
}

const OF_STATES: readonly Definition<readonly Tunnel[]>[] = [
  {
    name: "ifIPsecOperStatus",
    type: "gauge",
    help:
      'Operational state of the IPsec tunnel from "show vpn flow": 1 up (active), 2 down (inactive), 3 not established (init) or unknown (any other word). This is not the ifOperStatus of IF-MIB, where 3 is testing.',
    samples: stateSamples,
  },
];

const OF_POLLS: readonly Definition<Polled>[] = [
  {
    name: "panos_ipsec_up",
    type: "gauge",
    help:
      "Whether the last poll of the firewall returned a complete tunnel table (1) or not (0).",
    samples: ({ good }) => [{ value: good === undefined ? 0 : 1 }],
  },
  {
    name: "panos_ipsec_scrape_failure",
    type: "gauge",
    help: "Whether the last poll failed for this reason (1) or not (0).",
    samples: ({ status: { poll } }) =>
      REASONS.map((reason) => ({
        labels: { reason },
        value: poll?.ok === false && poll.reason === reason ? 1 : 0,
      })),
  },
  {
    name: "panos_ipsec_scrape_duration_seconds",
    type: "gauge",
    help:
      "Time the last poll spent in each phase; 0 for a phase that it did not reach or, on a kept session, did not need.",
    samples: ({ status: { poll } }) =>
      PHASES.map((phase) => ({
        labels: { phase },
        value: poll?.durations[phase] ?? 0,
      })),
  },
  {
    name: "panos_ipsec_login_duration_seconds",
    type: "gauge",
    help:
      "Time that the last login that succeeded took, from the TCP connect to a session ready for the command; no series before the first.",
    samples: ({ status }) => known(status.loginDuration),
  },
  {
    name: "panos_ipsec_ha_info",
    type: "gauge",
    help:
      "Always 1; the label is the high-availability state that the firewall shows in its prompt; no series when it shows none.",
    samples: ({ good }) =>
      good?.haState === undefined
        ? []
        : [{ labels: { state: good.haState }, value: 1 }],
  },
  {
    name: "panos_ipsec_reading_info",
    type: "gauge",
    help:
      'Always 1; the label is the form in which the answer to "show vpn flow" was read: text, or xml where the text cannot be read.',
    samples: ({ good }) =>
      good === undefined ? [] : [{ labels: { form: good.form }, value: 1 }],
  },
  {
    name: "panos_ipsec_ssh_info",
    type: "gauge",
    help:
      "Always 1; the labels are the SSH algorithms negotiated by the last login that succeeded; mac is empty with a cipher that authenticates by itself.",
    samples: ({ status: { negotiated } }) =>
      negotiated === undefined ? [] : [sshSample(negotiated)],
  },
  {
    name: "panos_ipsec_last_success_timestamp_seconds",
    type: "gauge",
    help:
      "Unix time of the last successful poll; 0 if there was none since the exporter started.",
    samples: ({ status }) => [{ value: status.lastSuccessAt ?? 0 }],
  },
  {
    name: "panos_ipsec_tunnels_configured",
    type: "gauge",
    help:
      'IPsec tunnels that the firewall has configured, as counted by "show vpn flow".',
    samples: ({ good }) => known(good?.flow.configured),
  },
];

const OF_TUNNELS: readonly Definition<readonly Tunnel[]>[] = [
  {
    name: "panos_ipsec_tunnel_monitor_up",
    type: "gauge",
    help:
      'Whether the address that the tunnel\'s monitor watches answers (1) or not (0), from "show vpn flow"; no series where monitoring is off or the reply does not tell.',
    samples: monitorSamples,
  },
  {
    name: "panos_ipsec_tunnel_info",
    type: "gauge",
    help:
      'Always 1; the labels are the addresses of the tunnel\'s two ends, from "show vpn flow".',
    samples: infoSamples,
  },
];

/** The guard against lock-out: told of one firewall, or of all together. */
const OF_LOGINS: readonly Definition<Logins>[] = [
  {
    name: "panos_ipsec_auth_retry_timestamp_seconds",
    type: "gauge",
    help:
      "Unix time before which no login is attempted, because this firewall or others rejected one (reason auth or held); 0 when logins are allowed.",
    samples: ({ authRetryAt }) => [{ value: authRetryAt ?? 0 }],
  },
  {
    name: "panos_ipsec_ssh_logins_total",
    type: "counter",
    help: "SSH logins attempted since the exporter started.",
    samples: ({ logins }) => [{ value: logins }],
  },
];

const OF_THE_BUILD: readonly Definition<Build>[] = [
  {
    name: "panos_ipsec_exporter_build_info",
    type: "gauge",
    help:
      "Always 1; the labels tell the version of the exporter, the commit it was built from and its runtime.",
    samples: (
      { version, revision, denoVersion },
    ) => [{
      labels: { deno_version: denoVersion, revision, version },
      value: 1,
    }],
  },
];

/** In the words of the client libraries. */
const OF_THE_PROCESS: readonly Definition<ProcessStats>[] = [
  {
    name: "process_cpu_seconds_total",
    type: "counter",
    help: "Total user and system CPU time spent in seconds.",
    samples: ({ cpuSeconds }) => [{ value: cpuSeconds }],
  },
  {
    name: "process_resident_memory_bytes",
    type: "gauge",
    help: "Resident memory size in bytes.",
    samples: ({ residentMemoryBytes }) => [{ value: residentMemoryBytes }],
  },
  {
    name: "process_start_time_seconds",
    type: "gauge",
    help: "Start time of the process since unix epoch in seconds.",
    samples: ({ startedAt }) => [{ value: startedAt }],
  },
];

/** All that one firewall has to show. */
export function firewallFamilies(status: Status): readonly MetricFamily[] {
  return firewallSections(status).flatMap((section) => section.fill());
}

/** Families that stand together, and what all of them are made of. */
export interface Section {
  readonly subject: object;
  fill(): readonly MetricFamily[];
}

/** The same in sections. Sections with the same subject have the same text. */
export function firewallSections(status: Status): readonly Section[] {
  const good = status.poll?.ok ? status.poll : undefined;
  const tunnels = good?.flow.tunnels ?? NO_TUNNELS;
  return [
    section(OF_STATES, tunnels),
    section(OF_POLLS, { status, good }),
    section(OF_TUNNELS, tunnels),
    section(OF_LOGINS, status),
  ];
}

/** The logins of one firewall, or of all. */
export function loginFamilies(logins: Logins): readonly MetricFamily[] {
  return fill(OF_LOGINS, logins);
}

/** The exporter's build. */
export function buildFamilies(build: Build): readonly MetricFamily[] {
  return fill(OF_THE_BUILD, build);
}

/** The exporter's process. */
export function processFamilies(stats: ProcessStats): readonly MetricFamily[] {
  return fill(OF_THE_PROCESS, stats);
}

function section<Subject extends object>(
  definitions: readonly Definition<Subject>[],
  subject: Subject,
): Section {
  return { subject, fill: () => fill(definitions, subject) };
}

function fill<Subject>(
  definitions: readonly Definition<Subject>[],
  subject: Subject,
): readonly MetricFamily[] {
  return definitions.map(({ name, type, help, samples }) => ({
    name,
    type,
    help,
    samples: samples(subject),
  }));
}

function sshSample({ kex, hostKey, cipher, mac }: Negotiated): Sample {
  return { labels: { cipher, ["host_key"]: hostKey, kex, mac }, value: 1 };
}

/** A sample for a value that is known, none for one that is not. */
function known(value: number | undefined): readonly Sample[] {
  return value === undefined ? [] : [{ value }];
}
