/**
 * Programs of the Prometheus project, as Debian packages them.
 *
 * @module
 */

import { ChildLog } from "./child_log.ts";
import { eventually } from "./system.ts";

/** A program that runs; disposed, it has ended. */
export interface PrometheusProgram extends AsyncDisposable {
  /** `host:port` */
  readonly address: string;
}

/** Starts a program on a port that it chooses, and waits until it is ready. */
export async function startProgram(
  program: string,
  args: readonly string[],
): Promise<PrometheusProgram> {
  const child = new Deno.Command(program, {
    args: ["--web.listen-address=127.0.0.1:0", ...args],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const log = new ChildLog(child.stderr);
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(async () => {
    try {
      child.kill("SIGTERM");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it has ended
    }
    await Promise.all([child.status, log.whole]);
  });

  const listening = await log.logged("Listening on");
  const [address = ""] = /127\.0\.0\.1:\d+/.exec(listening) ?? [];
  const isReady = await eventually(async () => {
    const response = await fetch(`http://${address}/-/ready`)
      .catch(() => undefined);
    await response?.body?.cancel();
    return response?.ok === true;
  });
  if (!isReady) throw new Error(`${program} is never ready`);
  const running = cleanup.move();
  return { address, [Symbol.asyncDispose]: () => running.disposeAsync() };
}
