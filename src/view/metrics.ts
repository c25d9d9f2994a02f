/**
 * What is known about a firewall, and about the exporter itself, as metric
 * families. Every name and every help text of the exposition stands here.
 *
 * A family without samples is still rendered, so that what the exporter can
 * tell is to be read even while there is nothing to tell.
 *
 * @module
 */

import type { MetricFamily, Sample } from "./exposition.ts";
import type { Negotiated } from "../model/negotiated.ts";
import { type Logins, PHASES, REASONS, type Status } from "../model/poll.ts";
import { mergeRows, type Tunnel, type TunnelState } from "../model/tunnel.ts";
import { monitorInWords } from "../model/tunnel_words.ts";

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
  /** Unix time in seconds. */
  readonly startTime: number;
}

const VALUE_BY_STATE: Readonly<Record<TunnelState, number>> = {
  active: 1,
  inactive: 2,
  unknown: 3,
};

/** All that one firewall has to show. */
export function firewallFamilies(status: Status): readonly MetricFamily[] {
  const { poll } = status;
  const good = poll?.ok ? poll : undefined;
  const tunnels = good === undefined ? [] : mergeRows(good.flow).tunnels;
  return [
    {
      name: "ifIPsecOperStatus",
      type: "gauge",
      help:
        'Operational state of the IPsec tunnel from "show vpn flow": 1 up (active), 2 down (inactive), 3 unknown (any other state). This is not the ifOperStatus of IF-MIB, where 3 is testing.',
      samples: tunnels.map(stateSample),
    },
    ...pollFamilies(status),
    ...sessionFamilies(status),
    ...tunnelFamilies(good?.flow.configured, tunnels),
    ...loginFamilies(status),
  ];
}

/** How the last poll ended. */
function pollFamilies({ poll }: Status): readonly MetricFamily[] {
  const failure = poll === undefined || poll.ok ? undefined : poll.reason;
  return [
    {
      name: "panos_ipsec_up",
      type: "gauge",
      help:
        "Whether the last poll of the firewall returned a complete tunnel table (1) or not (0).",
      samples: [{ value: poll?.ok ? 1 : 0 }],
    },
    {
      name: "panos_ipsec_scrape_failure",
      type: "gauge",
      help: "Whether the last poll failed for this reason (1) or not (0).",
      samples: REASONS.map((reason) => ({
        labels: { reason },
        value: reason === failure ? 1 : 0,
      })),
    },
    {
      name: "panos_ipsec_scrape_duration_seconds",
      type: "gauge",
      help:
        "Time the last poll spent in each phase; 0 for a phase that it did not reach or, on a kept session, did not need.",
      samples: PHASES.map((phase) => ({
        labels: { phase },
        value: poll?.durations[phase] ?? 0,
      })),
    },
  ];
}

/** What the logins and the answers of the firewall have told. */
function sessionFamilies(status: Status): readonly MetricFamily[] {
  const { poll, lastSuccessAt, loginDuration } = status;
  const good = poll?.ok ? poll : undefined;
  return [
    {
      name: "panos_ipsec_login_duration_seconds",
      type: "gauge",
      help:
        "Time that the last login that succeeded took, from the TCP connect to a session ready for the command; no series before the first.",
      samples: known(loginDuration),
    },
    {
      name: "panos_ipsec_ha_info",
      type: "gauge",
      help:
        "Always 1; the label is the high-availability state that the firewall shows in its prompt; no series when it shows none.",
      samples: good?.haState === undefined
        ? []
        : [{ labels: { state: good.haState }, value: 1 }],
    },
    {
      name: "panos_ipsec_reading_info",
      type: "gauge",
      help:
        'Always 1; the label is the form in which the answer to "show vpn flow" was read: text, or xml where the text cannot be read.',
      samples: good === undefined
        ? []
        : [{ labels: { form: good.form }, value: 1 }],
    },
    {
      name: "panos_ipsec_ssh_info",
      type: "gauge",
      help:
        "Always 1; the labels are the SSH algorithms negotiated by the last login that succeeded; mac is empty with a cipher that authenticates by itself.",
      samples: status.negotiated === undefined
        ? []
        : [sshSample(status.negotiated)],
    },
    {
      name: "panos_ipsec_last_success_timestamp_seconds",
      type: "gauge",
      help:
        "Unix time of the last successful poll; 0 if there was none since the exporter started.",
      samples: [{ value: lastSuccessAt ?? 0 }],
    },
  ];
}

/** What the table says beside each tunnel's state. */
function tunnelFamilies(
  configured: number | undefined,
  tunnels: readonly Tunnel[],
): readonly MetricFamily[] {
  return [
    {
      name: "panos_ipsec_tunnels_configured",
      type: "gauge",
      help:
        'IPsec tunnels that the firewall has configured, as counted by "show vpn flow".',
      samples: known(configured),
    },
    {
      name: "panos_ipsec_tunnel_monitor_up",
      type: "gauge",
      help:
        'Whether the address that the tunnel\'s monitor watches answers (1) or not (0), from "show vpn flow"; no series where monitoring is off.',
      samples: tunnels.filter(isMonitored).map(monitorSample),
    },
    {
      name: "panos_ipsec_tunnel_info",
      type: "gauge",
      help:
        'Always 1; the labels are the addresses of the tunnel\'s two ends, from "show vpn flow".',
      samples: tunnels.map(infoSample),
    },
  ];
}

/** The guard against lock-out: the same for one firewall and for all. */
export function loginFamilies(logins: Logins): readonly MetricFamily[] {
  return [
    {
      name: "panos_ipsec_auth_retry_timestamp_seconds",
      type: "gauge",
      help:
        "Unix time before which no login is attempted, because this firewall or others rejected one (reason auth or held); 0 when logins are allowed.",
      samples: [{ value: logins.authRetryAt ?? 0 }],
    },
    {
      name: "panos_ipsec_ssh_logins_total",
      type: "counter",
      help: "SSH logins attempted since the exporter started.",
      samples: [{ value: logins.logins }],
    },
  ];
}

/** The exporter's build. */
export function buildFamilies(build: Build): readonly MetricFamily[] {
  return [{
    name: "panos_ipsec_exporter_build_info",
    type: "gauge",
    help:
      "Always 1; the labels tell the version of the exporter, the commit it was built from and its runtime.",
    samples: [{
      labels: {
        deno_version: build.denoVersion,
        revision: build.revision,
        version: build.version,
      },
      value: 1,
    }],
  }];
}

/** The exporter's process, in the words of the client libraries. */
export function processFamilies(stats: ProcessStats): readonly MetricFamily[] {
  return [
    {
      name: "process_cpu_seconds_total",
      type: "counter",
      help: "Total user and system CPU time spent in seconds.",
      samples: [{ value: stats.cpuSeconds }],
    },
    {
      name: "process_resident_memory_bytes",
      type: "gauge",
      help: "Resident memory size in bytes.",
      samples: [{ value: stats.residentMemoryBytes }],
    },
    {
      name: "process_start_time_seconds",
      type: "gauge",
      help: "Start time of the process since unix epoch in seconds.",
      samples: [{ value: stats.startTime }],
    },
  ];
}

function stateSample({ id, name, interfaceName, state }: Tunnel): Sample {
  const labels = {
    ifAlias: name,
    ifDescr: interfaceName,
    ifIndex: id,
    ifName: interfaceName,
  };
  return { labels, value: VALUE_BY_STATE[state] };
}

function isMonitored(tunnel: Tunnel): boolean {
  return monitorInWords(tunnel) !== undefined;
}

function monitorSample(tunnel: Tunnel): Sample {
  const { id, name, interfaceName } = tunnel;
  const labels = { ifAlias: name, ifIndex: id, ifName: interfaceName };
  return { labels, value: monitorInWords(tunnel) === "up" ? 1 : 0 };
}

function infoSample(tunnel: Tunnel): Sample {
  const labels = {
    ifAlias: tunnel.name,
    ifIndex: tunnel.id,
    ifName: tunnel.interfaceName,
    local_ip: tunnel.localIp,
    peer_ip: tunnel.peerIp,
  };
  return { labels, value: 1 };
}

function sshSample({ kex, hostKey, cipher, mac }: Negotiated): Sample {
  return { labels: { cipher, ["host_key"]: hostKey, kex, mac }, value: 1 };
}

/** A sample for a value that is known, none for one that is not. */
function known(value: number | undefined): readonly Sample[] {
  return value === undefined ? [] : [{ value }];
}
