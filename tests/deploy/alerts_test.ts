import assert from "node:assert/strict";
import { REASONS } from "../../src/model/poll.ts";
import { familyNames, metricNames } from "../support/family_names.ts";
import {
  execute,
  isAbsent,
  type Outcome,
  temporaryFolder,
} from "../support/program.ts";

const DEPLOY = new URL("../../deploy/", import.meta.url).pathname;
const PROMTOOL = { ignore: isAbsent("promtool") };

/** What the alerts cannot do without, and what a careless hand makes of it. */
const DAMAGES: readonly {
  readonly part: string;
  readonly damaged: string;
  /** Part of the name of a test in alerts_test.yml. */
  readonly noticedBy: string;
}[] = [
  // The tunnels that are watched.
  {
    part: 'last_over_time(ifIPsecOperStatus{ifAlias!~"NAME-1|NAME-2"}[10m])',
    damaged: 'ifIPsecOperStatus{ifAlias!~"NAME-1|NAME-2"}',
    noticedBy: "a failed poll neither",
  },
  {
    part: 'last_over_time(ifIPsecOperStatus{ifAlias!~"NAME-1|NAME-2"}[10m])',
    damaged: 'last_over_time(ifIPsecOperStatus{ifAlias!~"NAME-1|NAME-2"}[5m])',
    noticedBy: "the firewall stops answering",
  },
  {
    part: '{ifAlias!~"NAME-1|NAME-2"}',
    damaged: "",
    noticedBy: "idle by design",
  },
  {
    part: "max without (ifIndex)",
    damaged: "max without ()",
    noticedBy: "gets a new id from",
  },
  {
    part: "(.+?):.+",
    damaged: "(.+):none",
    noticedBy: "proxy IDs page",
  },
  {
    part: "group by (job, instance, tunnel)",
    damaged: "sum without ()",
    noticedBy: "proxy IDs page",
  },
  {
    part: "unless on (job, instance, ifAlias) label",
    damaged: "unless on (ifAlias) label",
    noticedBy: "proxy IDs page",
  },
  {
    part: 'last_over_time(panos_ipsec_ha_info{state!~"active.*"}[10m])',
    damaged: 'panos_ipsec_ha_info{state!~"active.*"}',
    noticedBy: "a standby firewall",
  },
  {
    part: 'unless on (job, instance) panos_ipsec_ha_info{state=~"active.*"}',
    damaged: "",
    noticedBy: "a standby firewall",
  },
  {
    part: '{state!~"active.*"}',
    damaged: '{state!="active"}',
    noticedBy: "a standby firewall",
  },
  // The alerts, in their order.
  {
    part: "watched == 2",
    damaged: "watched >= 2",
    noticedBy: "is negotiated and never",
  },
  {
    part: "for: 3m",
    damaged: "for: 2m",
    noticedBy: "a tunnel goes down",
  },
  {
    part: "watched == 3",
    damaged: "watched > 3",
    noticedBy: "is negotiated and never",
  },
  {
    part: "watched[1h]) >= 6",
    damaged: "watched[1h]) >= 1",
    noticedBy: "a tunnel flaps",
  },
  {
    part: "watched[1h]) >= 6",
    damaged: "watched[1h]) > 6",
    noticedBy: "a tunnel flaps",
  },
  {
    part: "last_over_time(panos_ipsec_tunnel_monitor_up[10m])",
    damaged: "panos_ipsec_tunnel_monitor_up",
    noticedBy: "the monitor of an active",
  },
  {
    part:
      "and on (job, instance, ifAlias) tunnel:ifIPsecOperStatus:watched == 1",
    damaged: "",
    noticedBy: "the monitor of an active",
  },
  {
    part: "last_over_time(ifIPsecOperStatus[5m] offset 1h)",
    damaged: "ifIPsecOperStatus offset 1h",
    noticedBy: "leaves the table",
  },
  {
    part: "unless on (job, instance, ifAlias)\n",
    damaged: "unless on (job, instance, ifAlias, ifIndex)\n",
    noticedBy: "leaves the table",
  },
  {
    part: "last_over_time(ifIPsecOperStatus[10m])\n",
    damaged: "ifIPsecOperStatus\n",
    noticedBy: "the firewall stops answering",
  },
  {
    part: "and on (job, instance) max_over_time(panos_ipsec_up[10m]) == 1",
    damaged: "",
    noticedBy: "the firewall stops answering",
  },
  {
    part: "last_over_time(panos_ipsec_tunnels_configured[10m])",
    damaged: "panos_ipsec_tunnels_configured",
    noticedBy: "every tunnel is gone",
  },
  {
    part: "and max_over_time(panos_ipsec_tunnels_configured[1d]) > 0",
    damaged: "",
    noticedBy: "every tunnel is gone",
  },
  {
    part: '{ha_pair!=""}[5m]',
    damaged: '{ha_pair!=""}[10m]',
    noticedBy: "the active member of a pair",
  },
  {
    part: '{ha_pair!=""}',
    damaged: "",
    noticedBy: "the active member of a pair",
  },
  {
    part: "unless on (job, ha_pair)",
    damaged: "and on (job, ha_pair)",
    noticedBy: "the active member of a pair",
  },
  {
    part: "max_over_time(panos_ipsec_up[5m]) == 0\n          or ",
    damaged: "",
    noticedBy: "the firewall stops answering",
  },
  {
    part: "or avg_over_time(panos_ipsec_up[30m]) < 0.5",
    damaged: "",
    noticedBy: "polls fail for reasons",
  },
  {
    part: "avg_over_time(panos_ipsec_up[30m]) < 0.5",
    damaged: "panos_ipsec_up == 0",
    noticedBy: "polls fail for reasons",
  },
  {
    part: "avg_over_time(panos_ipsec_up[30m]) < 0.5",
    damaged: "avg_over_time(panos_ipsec_up[30m]) < 1",
    noticedBy: "now and then",
  },
  {
    part: 'last_over_time(panos_ipsec_scrape_failure{reason="auth"}[5m])',
    damaged: 'panos_ipsec_scrape_failure{reason="auth"}',
    noticedBy: "a rejected login",
  },
  {
    part: 'reason="auth"',
    damaged: 'reason="host_key"',
    noticedBy: "a rejected login",
  },
  {
    part: 'reason="host_key"',
    damaged: 'reason=~".+"',
    noticedBy: "a rejected login",
  },
  {
    part: 'max_over_time(up{job=~"panos-ipsec.*"}[5m])',
    damaged: "max_over_time(up[5m])",
    noticedBy: "an exporter cannot be",
  },
  {
    part: 'or avg_over_time(up{job=~"panos-ipsec.*"}[30m]) < 0.5',
    damaged: "",
    noticedBy: "answers one scrape in four",
  },
  {
    part: 'absent(up{job=~"panos-ipsec.*"})',
    damaged: "absent(up)",
    noticedBy: "no exporter is scraped",
  },
];

Deno.test({
  name: "promtool accepts the scrape configuration and the rules it names",
  ...PROMTOOL,
  fn: async () => {
    const { code, stdout, stderr } = await execute(
      "promtool",
      ["check", "config", "--lint-fatal", "prometheus.yml"],
      { cwd: DEPLOY },
    );
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /Checking alerts\.yml\s+SUCCESS: \d+ rules found/);
  },
});

Deno.test({
  name: "promtool accepts what docs/operations.md says to paste",
  ...PROMTOOL,
  fn: async () => {
    const text = await Deno.readTextFile(`${DEPLOY}../docs/operations.md`);
    const snippets = Array.from(
      text.matchAll(/^```yaml\n(?<yaml>[^]*?)^```$/gm),
      ({ groups }) => groups?.["yaml"] ?? "",
    );
    assert.equal(snippets.length, 2);
    await using folder = await temporaryFolder();
    const path = `${folder.path}/snippet.yml`;
    for (const snippet of snippets) {
      await Deno.writeTextFile(path, snippet);
      const kind = snippet.startsWith("groups:") ? "rules" : "config";
      const { code, stdout, stderr } = await execute("promtool", [
        "check",
        kind,
        path,
      ]);
      assert.equal(code, 0, stdout + stderr);
    }
  },
});

Deno.test({
  name: "promtool finds the alerts to behave as alerts_test.yml says",
  ...PROMTOOL,
  fn: async () => {
    const { code, stdout, stderr } = await testAlerts(await alerts());
    assert.equal(code, 0, stdout + stderr);
  },
});

Deno.test({
  name: "alerts_test.yml notices each loss of what an alert is made of",
  ...PROMTOOL,
  fn: async (t) => {
    const intact = await alerts();
    for (const { part, damaged, noticedBy } of DAMAGES) {
      await t.step(`${part} becomes "${damaged}"`, async () => {
        const rules = intact.replace(part, damaged);
        assert.notEqual(rules, intact);
        const { code, stderr } = await testAlerts(rules, noticedBy);
        assert.equal(code, 1);
        // The rules are still rules: it is a test that fails.
        assert.match(stderr, /FAILED:\n/);
      });
    }
  },
});

Deno.test("each alert is shown to fire, and shown not to", async () => {
  const tests = await Deno.readTextFile(`${DEPLOY}alerts_test.yml`);
  const names = alertNames(await alerts());
  assert.notEqual(names.length, 0);
  for (const name of names) {
    const cases = tests.matchAll(
      new RegExp(`alertname: ${name},?\\s+exp_alerts: *(\\[\\])?`, "g"),
    );
    const kinds = new Set(Array.from(cases, ([, none]) => none !== undefined));
    assert.equal(kinds.size, 2, name);
  }
});

Deno.test("the alerts use metrics and reasons that the exporter has", async () => {
  const text = await alerts();
  const used = metricNames(text);
  assert(used.has("panos_ipsec_up"));
  assert.deepEqual([...used.difference(familyNames())], []);

  const reasons: ReadonlySet<string> = new Set(REASONS);
  const named = text.matchAll(/reason="(\w+)"/g);
  const asked = new Set(Array.from(named, ([, word = ""]) => word));
  assert(asked.has("auth"));
  assert.deepEqual([...asked.difference(reasons)], []);
});

Deno.test({
  name: "amtool accepts the Alertmanager configuration",
  ignore: isAbsent("amtool"),
  fn: async () => {
    const { code, stdout, stderr } = await execute(
      "amtool",
      ["check-config", "alertmanager.yml"],
      { cwd: DEPLOY },
    );
    assert.equal(code, 0, stdout + stderr);
  },
});

Deno.test("the Alertmanager routes and rules name alerts that exist", async () => {
  const names = alertNames(await alerts());
  const text = await Deno.readTextFile(`${DEPLOY}alertmanager.yml`);
  const matchers = Array.from(
    text.matchAll(/alertname =~? "(?<pattern>[^"]+)"/g),
    ({ groups }) => groups?.["pattern"] ?? "",
  );
  assert.notEqual(matchers.length, 0);
  for (const alternatives of matchers) {
    const matched = names.filter((name) =>
      new RegExp(`^(?:${alternatives})$`).test(name)
    );
    assert.notEqual(matched.length, 0, alternatives);
  }
});

function alerts(): Promise<string> {
  return Deno.readTextFile(`${DEPLOY}alerts.yml`);
}

function alertNames(text: string): readonly string[] {
  return Array.from(text.matchAll(/- alert: (\w+)/g), ([, name]) => name ?? "");
}

/**
 * Runs the tests on these alerts instead of those that are shipped.
 *
 * @param only Part of the name of the one test that is to run: each costs time.
 */
async function testAlerts(rules: string, only = ""): Promise<Outcome> {
  await using folder = await temporaryFolder();
  await Deno.writeTextFile(`${folder.path}/alerts.yml`, rules);
  const text = await Deno.readTextFile(`${DEPLOY}alerts_test.yml`);
  // The first test has what others refer to.
  const [head = "", first = "", ...others] = text.split(/^(?= {2}- name: )/m);
  const chosen = others.filter((test) => test.split("\n")[0]?.includes(only));
  assert(chosen.length > 0 || first.includes(only), only);
  await Deno.writeTextFile(
    `${folder.path}/alerts_test.yml`,
    [head, first, ...chosen].join(""),
  );
  return await execute("promtool", ["test", "rules", "alerts_test.yml"], {
    cwd: folder.path,
  });
}
