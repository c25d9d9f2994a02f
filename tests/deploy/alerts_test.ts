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
  // What is known of each firewall.
  {
    part: 'state=~"passive|.+-passive|initial"}',
    damaged: 'state!~"active.*"}',
    noticedBy: "a faulty state and one",
  },
  {
    part: 'state=~"passive|.+-passive|initial"}',
    damaged: 'state="passive"}',
    noticedBy: "a faulty state and one",
  },
  {
    part: `          unless on (job, instance) panos_ipsec_up == 1
          unless on (job, ha_pair)`,
    damaged: "          unless on (job, ha_pair)",
    noticedBy: "is deleted, and a later",
  },
  {
    part: `          unless on (job, ha_pair)
            panos_ipsec_ha_info{ha_pair!="", state=~"active|active-.+|.+-active"}
`,
    damaged: "",
    noticedBy: "dies with a tunnel down",
  },
  {
    part: 'panos_ipsec_ha_info{ha_pair!="", state',
    damaged: "panos_ipsec_ha_info{state",
    noticedBy: "a standby firewall counts",
  },
  {
    part: `or
          (panos_ipsec:row:state and on (job, instance) panos_ipsec:firewall:unheard)`,
    damaged: "",
    noticedBy: "a failed poll neither",
  },
  {
    part:
      "(panos_ipsec:row:state and on (job, instance) panos_ipsec:firewall:unheard)",
    damaged:
      "(last_over_time(panos_ipsec:row:state[1h]) and on (job, instance) panos_ipsec:firewall:unheard)",
    noticedBy: "is deleted, and a later",
  },
  {
    part:
      "(panos_ipsec:row:state and on (job, instance) panos_ipsec:firewall:unheard)",
    damaged: "last_over_time(panos_ipsec:row:state[10m])",
    noticedBy: "is deleted, and a later",
  },
  {
    part: "max without (ifIndex)",
    damaged: "max without ()",
    noticedBy: "gets a new id from",
  },
  {
    part: `max without (ifIndex) (ifIPsecOperStatus)
              unless on (job, instance) panos_ipsec:firewall:standby`,
    damaged: "max without (ifIndex) (ifIPsecOperStatus)",
    noticedBy: "a standby firewall counts",
  },
  {
    part: "(.+?):.+",
    damaged: "(.+):none",
    noticedBy: "proxy IDs are one",
  },
  {
    part: `or
          (panos_ipsec:row:monitor and on (job, instance) panos_ipsec:firewall:unheard)`,
    damaged: "",
    noticedBy: "the monitor of a tunnel",
  },
  {
    part: `or
          (panos_ipsec:firewall:configured and on (job, instance) panos_ipsec:firewall:unheard)`,
    damaged: "",
    noticedBy: "every tunnel is gone",
  },
  {
    part:
      "(panos_ipsec_tunnels_configured unless on (job, instance) panos_ipsec:firewall:standby)",
    damaged: "panos_ipsec_tunnels_configured",
    noticedBy: "every tunnel is gone",
  },
  {
    part: `or
          (panos_ipsec:firewall:ha and on (job, instance) panos_ipsec:firewall:unheard)`,
    damaged: "",
    noticedBy: "gives up, and the other",
  },
  {
    part: 'reason=~"auth|held|host_key"',
    damaged: 'reason=~"auth|held|host_key|connect"',
    noticedBy: "until a login is accepted",
  },
  {
    part: `            and on (job, instance) up
            unless on (job, instance) panos_ipsec_up == 1
`,
    damaged: `            and on (job, instance) up
`,
    noticedBy: "until a login is accepted",
  },
  {
    part: 'panos_ipsec_scrape_failure{reason=~"command|parse|session"}',
    damaged: 'panos_ipsec_scrape_failure{reason="none"}',
    noticedBy: "until a login is accepted",
  },
  // What is counted.
  {
    part:
      `min without (ifAlias, ifName, ifDescr) (panos_ipsec:row:state{ifAlias=~".+:.+"})
          or
`,
    damaged: "",
    noticedBy: "proxy IDs are one",
  },
  {
    part: "min without (ifAlias, ifName, ifDescr) (panos_ipsec:row:state)",
    damaged: "min without (ifAlias, ifDescr) (panos_ipsec:row:state)",
    noticedBy: "changes its interface",
  },
  {
    part: "min without (ifAlias, ifName, ifDescr)",
    damaged: "max without (ifAlias, ifName, ifDescr)",
    noticedBy: "proxy IDs are one",
  },
  {
    part: `unless on (instance, tunnel) panos_ipsec:on_demand
      # 0`,
    damaged: `unless on (tunnel) panos_ipsec:none
      # 0`,
    noticedBy: "tunnels on demand",
  },
  {
    part: "max without (ifAlias, ifName) (panos_ipsec:row:monitor{",
    damaged: "min without (ifAlias, ifName) (panos_ipsec:row:monitor{",
    noticedBy: "the monitor of a tunnel",
  },
  {
    part: "and panos_ipsec:tunnel:state == panos_ipsec:tunnel:previous_state",
    damaged: "and panos_ipsec:tunnel:state",
    noticedBy: "a tunnel goes down, its",
  },
  {
    part: "(panos_ipsec:tunnel:watched == bool 2)",
    damaged: "(panos_ipsec:tunnel:watched == 2)",
    noticedBy: "what a person reads",
  },
  // The alerts, in their order.
  {
    part: `panos_ipsec:tunnel:watched == 2
`,
    damaged: `panos_ipsec:tunnel:watched >= 2
`,
    noticedBy: "is lost, one that never",
  },
  {
    part: `panos_ipsec:tunnel:watched == 3
            and on (job, instance, tunnel)
              ALERTS`,
    damaged: `panos_ipsec:none
            and on (job, instance, tunnel)
              ALERTS`,
    noticedBy: "turns into init",
  },
  {
    part: "for: 3m",
    damaged: "for: 2m",
    noticedBy: "a tunnel goes down, its",
  },
  {
    part: "min_over_time(panos_ipsec:tunnel:watched[1d]) == 1",
    damaged: "min_over_time(panos_ipsec:tunnel:watched[1d]) > 0",
    noticedBy: "is lost, one that never",
  },
  {
    part: "watched[1d]",
    damaged: "watched[12h]",
    noticedBy: "a day after it was up",
  },
  {
    part: 'panos_ipsec:tunnel:watched{ha_pair!=""} == 3',
    damaged: "panos_ipsec:none",
    noticedBy: "lost at the failover",
  },
  {
    part: "for: 15m",
    damaged: "for: 14m",
    noticedBy: "is lost, one that never",
  },
  {
    part: `and panos_ipsec:tunnel:watched == 1
        for: 10m`,
    damaged: `and panos_ipsec:tunnel:watched == 2
        for: 10m`,
    noticedBy: "proxy IDs are one",
  },
  {
    part: "for: 10m",
    damaged: "for: 60m",
    noticedBy: "proxy IDs are one",
  },
  {
    part: `panos_ipsec:tunnel:watched == 1
            or
            ALERTS{alertname="IPsecTunnelMonitorDown", alertstate="firing"}`,
    damaged: "panos_ipsec:tunnel:watched == 1",
    noticedBy: "the monitor of a tunnel",
  },
  {
    part: `panos_ipsec:tunnel:watched == 1
            or
            ALERTS{alertname="IPsecTunnelMonitorDown", alertstate="firing"}`,
    damaged: "panos_ipsec:tunnel:watched",
    noticedBy: "the monitor of a tunnel",
  },
  {
    part: "watched[1h]) >= 6",
    damaged: "watched[1h]) >= 2",
    noticedBy: "a tunnel flaps",
  },
  {
    part: "watched[1h]) >= 6",
    damaged: "watched[1h]) > 6",
    noticedBy: "a tunnel flaps",
  },
  {
    part: `unless on (job, instance, tunnel) panos_ipsec:tunnel:state
          and on (job, instance) panos_ipsec:firewall:configured`,
    damaged: "unless on (job, instance, tunnel) panos_ipsec:tunnel:state",
    noticedBy: "leaves the table",
  },
  {
    part: "watched offset 1h",
    damaged: "watched offset 2h",
    noticedBy: "leaves the table",
  },
  {
    part: "and max_over_time(panos_ipsec:firewall:configured[1d]) > 0",
    damaged: "",
    noticedBy: "every tunnel is gone",
  },
  {
    part: "configured[1d]",
    damaged: "configured[12h]",
    noticedBy: "a day later, no tunnel",
  },
  {
    part: "suspended|tentative|non-functional",
    damaged: "suspended|non-functional",
    noticedBy: "a faulty state and one",
  },
  {
    part: '(panos_ipsec:firewall:ha{ha_pair!=""})',
    damaged: "(panos_ipsec:firewall:ha)",
    noticedBy: "gives up, and the other",
  },
  {
    part: 'panos_ipsec:firewall:ha{state=~"active|active-.+|.+-active"}',
    damaged: 'panos_ipsec:firewall:ha{state="active"}',
    noticedBy: "gives up, and the other",
  },
  {
    part: `          panos_ipsec_up == 0
          or
          (
            up == 0
            and on (job, instance)
              ALERTS{alertname="PanosIpsecPollFailing", alertstate="firing"}
          )
`,
    damaged: `          panos_ipsec_up == 0
`,
    noticedBy: "then its exporter dies",
  },
  {
    part: `            and on (job, instance)
              ALERTS{alertname="PanosIpsecPollFailing", alertstate="firing"}
`,
    damaged: "",
    noticedBy: "an exporter that is down",
  },
  {
    part: "changes(panos_ipsec_up[30m]) >= 6",
    damaged: "changes(panos_ipsec_up[30m]) >= 2",
    noticedBy: "fails now and then",
  },
  {
    part: "changes(panos_ipsec_up[30m]) >= 6",
    damaged: "changes(panos_ipsec_up[30m]) > 6",
    noticedBy: "fails now and then",
  },
  {
    part: 'expr: panos_ipsec:login:refused{reason="auth"}',
    damaged: 'expr: panos_ipsec_scrape_failure{reason="auth"} == 1',
    noticedBy: "until a login is accepted",
  },
  {
    part: 'expr: panos_ipsec:login:refused{reason="host_key"}',
    damaged: "expr: panos_ipsec:login:refused",
    noticedBy: "until a login is accepted",
  },
  {
    part: 'count by (job, exporter) (panos_ipsec:login:refused{reason="held"})',
    damaged:
      'count by (job, exporter, instance) (panos_ipsec:login:refused{reason="held"})',
    noticedBy: "the logins of all are held",
  },
  {
    part: "panos_ipsec_auth_retry_timestamp_seconds > time()",
    damaged: "panos_ipsec_auth_retry_timestamp_seconds > 0",
    noticedBy: "the logins of all are held",
  },
  {
    part: `            and on (job, instance) panos_ipsec_up == 1
          )
        for: 1m`,
    damaged: `          )
        for: 1m`,
    noticedBy: "what a person reads",
  },
  {
    part: 'unless on (exporter) up{job=~"panos-ipsec.*", exporter!=""} == 1',
    damaged: "",
    noticedBy: "TARGETS does not list",
  },
  {
    part: 'unless on (exporter) up{job=~"panos-ipsec.*", exporter!=""} == 1',
    damaged: 'unless on (exporter) up{job=~"panos-ipsec.*"} == 1',
    noticedBy: "TARGETS does not list",
  },
  {
    part: `up{job=~"panos-ipsec.*"} == 0
`,
    damaged: `up == 0
`,
    noticedBy: "of another kind is dead",
  },
  {
    part: `for: 2m
        labels: { severity: critical }
        annotations:
          summary: >-
            The exporter`,
    damaged: `for: 4m
        labels: { severity: critical }
        annotations:
          summary: >-
            The exporter`,
    noticedBy: "then its exporter dies",
  },
  {
    part: 'and on (exporter) up{job=~"panos-ipsec.*", exporter!=""} == 1',
    damaged: "and on (job) up == 1",
    noticedBy: "TARGETS does not list",
  },
  {
    part: 'changes(up{job=~"panos-ipsec.*"}[30m]) >= 6',
    damaged: 'changes(up{job=~"panos-ipsec.*"}[30m]) > 6',
    noticedBy: "one scrape in four",
  },
  {
    part: "panos_ipsec_up[10m] offset 1h",
    damaged: "panos_ipsec_up[10m] offset 30m",
    noticedBy: "taken out of Prometheus",
  },
  {
    part: `            unless on (job, instance) up
            and on (job) up == 1`,
    damaged: "            and on (job) up == 1",
    noticedBy: "taken out of Prometheus",
  },
  {
    part: 'max_over_time(panos_ipsec_up{exporter!=""}[10m] offset 1h)',
    damaged: "panos_ipsec:none",
    noticedBy: "dropped from TARGETS",
  },
  {
    part: 'absent(up{job=~"panos-ipsec.*"})',
    damaged: "absent(up)",
    noticedBy: "no exporter is scraped",
  },
  {
    part: "and max_over_time(panos_ipsec:tunnel:watched[10m]) == 1",
    damaged: "",
    noticedBy: "silent for ten",
  },
  {
    part: `              and ifHCInOctets offset 10m
`,
    damaged: "",
    noticedBy: "silent for ten",
  },
  {
    part: `and on (instance, ifName)
            (`,
    damaged: `and on (ifName)
            (`,
    noticedBy: "silent for ten",
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
  name: "promtool accepts what the documents say to paste",
  ...PROMTOOL,
  fn: async (t) => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/snippet.yml`;
    for (const name of ["README.md", "docs/operations.md", "docs/recipes.md"]) {
      await t.step(name, async () => {
        const text = await Deno.readTextFile(`${DEPLOY}../${name}`);
        const snippets = Array.from(
          text.matchAll(/^```yaml\n(?<yaml>[^]*?)^```$/gm),
          ({ groups }) => wholeOf(groups?.["yaml"] ?? ""),
        );
        assert(snippets.length >= 1, "found no snippet");
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
      });
    }
  },
});

/** The file that a piece of one belongs to. */
function wholeOf(snippet: string): string {
  const indented = snippet.replace(/^(?=.)/gm, "    ");
  if (snippet.startsWith("- alert:")) {
    return `groups:\n  - name: pasted\n    rules:\n${indented}`;
  }
  if (snippet.startsWith("metric_relabel_configs:")) {
    return `scrape_configs:\n  - job_name: pasted\n${indented}`;
  }
  return snippet;
}

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

Deno.test("each alert is shown to fire, and what a person reads then", async () => {
  const tests = await Deno.readTextFile(`${DEPLOY}alerts_test.yml`);
  const names = alertNames(await alerts());
  assert.notEqual(names.length, 0);
  for (const name of names) {
    // Each list of what fires is complete: it also shows what does not.
    assert(tests.includes(`'{alertname="${name}"`), name);
    assert(tests.includes(`alertname: ${name}\n        exp_alerts:`), name);
  }
});

Deno.test("each alert says what to do first, how it ends, and where to read on", async () => {
  const [, ...texts] = (await alerts()).split("- alert: ");
  assert.notEqual(texts.length, 0);
  for (const text of texts) {
    const name = /^\w+/.exec(text)?.[0] ?? "";
    if (name !== "PanosIpsecFirewallHeld") assert.match(text, /First:\s/, name);
    assert.match(text, /Ends (when|at) |Clears itself /, name);
    const page = /operations\.md#(?<anchor>\w+)/.exec(text)?.groups?.["anchor"];
    const own = name === "PanosIpsecFirewallHeld"
      ? "PanosIpsecLoginsHeld"
      : name;
    assert.equal(page, own.toLowerCase());
  }
});

Deno.test("the alerts use metrics and reasons that the exporter has", async () => {
  const text = await alerts();
  const used = metricNames(text);
  assert(used.has("panos_ipsec_up"));
  assert.deepEqual([...used.difference(familyNames())], []);

  const reasons: ReadonlySet<string> = new Set([...REASONS, "held"]);
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

Deno.test("the Alertmanager sends between two evaluations of the rules", async () => {
  const text = await Deno.readTextFile(`${DEPLOY}alertmanager.yml`);
  const evaluation = secondsOf(await alerts(), "interval");
  // A message that is due while alerts come in has half of them.
  assert.equal(secondsOf(text, "group_wait") % evaluation, evaluation / 2);
  assert.equal(secondsOf(text, "group_interval") % evaluation, 0);
});

function secondsOf(text: string, key: string): number {
  const [, count, unit] =
    new RegExp(`^ *${key}: (\\d+)([sm])$`, "m").exec(text) ??
      [];
  return Number(count) * (unit === "m" ? 60 : 1);
}

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
