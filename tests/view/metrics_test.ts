import assert from "node:assert/strict";
import { type MetricFamily, render } from "../../src/view/exposition.ts";
import {
  buildFamilies,
  firewallFamilies,
  loginFamilies,
  processFamilies,
} from "../../src/view/metrics.ts";
import { PHASES, REASONS, type Status } from "../../src/model/poll.ts";
import { mergeRows, type Tunnel } from "../../src/model/tunnel.ts";
import { execute, isAbsent } from "../support/program.ts";
import { NO_DURATIONS } from "../../src/model/stopwatch.ts";
import {
  failedPoll,
  goodPoll,
  NEGOTIATED,
  NEVER_POLLED,
  statusAfter,
  statusOf,
  tunnelOf,
} from "../support/status.ts";

const OSLO = tunnelOf({
  id: "2",
  name: "oslo",
  monitor: "up",
  peerIp: "198.51.100.7",
});

const BERGEN: Tunnel = {
  ...OSLO,
  id: "3",
  name: "bergen",
  state: "inactive",
  stateWord: "inactiv",
  monitor: "off",
  interfaceName: "",
};

const GOOD = statusAfter([
  goodPoll([], {
    flow: mergeRows({ tunnels: [OSLO, BERGEN], configured: 4 }),
    haState: "active-primary",
    durations: { ...NO_DURATIONS, auth: 0.25, command: 1.5 },
    finishedAt: 1_795_423_267.5,
  }),
], { loginDuration: 2.5, negotiated: NEGOTIATED, logins: 41 });

const FAILED: Status = {
  ...GOOD,
  poll: failedPoll({
    reason: "auth",
    durations: { ...NO_DURATIONS, connect: 0.5 },
  }),
  authRetryAt: 1_795_424_197,
};

const BUILD = { version: "1.0.0", revision: "0123abc", denoVersion: "2.9.6" };

const PROCESS = {
  cpuSeconds: 3.21,
  residentMemoryBytes: 61_341_696,
  startedAt: 1_795_420_000.12,
};

Deno.test("firewallFamilies() tells all of a good poll, in this order", () => {
  assert.deepEqual(sampleLines(firewallFamilies(GOOD)), [
    'ifIPsecOperStatus{ifAlias="oslo",ifDescr="tunnel.2",ifIndex="2",ifName="tunnel.2"} 1',
    'ifIPsecOperStatus{ifAlias="bergen",ifDescr="",ifIndex="3",ifName=""} 2',
    "panos_ipsec_up 1",
    'panos_ipsec_scrape_failure{reason="auth"} 0',
    'panos_ipsec_scrape_failure{reason="command"} 0',
    'panos_ipsec_scrape_failure{reason="connect"} 0',
    'panos_ipsec_scrape_failure{reason="held"} 0',
    'panos_ipsec_scrape_failure{reason="host_key"} 0',
    'panos_ipsec_scrape_failure{reason="parse"} 0',
    'panos_ipsec_scrape_failure{reason="session"} 0',
    'panos_ipsec_scrape_failure{reason="timeout"} 0',
    'panos_ipsec_scrape_duration_seconds{phase="connect"} 0',
    'panos_ipsec_scrape_duration_seconds{phase="handshake"} 0',
    'panos_ipsec_scrape_duration_seconds{phase="auth"} 0.25',
    'panos_ipsec_scrape_duration_seconds{phase="session"} 0',
    'panos_ipsec_scrape_duration_seconds{phase="command"} 1.5',
    "panos_ipsec_login_duration_seconds 2.5",
    'panos_ipsec_ha_info{state="active-primary"} 1',
    'panos_ipsec_reading_info{form="text"} 1',
    'panos_ipsec_ssh_info{cipher="aes256-gcm@openssh.com",host_key="ssh-ed25519",kex="curve25519-sha256",mac=""} 1',
    "panos_ipsec_last_success_timestamp_seconds 1795423267.5",
    "panos_ipsec_tunnels_configured 4",
    'panos_ipsec_tunnel_monitor_up{ifAlias="oslo",ifIndex="2",ifName="tunnel.2"} 1',
    'panos_ipsec_tunnel_info{ifAlias="oslo",ifIndex="2",ifName="tunnel.2",local_ip="192.0.2.1",peer_ip="198.51.100.7"} 1',
    'panos_ipsec_tunnel_info{ifAlias="bergen",ifIndex="3",ifName="",local_ip="192.0.2.1",peer_ip="198.51.100.7"} 1',
    "panos_ipsec_auth_retry_timestamp_seconds 0",
    "panos_ipsec_ssh_logins_total 41",
  ]);
});

Deno.test("firewallFamilies() tells nothing of tunnels after a failed poll", () => {
  const failures = REASONS.map((reason) =>
    `panos_ipsec_scrape_failure{reason="${reason}"} ${
      reason === "auth" ? 1 : 0
    }`
  );
  const durations = PHASES.map((phase) =>
    `panos_ipsec_scrape_duration_seconds{phase="${phase}"} ${
      phase === "connect" ? 0.5 : 0
    }`
  );
  assert.deepEqual(sampleLines(firewallFamilies(FAILED)), [
    "panos_ipsec_up 0",
    ...failures,
    ...durations,
    "panos_ipsec_login_duration_seconds 2.5",
    'panos_ipsec_ssh_info{cipher="aes256-gcm@openssh.com",host_key="ssh-ed25519",kex="curve25519-sha256",mac=""} 1',
    "panos_ipsec_last_success_timestamp_seconds 1795423267.5",
    "panos_ipsec_auth_retry_timestamp_seconds 1795424197",
    "panos_ipsec_ssh_logins_total 41",
  ]);
});

Deno.test("firewallFamilies() says before the first poll that none succeeded", () => {
  const lines = sampleLines(firewallFamilies(NEVER_POLLED));
  assert(lines.includes("panos_ipsec_up 0"));
  assert(lines.includes("panos_ipsec_last_success_timestamp_seconds 0"));
  assert.deepEqual(lines.filter((line) => !line.endsWith(" 0")), []);
  assert(!lines.some((line) => line.startsWith("panos_ipsec_login_duration")));
});

Deno.test("firewallFamilies() keeps the same families whatever the poll was", () => {
  const names = (status: Status): readonly string[] =>
    firewallFamilies(status).map(({ name }) => name);
  assert.deepEqual(names(FAILED), names(GOOD));
  assert.deepEqual(names(NEVER_POLLED), names(GOOD));
});

Deno.test("firewallFamilies() tells each state by its number", async (t) => {
  const values = { active: 1, inactive: 2, init: 3, unknown: 3 } as const;
  for (const state of ["active", "inactive", "init", "unknown"] as const) {
    await t.step(state, () => {
      const tunnels = [{ ...OSLO, state }];
      const [family] = firewallFamilies(statusOf({ tunnels, configured: 1 }));
      assert.equal(family?.samples[0]?.value, values[state]);
    });
  }
});

Deno.test("firewallFamilies() has a monitor's series only where it watches", async (t) => {
  const values = {
    up: 1,
    DOWN: 0,
    off: undefined,
    "": undefined,
    wait: undefined,
  };
  for (const [monitor, value] of Object.entries(values)) {
    await t.step(`"${monitor}"`, () => {
      const tunnels = [{ ...OSLO, monitor }];
      const family = firewallFamilies(statusOf({ tunnels, configured: 1 }))
        .find(({ name }) => name === "panos_ipsec_tunnel_monitor_up");
      assert.deepEqual(
        family?.samples.map((sample) => sample.value),
        value === undefined ? [] : [value],
      );
    });
  }
});

Deno.test("firewallFamilies() leaves out a number the firewall did not tell", () => {
  const status = statusOf({ tunnels: [OSLO], configured: undefined });
  const lines = sampleLines(firewallFamilies(status));
  assert(lines.includes("panos_ipsec_up 1"));
  assert(!lines.some((line) => line.includes("tunnels_configured")));
  assert(!lines.some((line) => line.includes("ha_info")));
});

Deno.test("a tunnel whose rows contradict each other has one series, and 3 in it", () => {
  const other = { ...OSLO, state: "inactive", stateWord: "inactiv" } as const;
  const tunnels = [OSLO, BERGEN, other, BERGEN];
  const lines = sampleLines(
    firewallFamilies(statusOf({ tunnels, configured: 4 })),
  );
  const states = lines.filter((line) => line.startsWith("ifIPsecOperStatus"));
  assert.equal(states.length, 2);
  assert.match(states[0] ?? "", /ifAlias="oslo".* 3$/);
});

Deno.test("the exporter's own families need no firewall", () => {
  const logins = { logins: 3, authRetryAt: 1_795_424_197 };
  assert.deepEqual(
    sampleLines([
      ...loginFamilies(logins),
      ...buildFamilies(BUILD),
      ...processFamilies(PROCESS),
    ]),
    [
      "panos_ipsec_auth_retry_timestamp_seconds 1795424197",
      "panos_ipsec_ssh_logins_total 3",
      'panos_ipsec_exporter_build_info{deno_version="2.9.6",revision="0123abc",version="1.0.0"} 1',
      "process_cpu_seconds_total 3.21",
      "process_resident_memory_bytes 61341696",
      "process_start_time_seconds 1795420000.12",
    ],
  );
});

Deno.test("every family has its own name, a sentence of help and the same sorted labels", () => {
  const families = everything(GOOD);
  const names = families.map(({ name }) => name);
  assert.deepEqual([...new Set(names)], names);
  for (const { name, type, help, samples } of families) {
    assert.match(help, /^[A-Z].*\.$/, name);
    assert.equal(type === "counter", name.endsWith("_total"), name);
    const shared = Object.keys(samples[0]?.labels ?? {});
    assert.deepEqual(shared, shared.toSorted());
    for (const { labels = {} } of samples) {
      assert.deepEqual(Object.keys(labels), shared);
    }
  }
});

/** What promtool may say: the names that SNMP made known are camelCase. */
const ACCEPTED_LINTS = [
  "ifIPsecOperStatus metric names should be written in 'snake_case' not 'camelCase'",
  "ifIPsecOperStatus label names should be written in 'snake_case' not 'camelCase'",
  "panos_ipsec_tunnel_info label names should be written in 'snake_case' not 'camelCase'",
  "panos_ipsec_tunnel_monitor_up label names should be written in 'snake_case' not 'camelCase'",
];

Deno.test({
  name:
    "promtool minds nothing but the names that SNMP made known (needs promtool)",
  ignore: isAbsent("promtool"),
  fn: async (t) => {
    const cases = [
      { name: "good", status: GOOD, lints: ACCEPTED_LINTS, code: 3 },
      // It lints the names of series, so without any it has nothing to say.
      { name: "failed", status: FAILED, lints: [], code: 0 },
      { name: "never polled", status: NEVER_POLLED, lints: [], code: 0 },
    ];
    for (const { name, status, lints, code } of cases) {
      await t.step(name, async () => {
        const input = render(everything(status));
        const said = await execute("promtool", ["check", "metrics"], { input });
        const lines = `${said.stdout}${said.stderr}`.trim().split("\n");
        const found = new Set(lines.filter((line) => line !== ""));
        assert.deepEqual(found, new Set(lints));
        assert.equal(said.code, code);
      });
    }
  },
});

/** Everything that can stand on one page. */
function everything(status: Status): readonly MetricFamily[] {
  return [
    ...firewallFamilies(status),
    ...buildFamilies(BUILD),
    ...processFamilies(PROCESS),
  ];
}

function sampleLines(families: readonly MetricFamily[]): readonly string[] {
  return render(families).split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
}
