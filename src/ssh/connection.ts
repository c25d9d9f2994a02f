/**
 * One SSH connection, from the first byte to the end.
 *
 * What it shields the others from: a connection that fails emits several
 * errors, or none and only `close`; callbacks come after the end.
 *
 * @module
 */

import type { Socket } from "node:net";
// @ts-types="@types/ssh2"
import {
  type AnyAuthMethod,
  Client,
  type ClientChannel,
  type NegotiatedAlgorithms,
  type Prompt,
  type PseudoTtyOptions,
} from "ssh2";
import type { Negotiated } from "../model/negotiated.ts";
import { type Phase, PollError } from "../model/poll.ts";
import type { Clock } from "../std/clock.ts";
import { type Quote, quoteWithout } from "../std/quote.ts";
import { offeredAlgorithms } from "./algorithms.ts";
import {
  Authentication,
  type Credential,
  type Credentials,
  type Method,
} from "./authentication.ts";
import { fingerprintOf, type HostKeyCheck } from "./host_key.ts";
import { explainLoss } from "./loss.ts";
import { Offer } from "./offer.ts";
import { PacedSocket } from "./paced_socket.ts";
import { Traffic } from "./traffic.ts";

/** What a login needs of the one that starts it, and tells it. */
export interface Login {
  readonly credentials: Credentials;
  /** Name or address, without brackets. */
  readonly host: string;
  readonly port: number;
  /** Whether SHA-1 and CBC may be used. */
  readonly allowsLegacyAlgorithms: boolean;
  readonly hostKey: HostKeyCheck;
  /** The only credential that may be sent; `undefined` if both may. */
  readonly only: Credential | undefined;
  /** Waited for before anything is sent that the firewall can reject. */
  beforeCredential(credential: Credential): Promise<void>;
  onAccepted(): void;
  onPhase(phase: Exclude<Phase, "command">): void;
}

/** More answers than this, sent and not read, are a flood of questions. */
const MAX_UNREAD_BYTES = 1024 * 1024;

/** A firewall that leaves two questions in a row unanswered is gone. */
const KEEPALIVE_COUNT = 2;

/** A connection that is being, or has been, authenticated. */
export class Connection {
  readonly client = new Client();
  readonly traffic = new Traffic();
  /** Puts what the firewall says into a message. */
  readonly quote: Quote;
  readonly #accepted = Promise.withResolvers<Negotiated>();
  readonly #lost = Promise.withResolvers<never>();
  readonly #closed = Promise.withResolvers<void>();
  readonly #login: Login;
  readonly #socket: Socket;
  readonly #paced: PacedSocket;
  readonly #signal: AbortSignal;
  readonly #authentication: Authentication;
  readonly #offer = new Offer();
  #isAccepted = false;
  /** Whether a shell was asked for that is not open yet. */
  #isOpening = false;
  #loss: PollError | undefined;
  /** Set by the first handshake: others follow, which change nothing. */
  #negotiated: Negotiated | undefined;
  #hostKey: string | undefined;
  #given: "an answer" | "the credentials" | undefined;

  /** @param signal Aborted to give the connection up, with its reason. */
  constructor(
    login: Login,
    socket: Socket,
    signal: AbortSignal,
    clock: Clock,
  ) {
    this.#login = login;
    this.#socket = socket;
    this.#paced = new PacedSocket(socket, clock);
    this.#signal = signal;
    const { credentials, only } = login;
    this.quote = quoteWithout(credentials.password);
    this.#authentication = new Authentication(credentials, only, this.quote);
    this.#lost.promise.catch(() => {}); // nobody may be waiting
  }

  /** Settles when the firewall has accepted the credentials. */
  get accepted(): Promise<Negotiated> {
    return this.#accepted.promise;
  }

  /** Rejects when the connection is lost or given up, with the reason. */
  get lost(): Promise<never> {
    return this.#lost.promise;
  }

  /** Why it is lost, as soon as it is. */
  get loss(): PollError | undefined {
    return this.#loss;
  }

  /** Settles when the socket is closed. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /**
   * Begins to talk; to be called once.
   *
   * @param keepaliveMs How long the connection may be silent before the
   * firewall is asked whether it is still there.
   */
  start(keepaliveMs: number): void {
    const { credentials: { username }, allowsLegacyAlgorithms } = this.#login;
    this.#signal.addEventListener("abort", this.#abort);
    this.#socket
      .on("data", (chunk) => this.#watchTraffic(chunk))
      .on("close", () => this.#closed.resolve());
    this.client
      .on("handshake", (negotiated) => this.#shakeHands(negotiated))
      .on("ready", () => this.#accept())
      .on("change password", () => this.#refuse(PASSWORD_EXPIRED))
      .on("error", ({ message }) => this.#lose(this.quote(message)))
      .on("end", () => this.#lose("it closed the connection"))
      .on("close", () => this.#lose("it closed the connection"));
    if (this.#signal.aborted) return this.#abort();
    this.client.connect({
      sock: this.#paced,
      username,
      algorithms: offeredAlgorithms(allowsLegacyAlgorithms),
      readyTimeout: 0, // the signal bounds the login
      keepaliveInterval: keepaliveMs,
      keepaliveCountMax: KEEPALIVE_COUNT,
      hostVerifier: (key: Uint8Array) => this.#isHostKeyAccepted(key),
      debug: (note) => this.#readNote(note),
      authHandler: (offered, isPartial, next) => {
        if (offered === null) return next({ type: "none", username });
        const reply = { offered, isPartial: isPartial === true };
        this.#authenticate(reply, next).catch(this.#refuse);
      },
    });
  }

  /**
   * Asks for a shell in a terminal.
   *
   * @throws {PollError} `session`, if the firewall refuses it.
   */
  async openShell(window: PseudoTtyOptions): Promise<ClientChannel> {
    const { promise, resolve, reject } = Promise.withResolvers<ClientChannel>();
    this.#isOpening = true;
    this.client.shell(window, (error, channel) => {
      this.#isOpening = false;
      if (error === undefined) return resolve(channel);
      const message = `Cannot open a shell, as the firewall refused it: ${
        this.quote(error.message)
      }`;
      reject(new PollError("session", message, { cause: error }));
    });
    return await promise;
  }

  /** Gives the connection up, at once. */
  destroy(reason: PollError): void {
    if (this.#loss !== undefined) return;
    this.#loss = reason;
    this.#signal.removeEventListener("abort", this.#abort);
    this.#lost.reject(reason);
    // ssh2 goes on reading garbage, and growing, while there is a socket
    this.#paced.destroy();
  }

  readonly #abort = (): void => this.destroy(this.#signal.reason);

  #lose(what: string): void {
    const { host, port, allowsLegacyAlgorithms } = this.#login;
    const progress = {
      where: `${host} port ${port}`,
      isAccepted: this.#isAccepted,
      given: this.#given,
      offer: this.#offer.explain(this.quote, allowsLegacyAlgorithms),
    };
    this.destroy(explainLoss(progress, what));
  }

  readonly #refuse = (error: unknown): void => {
    if (!(error instanceof PollError)) throw error;
    const { host, port } = this.#login;
    const failed = this.#isAccepted ? "go on with" : "log in to";
    const message = `Cannot ${failed} ${host} port ${port}: ${error.message}`;
    this.destroy(new PollError(error.reason, message, { cause: error }));
  };

  #watchTraffic(chunk: Uint8Array): void {
    this.traffic.received(chunk.length);
    if (this.traffic.isExcessive) {
      this.#lose("it sends more than 1 MiB that is no output of a command");
    }
    // ssh2 answers whatever it is asked, and keeps what cannot be sent
    if (this.#socket.writableLength > MAX_UNREAD_BYTES) {
      this.#lose("it asks without end and does not read the answers");
    }
    if (this.#isOpening && !this.#paced.isSending) this.#acknowledge();
  }

  /**
   * Acknowledges what the firewall has said, with a message that the `ssh` client
   * sends, too: no more sessions will be wanted.
   *
   * OpenSSH says several things before the terminal is open, such as a proof of
   * its host keys. Its kernel keeps each of them until the one before it is
   * acknowledged. Ours waits 40 ms with that if there is nothing to send.
   */
  #acknowledge(): void {
    if (this.#loss !== undefined || !this.#paced.writable) return;
    // @ts-expect-error: with a callback it would ask for an answer
    this.client.openssh_noMoreSessions();
  }

  #readNote(note: string): void {
    if (this.#negotiated === undefined) this.#offer.note(note);
  }

  /** A key is shown, and may be accepted, before its owner has proved it. */
  #isHostKeyAccepted(key: Uint8Array): boolean {
    const shown = fingerprintOf(key);
    const isOther = this.#negotiated !== undefined && shown !== this.#hostKey;
    const why = isOther
      ? `it began with the host key ${this.#hostKey} and shows ${shown} in the same connection: find out who is in between`
      : this.#login.hostKey.reject(shown);
    this.#hostKey = shown;
    if (why !== undefined) this.#refuse(new PollError("host_key", why));
    return why === undefined;
  }

  #shakeHands({ kex, serverHostKey, sc }: NegotiatedAlgorithms): void {
    if (this.#loss !== undefined || this.#negotiated !== undefined) return;
    if (this.#hostKey === undefined) {
      return this.#lose("it showed no host key");
    }
    const { cipher, mac } = sc;
    this.#negotiated = { kex, hostKey: serverHostKey, cipher, mac };
    this.#login.hostKey.confirm(this.#hostKey);
    this.#login.onPhase("auth");
  }

  #accept(): void {
    if (this.#loss !== undefined || this.#negotiated === undefined) return;
    this.#isAccepted = true;
    this.#login.onAccepted();
    this.#login.onPhase("session");
    this.#accepted.resolve(this.#negotiated);
  }

  async #authenticate(
    reply: { readonly offered: readonly string[]; readonly isPartial: boolean },
    next: (method: AnyAuthMethod) => void,
  ): Promise<void> {
    const type = this.#authentication.choose(reply.offered, reply.isPartial);
    // its questions come first, and may be none that is answered
    const isQuestioning = type === "keyboard-interactive";
    const credential = type === "publickey" ? "key" : "password";
    if (!isQuestioning && !await this.#takeTurn(credential)) return;
    next(toAuthMethod(type, this.#login.credentials, (questions, finish) => {
      this.#answer(questions, finish).catch(this.#refuse);
    }));
  }

  async #answer(
    questions: readonly Prompt[],
    finish: (answers: string[]) => void,
  ): Promise<void> {
    const { texts, hasPassword } = this.#authentication.answer(questions);
    if (hasPassword && !await this.#takeTurn("password")) return;
    this.#given ??= "an answer";
    finish(texts);
  }

  /** @returns Whether the credentials may be sent. */
  async #takeTurn(credential: Credential): Promise<boolean> {
    try {
      await this.#login.beforeCredential(credential);
      if (this.#loss === undefined) this.#given = "the credentials";
    } catch (error) {
      // not the firewall's doing, and so not worded as if it were
      if (!(error instanceof PollError)) throw error;
      this.destroy(error);
    }
    return this.#loss === undefined;
  }
}

const PASSWORD_EXPIRED = new PollError(
  "auth",
  "it demands a new password: log in by hand and change it",
);

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
