/**
 * What tests need of the system they run on: commands, processes, ports.
 *
 * @module
 */

/** A port of 127.0.0.1 that a test has for itself until it is disposed. */
export interface ReservedPort extends Disposable {
  readonly port: number;
}

/**
 * Reserves a port for a server that cannot be told to choose one itself.
 *
 * A connection holds it: the system gives such a port to nobody who asks for
 * any, and whoever asks for it by number can listen on it.
 */
export async function reservePort(): Promise<ReservedPort> {
  const address = { hostname: "127.0.0.1", port: 0 };
  using listener = Deno.listen(address);
  const { port } = listener.addr;
  const [near, far] = await Promise.all([
    Deno.connect({ ...address, port }),
    listener.accept(),
  ]);
  return {
    port,
    [Symbol.dispose](): void {
      near.close();
      far.close();
    },
  };
}

/** A process that is alive. */
export interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

/** Lists the processes, those of one user if one is given. */
export async function processes(uid?: number): Promise<readonly Process[]> {
  const found: Process[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const status = await Deno.readTextFile(`/proc/${name}/status`);
      const command = await Deno.readTextFile(`/proc/${name}/cmdline`);
      const field = (key: string): number =>
        Number(new RegExp(`^${key}:\\s*(\\d+)`, "m").exec(status)?.[1]);
      const isZombie = /^State:\s*Z/m.test(status);
      if (isZombie || (uid !== undefined && field("Uid") !== uid)) continue;
      found.push({
        pid: Number(name),
        parent: field("PPid"),
        command,
      });
    } catch {
      // It has ended since the directory was listed.
    }
  }
  return found;
}

/** Finds the children of a process, theirs, and so on. */
export async function descendants(
  ancestor: number,
): Promise<readonly number[]> {
  const all = await processes();
  const children = (pid: number): readonly number[] =>
    all.filter(({ parent }) => parent === pid)
      .flatMap(({ pid }) => [pid, ...children(pid)]);
  return children(ancestor);
}

/** Ends whatever a user runs. */
export async function endProcesses(uid: number): Promise<void> {
  await eventually(async () => {
    const alive = await processes(uid);
    for (const { pid } of alive) signal(pid, "SIGKILL");
    return alive.length === 0;
  });
}

/** Sends a signal, unless the process has ended. */
export function signal(pid: number, name: Deno.Signal): void {
  try {
    Deno.kill(pid, name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

export interface Limit {
  /** Default: 60, after which whatever is waited for has hung. */
  readonly seconds?: number;
}

/**
 * Asks again and again until the answer is yes.
 *
 * @returns Whether it was yes within the limit.
 */
export async function eventually(
  isTrue: () => boolean | Promise<boolean>,
  { seconds = 60 }: Limit = {},
): Promise<boolean> {
  const end = performance.now() + seconds * 1_000;
  while (!await isTrue()) {
    if (performance.now() > end) return false;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return true;
}

/** Tries again what another process can be in the way of. */
export async function retry<T>(attempt: () => Promise<T>): Promise<T> {
  for (let tries = 1;; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (tries === 20) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10 * tries));
    }
  }
}
