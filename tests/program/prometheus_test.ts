import assert from "node:assert/strict";
import { startExporter } from "../support/exporter.ts";
import { type SimulatedFirewall, startFirewall } from "../support/firewall.ts";
import { isAbsent } from "../support/program.ts";
import { type Prometheus, startPrometheus } from "../support/prometheus.ts";
import { eventually, reservePort } from "../support/system.ts";
import { inventTunnels, printVpnFlow } from "../support/vpn_flow_reply.ts";

const SHIPPED = await Deno.readTextFile(
  new URL("../../deploy/prometheus.yml", import.meta.url),
);

Deno.test({
  name:
    "Prometheus follows a fleet through the configuration that is shipped (needs prometheus)",
  ignore: isAbsent("prometheus"),
  async fn(t): Promise<void> {
    await using oslo = await startSite("oslo", 2);
    await using lima = await startSite("lima", 3);
    await using cleanup = new AsyncDisposableStack();
    const { port } = cleanup.use(await reservePort());
    const bern = cleanup.use(await startSite("bern", 4, { port }));
    const fleet = [oslo, lima, bern];
    const sites: Readonly<Record<string, number>> = {
      [`oslo at ${nameOf(oslo)}`]: 2,
      [`lima at ${nameOf(lima)}`]: 3,
      [`bern at ${nameOf(bern)}`]: 4,
    };
    const { [`bern at ${nameOf(bern)}`]: _, ...others } = sites;

    await using exporter = await startExporter({
      USERNAME: bern.username,
      PASSWORD: bern.password,
      TARGETS: fleet.map(nameOf).join(","),
      SSH_HOST_KEY: fleet.map(pinOf).join(","),
    });
    const { host } = new URL(exporter.url);
    await using prometheus = await startPrometheus(configure(host));

    await t.step("each series bears the name of its firewall", async () => {
      await settles(prometheus, sites);
      const instances = await prometheus.query("panos_ipsec_up == 1");
      assert.deepEqual(
        instances.map(({ labels }) => [labels["job"], labels["instance"]])
          .sort(),
        fleet.map((each) => ["panos-ipsec-probe", nameOf(each)]).sort(),
      );
      const served = await prometheus.query(
        `panos_ipsec_up{exporter="${host}"}`,
      );
      assert.equal(served.length, 3, "the label of the exporter is lost");
      const paired = await prometheus.query('panos_ipsec_up{ha_pair="127"}');
      assert.equal(paired.length, 3, "the label of the pair is lost");
    });

    await t.step("the exporter is an instance of its own", async () => {
      const [own, ...rest] = await untilThere(
        prometheus,
        "panos_ipsec_ssh_logins_total and on (instance) process_start_time_seconds",
      );
      assert.deepEqual(rest, []);
      assert.equal(own?.labels["instance"], host);
      assert.equal(own?.labels["job"], "panos-ipsec-exporter");
    });

    await t.step("a firewall that dies takes its series along", async () => {
      await bern[Symbol.asyncDispose]();
      const dead = `{instance="${nameOf(bern)}"}`;
      await untilThere(prometheus, `panos_ipsec_up${dead} == 0`);
      await settles(prometheus, others);
      const [reason] = await prometheus.query(
        `panos_ipsec_scrape_failure${dead} == 1`,
      );
      assert.equal(reason?.labels["reason"], "connect");
      const [up] = await prometheus.query(`up${dead}`);
      assert.equal(up?.value, 1, "the scrape itself failed");
    });

    await t.step("and they are back when it returns", async () => {
      const { hostKeys } = bern;
      cleanup.use(await startSite("bern", 4, { port, hostKeys }));
      await settles(prometheus, sites);
    });

    await t.step("a failed poll ends them within one scrape", async () => {
      const [polls] = await prometheus.history(
        `panos_ipsec_up{instance="${nameOf(bern)}"}[10m]`,
      );
      const samples = polls?.samples ?? [];
      const failed = samples.find(({ value }, index) =>
        value === 0 && samples[index - 1]?.value === 1
      );
      assert(failed !== undefined);
      const tunnels = `ifIPsecOperStatus{instance="${nameOf(bern)}"}`;
      const before = await prometheus.query(tunnels, failed.time - 0.001);
      assert.equal(before.length, 4);
      assert.deepEqual(await prometheus.query(tunnels, failed.time), []);
    });
    assert.equal(oslo.logins, 1, "not every scrape used the same session");
  },
});

/** Starts a firewall whose tunnels bear the name of its site. */
async function startSite(
  site: string,
  size: number,
  options: Partial<Pick<SimulatedFirewall, "port" | "hostKeys">> = {},
): Promise<SimulatedFirewall> {
  const tunnels = inventTunnels(size).map((tunnel) => ({
    ...tunnel,
    name: `${site}-${tunnel.id}`,
  }));
  const text = printVpnFlow(tunnels);
  return await startFirewall({ ...options, reply: () => text });
}

function nameOf({ port }: SimulatedFirewall): string {
  return `127.0.0.1:${port}`;
}

function pinOf(firewall: SimulatedFirewall): string {
  return `${nameOf(firewall)}=${firewall.fingerprint}`;
}

/**
 * What is shipped for many firewalls, with other names and a faster pace: the
 * exporter itself says which firewalls there are.
 */
function configure(exporter: string): string {
  const start = SHIPPED.indexOf("  - job_name: panos-ipsec-probe\n");
  assert(start > 0, "found no job for /probe");
  const changes: readonly (readonly [RegExp, string])[] = [
    [/scrape_interval: 30s/g, "scrape_interval: 1s"],
    [/scrape_timeout: 25s/g, "scrape_timeout: 1s"],
    [/refresh_interval: 1m/g, "refresh_interval: 1s"],
    [/regex: .*-fw.*/, "regex: '(127)\\..+'"],
    [/jump-host\.example\.net:9098/g, exporter],
  ];
  const jobs = changes.reduce((text, [before, after]) => {
    assert.match(text, before);
    return text.replace(before, after);
  }, SHIPPED.slice(start));
  return [
    "global: { scrape_interval: 1s, scrape_timeout: 1s }",
    "scrape_configs:",
    jobs,
  ].join("\n");
}

/** Waits until Prometheus knows so many tunnels of each site, all of them up. */
async function settles(
  prometheus: Prometheus,
  sites: Readonly<Record<string, number>>,
): Promise<void> {
  let counts: Readonly<Record<string, number>> = {};
  await eventually(async () => {
    const samples = await prometheus.query(
      `count by (site, instance) (label_replace(ifIPsecOperStatus == 1, "site", "$1", "ifAlias", "(.+)-.+"))`,
    );
    counts = Object.fromEntries(
      samples.map(({ labels, value }) => [
        `${labels["site"]} at ${labels["instance"]}`,
        value,
      ]),
    );
    return Deno.inspect(sorted(counts)) === Deno.inspect(sorted(sites));
  });
  assert.deepEqual(counts, sites);
}

function sorted(
  record: Readonly<Record<string, number>>,
): readonly (readonly [string, number])[] {
  return Object.entries(record).sort();
}

async function untilThere(
  prometheus: Prometheus,
  expression: string,
): ReturnType<Prometheus["query"]> {
  let samples = await prometheus.query(expression);
  await eventually(async () => {
    samples = await prometheus.query(expression);
    return samples.length > 0;
  });
  assert(samples.length > 0, `Prometheus never saw ${expression}`);
  return samples;
}
