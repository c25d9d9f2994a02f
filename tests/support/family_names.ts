import {
  buildFamilies,
  firewallFamilies,
  processFamilies,
} from "../../src/view/metrics.ts";
import { NEVER_POLLED } from "./status.ts";

/** Finds the name of every metric that the exporter has. */
export function familyNames(): ReadonlySet<string> {
  const families = [
    ...firewallFamilies(NEVER_POLLED),
    ...buildFamilies({ version: "", revision: "", denoVersion: "" }),
    ...processFamilies({ cpuSeconds: 0, residentMemoryBytes: 0, startedAt: 0 }),
  ];
  return new Set(families.map(({ name }) => name));
}

/** Finds what reads like a metric of this exporter in rules or queries. */
export function metricNames(text: string): ReadonlySet<string> {
  const names = text.matchAll(
    /(?<![:\w])(?:ifIPsec|panos_ipsec_|process_)\w+/g,
  );
  return new Set(Array.from(names, ([name]) => name));
}
