/**
 * Checks bills of materials by the schema of CycloneDX.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Ajv } from "ajv";

const SCHEMAS = new URL("../data/cyclonedx/", import.meta.url);

/** A bill of materials, as far as tests look into it. */
export interface Bill {
  readonly metadata: {
    readonly timestamp: string;
    readonly component: {
      readonly version: string;
      readonly pedigree: { readonly commits: readonly { uid: string }[] };
    };
  };
  readonly components: readonly {
    readonly type: string;
    readonly group?: string;
    readonly name: string;
    readonly version: string;
    readonly purl: string;
    readonly hashes?: readonly { readonly content: string }[];
    readonly licenses: readonly unknown[];
  }[];
  readonly dependencies: readonly {
    readonly ref: string;
    readonly dependsOn?: readonly string[];
  }[];
}

/** Parses a bill of materials, which has to be valid. */
export async function parseBill(text: string): Promise<Bill> {
  // Formats such as "iri-reference" are those of another package.
  const ajv = new Ajv({ strict: false, validateFormats: false });
  for (const name of ["spdx", "jsf-0.82"].map(fileOf)) {
    ajv.addSchema(
      await readSchema(name),
      `http://cyclonedx.org/schema/${name}`,
    );
  }
  const validate = ajv.compile(await readSchema(fileOf("bom-1.6")));
  const bill: Bill = JSON.parse(text);
  const isValid = validate(bill);
  assert(isValid, JSON.stringify(validate.errors, null, 2));
  return bill;
}

function fileOf(name: string): string {
  return `${name}.SNAPSHOT.schema.json`;
}

async function readSchema(file: string): Promise<object> {
  return JSON.parse(await Deno.readTextFile(new URL(file, SCHEMAS)));
}

/** The packages of a bill, each as `name@version`, sorted. */
export function packagesOf({ components }: Bill): readonly string[] {
  return components.filter(({ type }) => type === "library")
    .map(({ group, name, version }) =>
      `${group === undefined ? name : `${group}/${name}`}@${version}`
    ).sort();
}
