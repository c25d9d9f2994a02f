/**
 * Which build of the exporter this is.
 *
 * @module
 */

import config from "../../deno.json" with { type: "json" };

/** As in `deno.json`. */
export const VERSION: string = config.version;

// `git archive` fills it in, from which a release is compiled: this is how a
// program that may read no file knows the commit that it was built from.
const STAMP = "$Format:%h$";

/** Commit that the executable was built from; `unknown` outside a release. */
export const REVISION: string = STAMP.startsWith("$") ? "unknown" : STAMP;
