/**
 * Which firewalls there are.
 *
 * @module
 */

import { isIP } from "node:net";
import {
  isSameTarget,
  isUnusualIpv4,
  parseTarget,
  type Target,
} from "../model/target.ts";
import type { Reader, Variable } from "./reader.ts";

/** The firewalls of a configuration. */
export interface Targets {
  /** What `/metrics` polls; `undefined` if only `/probe` polls. */
  readonly firewall: Target | undefined;
  /** What `/probe` may poll; `undefined` if `TARGETS` is not set. */
  readonly targets: readonly Target[] | undefined;
  readonly warnings: readonly string[];
}

/**
 * Reads which firewalls are polled.
 *
 * @param sshPort The port of a firewall that is named without one.
 */
export function readTargets(reader: Reader, sshPort: number): Targets {
  const targets = readList(reader, sshPort);
  const hostname = reader.either("HOSTNAME");
  const { name, value } = hostname;
  if (value === undefined) {
    if (!reader.isSet("TARGETS") && !reader.isSet(name)) {
      const wanted =
        "is not set: name or address of the firewall (or set TARGETS)";
      reader.fault(name, wanted);
    }
    return { firewall: undefined, targets, warnings: [] };
  }
  const firewall = parseHostname(value, sshPort);
  const listed = targets?.find((other) =>
    firewall !== undefined && isSameTarget(firewall, other)
  );
  // containers and login shells set HOSTNAME to the name of the machine
  if (name === "HOSTNAME" && reader.isSet("TARGETS")) {
    const warning = `HOSTNAME=${
      reader.quote(value)
    } is not polled, as TARGETS does not list it: list it there, or set PE_HOSTNAME, if it is a firewall`;
    const warnings = listed === undefined ? [warning] : [];
    return { firewall: listed, targets, warnings };
  }
  if (firewall === undefined) refuseHostname(reader, { name, value });
  return { firewall: listed ?? firewall, targets, warnings: [] };
}

function readList(
  reader: Reader,
  sshPort: number,
): readonly Target[] | undefined {
  const entries = reader.list("TARGETS");
  if (entries === undefined) return undefined;
  const targets: Target[] = [];
  for (const text of entries) {
    const target = parseTarget(text, sshPort);
    if (target === undefined) {
      const wanted = cureOf(text) ?? "must list host, host:port or [v6]:port";
      reader.fault("TARGETS", `${wanted}: it has ${reader.quote(text)}`);
    } else if (!targets.some((other) => isSameTarget(target, other))) {
      targets.push(target);
    }
  }
  return targets;
}

function parseHostname(text: string, sshPort: number): Target | undefined {
  const hasPort = /:\d+$/.test(text) && isIP(text) !== 6;
  return hasPort ? undefined : parseTarget(text, sshPort);
}

function refuseHostname(
  reader: Reader,
  { name, value }: Variable & { readonly value: string },
): void {
  const { host, port } =
    /^(?<host>\[[^\]]*\]|[^:/]+):(?<port>\d+)$/.exec(value)?.groups ?? {};
  if (host !== undefined) {
    const cure = `set ${name}=${host} and SSH_PORT=${port}`;
    const problem = `must be without a port: it is ${
      reader.quote(value)
    }, so ${cure}`;
    reader.fault(name, problem);
    return;
  }
  const wanted = cureOf(value) ?? "must be a name or an address";
  reader.fault(name, `${wanted}: it is ${reader.quote(value)}`);
}

/** What has to change for a text to be a firewall's name; a guess. */
function cureOf(text: string): string | undefined {
  if (/^[a-z]+:\/\//i.test(text)) return "must be without a scheme";
  if (!isUnusualIpv4(text)) return undefined;
  return "must have an IPv4 address as four numbers without leading zeros, such as 192.0.2.1";
}
