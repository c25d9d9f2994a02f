/**
 * The command line of the simulated firewall: a line editor that echoes and
 * redraws as PAN-OS does, and prints the replies that a test wants.
 *
 * @module
 */

import { once } from "node:events";
// @ts-types="@types/ssh2"
import type { ServerChannel } from "ssh2";
import type { Output, Step } from "./panos_output.ts";
import { inventTunnels, printVpnFlow } from "./vpn_flow_reply.ts";

/** Settings; a firewall without `replyXml` does not know the last one. */
type Setting = "scripting-mode" | "pager" | "xml-output";

/** How the command line of the firewall looks. Everything can be left out. */
export interface ShellOptions {
  /**
   * Printed whenever the firewall waits for a command. A function is given the
   * number of commands answered so far, those that only set something not
   * counted, so that the state of a HA pair can change between two polls.
   */
  readonly prompt?: string | ((answered: number) => string);
  /**
   * Answers every command that does not set anything.
   *
   * @param answered Number of such commands answered before this one.
   */
  readonly reply?: (
    command: string,
    answered: number,
  ) => Output | Promise<Output>;
  /** Answers instead of `reply` after `set cli op-command-xml-output on`. */
  readonly replyXml?: ShellOptions["reply"];
}

/** The firewall that a shell belongs to. */
export interface ShellHost {
  /** Commands answered so far in all sessions. */
  readonly answered: number;
  /** Calls back when the first prompt may be printed, or never. */
  onLogin(proceed: () => void): void;
  /** Called with each command when it is read, before it is answered. */
  onCommand(command: string): void;
  /** Called when a reply is complete, before the prompt behind it. */
  onAnswered(): void;
  /** Called for `exit`. */
  onExit(): void;
  /** Called when a reply wants the TCP connection gone. */
  drop(): void;
}

const LOGIN_TEXT = [
  "Last login: Mon Jan  5 09:12:44 2026 from 192.0.2.200",
  "",
  "",
  "Number of failed attempts since last successful login: 0",
  "",
  "",
].join("\n");

const PROMPT = "monitor@fw-a(active)> ";

/** The reply when a test does not care: six tunnels, all of them up. */
function replyWithSixTunnels(command: string): string {
  return command === "show vpn flow"
    ? printVpnFlow(inventTunnels(6))
    : `Unknown command: ${command}\n`;
}

/** One shell, and how far the client has set it up. */
interface Shell extends Required<Omit<ShellOptions, "replyXml">> {
  readonly replyXml: ShellOptions["replyXml"];
  readonly channel: ServerChannel;
  readonly host: ShellHost;
  readonly screen: Screen;
  /** Height of the terminal. */
  readonly rows: number;
  /** Until the channel is closed, by whomever. */
  isOpen: boolean;
  scriptingMode: boolean;
  /** Whether output that is longer than the terminal waits for a key. */
  pager: boolean;
  /** Whether commands are answered in XML. */
  xmlOutput: boolean;
}

/** What follows a reply: the prompt, or nothing any more. */
type Next = "prompt" | "nothing";

/**
 * Serves one shell channel.
 *
 * @param rows Height of the terminal; the pager waits after that many lines.
 */
export function serveShell(
  { channel, options, host, rows }: {
    readonly channel: ServerChannel;
    readonly options: ShellOptions;
    readonly host: ShellHost;
    readonly rows: number;
  },
): void {
  const shell: Shell = {
    prompt: PROMPT,
    reply: replyWithSixTunnels,
    ...options,
    replyXml: options.replyXml,
    channel,
    host,
    screen: createScreen(channel),
    rows,
    isOpen: true,
    scriptingMode: false,
    pager: true,
    xmlOutput: false,
  };
  channel.once("close", () => shell.isOpen = false);
  const lines = readLines(channel);
  shell.screen.print(LOGIN_TEXT);
  shell.screen.flush();
  host.onLogin(() => void converse(shell, lines));
}

async function converse(
  shell: Shell,
  lines: AsyncIterable<string>,
): Promise<void> {
  const { screen } = shell;
  screen.print(promptOf(shell));
  screen.flush();
  for await (const line of lines) {
    printTyped(shell, line);
    const next = await answerLine(shell, line.trim());
    if (next === "prompt") screen.print(promptOf(shell));
    screen.flush();
    // A client that types on into the void is neither echoed nor answered.
    if (next === "nothing") return;
  }
}

function promptOf({ prompt, host }: Shell): string {
  return typeof prompt === "string" ? prompt : prompt(host.answered);
}

function printTyped(shell: Shell, line: string): void {
  const { scriptingMode, screen } = shell;
  if (scriptingMode) return screen.print(`${line}\n`);
  let typed = "";
  for (const character of line) {
    typed += character;
    screen.print(character);
    if (character === " ") screen.print(`\r\x1b[K${promptOf(shell)}${typed}`);
  }
  screen.print("\n");
}

async function answerLine(shell: Shell, command: string): Promise<Next> {
  const { host, reply, replyXml, screen } = shell;
  if (command === "") return "prompt";
  host.onCommand(command);
  if (command === "exit") {
    screen.flush();
    host.onExit();
    return "nothing";
  }
  const setting = SETTINGS.get(command);
  if (setting === "xml-output" && replyXml === undefined) {
    screen.print(`Unknown command: ${command}\n`);
    return "prompt";
  }
  if (setting !== undefined) {
    change(shell, setting, command);
    return "prompt";
  }
  const answerWith = shell.xmlOutput ? replyXml ?? reply : reply;
  const answer = answerWith(command, host.answered);
  if (answer instanceof Promise) screen.flush();
  const next = await printReply(shell, await answer);
  host.onAnswered();
  return next;
}

function change(shell: Shell, setting: Setting, command: string): void {
  switch (setting) {
    case "scripting-mode":
      shell.scriptingMode = true;
      break;
    case "pager":
      shell.pager = false;
      break;
    case "xml-output":
      shell.xmlOutput = command.endsWith(" on");
      break;
  }
}

async function printReply(shell: Shell, answer: Output): Promise<Next> {
  if (typeof answer === "string") return printText(shell, answer);
  for (const step of answer) {
    if (await perform(shell, step) === "nothing") return "nothing";
  }
  return "prompt";
}

async function perform(shell: Shell, step: Step): Promise<Next> {
  const { channel, host, screen } = shell;
  if (typeof step === "string") {
    screen.print(step);
    return "prompt";
  }
  screen.flush();
  if ("endless" in step) await printForEver(shell, step.endless);
  if ("end" in step) channel.close();
  if ("drop" in step) host.drop();
  return "nothing";
}

/** As fast as the client reads. */
async function printForEver(shell: Shell, text: string): Promise<void> {
  const { channel } = shell;
  const bytes = encode(text);
  const closed = once(channel, "close");
  while (shell.isOpen) {
    while (channel.write(bytes));
    await Promise.race([closed, once(channel, "drain")]);
  }
}

function printText({ pager, rows, screen }: Shell, text: string): Next {
  const whole = text.endsWith("\n") || text === "" ? text : `${text}\n`;
  const lines = whole.split("\n");
  if (!pager || lines.length <= rows) {
    screen.print(whole);
    return "prompt";
  }
  screen.print(lines.slice(0, rows - 1).join("\n"));
  screen.print(`\n\x1b[7mlines 1-${rows - 1} \x1b[27m`);
  return "nothing";
}

const SETTINGS: ReadonlyMap<string, Setting> = new Map([
  ["set cli scripting-mode on", "scripting-mode"],
  ["set cli pager off", "pager"],
  ["set cli op-command-xml-output on", "xml-output"],
  ["set cli op-command-xml-output off", "xml-output"],
]);

/** Where output is collected, so that echo, reply and prompt make one packet. */
interface Screen {
  print(text: string): void;
  flush(): void;
}

function createScreen(channel: ServerChannel): Screen {
  let output = "";
  return {
    print(text): void {
      output += text;
    },
    flush(): void {
      const bytes = encode(output);
      output = "";
      if (bytes.length > 0 && channel.writable) channel.write(bytes);
    },
  };
}

/** Text with `\n` as line end, in the way of a terminal. */
function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text.replaceAll(/\r?\n/g, "\r\n"));
}

/**
 * What the client types, line by line, until the channel ends.
 *
 * Not an iteration over the channel itself: leaving such a loop closes the
 * channel, and a firewall that hangs must keep it open.
 */
function readLines(channel: ServerChannel): AsyncIterable<string> {
  const decoder = new TextDecoder();
  const lines: string[] = [];
  let typed = "";
  let open = true;
  let wake = (): void => {};
  channel.on("data", (chunk: Uint8Array) => {
    typed += decoder.decode(chunk, { stream: true });
    lines.push(...typed.split(/[\r\n]/));
    typed = lines.pop() ?? "";
    wake();
  });
  channel.once("close", () => {
    open = false;
    wake();
  });
  return {
    async *[Symbol.asyncIterator](): AsyncGenerator<string> {
      while (open) {
        if (lines.length === 0) {
          await new Promise<void>((resolve) => wake = resolve);
        }
        yield* lines.splice(0);
      }
    },
  };
}
