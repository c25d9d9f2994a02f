/**
 * What the program is asked to do.
 *
 * @module
 */

import { quote } from "../std/quote.ts";

export type Command =
  | { readonly action: "serve" | "parse" | "redact" | "version" | "help" }
  | { readonly action: "check"; readonly target: string | undefined }
  /** One sentence that names the word which is wrong. */
  | { readonly action: "refuse"; readonly problem: string };

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

All variables stand in README.md under "Configuration"; how to run it stands in
docs/operations.md, "Operating panos-ipsec-exporter".
`;

type Simple = "parse" | "redact" | "version" | "help";

const OPTIONS: ReadonlyMap<string, Simple> = new Map([
  ["--parse", "parse"],
  ["--redact", "redact"],
  ["--version", "version"],
  ["-V", "version"],
  ["--help", "help"],
  ["-h", "help"],
]);

/** Reads the words behind the program's name. */
export function readCommandLine(words: readonly string[]): Command {
  const [option, operand, ...others] = words;
  if (option === undefined) return { action: "serve" };
  if (option === "--check") {
    const [extra] = others;
    if (extra !== undefined) return refuse(extra, "is one word too many");
    if (operand?.startsWith("-")) return refuse(operand, "is no target");
    return { action: "check", target: operand };
  }
  const action = OPTIONS.get(option);
  if (action === undefined) return refuse(option, "is no option");
  if (operand !== undefined) return refuse(operand, "is one word too many");
  return { action };
}

function refuse(word: string, why: string): Command {
  return {
    action: "refuse",
    problem: `Cannot read the command line: ${quote(word)} ${why}`,
  };
}
