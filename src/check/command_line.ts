/**
 * What the program is asked to do.
 *
 * @module
 */

import { quote } from "../std/quote.ts";
import type { Build } from "../view/metrics.ts";
import { EXIT, type Outcome } from "./outcome.ts";

/** What to do. */
export type Action =
  | { readonly kind: "serve" | "parse" | "redact" }
  | { readonly kind: "check"; readonly target: string | undefined }
  /** All that there is to do: help, version, or what is wrong. */
  | { readonly kind: "print"; readonly outcome: Outcome };

/** What `--help` prints. */
export const USAGE = `Usage: panos-ipsec-exporter [option]

Without an option it serves /metrics. Environment variables configure it, and
these four are enough:

  USERNAME='prometheus'       the exporter's account on the firewall
  PASSWORD='correct horse'    the password of that account
  HOSTNAME='fw1.example.net'  name or address of the firewall
  HTTP_SERVER_PORT='9098'     where Prometheus finds it; this is the default

Options:

  --check [TARGET]  examine the firewalls one by one, print the tunnels, what is
                    wrong, and what to do
  --parse           read a saved reply to "show vpn flow" from standard input
  --redact          read such a reply, or a whole session, from standard input,
                    and print it without the names of a customer
  --version, -V     print the version
  --help, -h        print this

All variables are in README.md under "Configuration"; how to run it is in
docs/operations.md, "Operating panos-ipsec-exporter".
`;

/**
 * Reads the words behind the program's name.
 *
 * @param build What `--version` tells.
 */
export function readCommandLine(
  words: readonly string[],
  build: Build,
): Action {
  const [option, operand, ...others] = words;
  if (option === undefined) return { kind: "serve" };
  if (option === "--check") {
    const [extra] = others;
    if (extra !== undefined) return refuse(extra, "is one word too many");
    if (operand?.startsWith("-")) return refuse(operand, "is no target");
    return { kind: "check", target: operand };
  }
  const action = readOption(option, build);
  if (action === undefined) return refuse(option, "is no option");
  if (operand !== undefined) return refuse(operand, "is one word too many");
  return action;
}

/** Reads an option that stands alone. */
function readOption(option: string, build: Build): Action | undefined {
  switch (option) {
    case "--parse":
      return { kind: "parse" };
    case "--redact":
      return { kind: "redact" };
    case "--version":
    case "-V":
      return show(describe(build));
    case "--help":
    case "-h":
      return show(USAGE);
    default:
      return undefined;
  }
}

function show(stdout: string): Action {
  return { kind: "print", outcome: { stdout, stderr: "", code: EXIT.good } };
}

function describe({ version, revision, denoVersion }: Build): string {
  return `panos-ipsec-exporter ${version} (${revision}, Deno ${denoVersion})\n`;
}

/** One sentence that names the word which is wrong, and the usage. */
function refuse(word: string, why: string): Action {
  const problem = `Cannot read the command line: ${quote(word)} ${why}`;
  const stderr = `${problem}\n\n${USAGE}`;
  return {
    kind: "print",
    outcome: { stdout: "", stderr, code: EXIT.usage },
  };
}
