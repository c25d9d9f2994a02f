/**
 * An Alertmanager of its own for one test, and the person whom it notifies.
 *
 * @module
 */

import { temporaryFolder } from "./program.ts";
import { startProgram } from "./prometheus_program.ts";

/** An Alertmanager that runs; disposed, it has ended and left nothing behind. */
export interface Alertmanager extends AsyncDisposable {
  /** `host:port` */
  readonly address: string;
  /** What the receiver `on-call` has been sent, the oldest first. */
  readonly notifications: readonly Notification[];
}

/** One call of the webhook: what a person gets as one message. */
export interface Notification {
  /** What `group_by` made one. */
  readonly groupKey: string;
  readonly alerts: readonly {
    readonly status: "firing" | "resolved";
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
    /** The evaluation of Prometheus at which it began to fire. */
    readonly startsAt: string;
    /** The one that resolved it. */
    readonly endsAt: string;
  }[];
}

/**
 * Starts Alertmanager on a port of 127.0.0.1.
 *
 * @param configuration With a receiver `on-call` that reaches nobody yet.
 */
export async function startAlertmanager(
  configuration: string,
): Promise<Alertmanager> {
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
  const { address } = cleanup.use(
    await startProgram("prometheus-alertmanager", [
      `--config.file=${file}`,
      `--storage.path=${folder.path}/data`,
      "--cluster.listen-address=",
    ]),
  );
  const resources = cleanup.move();
  return {
    address,
    notifications,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}
