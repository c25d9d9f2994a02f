/**
 * An exporter that says what a test wants: the metrics of firewalls that a
 * scenario changes while Prometheus scrapes them.
 *
 * @module
 */

import { REASONS } from "../../src/model/poll.ts";

/** What the exporter says of one firewall. */
export interface ScriptedFirewall {
  /** Why it cannot be polled; nothing if it can. */
  reason?: string;
  /** The word of its prompt. */
  ha?: string;
  tunnels: readonly ScriptedTunnel[];
  /** Whether `/probe` refuses it, as `TARGETS` does not list it. */
  isRefused?: boolean;
  /** Whether `/sd` leaves it out. */
  isUnlisted?: boolean;
  /** Unix time in seconds; 0 if logins are allowed. */
  authRetryAt?: number;
}

export interface ScriptedTunnel {
  readonly name: string;
  /** Value of `ifIPsecOperStatus`. */
  readonly state: 1 | 2 | 3;
  readonly monitor?: "up" | "down";
}

/** Answers `/sd`, `/probe` and `/metrics` until it is disposed. */
export class ScriptedExporter implements AsyncDisposable {
  /** By name; one that is not here is not listed in `TARGETS`. */
  readonly firewalls = new Map<string, ScriptedFirewall>();
  /** Whether it answers nothing at all. */
  isDead = false;
  readonly #server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => this.#answer(new URL(request.url)),
  );

  /** `host:port` */
  get address(): string {
    return `127.0.0.1:${this.#server.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }

  #answer({ pathname, searchParams }: URL): Response {
    if (this.isDead) return new Response("dead\n", { status: 503 });
    if (pathname === "/sd") {
      const targets = Array.from(this.firewalls)
        .flatMap(([name, { isUnlisted }]) => isUnlisted ? [] : [name]);
      return Response.json([{ targets }]);
    }
    if (pathname === "/metrics") return exposition(ownSamples());
    const firewall = this.firewalls.get(searchParams.get("target") ?? "");
    if (firewall === undefined || firewall.isRefused) {
      return new Response("not in TARGETS\n", { status: 400 });
    }
    return exposition(firewallSamples(firewall));
  }
}

function ownSamples(): readonly string[] {
  return [
    'panos_ipsec_exporter_build_info{version="1.2.3",revision="abc",deno_version="2.9.6"} 1',
    "panos_ipsec_auth_retry_timestamp_seconds 0",
    "panos_ipsec_ssh_logins_total 7",
    "process_start_time_seconds 1700000000",
    "process_resident_memory_bytes 64000000",
    `process_cpu_seconds_total ${performance.now() / 10_000}`,
  ];
}

function firewallSamples(firewall: ScriptedFirewall): readonly string[] {
  const { reason, ha, authRetryAt = 0 } = firewall;
  const tunnels = reason === undefined ? firewall.tunnels : [];
  const reasons = new Set<string>([...REASONS, "held"]);
  return [
    `panos_ipsec_up ${reason === undefined ? 1 : 0}`,
    ...Array.from(
      reasons,
      (each) =>
        `panos_ipsec_scrape_failure{reason="${each}"} ${
          each === reason ? 1 : 0
        }`,
    ),
    ...["connect", "handshake", "auth", "session", "command"].map((phase) =>
      `panos_ipsec_scrape_duration_seconds{phase="${phase}"} 0.2`
    ),
    "panos_ipsec_login_duration_seconds 4",
    `panos_ipsec_last_success_timestamp_seconds ${Date.now() / 1_000}`,
    `panos_ipsec_auth_retry_timestamp_seconds ${authRetryAt}`,
    "panos_ipsec_ssh_logins_total 3",
    ...(reason === undefined
      ? [
        `panos_ipsec_tunnels_configured ${tunnels.length}`,
        'panos_ipsec_reading_info{form="text"} 1',
        ...(ha === undefined ? [] : [`panos_ipsec_ha_info{state="${ha}"} 1`]),
      ]
      : []),
    ...tunnels.flatMap(({ name, state, monitor }, index) => {
      const labels =
        `ifAlias="${name}",ifIndex="${index}",ifName="tunnel.${index}"`;
      return [
        `ifIPsecOperStatus{${labels},ifDescr="tunnel.${index}"} ${state}`,
        `panos_ipsec_tunnel_info{${labels},local_ip="192.0.2.1",peer_ip="198.51.100.${index}"} 1`,
        ...(monitor === undefined ? [] : [
          `panos_ipsec_tunnel_monitor_up{${labels}} ${
            monitor === "up" ? 1 : 0
          }`,
        ]),
      ];
    }),
  ];
}

function exposition(samples: readonly string[]): Response {
  return new Response(`${samples.join("\n")}\n`, {
    headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" },
  });
}
