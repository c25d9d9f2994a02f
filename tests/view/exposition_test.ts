import assert from "node:assert/strict";
import fc from "fast-check";
import {
  CONTENT_TYPE,
  type MetricFamily,
  render,
} from "../../src/view/exposition.ts";
import { readExposition } from "../support/exposition_reader.ts";

function family(changes: Partial<MetricFamily>): MetricFamily {
  return { name: "m", type: "gauge", help: "Help.", samples: [], ...changes };
}

Deno.test("CONTENT_TYPE is what Prometheus expects of format 0.0.4", () => {
  assert.equal(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8");
});

Deno.test("render() writes families and samples in the order given", () => {
  const text = render([
    family({ name: "b_total", type: "counter", samples: [{ value: 2 }] }),
    family({
      name: "a",
      samples: [
        { labels: { z: "1", y: "2" }, value: 0.5 },
        { labels: { z: "", y: "3" }, value: -1 },
      ],
    }),
    family({ name: "c", samples: [{ labels: {}, value: 3 }] }),
  ]);
  assert.equal(
    text,
    `\
# HELP b_total Help.
# TYPE b_total counter
b_total 2
# HELP a Help.
# TYPE a gauge
a{z="1",y="2"} 0.5
a{z="",y="3"} -1
# HELP c Help.
# TYPE c gauge
c 3
`,
  );
});

Deno.test("render() keeps help and type of a family without samples", () => {
  assert.equal(render([family({})]), "# HELP m Help.\n# TYPE m gauge\n");
  assert.equal(render([]), "");
});

Deno.test("render() escapes help texts and label values by their own rules", () => {
  const text = render([
    family({
      help: 'a "b" \\ c\nd',
      samples: [{ labels: { l: 'a "b" \\ c\nd' }, value: 1 }],
    }),
  ]);
  assert.equal(
    text,
    '# HELP m a "b" \\\\ c\\nd\n# TYPE m gauge\n' +
      'm{l="a \\"b\\" \\\\ c\\nd"} 1\n',
  );
});

Deno.test("render() writes every number as Prometheus reads it", async (t) => {
  const cases: readonly (readonly [number, string])[] = [
    [Infinity, "+Inf"],
    [-Infinity, "-Inf"],
    [NaN, "NaN"],
    [0, "0"],
    [1_795_423_267.26, "1795423267.26"],
    [1e21, "1e+21"],
    [5e-324, "5e-324"],
  ];
  for (const [value, written] of cases) {
    await t.step(written, () => {
      const text = render([family({ samples: [{ value }] })]);
      assert.equal(text.split("\n").at(-2), `m ${written}`);
      const [read] = readExposition(text);
      assert.equal(read?.samples[0]?.value, value);
    });
  }
});

Deno.test("render() writes any help, label value and number so that it reads back", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({ unit: fc.constantFrom("\\", '"', "\n", "n", "{", "}", ",") }),
  );
  const number = fc.double().map((value) => value === 0 ? 0 : value);
  fc.assert(fc.property(text, text, text, number, (help, one, two, value) => {
    const labels = { one, two };
    const [read] = readExposition(
      render([family({ help, samples: [{ labels, value }] })]),
    );
    assert.equal(read?.help, help);
    assert.deepEqual(read.samples, [{
      name: "m",
      labels,
      value,
    }]);
  }));
});

Deno.test("the reader that checks expositions refuses what Prometheus would", async (t) => {
  const head = "# HELP m Help.\n# TYPE m gauge\n";
  const cases = {
    "no line feed at the end": `${head}m 1`,
    "a sample before its family": "m 1\n",
    "a sample within another family": `${head}n 1\n`,
    "a family that comes twice": head + head,
    "no type": "# HELP m Help.\nm 1\n",
    "labels that come twice": `${head}m{l="1"} 1\nm{l="1"} 2\n`,
    "a label that comes twice": `${head}m{l="1",l="2"} 1\n`,
    "an unknown escape": `${head}m{l="\\t"} 1\n`,
    "a quote that is not escaped": `${head}m{l="""} 1\n`,
    "a value that does not end": `${head}m{l="1\n`,
    "an infinity as JavaScript writes it": `${head}m Infinity\n`,
    "an empty line": `${head}\n`,
  };
  for (const [name, text] of Object.entries(cases)) {
    await t.step(name, () => {
      assert.throws(() => readExposition(text), SyntaxError);
    });
  }
});
