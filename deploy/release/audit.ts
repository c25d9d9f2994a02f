/**
 * Asks the registry what is known against the packages of `deno.lock`.
 *
 * @module
 */

import { attempt, ReleaseError } from "./command.ts";

/** Looks for known vulnerabilities in what the sources in a folder use. */
export type Audit = (source: string) => Promise<void>;

/**
 * Asks the registry that packages come from, with `deno audit`.
 *
 * @param env Variables for it, such as `NPM_CONFIG_REGISTRY`.
 * @throws {ReleaseError} If it knows of a vulnerability, or does not answer:
 * nothing is released that nobody could ask about.
 */
export async function auditWithDeno(
  source: string,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { success, stdout, stderr } = await attempt(
    [Deno.execPath(), "audit"],
    { cwd: source, env },
  );
  if (success) return;
  if (stdout.trim() === "") {
    throw new ReleaseError(
      `Cannot ask the registry for known vulnerabilities: ${stderr}`,
    );
  }
  throw new ReleaseError(
    `Cannot release with packages that are known to be vulnerable:\n${stdout.trim()}`,
  );
}
