/**
 * A shell on a firewall, over SSH: the only module that knows `ssh2`.
 *
 * What it shields the others from: a connection that fails emits several
 * errors, or none and only `close`; callbacks come after the end; what a
 * channel is never answered, nothing is ever emitted for.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createHash, getCiphers } from "node:crypto";
import type { Socket } from "node:net";
// @ts-types="@types/ssh2"
import {
  type Algorithms,
  type AnyAuthMethod,
  type CipherAlgorithm,
  Client,
  type ClientChannel,
  type ParsedKey,
  type Prompt,
  utils,
} from "ssh2";
import { createAuthentication, type Method } from "./authentication.ts";
import type { Shell } from "../model/shell.ts";
import { dial } from "./dial.ts";
import { type Phase, PollError } from "../model/poll.ts";
import { quote } from "../std/quote.ts";
import { Secret } from "../std/secret.ts";

/** A key that has proved that it can sign. */
export type PrivateKey = Secret<ParsedKey>;

/**
 * Reads a private key in OpenSSH or PEM form and signs something with it.
 *
 * The runtime reads some keys that it cannot sign with, and that should be
 * found out at the start, not in the first login.
 *
 * @throws {Error} With a message that says what is wrong, without the key.
 */
export function parsePrivateKey(
  text: string,
  passphrase: string | undefined,
): PrivateKey {
  const parsed = utils.parseKey(text, passphrase);
  const key = Array.isArray(parsed) ? parsed[0] : parsed;
  if (key instanceof Error || key === undefined) {
    throw new Error(
      `cannot be read (${quote(key?.message ?? "")}): ${KEY_ADVICE}`,
    );
  }
  if (!key.isPrivateKey()) throw new Error(`is a public key: ${KEY_ADVICE}`);
  const signature = key.sign(Buffer.from("test"));
  if (signature instanceof Error) {
    throw new Error(
      `can be read but not used here (${
        quote(signature.message)
      }): ${KEY_ADVICE}`,
    );
  }
  return new Secret(key);
}

const KEY_ADVICE =
  'use an ed25519 key made by "ssh-keygen -t ed25519", or RSA in OpenSSH form, with SSH_PRIVATE_KEY_PASSPHRASE if it is encrypted';

/** Who logs in, with at least one of the two secrets. */
export interface Credentials {
  readonly username: string;
  readonly password: Secret | undefined;
  /** Tried before the password. */
  readonly privateKey: PrivateKey | undefined;
}

/** What a login needs of the one that starts it, and tells it. */
export interface Login {
  readonly credentials: Credentials;
  /** Name or address, without brackets. */
  readonly host: string;
  readonly port: number;
  /** Whether SHA-1 and CBC may be used. */
  readonly legacyAlgorithms: boolean;
  /** Says why a host key is not accepted; `undefined` accepts it. */
  rejectHostKey(fingerprint: string): string | undefined;
  /** Waited for before anything is sent that the firewall can reject. */
  beforeCredential(): Promise<void>;
  onAccepted(): void;
  onPhase(phase: Exclude<Phase, "command">): void;
}

/** A shell that runs on a firewall. */
export interface SshShell extends Shell {
  /** Says `exit`, and settles once the connection is closed. */
  end(): Promise<void>;
}

/**
 * Without `ecdh-sha2-nistp521`, which the runtime cannot do; with `ssh-rsa`,
 * as PAN-OS 10.2 may have no other host key.
 */
const ALGORITHMS = {
  kex: [
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
    "ecdh-sha2-nistp384",
    "ecdh-sha2-nistp256",
    "diffie-hellman-group16-sha512",
    "diffie-hellman-group18-sha512",
    "diffie-hellman-group17-sha512",
    "diffie-hellman-group15-sha512",
    "diffie-hellman-group-exchange-sha256",
    "diffie-hellman-group14-sha256",
  ],
  serverHostKey: [
    "ssh-ed25519",
    "ecdsa-sha2-nistp521",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp256",
    "rsa-sha2-512",
    "rsa-sha2-256",
    "ssh-rsa",
  ],
  cipher: knownCiphers([
    ["aes256-gcm@openssh.com", "aes-256-gcm"],
    ["aes128-gcm@openssh.com", "aes-128-gcm"],
    ["chacha20-poly1305@openssh.com", "chacha20"],
    ["aes256-ctr", "aes-256-ctr"],
    ["aes192-ctr", "aes-192-ctr"],
    ["aes128-ctr", "aes-128-ctr"],
  ]),
  hmac: [
    "hmac-sha2-512-etm@openssh.com",
    "hmac-sha2-256-etm@openssh.com",
    "hmac-sha2-512",
    "hmac-sha2-256",
  ],
  compress: ["none"],
} satisfies Algorithms;

/** What old releases may need in addition. */
const LEGACY_ALGORITHMS: Algorithms = {
  ...ALGORITHMS,
  kex: [
    ...ALGORITHMS.kex,
    "diffie-hellman-group-exchange-sha1",
    "diffie-hellman-group14-sha1",
    "diffie-hellman-group1-sha1",
  ],
  cipher: [
    ...ALGORITHMS.cipher,
    ...knownCiphers([
      ["aes256-cbc", "aes-256-cbc"],
      ["aes192-cbc", "aes-192-cbc"],
      ["aes128-cbc", "aes-128-cbc"],
      ["3des-cbc", "des-ede3-cbc"],
    ]),
  ],
  hmac: [...ALGORITHMS.hmac, "hmac-sha1-etm@openssh.com", "hmac-sha1"],
};

/**
 * Leaves out what the runtime cannot do: `ssh2` refuses such a list whole.
 *
 * @param ciphers By their names in SSH and in `node:crypto`.
 */
function knownCiphers(
  ciphers: readonly (readonly [CipherAlgorithm, string])[],
): CipherAlgorithm[] {
  const known = getCiphers();
  return ciphers.filter(([, name]) => known.includes(name))
    .map(([algorithm]) => algorithm);
}

/** A terminal so wide that no row is wrapped. */
const WINDOW = { term: "vt100", cols: 500, rows: 500 };

/** A firewall that leaves two questions in a row unanswered is gone. */
const KEEPALIVE_MS = 15_000;

/** What ssh2 notes while it compares algorithms. */
const LISTS_OR_CHOICE = /^Handshake: (?!no matching|strict)/i;

/** More answers than this, sent and not read, are a flood of questions. */
const MAX_UNREAD_BYTES = 1024 * 1024;

/** How long a firewall may take to say goodbye. */
const END_MS = 1_000;

/**
 * Logs in and opens a shell.
 *
 * @param signal Aborted with a {@linkcode PollError} to destroy the connection,
 * also when the shell is long open.
 * @param keepaliveMs How long the connection may be silent before the firewall
 * is asked whether it is still there.
 * @throws {PollError} `connect`, `host_key`, `auth` or `session`; or the
 * signal's reason.
 */
export async function openShell(
  login: Login,
  signal: AbortSignal,
  keepaliveMs = KEEPALIVE_MS,
): Promise<SshShell> {
  const { host, port } = login;
  login.onPhase("connect");
  let socket;
  try {
    socket = await dial(host, port, signal);
  } catch (error) {
    if (error instanceof PollError || !(error instanceof Error)) throw error;
    const message = `Cannot connect to ${host} port ${port}: ${
      quote(error.message)
    }`;
    throw new PollError("connect", message, { cause: error });
  }
  login.onPhase("handshake");
  const connection = startClient(login, socket, { signal, keepaliveMs });
  const { accepted, lost, client } = connection;
  await Promise.race([lost, accepted]);
  const channel = await Promise.race([lost, requestShell(client)]);
  return toShell(channel, connection);
}

/** A connection that is being, or has been, authenticated. */
interface Connection {
  readonly client: Client;
  /** Settles when the firewall has accepted the credentials. */
  readonly accepted: Promise<void>;
  /** Rejects when the connection is lost or given up, with the reason. */
  readonly lost: Promise<never>;
  /** Settles when the socket is closed. */
  readonly closed: Promise<void>;
  /** Gives the connection up, at once. */
  destroy(reason: PollError): void;
}

function startClient(
  login: Login,
  socket: Socket,
  { signal, keepaliveMs }: {
    readonly signal: AbortSignal;
    readonly keepaliveMs: number;
  },
): Connection {
  const { credentials } = login;
  const where = `${login.host} port ${login.port}`;
  const client = new Client();
  const authentication = createAuthentication({
    hasKey: credentials.privateKey !== undefined,
    password: credentials.password,
  });
  const accepted = Promise.withResolvers<void>();
  const lost = Promise.withResolvers<never>();
  const closed = Promise.withResolvers<void>();
  let phase: "handshake" | "auth" | "session" = "handshake";
  let isOver = false;
  /** Whether the credentials may be sent: nothing was before. */
  let hasTurn = false;
  let offer = "";
  const hint = login.legacyAlgorithms
    ? ""
    : ", and if it is old, SSH_LEGACY_ALGORITHMS=true may help";

  function destroy(reason: PollError): void {
    if (isOver) return;
    isOver = true;
    signal.removeEventListener("abort", abort);
    lost.reject(reason);
    // ssh2 goes on reading garbage, and growing, while there is a socket
    socket.destroy();
  }

  function abort(): void {
    destroy(signal.reason);
  }

  /** What a loss means depends on how far the login had come. */
  function lose(what: string): void {
    if (phase === "session") {
      const message = `Lost the session on ${where}: ${what}`;
      destroy(new PollError("session", message));
    } else if (hasTurn && authentication.credentialSent) {
      const message =
        `Cannot log in to ${where}: after it was given the credentials, ${what}`;
      destroy(new PollError("auth", message));
    } else {
      const message = `Cannot log in to ${where}: ${what}${offer}`;
      destroy(new PollError("connect", message));
    }
  }

  function refuse(error: unknown): void {
    if (!(error instanceof PollError)) throw error;
    const message = `Cannot log in to ${where}: ${error.message}`;
    destroy(new PollError(error.reason, message, { cause: error }));
  }

  /** @returns Whether the credentials may be sent. */
  async function takeTurn(): Promise<boolean> {
    try {
      await login.beforeCredential();
      hasTurn = true;
    } catch (error) {
      // not the firewall's doing, and so not worded as if it were
      if (!(error instanceof PollError)) throw error;
      destroy(error);
    }
    return !isOver;
  }

  async function authenticate(
    offered: readonly string[],
    next: (method: AnyAuthMethod) => void,
  ): Promise<void> {
    const type = authentication.choose(offered);
    // its questions come first, and may be none that is answered
    const isQuestioning = type === "keyboard-interactive";
    if (!isQuestioning && !await takeTurn()) return;
    authentication.begin(type);
    next(toAuthMethod(type, credentials, (questions, finish) => {
      answer(questions, finish).catch(refuse);
    }));
  }

  async function answer(
    questions: readonly Prompt[],
    finish: (answers: string[]) => void,
  ): Promise<void> {
    const answers = authentication.answer(questions);
    if (authentication.credentialSent && !await takeTurn()) return;
    finish(answers);
  }

  lost.promise.catch(() => {}); // nobody may be waiting
  signal.addEventListener("abort", abort);
  client
    .on("handshake", () => {
      // it comes again with every rekey
      if (phase !== "handshake") return;
      phase = "auth";
      offer = "";
      login.onPhase(phase);
    })
    .on("ready", () => {
      phase = "session";
      login.onAccepted();
      login.onPhase(phase);
      accepted.resolve();
    })
    .on("change password", () => {
      const what = "it demands a new password: log in by hand and change it";
      refuse(new PollError("auth", what));
    })
    .on("error", (error) => lose(quote(error.message)))
    .on("end", () => lose("it closed the connection"))
    .on("close", () => {
      lose("it closed the connection");
      closed.resolve();
    });

  client.connect({
    sock: socket,
    username: credentials.username,
    algorithms: login.legacyAlgorithms ? LEGACY_ALGORITHMS : ALGORITHMS,
    readyTimeout: 0, // the signal bounds the login
    keepaliveInterval: keepaliveMs,
    keepaliveCountMax: 2,
    hostVerifier: (key: Uint8Array): boolean => {
      const why = login.rejectHostKey(fingerprint(key));
      if (why !== undefined) refuse(new PollError("host_key", why));
      return why === undefined;
    },
    debug: (line) => {
      // what the firewall offered is told nowhere else: each list is followed
      // by the choice that was made, unless there was no match
      if (phase !== "handshake" || !LISTS_OR_CHOICE.test(line)) return;
      const list = /\(remote\) (.+)$/.exec(line)?.[1];
      offer = list === undefined
        ? ""
        : `; it offers ${quote(list, 400)}${hint}`;
    },
    authHandler: (offered, _partialSuccess, next) => {
      if (offered === null) {
        next({ type: "none", username: credentials.username });
      } else authenticate(offered, next).catch(refuse);
    },
  });
  // ssh2 answers whatever it is asked, and keeps what cannot be sent
  socket.on("data", () => {
    if (socket.writableLength > MAX_UNREAD_BYTES) {
      lose("it asks without end and does not read the answers");
    }
  });

  return {
    client,
    accepted: accepted.promise,
    lost: lost.promise,
    closed: closed.promise,
    destroy,
  };
}

function toAuthMethod(
  type: Method,
  { username, password, privateKey }: Credentials,
  prompt: (questions: Prompt[], finish: (answers: string[]) => void) => void,
): AnyAuthMethod {
  if (type === "publickey" && privateKey !== undefined) {
    return { type, username, key: privateKey.reveal() };
  }
  if (type === "password" && password !== undefined) {
    return { type, username, password: password.reveal() };
  }
  return {
    type: "keyboard-interactive",
    username,
    prompt: (_name, _instructions, _language, questions, finish) =>
      prompt(questions, finish),
  };
}

/** In the form that `ssh-keygen -lf` prints. */
function fingerprint(key: Uint8Array): string {
  const digest = createHash("sha256").update(key).digest("base64");
  return `SHA256:${digest.replace(/=+$/, "")}`;
}

function requestShell(client: Client): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    client.shell(WINDOW, (error, channel) => {
      if (error === undefined) return resolve(channel);
      const message = `Cannot open a shell, as the firewall refused it: ${
        quote(error.message)
      }`;
      reject(new PollError("session", message, { cause: error }));
    });
  });
}

function toShell(channel: ClientChannel, connection: Connection): SshShell {
  const { client, lost, closed, destroy } = connection;
  const channelClosed = Promise.withResolvers<void>();
  const ended = new PollError("session", "The session was ended");

  const output = new ReadableStream<Uint8Array>({
    start(controller): void {
      let isOpen = true;
      const finish = (last: () => void): void => {
        if (isOpen) last();
        isOpen = false;
      };
      channel.on("data", (chunk: Uint8Array) => {
        if (isOpen) controller.enqueue(chunk);
      });
      const close = (): void => finish(() => controller.close());
      // nothing comes behind it, and the channel may stay open after it
      channel.on("end", close);
      channel.on("close", () => {
        close();
        channelClosed.resolve();
      });
      lost.catch((reason) => finish(() => controller.error(reason)));
    },
    cancel(): void {
      destroy(ended);
    },
  });
  channel.stderr.resume();

  async function end(): Promise<void> {
    channel.write("exit\n");
    await within(END_MS, Promise.race([channelClosed.promise, closed]));
    client.end();
    await within(END_MS, closed);
    destroy(ended);
    await closed;
  }

  return { output, write: (text) => void channel.write(text), end };
}

async function within(ms: number, promise: Promise<void>): Promise<void> {
  const { promise: elapsed, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([promise, elapsed]);
  clearTimeout(timer);
}
