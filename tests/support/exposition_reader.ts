/**
 * A reader of the Prometheus text format 0.0.4, written from its description
 * alone, to check what the exporter writes. It accepts nothing doubtful.
 *
 * @see {@link https://prometheus.io/docs/instrumenting/exposition_formats/}
 * @module
 */

/** One sample line. */
export interface ReadSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** One family, with its samples in the order of the text. */
export interface ReadFamily {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly samples: readonly ReadSample[];
}

/** Reads a whole exposition; throws a `SyntaxError` for anything amiss. */
export function readExposition(text: string): readonly ReadFamily[] {
  if (text !== "" && !text.endsWith("\n")) {
    throw new SyntaxError("the last line does not end in a line feed");
  }
  const families: (ReadFamily & { samples: ReadSample[] })[] = [];
  let seen = new Set<string>();
  const lines = text.split("\n").slice(0, -1);
  for (let number = 0; number < lines.length; number++) {
    const cursor = new Cursor(lines[number] ?? "", number + 1);
    if (cursor.take("# HELP ")) {
      const name = cursor.name(":");
      cursor.expect(" ");
      const help = cursor.escaped({ quote: false });
      if (families.some((family) => family.name === name)) {
        throw cursor.error(`${name} comes twice`);
      }
      const typeLine = new Cursor(lines[++number] ?? "", number + 1);
      typeLine.expect(`# TYPE ${name} `);
      const type = typeLine.rest();
      if (!["counter", "gauge", "untyped"].includes(type)) {
        throw typeLine.error(`no such type: ${type}`);
      }
      families.push({ name, help, type, samples: [] });
      seen = new Set();
      continue;
    }
    const sample = readSample(cursor);
    const family = families.at(-1);
    if (family?.name !== sample.name) {
      throw cursor.error(`${sample.name} is not within its family`);
    }
    const labels = JSON.stringify(Object.entries(sample.labels).sort());
    if (seen.has(labels)) throw cursor.error("the same labels come twice");
    seen.add(labels);
    family.samples.push(sample);
  }
  return families;
}

function readSample(cursor: Cursor): ReadSample {
  const name = cursor.name(":");
  const labels: Record<string, string> = {};
  if (cursor.take("{")) {
    do {
      const label = cursor.name("");
      cursor.expect('="');
      if (Object.hasOwn(labels, label)) {
        throw cursor.error(`${label} comes twice`);
      }
      labels[label] = cursor.escaped({ quote: true });
      cursor.expect('"');
    } while (cursor.take(","));
    cursor.expect("}");
  }
  cursor.expect(" ");
  return { name, labels, value: readValue(cursor) };
}

function readValue(cursor: Cursor): number {
  const text = cursor.rest();
  switch (text) {
    case "+Inf":
      return Infinity;
    case "-Inf":
      return -Infinity;
    case "NaN":
      return NaN;
  }
  if (!/^-?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?$/.test(text)) {
    throw cursor.error(`no value: ${text}`);
  }
  return Number(text);
}

/** Reads one line from left to right. */
class Cursor {
  readonly #line: string;
  readonly #number: number;
  #at = 0;

  constructor(line: string, number: number) {
    this.#line = line;
    this.#number = number;
  }

  take(text: string): boolean {
    if (!this.#line.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  expect(text: string): void {
    if (!this.take(text)) throw this.error(`expected ${text}`);
  }

  rest(): string {
    const rest = this.#line.slice(this.#at);
    this.#at = this.#line.length;
    return rest;
  }

  /** A metric's name may hold colons, a label's may not. */
  name(extra: ":" | ""): string {
    const pattern = new RegExp(`[a-zA-Z_${extra}][a-zA-Z0-9_${extra}]*`, "y");
    pattern.lastIndex = this.#at;
    const name = pattern.exec(this.#line)?.[0];
    if (name === undefined) throw this.error("expected a name");
    this.#at += name.length;
    return name;
  }

  /** Text up to the closing quote, or to the line's end where none is due. */
  escaped({ quote }: { readonly quote: boolean }): string {
    let text = "";
    while (this.#at < this.#line.length) {
      const character = this.#line[this.#at];
      if (quote && character === '"') return text;
      this.#at++;
      if (character !== "\\") {
        text += character;
        continue;
      }
      const escape = this.#line[this.#at++];
      if (escape === "n") text += "\n";
      else if (escape === "\\" || (quote && escape === '"')) text += escape;
      else throw this.error(`no such escape: \\${escape}`);
    }
    if (quote) throw this.error("the label value does not end");
    return text;
  }

  error(problem: string): SyntaxError {
    return new SyntaxError(`line ${this.#number}: ${problem}: ${this.#line}`);
  }
}
