/**
 * A Prometheus of its own for one test, as Debian packages it.
 *
 * @module
 */

import { temporaryFolder } from "./program.ts";
import { becomesReady, freePort, lines } from "./system.ts";

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

/** Starts Prometheus on a free port of 127.0.0.1, with an empty storage. */
export async function startPrometheus(
  configuration: string,
  options: PrometheusOptions = {},
): Promise<Prometheus> {
  for (let tries = 1;; tries++) {
    const prometheus = await launch(configuration, options);
    if (await prometheus.isReady()) return prometheus;
    await prometheus[Symbol.asyncDispose]();
    // Another process can take a free port before Prometheus does.
    if (tries === 3 || !prometheus.log().includes("already in use")) {
      throw new Error(`Cannot start Prometheus: ${prometheus.log()}`);
    }
  }
}

interface Launched extends Prometheus {
  /** Waits until it answers; `false` if it does not. */
  isReady(): Promise<boolean>;
  /** All that it has said so far. */
  log(): string;
}

async function launch(
  configuration: string,
  { files = {}, flags = [] }: PrometheusOptions,
): Promise<Launched> {
  await using cleanup = new AsyncDisposableStack();
  const folder = cleanup.use(await temporaryFolder());
  const file = `${folder.path}/prometheus.yml`;
  await Deno.writeTextFile(file, configuration);
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(`${folder.path}/${name}`, text);
  }
  const address = `127.0.0.1:${freePort()}`;
  const child = new Deno.Command("prometheus", {
    args: [
      `--config.file=${file}`,
      `--storage.tsdb.path=${folder.path}/data`,
      `--web.listen-address=${address}`,
      ...flags,
    ],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const log: string[] = [];
  const logged = readInto(log, child.stderr);
  let hasEnded = false;
  const ended = child.status.then(() => hasEnded = true);
  cleanup.defer(async () => {
    if (!hasEnded) child.kill("SIGTERM");
    await Promise.all([ended, logged]);
  });

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
    isReady: () => becomesReady(address, () => hasEnded),
    log: () => log.join("\n"),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** One element of an answer, of which the value or the values are there. */
interface Result {
  readonly metric: Readonly<Record<string, string>>;
  readonly value?: readonly [time: number, value: string];
  readonly values?: readonly (readonly [time: number, value: string])[];
}

async function readInto(
  log: string[],
  stream: ReadableStream<Uint8Array>,
): Promise<void> {
  for await (const line of lines(stream)) log.push(line);
}
