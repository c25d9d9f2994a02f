import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  billOfMaterials,
  describePackages,
  type Lock,
} from "../../deploy/release/bill_of_materials.ts";
import { packagesOf, parseBill } from "../support/cyclonedx.ts";
import { temporaryFolder } from "../support/program.ts";

const DIGEST = createHash("sha512").update("the package");
const SHA512 = DIGEST.copy().digest("hex");
const INTEGRITY = `sha512-${DIGEST.copy().digest("base64")}`;

const LOCK: Lock = {
  npm: {
    "shell@1.17.0": {
      integrity: INTEGRITY,
      dependencies: ["asn1"],
      optionalDependencies: ["@scope/cpu", "absent"],
    },
    "asn1@0.2.6": { integrity: INTEGRITY, dependencies: ["buffer@2.0.0"] },
    "@scope/cpu@1.0.0": { integrity: INTEGRITY },
    "buffer@1.0.0": { integrity: INTEGRITY },
    "buffer@2.0.0": { integrity: INTEGRITY },
    "absent@1.0.0": { integrity: INTEGRITY },
  },
};

/** `package.json` of each package, as the three generations of npm wrote it. */
const PACKAGES: Readonly<Record<string, object>> = {
  "shell@1.17.0": { licenses: [{ type: "MIT" }] },
  "asn1@0.2.6": { license: { type: "BSD-3-Clause" } },
  "@scope/cpu@1.0.0": { license: "(MIT OR Apache-2.0)" },
  "buffer@2.0.0": { license: "Unlicense" },
};
const EMBEDDED = Object.keys(PACKAGES);

const PRODUCT = {
  version: "1.2.3",
  commit: { id: "0123456789abcdef", madeAt: 1_700_000_000 },
  denoVersion: "2.9.6",
  imports: ["shell", "only-in-tests"],
};

Deno.test("a bill of materials is valid CycloneDX, and names what is embedded", async () => {
  await using cache = await createCache(PACKAGES);
  const packages = await describePackages(EMBEDDED, { lock: LOCK, ...cache });
  const text = billOfMaterials({ ...PRODUCT, packages });
  const bill = await parseBill(text);
  assert.deepEqual(packagesOf(bill), [...EMBEDDED].sort());
  const { timestamp, component } = bill.metadata;
  assert.equal(timestamp, "2023-11-14T22:13:20.000Z");
  assert.equal(component.version, "1.2.3");
  assert.equal(component.pedigree.commits[0]?.uid, "0123456789abcdef");

  const scoped = bill.components.find(({ name }) => name === "cpu");
  assert.deepEqual(scoped, {
    type: "library",
    "bom-ref": "pkg:npm/%40scope/cpu@1.0.0",
    group: "@scope",
    name: "cpu",
    version: "1.0.0",
    hashes: [{ alg: "SHA-512", content: SHA512 }],
    licenses: [{ expression: "(MIT OR Apache-2.0)" }],
    purl: "pkg:npm/%40scope/cpu@1.0.0",
  });
  assert.equal(billOfMaterials({ ...PRODUCT, packages }), text);
});

Deno.test("a bill of materials has the runtime, and what needs what", async () => {
  await using cache = await createCache(PACKAGES);
  const packages = await describePackages(EMBEDDED, { lock: LOCK, ...cache });
  const bill = await parseBill(billOfMaterials({ ...PRODUCT, packages }));
  const runtime = "pkg:github/denoland/deno@v2.9.6";
  assert(bill.components.some(({ purl }) => purl === runtime));
  const graph = bill.dependencies.map(({ ref, dependsOn = [] }) =>
    `${ref} -> ${dependsOn.join(", ")}`
  );
  assert.deepEqual(graph, [
    `panos-ipsec-exporter@1.2.3 -> pkg:npm/shell@1.17.0, ${runtime}`,
    "pkg:npm/shell@1.17.0 -> pkg:npm/asn1@0.2.6, pkg:npm/%40scope/cpu@1.0.0",
    "pkg:npm/asn1@0.2.6 -> pkg:npm/buffer@2.0.0",
    "pkg:npm/%40scope/cpu@1.0.0 -> ",
    "pkg:npm/buffer@2.0.0 -> ",
    `${runtime} -> `,
  ]);
});

Deno.test("the schema refuses a bill of materials that is not valid", async () => {
  const text = billOfMaterials({ ...PRODUCT, packages: [] });
  await parseBill(text);
  await assert.rejects(parseBill(text.replace("platform", "plattform")));
  await assert.rejects(parseBill(text.replace('"MIT"', '"My Own"')));
});

Deno.test("a package that cannot be described is named", async (t) => {
  const integrity = INTEGRITY;
  const cases: readonly {
    what: string;
    lock: Lock;
    packageJson: object;
    says: RegExp;
  }[] = [{
    what: "not in the lock",
    lock: {},
    packageJson: {},
    says: /: a@1\.0\.0 is not in deno\.lock$/,
  }, {
    what: "a checksum of another kind",
    lock: { npm: { "a@1.0.0": { integrity: "sha1-AAAA" } } },
    packageJson: { license: "MIT" },
    says: /^Cannot read the checksum of a@1\.0\.0 .*found "sha1-AAAA"$/,
  }, {
    what: "no licence",
    lock: { npm: { "a@1.0.0": { integrity } } },
    packageJson: { license: 7 },
    says: /^Cannot find the licence of \S+\/a\/1\.0\.0$/,
  }];
  for (const { what, lock, packageJson, says } of cases) {
    await t.step(what, async () => {
      await using cache = await createCache({ "a@1.0.0": packageJson });
      await assert.rejects(describePackages(["a@1.0.0"], { lock, ...cache }), {
        name: "ReleaseError",
        message: says,
      });
    });
  }
});

/** A cache of Deno with these packages in it. */
async function createCache(
  packages: Readonly<Record<string, object>>,
): Promise<AsyncDisposable & { readonly cache: string }> {
  const folder = await temporaryFolder();
  for (const [id, packageJson] of Object.entries(packages)) {
    const path = `${folder.path}/npm/registry.example/${
      id.replace(/(?<!^)@/, "/")
    }`;
    await Deno.mkdir(path, { recursive: true });
    const text = JSON.stringify(packageJson);
    await Deno.writeTextFile(`${path}/package.json`, text);
    await Deno.writeTextFile(`${path}/LICENSE`, `The licence of ${id}\n`);
  }
  return {
    cache: folder.path,
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}
