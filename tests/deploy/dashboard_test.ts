import assert from "node:assert/strict";
import { familyNames, metricNames } from "../support/family_names.ts";
import { startMonitoring } from "../support/monitoring.ts";
import { isAbsent } from "../support/program.ts";
import { ScriptedExporter } from "../support/scripted_exporter.ts";
import { eventually } from "../support/system.ts";

interface Query {
  readonly datasource: { readonly uid: string };
  readonly expr: string;
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: { readonly uid: string };
  readonly gridPos: Readonly<Record<"x" | "y" | "w" | "h", number>>;
  readonly targets?: readonly Query[];
  /** Of a row that is folded. */
  readonly panels?: readonly Panel[];
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
}

interface Dashboard {
  readonly panels: readonly Panel[];
  readonly annotations: { readonly list: readonly Query[] };
  readonly templating: {
    readonly list: readonly {
      readonly name: string;
      readonly query: unknown;
    }[];
  };
}

const { panels: top, templating, annotations }: Dashboard = JSON.parse(
  await Deno.readTextFile(
    new URL("../../deploy/dashboard.json", import.meta.url),
  ),
);
const folded = top.flatMap(({ panels = [] }) => panels);
const panels = [...top, ...folded].filter(({ type }) => type !== "row");
const queries = [
  ...panels.flatMap(({ targets = [] }) => targets),
  ...annotations.list,
];

/** What the numbers on top have to be while all is well, and in a bad night. */
const NUMBERS: Readonly<Record<string, readonly [well: number, bad: number]>> =
  {
    "Firewalls that answer": [1, 2],
    "Firewalls not answering": [0, 1],
    "Tunnels up": [1, 3],
    "Tunnels down": [0, 1],
    "Not established": [0, 1],
    "On demand": [0, 1],
    "Monitors down": [0, 1],
    "Logins held": [0, 1],
  };

Deno.test({
  name:
    "each query of the dashboard finds what is there, and 0 where nothing is wrong (needs prometheus)",
  ignore: isAbsent("prometheus"),
  async fn(t): Promise<void> {
    await using exporter = new ScriptedExporter();
    exporter.firewalls.set("well", { tunnels: [{ name: "a", state: 1 }] });
    exporter.firewalls.set("dead", { tunnels: [] });
    exporter.firewalls.set("oslo-fw1.example.net", {
      ha: "active",
      authRetryAt: 9_999_999_999,
      tunnels: [
        { name: "a", state: 1 },
        { name: "b", state: 1, monitor: "down" },
        { name: "c", state: 3 },
        { name: "d:x", state: 2 },
        { name: "d:y", state: 1 },
        { name: "idle", state: 2 },
      ],
    });
    const rules = [
      "groups:",
      "- name: own",
      "  rules:",
      "  - record: panos_ipsec:on_demand",
      "    expr: vector(1)",
      "    labels: { instance: oslo-fw1.example.net, tunnel: idle }",
    ].join("\n");
    await using prometheus = await startMonitoring(exporter.address, { rules });
    const ask = async (
      expr: string,
      instance?: string,
      time?: number,
    ): Promise<number | undefined> => {
      const [first] = await prometheus.query(filledIn(expr, instance), time);
      return first?.value;
    };

    const present = async (expr: string): Promise<boolean> =>
      (await prometheus.query(expr)).length > 0;
    // A change is one only behind what was known for longer than a second.
    const known = [
      'panos_ipsec:firewall:ha{state="active"} offset 2s',
      'panos_ipsec_up{instance="dead"} offset 2s == 1',
      'panos_ipsec_up{instance="well"} offset 2s == 1',
    ];
    for (const expr of known) {
      assert(await eventually(() => present(expr), { seconds: 60 }), expr);
    }
    // Everything that the annotations tell of happens at once.
    exporter.firewalls.set("dead", { reason: "timeout", tunnels: [] });
    const active = exporter.firewalls.get("oslo-fw1.example.net");
    assert(active !== undefined);
    exporter.firewalls.set("oslo-fw1.example.net", {
      ...active,
      ha: "active-primary",
      tunnels: active.tunnels.map((tunnel) =>
        tunnel.name === "a" ? { ...tunnel, state: 2 } : tunnel
      ),
    });
    // A change is seen for two seconds only, and this machine may be slow: so
    // each second since then is looked at, as Grafana does.
    const began = Date.now() / 1_000;
    const isFound = async (expr: string): Promise<boolean> => {
      for (let time = Date.now() / 1_000; time >= began; time--) {
        if (await ask(expr, undefined, time) !== undefined) return true;
      }
      return false;
    };
    const found = new Set<string>();
    await eventually(async () => {
      for (const { expr } of queries) {
        if (!found.has(expr) && await isFound(expr)) found.add(expr);
      }
      return found.size === queries.length;
    }, { seconds: 60 });
    for (const { expr } of queries) {
      await t.step(expr, () => assert(found.has(expr)));
    }
    for (const [title, [well, bad]] of Object.entries(NUMBERS)) {
      await t.step(title, async () => {
        const expr = panels.find((panel) => panel.title === title)
          ?.targets?.[0]?.expr ?? "";
        assert.equal(await ask(expr, "well"), well);
        // the last rule may not have been evaluated since the change
        await eventually(async () => await ask(expr) === bad);
        assert.equal(await ask(expr), bad);
      });
    }
  },
});

Deno.test("the dashboard asks for metrics that the exporter has", () => {
  const text = [
    ...queries.map(({ expr }) => expr),
    ...templating.list.map(({ query }) => JSON.stringify(query)),
  ].join("\n");
  // Names with a colon are recorded by alerts.yml.
  const used = metricNames(text.replaceAll(/\bpanos_ipsec:[\w:]+/g, ""));
  assert(used.has("panos_ipsec_up"));
  assert.deepEqual([...used.difference(familyNames())], []);
});

Deno.test("data source, job, firewall and tunnel of the dashboard are to be chosen", () => {
  assert.deepEqual(templating.list.map(({ name }) => name), [
    "datasource",
    "job",
    "instance",
    "tunnel",
  ]);
  for (const { expr, datasource } of queries) {
    assert.match(expr, /job=~"\$job"/);
    assert.equal(datasource.uid, "${datasource}");
  }
});

Deno.test("each panel has a title, a description, a unit and a data source", () => {
  for (const { title, description, fieldConfig, datasource } of panels) {
    assert.notEqual(title, "");
    assert.match(description ?? "", /\.$/, title);
    assert.notEqual(fieldConfig?.defaults.unit, undefined, title);
    assert.equal(datasource?.uid, "${datasource}", title);
  }
});

Deno.test("no timeline and no table of availability grows with the fleet", () => {
  for (const { type, title, targets = [] } of panels) {
    if (type === "state-timeline" || title.startsWith("Availability")) {
      assert.match(targets[0]?.expr ?? "", /(?:top|bottom)k\(50,/, title);
    }
  }
});

Deno.test("no query evaluates an expression again for each step of the range", () => {
  // A day of 2,000 tunnels took 11 s as a subquery, and 0.3 s as a range.
  for (const { expr } of queries) assert.doesNotMatch(expr, /\[[^\]]*:/);
});

Deno.test("no two panels of the dashboard overlap or share an id", () => {
  const all = [...top, ...folded];
  assert.equal(new Set(all.map(({ id }) => id)).size, all.length);
  // What a row folds has the room that the row gets when it is opened.
  for (const group of [top, ...top.map(({ panels = [] }) => panels)]) {
    const taken = new Set<string>();
    for (const { gridPos: { x, y, w, h }, title } of group) {
      assert(x + w <= 24, title);
      for (let column = x; column < x + w; column++) {
        for (let row = y; row < y + h; row++) {
          const cell = `${column} ${row}`;
          assert(!taken.has(cell), title);
          taken.add(cell);
        }
      }
    }
  }
});

/** Puts values in place of the variables, as Grafana does. */
function filledIn(query: string, instance = ".*"): string {
  return query
    .replaceAll("[$__range]", "[1m]")
    .replaceAll("$__rate_interval", "10s")
    .replaceAll("[1h]", "[10s]")
    .replaceAll("[2m]", "[30s]")
    .replaceAll("offset 2m", "offset 2s")
    .replaceAll("$instance", instance)
    .replaceAll(/\$(?:job|tunnel)\b/g, ".*");
}
