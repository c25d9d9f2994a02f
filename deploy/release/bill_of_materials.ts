/**
 * What is in an executable, as CycloneDX tells it: the packages with their
 * checksums and licences, what needs what, and the runtime.
 *
 * @see {@link https://cyclonedx.org/docs/1.6/json/}
 * @module
 */

import { Buffer } from "node:buffer";
import { namesIn, ReleaseError } from "./command.ts";

/** A package that is embedded. */
export interface Package {
  readonly name: string;
  readonly version: string;
  /** SHA-512 of what the registry gave, in hexadecimal. */
  readonly sha512: string;
  /** SPDX identifier or expression. */
  readonly licence: string;
  /** The licence in full, as the package has it. */
  readonly licenceText: string;
  /** The embedded packages that it needs, as `name@version`. */
  readonly needs: readonly string[];
}

interface Locked {
  readonly integrity: string;
  readonly dependencies?: readonly string[];
  readonly optionalDependencies?: readonly string[];
}

/** `deno.lock`, as far as it matters here. */
export interface Lock {
  readonly npm?: Readonly<Record<string, Locked>>;
}

/** Where the packages are looked up. */
export interface Sources {
  readonly lock: Lock;
  /** `DENO_DIR`, which holds the packages unpacked. */
  readonly cache: string;
}

/**
 * Looks up what is known of the embedded packages.
 *
 * @param embedded Each as `name@version`.
 * @throws {ReleaseError} If the lock or the cache does not know one of them.
 */
export async function describePackages(
  embedded: readonly string[],
  { lock, cache }: Sources,
): Promise<readonly Package[]> {
  return await Promise.all(embedded.map(async (id) => {
    const locked = lock.npm?.[id];
    if (locked === undefined) {
      throw new ReleaseError(
        `Cannot say what is in the executable: ${id} is not in deno.lock`,
      );
    }
    const [name, version] = splitId(id);
    const folder = await packageFolder(cache, `${name}/${version}`);
    const asked = [
      ...locked.dependencies ?? [],
      ...locked.optionalDependencies ?? [],
    ];
    return {
      name,
      version,
      sha512: sha512Of(id, locked.integrity),
      licence: await licenceOf(folder),
      licenceText: await licenceTextOf(folder),
      needs: embedded.filter((other) =>
        asked.includes(other) || asked.includes(splitId(other)[0])
      ),
    };
  }));
}

function splitId(id: string): readonly [name: string, version: string] {
  const at = id.lastIndexOf("@");
  return [id.slice(0, at), id.slice(at + 1)];
}

function sha512Of(id: string, integrity: string): string {
  const base64 = /^sha512-(?<base64>[A-Za-z0-9+/]{86}==)$/.exec(integrity)
    ?.groups?.["base64"];
  if (base64 === undefined) {
    throw new ReleaseError(
      `Cannot read the checksum of ${id} in deno.lock: expected "sha512-…", found "${integrity}"`,
    );
  }
  return Buffer.from(base64, "base64").toString("hex");
}

async function packageFolder(cache: string, path: string): Promise<string> {
  for (const registry of await namesIn(`${cache}/npm`)) {
    const folder = `${cache}/npm/${registry}/${path}`;
    try {
      await Deno.stat(folder);
      return folder;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  throw new ReleaseError(`Cannot find the package ${path} in ${cache}/npm`);
}

async function licenceOf(folder: string): Promise<string> {
  const { license, licenses } = JSON.parse(
    await Deno.readTextFile(`${folder}/package.json`),
  );
  // The second form and the third are those of old packages.
  const licence = [license, license?.type, licenses?.[0]?.type]
    .find((value) => typeof value === "string");
  if (licence === undefined) {
    throw new ReleaseError(`Cannot find the licence of ${folder}`);
  }
  return licence;
}

/** Some packages name their licence, and ship no text of it. */
async function licenceTextOf(folder: string): Promise<string> {
  const names = await namesIn(folder);
  const name = names.find((name) => /^licen[cs]e(?:\.\w+)?$/i.test(name));
  return name === undefined
    ? `${await licenceOf(folder)}, as its package.json says; it has no text.`
    : await Deno.readTextFile(`${folder}/${name}`);
}

/** What a bill of materials is about. */
export interface Product {
  readonly version: string;
  readonly commit: { readonly id: string; readonly madeAt: number };
  readonly denoVersion: string;
  readonly packages: readonly Package[];
  /** The packages that the program itself imports, by their names. */
  readonly imports: readonly string[];
}

/** Writes a bill of materials, the same for the same product. */
export function billOfMaterials(product: Product): string {
  const { version, commit, denoVersion, packages, imports } = product;
  const program = `panos-ipsec-exporter@${version}`;
  const runtime = `pkg:github/denoland/deno@v${denoVersion}`;
  const direct = packages.filter(({ name }) => imports.includes(name));
  const bill = {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      timestamp: new Date(commit.madeAt * 1_000).toISOString(),
      component: {
        type: "application",
        "bom-ref": program,
        name: "panos-ipsec-exporter",
        version,
        licenses: [{ license: { id: "MIT" } }],
        pedigree: { commits: [{ uid: commit.id }] },
      },
    },
    components: [
      ...packages.map(component),
      {
        type: "platform",
        "bom-ref": runtime,
        name: "deno",
        version: denoVersion,
        licenses: [{ license: { id: "MIT" } }],
        purl: runtime,
      },
    ],
    dependencies: [
      { ref: program, dependsOn: [...direct.map(purlOf), runtime] },
      ...packages.map((each) => ({
        ref: purlOf(each),
        dependsOn: each.needs.map(purl),
      })),
      { ref: runtime },
    ],
  };
  return `${JSON.stringify(bill, null, 2)}\n`;
}

function component(each: Package): object {
  const { name, version, sha512, licence } = each;
  const [, group, rest] = /^(@[^/]+)\/(.+)$/.exec(name) ?? [];
  const isExpression = / (?:AND|OR|WITH) /.test(licence);
  return {
    type: "library",
    "bom-ref": purlOf(each),
    ...(group === undefined ? { name } : { group, name: rest }),
    version,
    hashes: [{ alg: "SHA-512", content: sha512 }],
    licenses: [
      isExpression ? { expression: licence } : { license: { id: licence } },
    ],
    purl: purlOf(each),
  };
}

function purlOf({ name, version }: Package): string {
  return purl(`${name}@${version}`);
}

/** @param id As `name@version`. */
function purl(id: string): string {
  return `pkg:npm/${id.replace(/^@/, "%40")}`;
}
