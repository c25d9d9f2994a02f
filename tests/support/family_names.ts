import { NO_HISTORY } from "../../src/model/history.ts";
import {
  buildFamilies,
  firewallFamilies,
  processFamilies,
} from "../../src/view/metrics.ts";

/** Finds the name of every metric that the exporter has. */
export function familyNames(): ReadonlySet<string> {
  const families = [
    ...firewallFamilies({
      target: "fw1",
      poll: undefined,
      lastSuccessAt: undefined,
      loginDuration: undefined,
      negotiated: undefined,
      authRetryAt: undefined,
      logins: 0,
      history: NO_HISTORY,
    }),
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
