import assert from "node:assert/strict";
import { familyNames, metricNames } from "../support/family_names.ts";
import { execute, isAbsent, temporaryFolder } from "../support/program.ts";

interface Query {
  readonly datasource: { readonly uid: string };
  readonly expr: string;
}

interface Mapping {
  readonly options: Readonly<
    Record<string, { readonly text: string; readonly color: string }>
  >;
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly datasource: { readonly uid: string };
  readonly gridPos: Readonly<Record<"x" | "y" | "w" | "h", number>>;
  readonly targets: readonly Query[];
  readonly fieldConfig: {
    readonly defaults: { readonly mappings?: readonly Mapping[] };
  };
}

interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: {
    readonly list: readonly {
      readonly name: string;
      readonly query: unknown;
    }[];
  };
}

const { panels, templating }: Dashboard = JSON.parse(
  await Deno.readTextFile(
    new URL("../../deploy/dashboard.json", import.meta.url),
  ),
);
const queries = panels.flatMap(({ targets }) => targets);

Deno.test({
  name: "promtool parses every query of the dashboard",
  ignore: isAbsent("promtool"),
  fn: async () => {
    assert.notEqual(queries.length, 0);
    const rules = queries.map(({ expr }, index) => ({
      record: `query:${index}`,
      expr: filledIn(expr),
    }));
    await using folder = await temporaryFolder();
    const path = `${folder.path}/queries.json`;
    // Prometheus reads rules as YAML, of which JSON is a part.
    const groups = [{ name: "dashboard", rules }];
    await Deno.writeTextFile(path, JSON.stringify({ groups }));
    const { code, stdout, stderr } = await execute("promtool", [
      "check",
      "rules",
      path,
    ]);
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, new RegExp(`SUCCESS: ${queries.length} rules found`));
  },
});

Deno.test("the dashboard asks for metrics that the exporter has", () => {
  const text = [
    ...queries.map(({ expr }) => expr),
    ...templating.list.map(({ query }) => JSON.stringify(query)),
  ].join("\n");
  const used = metricNames(text);
  assert(used.has("ifIPsecOperStatus"));
  assert.deepEqual([...used.difference(familyNames())], []);
});

Deno.test("data source, job, firewall and tunnel of the dashboard are to be chosen", () => {
  assert.deepEqual(templating.list.map(({ name }) => name), [
    "datasource",
    "job",
    "instance",
    "tunnel",
  ]);
  const known = /\$(?!job\b|instance\b|tunnel\b|__rate_interval\b)\w+/;
  for (const { expr } of queries) {
    assert.doesNotMatch(expr, known);
    assert.match(expr, /job=~"\$job"/);
  }
  for (const { datasource } of [...panels, ...queries]) {
    assert.equal(datasource.uid, "${datasource}");
  }
});

Deno.test("each panel that draws states has a word and a colour for each", () => {
  const timelines = panels.filter(({ type }) => type === "state-timeline");
  const words = timelines.map(({ fieldConfig: { defaults } }) => {
    const options = Object.entries(defaults.mappings?.[0]?.options ?? {});
    assert(options.every(([, { color }]) => color !== ""));
    return Object.fromEntries(
      options.map(([value, { text }]) => [value, text]),
    );
  });
  assert.deepEqual(words, [
    { 1: "up", 2: "down", 3: "not established" },
    { 0: "down", 1: "up" },
  ]);
});

Deno.test("no two panels of the dashboard overlap or share an id", () => {
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
  const taken = new Set<string>();
  for (const { gridPos: { x, y, w, h }, title } of panels) {
    assert(x + w <= 24, title);
    for (let column = x; column < x + w; column++) {
      for (let row = y; row < y + h; row++) {
        const cell = `${column} ${row}`;
        assert(!taken.has(cell), title);
        taken.add(cell);
      }
    }
  }
});

/** Puts values in place of the variables, as Grafana does. */
function filledIn(query: string): string {
  return query
    .replaceAll("$__rate_interval", "2m")
    .replaceAll(/\$(?:job|instance|tunnel)\b/g, ".*");
}
