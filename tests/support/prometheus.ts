/**
 * A Prometheus of its own for one test, as Debian packages it.
 *
 * @module
 */

import { temporaryFolder } from "./program.ts";
import { startProgram } from "./prometheus_program.ts";

/** A Prometheus that runs; disposed, it has ended and left nothing behind. */
export interface Prometheus extends AsyncDisposable {
  /**
   * Evaluates an expression.
   *
   * @param time Unix time in seconds; by default now.
   */
  query(expression: string, time?: number): Promise<readonly Sample[]>;
  /** Reads the samples of a range selector, such as `up[5m]`, as scraped. */
  history(selector: string): Promise<readonly Series[]>;
}

export interface Sample {
  /** With `__name__`, if the expression leaves it there. */
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  /** From the oldest to the newest. */
  readonly samples: readonly {
    readonly time: number;
    readonly value: number;
  }[];
}

export interface PrometheusOptions {
  /** Text of the rule files that the configuration names. */
  readonly files?: Readonly<Record<string, string>>;
  /** Such as `--query.lookback-delta=5s`. */
  readonly flags?: readonly string[];
}

/** Starts Prometheus on a port of 127.0.0.1, with an empty storage. */
export async function startPrometheus(
  configuration: string,
  { files = {}, flags = [] }: PrometheusOptions = {},
): Promise<Prometheus> {
  await using cleanup = new AsyncDisposableStack();
  const folder = cleanup.use(await temporaryFolder());
  const file = `${folder.path}/prometheus.yml`;
  await Deno.writeTextFile(file, configuration);
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(`${folder.path}/${name}`, text);
  }
  const { address } = cleanup.use(
    await startProgram("prometheus", [
      `--config.file=${file}`,
      `--storage.tsdb.path=${folder.path}/data`,
      ...flags,
    ]),
  );

  async function ask(
    expression: string,
    parameters: Readonly<Record<string, string>> = {},
  ): Promise<readonly Result[]> {
    const query = new URLSearchParams({ query: expression, ...parameters });
    const response = await fetch(`http://${address}/api/v1/query?${query}`);
    const answer = await response.json();
    if (answer.status !== "success") {
      throw new Error(`Cannot evaluate ${expression}: ${answer.error}`);
    }
    return answer.data.result;
  }
  const resources = cleanup.move();
  return {
    async query(expression, time): Promise<readonly Sample[]> {
      const results = await ask(
        expression,
        time === undefined ? {} : { time: String(time) },
      );
      return results.map(({ metric, value: [, value] = [0, "NaN"] }) => ({
        labels: metric,
        value: Number(value),
      }));
    },
    async history(selector): Promise<readonly Series[]> {
      const results = await ask(selector);
      return results.map(({ metric, values = [] }) => ({
        labels: metric,
        samples: values.map(([time, value]) => ({
          time,
          value: Number(value),
        })),
      }));
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** One element of an answer, of which the value or the values are there. */
interface Result {
  readonly metric: Readonly<Record<string, string>>;
  readonly value?: readonly [time: number, value: string];
  readonly values?: readonly (readonly [time: number, value: string])[];
}
