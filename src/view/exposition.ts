/**
 * Renderer for the Prometheus text format, version 0.0.4.
 *
 * @see {@link https://prometheus.io/docs/instrumenting/exposition_formats/}
 * @module
 */

/** Value of the `Content-Type` header for what {@linkcode render} returns. */
export const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** What a label value cannot hold as it is. */
const SPECIAL = /[\\"\n]/;

/** One time series at one moment. */
export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  /** In the base unit that the family's name ends in. */
  readonly value: number;
}

/** All samples that share a name. */
export interface MetricFamily {
  readonly name: string;
  readonly type: "counter" | "gauge";
  readonly help: string;
  readonly samples: readonly Sample[];
}

/**
 * Renders families and samples in the order given.
 *
 * Names are trusted: they are constants of this program. Help texts and label
 * values are escaped: label values come from the firewall.
 */
export function render(families: readonly MetricFamily[]): string {
  return families.map(renderFamily).join("");
}

function renderFamily({ name, type, help, samples }: MetricFamily): string {
  // One chain of short appends: template strings nested in each other, or a
  // text of its own for each sample, read better and take V8 far longer.
  let text = `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n`;
  for (const { labels = {}, value } of samples) {
    text += name;
    let opening = "{";
    for (const label of Object.keys(labels)) {
      text += opening + label + '="' + escapeLabel(labels[label] ?? "");
      opening = '",';
    }
    text += (opening === "{" ? " " : '"} ') + renderValue(value) + "\n";
  }
  return text;
}

function escapeHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function escapeLabel(value: string): string {
  if (!SPECIAL.test(value)) return value;
  return escapeHelp(value).replaceAll('"', '\\"');
}

/** The format writes floats as Go does; only the infinities differ from JS. */
function renderValue(value: number): string {
  if (value === Infinity) return "+Inf";
  if (value === -Infinity) return "-Inf";
  return String(value);
}
