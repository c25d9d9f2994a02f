import assert from "node:assert/strict";
import { execute, isAbsent, temporaryFolder } from "../support/program.ts";
import { startPrometheus } from "../support/prometheus.ts";
import { ScriptedExporter } from "../support/scripted_exporter.ts";
import { eventually } from "../support/system.ts";

const RECIPES = await Deno.readTextFile(
  new URL("../../docs/recipes.md", import.meta.url),
);

Deno.test("the wrapper for credentials hands on each value as it is", async () => {
  const [, wrapper = ""] = /^```sh\n(#!\/bin\/sh\n[^]*?)^```$/m
    .exec(RECIPES) ?? [];
  await using folder = await temporaryFolder();
  const { path } = folder;
  const credentials = {
    PASSWORD: `pa\\ss $HOME "a" 'b' \`c\` #d`,
    SSH_PRIVATE_KEY: "-----BEGIN KEY-----\nAAAA\n-----END KEY-----",
  };
  await Deno.mkdir(`${path}/credentials`);
  for (const [name, value] of Object.entries(credentials)) {
    await Deno.writeTextFile(`${path}/credentials/${name}`, value);
  }
  const exporter = `${path}/panos-ipsec-exporter`;
  await Deno.writeTextFile(exporter, '#!/bin/sh\necho "$@"\nexec env -0\n');
  await Deno.chmod(exporter, 0o755);

  const args = ["-c", wrapper, "wrapper", "--check"];
  const { code, stdout, stderr } = await execute("/bin/sh", args, {
    clearEnv: true,
    env: {
      PATH: `${path}:/usr/bin:/bin`,
      CREDENTIALS_DIRECTORY: `${path}/credentials`,
    },
  });
  assert.equal(code, 0, stderr);
  assert(stdout.startsWith("--check\n"), "the option was lost");
  const variables = stdout.slice("--check\n".length).split("\0");
  for (const [name, value] of Object.entries(credentials)) {
    assert(variables.includes(`${name}=${value}`), `${name} was changed`);
  }
});

Deno.test({
  name:
    "the relabelling drops the laboratory and nothing else (needs prometheus)",
  ignore: isAbsent("prometheus"),
}, async () => {
  await using exporter = new ScriptedExporter();
  exporter.firewalls.set("fw1", {
    tunnels: ["lab-1", "old-lab", "my-lab-1", "hq"]
      .map((name) => ({ name, state: 1, monitor: "up" })),
  });
  await using prometheus = await startPrometheus([
    "scrape_configs:",
    "  - job_name: panos-ipsec-probe",
    "    scrape_interval: 200ms",
    "    scrape_timeout: 200ms",
    "    metrics_path: /probe",
    "    params: { target: [fw1] }",
    `    static_configs: [{ targets: ["${exporter.address}"] }]`,
    recipe("metric_relabel_configs:").replaceAll(/^/gm, "    "),
  ].join("\n"));
  const answers = async (): Promise<boolean> =>
    (await prometheus.query("panos_ipsec_up == 1")).length === 1;
  assert(await eventually(answers, { seconds: 20 }));
  const families = [
    "ifIPsecOperStatus",
    "panos_ipsec_tunnel_info",
    "panos_ipsec_tunnel_monitor_up",
  ];
  for (const family of families) {
    const left = await prometheus.query(family);
    const names = left.map(({ labels }) => labels["ifAlias"]);
    assert.deepEqual(names.sort(), ["hq", "my-lab-1"], family);
  }
});

Deno.test({
  name:
    "the traffic of an interface is given to each of its rows (needs promtool)",
  ignore: isAbsent("promtool"),
}, async () => {
  await using folder = await temporaryFolder();
  const rules = recipe("groups:\n  - name: panos-ipsec-traffic");
  await Deno.writeTextFile(`${folder.path}/traffic.yml`, rules);
  await Deno.writeTextFile(`${folder.path}/test.yml`, TRAFFIC);
  const { code, stdout, stderr } = await execute(
    "promtool",
    ["test", "rules", "test.yml"],
    { cwd: folder.path },
  );
  assert.equal(code, 0, stdout + stderr);
});

/** Two rows on one interface, one that is down, and 75 bytes a second. */
const TRAFFIC = `
rule_files: [traffic.yml]
tests:
  - interval: 1m
    input_series:
      - series: ifIPsecOperStatus{job="a",instance="fw1",ifAlias="east:x",ifName="tunnel.1"}
        values: 1x10
      - series: ifIPsecOperStatus{job="a",instance="fw1",ifAlias="east:y",ifName="tunnel.1"}
        values: 1x10
      - series: ifIPsecOperStatus{job="a",instance="fw1",ifAlias="west",ifName="tunnel.2"}
        values: 2x10
      - series: ifHCInOctets{job="b",instance="fw1",ifName="tunnel.1",ifIndex="7"}
        values: 0+4500x10
      - series: ifHCInOctets{job="b",instance="fw1",ifName="tunnel.2",ifIndex="8"}
        values: 0+4500x10
    promql_expr_test:
      - expr: panos_ipsec:row:receive_bits
        eval_time: 10m
        exp_samples:
          - labels: panos_ipsec:row:receive_bits{job="a",instance="fw1",ifAlias="east:x",ifName="tunnel.1"}
            value: 600
          - labels: panos_ipsec:row:receive_bits{job="a",instance="fw1",ifAlias="east:y",ifName="tunnel.1"}
            value: 600
`;

/** The YAML of recipes.md that begins so. */
function recipe(beginning: string): string {
  const snippets = RECIPES.matchAll(/^```yaml\n(?<yaml>[^]*?)^```$/gm);
  const found = Array.from(snippets, ({ groups }) => groups?.["yaml"] ?? "")
    .find((yaml) => yaml.startsWith(beginning));
  assert(found !== undefined, `found no recipe ${beginning}`);
  return found;
}
