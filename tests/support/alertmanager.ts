/**
 * An Alertmanager of its own for one test, and the person whom it notifies.
 *
 * @module
 */

import { temporaryFolder } from "./program.ts";
import { becomesReady, freePort, lines } from "./system.ts";

/** An Alertmanager that runs; disposed, it has ended and left nothing behind. */
export interface Alertmanager extends AsyncDisposable {
  /** `host:port` */
  readonly address: string;
  /** What the receiver `on-call` has been sent, the oldest first. */
  readonly notifications: readonly Notification[];
}

export interface Notification {
  readonly alerts: readonly {
    readonly status: "firing" | "resolved";
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  }[];
}

/**
 * Starts Alertmanager on a free port of 127.0.0.1.
 *
 * @param configuration With a receiver `on-call` that reaches nobody yet.
 */
export async function startAlertmanager(
  configuration: string,
): Promise<Alertmanager> {
  for (let tries = 1;; tries++) {
    const alertmanager = await launch(configuration);
    if (await alertmanager.isReady()) return alertmanager;
    await alertmanager[Symbol.asyncDispose]();
    // Another process can take a free port before Alertmanager does.
    if (tries === 3 || !alertmanager.log().includes("already in use")) {
      throw new Error(`Cannot start Alertmanager: ${alertmanager.log()}`);
    }
  }
}

interface Launched extends Alertmanager {
  isReady(): Promise<boolean>;
  log(): string;
}

async function launch(configuration: string): Promise<Launched> {
  await using cleanup = new AsyncDisposableStack();
  const folder = cleanup.use(await temporaryFolder());
  const notifications: Notification[] = [];
  const person = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      notifications.push(await request.json());
      return new Response();
    },
  );
  cleanup.defer(() => person.shutdown());
  const file = `${folder.path}/alertmanager.yml`;
  const url = `http://127.0.0.1:${person.addr.port}/`;
  await Deno.writeTextFile(
    file,
    configuration.replace(
      "- name: on-call\n",
      `- name: on-call\n    webhook_configs: [{ url: "${url}" }]\n`,
    ),
  );
  const address = `127.0.0.1:${freePort()}`;
  const child = new Deno.Command("prometheus-alertmanager", {
    args: [
      `--config.file=${file}`,
      `--storage.path=${folder.path}/data`,
      `--web.listen-address=${address}`,
      "--cluster.listen-address=",
    ],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const log: string[] = [];
  const logged = (async () => {
    for await (const line of lines(child.stderr)) log.push(line);
  })();
  let hasEnded = false;
  const ended = child.status.then(() => hasEnded = true);
  cleanup.defer(async () => {
    if (!hasEnded) child.kill("SIGTERM");
    await Promise.all([ended, logged]);
  });
  const resources = cleanup.move();
  return {
    address,
    notifications,
    isReady: () => becomesReady(address, () => hasEnded),
    log: () => log.join("\n"),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}
