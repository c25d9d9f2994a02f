/**
 * A simulated PAN-OS firewall: a real SSH server on the loopback, closed by
 * `await using`.
 *
 * It can do wrong whatever a firewall can do wrong, at the step that a test
 * chooses, and it remembers what was done to it.
 *
 * @module
 */

// @ts-types="@types/ssh2"
import {
  type Algorithms,
  type AuthContext,
  type Connection,
  Server,
  type ServerChannel,
  type Session,
} from "ssh2";
import { createServer, type Server as TcpServer, type Socket } from "node:net";
import {
  createLogin,
  type Login,
  type LoginOptions,
  type Method,
} from "./firewall_login.ts";
import { createKeyPair, type KeyPair } from "./key_pair.ts";
import { closeServer, listen } from "./listener.ts";
import {
  serveShell,
  type ShellHost,
  type ShellOptions,
} from "./panos_shell.ts";

/** A point at which the firewall can go wrong. */
export type Step =
  /** TCP is accepted, nothing is sent yet. */
  | "ident"
  /** A credential has arrived, nothing is said about it yet. */
  | "verdict"
  | "channel"
  | "pty"
  | "shell"
  /** The login text is printed, the first prompt is not. */
  | "prompt";

/**
 * What the firewall does at a step.
 *
 * `refuse` is a no in the terms of the protocol: at `ident` the end of the
 * connection, at `prompt` that of the channel, without a status. `hang` is
 * silence. `drop` ends the TCP connection.
 */
export type Action = "proceed" | "refuse" | "hang" | "drop";

/**
 * An action, or a function of the connection (the first is 1), which may also
 * wait for something that the test decides.
 */
export type Fault = Action | ((connection: number) => Action | Promise<Action>);

/** A credential or another answer that a client has sent. */
export interface Credential {
  /** Number of the connection it came in; the first is 1. */
  readonly connection: number;
  readonly method: Method;
  readonly username: string;
  /** What was asked; empty where the method asks nothing. */
  readonly prompt: string;
  /** Password or answer. */
  readonly value: string;
}

/** Everything can be left out: the default firewall works. */
export interface FirewallOptions extends LoginOptions, ShellOptions {
  /** Given only where a firewall must come back at the same port. */
  readonly port?: number;
  /** One of each type at most; by default one ed25519 key. */
  readonly hostKeys?: readonly KeyPair[];
  readonly algorithms?: Algorithms;
  readonly faults?: Readonly<Partial<Record<Step, Fault>>>;
  /** Serves each shell, which then has no command line but what this does. */
  readonly serve?: (shell: ServedShell) => void;
}

/** A shell as the firewall has it, down to its socket. */
export interface ServedShell {
  readonly channel: ServerChannel;
  readonly client: Connection;
  readonly socket: Socket;
}

/** A firewall that runs, and what it has seen. */
export interface SimulatedFirewall extends AsyncDisposable {
  readonly port: number;
  /** Of the first host key. */
  readonly fingerprint: string;
  readonly hostKeys: readonly KeyPair[];
  readonly username: string;
  readonly password: string;
  /** TCP connections accepted so far. */
  readonly connections: number;
  readonly openConnections: number;
  /** Logins accepted so far. */
  readonly logins: number;
  /** Shells open at the moment: what counts as sessions of an administrator. */
  readonly openSessions: number;
  /** The most shells that were ever open at the same time. */
  readonly mostSessions: number;
  /** All that clients sent to be let in, in order. */
  readonly credentials: readonly Credential[];
  /** Lines typed by clients, in order, `set cli …` and `exit` included. */
  readonly commands: readonly string[];
  /** Settles when the condition holds, which is looked at upon each change. */
  waitFor(condition: (firewall: SimulatedFirewall) => boolean): Promise<void>;
  /** Ends all TCP connections. */
  killSessions(): void;
  /** Ends all shells and leaves the connections open. */
  endChannels(): void;
}

/** How long a test may wait for a condition before it is told so. */
const WAIT_LIMIT_MS = 60_000;

/** Starts a firewall that does what the options say. */
export async function startFirewall(
  options: FirewallOptions = {},
): Promise<SimulatedFirewall> {
  const { hostKeys = [createKeyPair()], port = 0 } = options;
  const state: State = {
    options,
    login: createLogin(options),
    links: new Map(),
    channels: new Set(),
    credentials: [],
    commands: [],
    observers: new Set(),
    counts: { connections: 0, logins: 0, mostSessions: 0, answered: 0 },
  };
  const server = createTcpServer(state, hostKeys);
  return present(state, {
    server,
    hostKeys,
    port: await listen(server, port),
  });
}

/** What the parts of one firewall share. */
interface State {
  readonly options: FirewallOptions;
  readonly login: Login;
  /** Open connections by the port of the client. */
  readonly links: Map<number, Link>;
  readonly channels: Set<ServerChannel>;
  readonly credentials: Credential[];
  readonly commands: string[];
  /** Called after each change of what is observed. */
  readonly observers: Set<() => void>;
  readonly counts: {
    connections: number;
    logins: number;
    mostSessions: number;
    answered: number;
  };
}

/** One connection; the first has number 1. */
interface Link {
  readonly socket: Socket;
  readonly number: number;
}

function present(
  state: State,
  { server, hostKeys, port }: {
    readonly server: TcpServer;
    readonly hostKeys: readonly KeyPair[];
    readonly port: number;
  },
): SimulatedFirewall {
  const { login, links, channels, credentials, commands, counts } = state;

  function sockets(): readonly Socket[] {
    return Array.from(links.values(), ({ socket }) => socket);
  }
  const firewall: SimulatedFirewall = {
    port,
    fingerprint: hostKeys[0]?.fingerprint ?? "",
    hostKeys,
    username: login.username,
    password: login.password,
    credentials,
    commands,
    get connections() {
      return counts.connections;
    },
    get openConnections() {
      return links.size;
    },
    get logins() {
      return counts.logins;
    },
    get openSessions() {
      return channels.size;
    },
    get mostSessions() {
      return counts.mostSessions;
    },
    waitFor: (condition) => waitFor(state, () => condition(firewall)),
    killSessions: () => sockets().forEach((socket) => socket.destroy()),
    endChannels: () => channels.forEach((channel) => channel.close()),
    [Symbol.asyncDispose]: () => closeServer(server, sockets()),
  };
  return firewall;
}

function waitFor(
  { observers }: State,
  condition: () => boolean,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const limit = setTimeout(() => {
    observers.delete(look);
    reject(new Error(`Cannot wait any longer for: ${condition}`));
  }, WAIT_LIMIT_MS);
  function look(): void {
    if (!condition()) return;
    clearTimeout(limit);
    observers.delete(look);
    resolve();
  }
  observers.add(look);
  look();
  return promise;
}

function changed({ observers }: State): void {
  for (const look of [...observers]) look();
}

/** Does what the test wants at a step; to hang is to do nothing. */
async function perform(
  step: Step,
  { options: { faults = {} } }: State,
  { link: { socket, number }, proceed, refuse }: {
    readonly link: Link;
    readonly proceed: () => void;
    readonly refuse: () => void;
  },
): Promise<void> {
  const fault = faults[step] ?? "proceed";
  const action = typeof fault === "function" ? await fault(number) : fault;
  switch (action) {
    case "proceed":
      return proceed();
    case "refuse":
      return refuse();
    case "drop":
      socket.destroy();
      return;
    case "hang":
      // Unless it is read from, a socket never learns that its peer is gone.
      socket.resume();
      return;
  }
}

/** The listener is ours and not that of ssh2, which hides its sockets. */
function createTcpServer(
  state: State,
  hostKeys: readonly KeyPair[],
): TcpServer {
  const { links, counts, options: { algorithms } } = state;
  const sshServer = new Server({
    hostKeys: hostKeys.map(({ privateKey }) => privateKey),
    ...(algorithms && { algorithms }),
  }, (client, { port }) => {
    const link = links.get(port);
    if (link !== undefined) serveClient(state, link, client);
  });
  return createServer((socket) => {
    const number = ++counts.connections;
    const link: Link = { socket, number };
    const { remotePort = 0 } = socket;
    links.set(remotePort, link);
    // Without it each answer waits 40 ms for a delayed acknowledgement.
    socket.setNoDelay();
    socket.on("error", () => {}); // a client that hangs up is no failure
    socket.once("close", () => {
      links.delete(remotePort);
      changed(state);
    });
    changed(state);
    void perform("ident", state, {
      link,
      proceed: () => sshServer.injectSocket(socket),
      refuse: () => socket.destroy(),
    });
  });
}

function serveClient(state: State, link: Link, client: Connection): void {
  client.on("error", () => {}); // nor is one that breaks the protocol
  client.on("authentication", (attempt) => {
    void authenticate(state, link, attempt);
  });
  client.once("ready", () => {
    state.counts.logins++;
    changed(state);
  });
  client.on("session", (accept, refuse) => {
    const proceed = (): void =>
      serveSession(state, { ...link, client }, accept());
    void perform("channel", state, { link, proceed, refuse });
  });
}

async function authenticate(
  state: State,
  link: Link,
  attempt: AuthContext,
): Promise<void> {
  const { login, credentials } = state;
  const { username } = attempt;
  const refuse = (): void => attempt.reject([...login.methods]);
  const method = login.methods.find((offered) => offered === attempt.method);
  // Clients try "none" first, to be told what is offered.
  if (method === undefined) return refuse();
  const isRight = await login.check(attempt, (prompt, value) => {
    const connection = link.number;
    credentials.push({ connection, method, username, prompt, value });
    changed(state);
  });
  const proceed = (): void => isRight ? attempt.accept() : refuse();
  await perform("verdict", state, { link, proceed, refuse });
}

interface ClientLink extends Link {
  readonly client: Connection;
}

function serveSession(
  state: State,
  link: ClientLink,
  session: Session,
): void {
  let rows = 24;
  session.on("pty", (proceed, refuse, info) => {
    rows = info.rows;
    void perform("pty", state, { link, proceed, refuse });
  });
  session.on("shell", (accept, refuse) => {
    const proceed = (): void => openShell(state, link, accept(), rows);
    void perform("shell", state, { link, proceed, refuse });
  });
}

function openShell(
  state: State,
  link: ClientLink,
  channel: ServerChannel,
  rows: number,
): void {
  const { options, channels, commands, counts } = state;
  channels.add(channel);
  counts.mostSessions = Math.max(counts.mostSessions, channels.size);
  channel.on("error", () => {});
  channel.once("close", () => {
    channels.delete(channel);
    changed(state);
  });
  changed(state);

  if (options.serve !== undefined) return options.serve({ channel, ...link });
  const refuse = (): void => channel.close();
  const host: ShellHost = {
    get answered() {
      return counts.answered;
    },
    onLogin: (proceed) =>
      void perform("prompt", state, { link, proceed, refuse }),
    onCommand(command): void {
      commands.push(command);
      changed(state);
    },
    onAnswered(): void {
      counts.answered++;
      changed(state);
    },
    onExit(): void {
      channel.exit(0);
      channel.close();
    },
    drop: () => link.socket.destroy(),
  };
  serveShell({ channel, options, host, rows });
}
