/**
 * A real OpenSSH server whose login shell plays PAN-OS.
 *
 * Each server has a user, host keys and a log of its own, and leaves nothing
 * behind. Debian's sshd, and hence root, is needed to check a password.
 *
 * @module
 */

import { isInstalled, run } from "./program.ts";
import {
  descendants,
  endProcesses,
  eventually,
  type Process,
  processes,
  reservePort,
  retry,
  signal,
} from "./system.ts";
import type { TerminalOutput } from "./panos_output.ts";
import { printVpnFlow } from "./vpn_flow_reply.ts";
import { printUnknownLayout, printVpnFlowXml } from "./vpn_flow_xml.ts";

/** How PAN-OS behaves after the login. */
export interface Shell {
  /** Printed before the first prompt. */
  readonly login: TerminalOutput;
  readonly prompt: string;
  /**
   * `redraw` repeats prompt and text at every blank until scripting mode is on;
   * `plain` never does; `driver` leaves the echo to the terminal driver; `none`
   * has no echo at all.
   */
  readonly echo: "redraw" | "plain" | "driver" | "none";
  /**
   * Printed for commands, before the next prompt. `set cli …` and `exit` do
   * what they do on PAN-OS unless they are named here.
   */
  readonly replies: Readonly<Record<string, TerminalOutput>>;
  /**
   * Printed instead after `set cli op-command-xml-output on`, which is an unknown
   * command where there are none.
   */
  readonly xmlReplies: Readonly<Record<string, TerminalOutput>>;
  /** Printed when {@linkcode OpenSsh.interrupt} is called. */
  readonly interruption: TerminalOutput;
  /** The shell lives on when its terminal is gone. */
  readonly ignoreHangup: boolean;
}

const TUNNELS = ["inactive", "active", "active", "inactive", "active", "active"]
  .map((state, index) => ({
    id: index + 2,
    name: ["OSLO-BANK", "BERGEN", "LIMA", "QUITO", "PORTO-BANK", "TURIN"]
      .at(index) ?? "",
    state,
    monitor: "off",
    localIp: "192.0.2.14",
    peerIp: `198.51.100.${index + 1}`,
    interfaceName: `tunnel.${index + 3}`,
  }));

/** The six tunnels of the reply that is known best: 2, 1, 1, 2, 1, 1. */
export const SIX_TUNNELS = printVpnFlow(TUNNELS);

/** The same in XML. */
export const SIX_TUNNELS_XML = printVpnFlowXml(TUNNELS);

/** The same in a table that no reader knows. */
export const SIX_TUNNELS_UNKNOWN = printUnknownLayout(TUNNELS);

const PANOS: Shell = {
  login: "Last login: Mon Nov 16 09:12:44 2026 from 192.0.2.200\n\n" +
    "Number of failed attempts since last successful login: 0\n\n\n",
  prompt: "admin@PA-1> ",
  echo: "redraw",
  replies: { "show vpn flow": SIX_TUNNELS },
  xmlReplies: {},
  interruption: [],
  ignoreHangup: false,
};

const KEY_TYPES = ["ed25519", "ecdsa", "rsa"] as const;

/** Type of a key, as `ssh-keygen -t` calls it. */
export type KeyType = (typeof KEY_TYPES)[number];

/** How the server differs from one with defaults and an ed25519 host key. */
export interface OpenSshOptions {
  /** Lines for sshd_config, by keyword. */
  readonly config?: Readonly<Record<string, string>>;
  /** Ways to log in. Default: password and keyboard-interactive. */
  readonly methods?: readonly Method[];
  readonly hostKeys?: readonly KeyType[];
  /** Type of the key that the user can log in with, when `publickey` is on. */
  readonly userKey?: KeyType;
  /** Encrypts that key. */
  readonly passphrase?: string;
  /** Shown by sshd before it asks for a credential. */
  readonly banner?: string;
  /** Whether the password has expired and must be changed at the login. */
  readonly passwordExpired?: boolean;
  readonly shell?: Partial<Shell>;
}

/** A way to prove who one is, as the SSH protocol calls it. */
export type Method = "password" | "keyboard-interactive" | "publickey";

/** Something that the login shell noted. */
export interface ShellEvent {
  readonly event:
    | "login"
    | "command"
    | "typed"
    | "pager key"
    | "interrupted"
    | "hung up"
    | "exit"
    | "no terminal";
  readonly pid: number;
  readonly text: string;
}

/** A running server. */
export interface OpenSsh extends AsyncDisposable {
  readonly port: number;
  readonly username: string;
  readonly password: string;
  /** Private key of the user in the format of OpenSSH; empty without one. */
  readonly privateKey: string;
  /** Fingerprint of the first host key, as `ssh-keygen -lf` prints it. */
  readonly fingerprint: string;
  /** Lines that sshd has logged, which writes them to a file. */
  log(): readonly string[];
  /** TCP connections accepted by sshd so far. */
  connections(): number;
  /** Credentials accepted so far. */
  logins(): number;
  /** Passwords rejected so far, given as such or as answer to a question. */
  rejections(): number;
  /** Whether the user has ever begun to prove who they are. */
  sawCredential(): boolean;
  /** What the shell noted, in all sessions so far. */
  events(): Promise<readonly ShellEvent[]>;
  /** Commands that the shell was given, in all sessions so far. */
  commands(): Promise<readonly string[]>;
  /** Process ids of the shells that are alive. */
  shells(): Promise<readonly number[]>;
  /** Changes what the shell does from the next login or command on. */
  play(shell: Partial<Shell>): Promise<void>;
  /** Makes each open shell print something that nobody asked for. */
  interrupt(output: TerminalOutput): Promise<void>;
  /** Ends the connection of each open session, as a broken sshd would. */
  killSessions(): Promise<void>;
  /**
   * Gives the user another password; sessions that are open stay open.
   *
   * @returns The new one.
   */
  changePassword(): Promise<string>;
  /** Stops sshd in its tracks: the kernel accepts connections, nobody talks. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  /** Stops listening and ends every session. */
  stop(): Promise<void>;
  /** Listens again on the same port. */
  start(): Promise<void>;
}

const SSHD = "/usr/sbin/sshd";

const NEEDED = [
  ...["chage", "chpasswd", "python3", "sh", "ssh-keygen", "sshd"],
  ...["useradd", "userdel"],
];

/** Why no server can be started here; `undefined` when one can. */
export const missing: string | undefined = Deno.uid() === 0
  ? NEEDED.find((program) => !isInstalled(program))
  : "root";

/**
 * Declares a test that adds users to this machine and starts sshd. It runs on CI
 * and where it is asked for, by `deno task test:openssh`.
 */
export function testWithOpenSsh({ name, fn }: OpenSshTest): void {
  const isAskedFor = ["CI", "TEST_OPENSSH"]
    .some((variable) => Deno.env.get(variable) === "true");
  const needs = isAskedFor ? missing : "deno task test:openssh";
  Deno.test({
    name: needs === undefined ? name : `${name} (needs ${needs})`,
    ignore: needs !== undefined && Deno.env.get("CI") !== "true",
    fn,
  });
}

interface OpenSshTest {
  readonly name: string;
  readonly fn: (t: Deno.TestContext) => Promise<void>;
}

/** Starts a server on a free port of 127.0.0.1. */
export async function startOpenSsh(
  options: OpenSshOptions = {},
): Promise<OpenSsh> {
  if (missing !== undefined) {
    throw new Error(`Cannot start ${SSHD}: ${missing} is missing`);
  }
  await using stack = new AsyncDisposableStack();
  const home = await Deno.makeTempDir({ prefix: "panos-openssh-" });
  const name = `panos-${crypto.randomUUID().slice(0, 8)}`;
  stack.use(cleanUpAfter(name, home));
  await Deno.chmod(home, 0o755);

  const user = await addUser(name, home, options);

  const shell = await installShell(home, { ...PANOS, ...options.shell });
  const { hostKeys = ["ed25519"] } = options;
  await makeHostKeys(home, hostKeys);
  const privateKey = options.methods?.includes("publickey")
    ? await makeUserKey(home, options)
    : "";
  await Deno.writeTextFile(`${home}/banner`, options.banner ?? "");
  const { port } = stack.use(await reservePort());
  const sshd = await startSshd({ home, port, options });
  stack.defer(() => sshd.stop());

  const owned = stack.move();
  const count = (pattern: RegExp): number =>
    sshd.log().filter((line) => pattern.test(line)).length;
  return {
    port,
    username: user.name,
    password: user.password,
    privateKey,
    fingerprint: await fingerprint(home, hostKeys),
    log: sshd.log,
    connections: () => count(/^Connection from /),
    logins: () => count(/^Accepted \S+ for /),
    rejections: () => count(/^Failed (?:password|keyboard-interactive)/),
    sawCredential: () => count(/^(?:Accepted|Postponed|Failed (?!none))/) > 0,
    events: shell.events,
    commands: async () =>
      (await shell.events()).filter(({ event }) => event === "command")
        .map(({ text }) => text),
    shells: async () => (await processes(user.uid)).filter(isShell).map(toPid),
    play: shell.play,
    async interrupt(output): Promise<void> {
      await shell.play({ interruption: output });
      for (const process of await processes(user.uid)) {
        if (isShell(process)) signal(process.pid, "SIGUSR1");
      }
    },
    async killSessions(): Promise<void> {
      for (const process of await processes(user.uid)) {
        if (!isShell(process)) signal(process.pid, "SIGKILL");
      }
    },
    async changePassword(): Promise<string> {
      const password = `new${user.password}`;
      await setPassword(user.name, password);
      return password;
    },
    freeze: () => sshd.signal("SIGSTOP"),
    thaw: () => sshd.signal("SIGCONT"),
    async stop(): Promise<void> {
      await sshd.stop();
      await endProcesses(user.uid);
    },
    start: sshd.start,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

interface User {
  readonly name: string;
  readonly password: string;
  readonly uid: number;
}

/**
 * Removes the user and the folder at the end, also when the tests are
 * interrupted or killed: a process of its own waits for either.
 */
function cleanUpAfter(name: string, home: string): AsyncDisposable {
  const script = new URL("openssh_cleanup.sh", import.meta.url).pathname;
  const child = new Deno.Command("sh", {
    args: [script, name, home],
    stdin: "piped",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  return {
    async [Symbol.asyncDispose](): Promise<void> {
      await child.stdin.close();
      const { code } = await child.status;
      if (code !== 0) throw new Error(`Cannot remove ${name} and ${home}`);
    },
  };
}

async function addUser(
  name: string,
  home: string,
  options: OpenSshOptions,
): Promise<User> {
  const password = `pa$$ w"rd\\${crypto.randomUUID()}`;
  const shell = `${home}/panos_login_shell.py`;
  await retry(() =>
    run("useradd", [
      "--no-create-home",
      "--no-user-group",
      ...["--home-dir", home],
      ...["--shell", shell],
      ...["--key", "MAIL_DIR=/nonexistent"],
      name,
    ])
  );
  await setPassword(name, password);
  if (options.passwordExpired) {
    await retry(() => run("chage", ["--lastday", "0", name]));
  }
  const uid = Number(await run("id", ["-u", name]));
  return { name, password, uid };
}

async function setPassword(name: string, password: string): Promise<void> {
  await retry(() =>
    run("chpasswd", ["--crypt-method", "SHA512", "--sha-rounds", "1000"], {
      input: `${name}:${password}\n`,
    })
  );
}

interface InstalledShell {
  events(): Promise<readonly ShellEvent[]>;
  play(shell: Partial<Shell>): Promise<void>;
}

async function installShell(
  home: string,
  initial: Shell,
): Promise<InstalledShell> {
  const program = `${home}/panos_login_shell.py`;
  const source = new URL("panos_login_shell.py", import.meta.url);
  await Deno.copyFile(source, program);
  await Deno.chmod(program, 0o755);
  const events = `${home}/events.jsonl`;
  await Deno.writeTextFile(events, "");
  await Deno.chmod(events, 0o666);
  let shell = initial;
  const play = async (changes: Partial<Shell>): Promise<void> => {
    shell = { ...shell, ...changes };
    // A session that is open must never read half a file.
    await Deno.writeTextFile(`${home}/scenario.new`, JSON.stringify(shell));
    await Deno.rename(`${home}/scenario.new`, `${home}/scenario.json`);
  };
  await play({});
  return {
    play,
    events: async () =>
      (await Deno.readTextFile(events)).split("\n").filter((line) => line)
        .map((line) => JSON.parse(line)),
  };
}

async function makeHostKeys(
  home: string,
  types: readonly KeyType[],
): Promise<void> {
  for (const type of types) await makeKey(`${home}/host_${type}`, type);
}

async function makeUserKey(
  home: string,
  { userKey = "ed25519", passphrase = "" }: OpenSshOptions,
): Promise<string> {
  await makeKey(`${home}/user`, userKey, passphrase);
  await Deno.copyFile(`${home}/user.pub`, `${home}/authorized_keys`);
  // sshd reads it as the user.
  await Deno.chmod(`${home}/authorized_keys`, 0o644);
  return await Deno.readTextFile(`${home}/user`);
}

async function makeKey(
  path: string,
  type: KeyType,
  passphrase = "",
): Promise<void> {
  for (const old of [path, `${path}.pub`]) {
    await Deno.remove(old).catch(() => undefined);
  }
  await run("ssh-keygen", ["-q", "-N", passphrase, "-t", type, "-f", path]);
}

async function fingerprint(
  home: string,
  types: readonly KeyType[],
): Promise<string> {
  const path = `${home}/host_${types[0]}.pub`;
  const line = await run("ssh-keygen", ["-lf", path]);
  return line.split(" ")[1] ?? "";
}

interface Sshd {
  log(): readonly string[];
  start(): Promise<void>;
  /** Sends a signal to sshd and all its connections. */
  signal(name: Deno.Signal): Promise<void>;
  stop(): Promise<void>;
}

async function startSshd(
  { home, port, options }: Configuration,
): Promise<Sshd> {
  // Debian's unit makes it at boot; where there is no systemd nothing does.
  await Deno.mkdir("/run/sshd", { recursive: true, mode: 0o755 });
  const config = `${home}/sshd_config`;
  const logFile = `${home}/sshd.log`;
  await Deno.writeTextFile(config, configure({ home, port, options }));
  let daemon = await spawnSshd(config, logFile);
  return {
    log: () => readLog(logFile),
    signal: (name) => daemon.signal(name),
    stop: () => daemon.stop(),
    async start(): Promise<void> {
      daemon = await spawnSshd(config, logFile);
    },
  };
}

interface Configuration {
  readonly home: string;
  readonly port: number;
  readonly options: OpenSshOptions;
}

function configure({ home, port, options }: Configuration): string {
  const {
    config = {},
    hostKeys = ["ed25519"],
    methods = ["password", "keyboard-interactive"],
  } = options;
  const answer = (method: Method): string =>
    methods.includes(method) ? "yes" : "no";
  const interactive = answer("keyboard-interactive");
  return [
    // sshd takes the first value of a keyword.
    ...Object.entries(config),
    ["ListenAddress", `127.0.0.1:${port}`],
    ...hostKeys.map((type) => ["HostKey", `${home}/host_${type}`]),
    ["PasswordAuthentication", answer("password")],
    ["KbdInteractiveAuthentication", interactive],
    // Without PAM nobody asks questions, and a rejection costs no two seconds.
    ["UsePAM", interactive],
    ["PubkeyAuthentication", answer("publickey")],
    ["AuthorizedKeysFile", `${home}/authorized_keys`],
    ["Banner", `${home}/banner`],
    ["StrictModes", "no"],
    ["LogLevel", "VERBOSE"],
    ["PidFile", `${home}/sshd.pid`],
    ["PrintLastLog", "no"],
    ["PrintMotd", "no"],
    ["UseDNS", "no"],
  ].map((line) => line.join(" ") + "\n").join("");
}

type Daemon = Pick<Sshd, "signal" | "stop">;

/**
 * What sshd has written: all of it, unlike what has come through a pipe, so that
 * what a client has seen happen is there.
 */
function readLog(file: string): readonly string[] {
  try {
    return Deno.readTextFileSync(file).split(/\r?\n/).filter((line) => line);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return []; // it has just been started
  }
}

/** Runs sshd, which adds to the log, and waits until it listens. */
async function spawnSshd(config: string, logFile: string): Promise<Daemon> {
  const starts = (): number =>
    readLog(logFile).filter((line) => line.startsWith("Server listening on "))
      .length;
  const before = starts();
  const sshd = new Deno.Command(SSHD, {
    args: ["-D", "-E", logFile, "-f", config],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  let hasEnded = false;
  const ended = sshd.status.then(() => hasEnded = true);
  const daemon: Daemon = {
    async signal(name): Promise<void> {
      // Each connection has a process of its own, which would live on.
      const connections = await descendants(sshd.pid);
      for (const pid of [sshd.pid, ...connections]) signal(pid, name);
    },
    async stop(): Promise<void> {
      await daemon.signal("SIGKILL");
      await ended;
    },
  };
  await eventually(() => hasEnded || starts() > before);
  if (hasEnded || starts() === before) {
    await daemon.stop();
    throw new Error(`Cannot start ${SSHD}: ${readLog(logFile).join("\n")}`);
  }
  return daemon;
}

const isShell = ({ command }: Process): boolean =>
  command.includes("panos_login_shell");
const toPid = ({ pid }: Process): number => pid;
