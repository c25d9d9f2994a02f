/**
 * A release made twice: run by CI, with a Deno and a runtime base in
 * `DENORT_BIN` that fit each other.
 *
 * The base is of one machine only: what stands for the other is the same file
 * with the number of that machine in its head.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  type CompileJob,
  compileWithDeno,
  PLATFORMS,
} from "../../deploy/release/build.ts";
import { embeddedPackages } from "../../deploy/release/embedded.ts";
import { release } from "../../deploy/release.ts";
import { packagesOf, parseBill } from "../support/cyclonedx.ts";
import { execute, temporaryFolder } from "../support/program.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const BASE_TARGET = "x86_64-unknown-linux-gnu";

Deno.test("two releases from two folders and caches are the same, byte for byte", async (t) => {
  assert(Deno.env.has("DENORT_BIN"), "set DENORT_BIN: see .ci/run");
  await using folder = await temporaryFolder();
  const build = `${folder.path}/build`;
  const one = await releaseFrom(`${folder.path}/one`, build);
  // Neither the time of the files nor what others may read is the same.
  const umask = Deno.umask(0o077);
  const other = await releaseFrom(`${folder.path}/deep/er/other`, build)
    .finally(() => Deno.umask(umask));

  const names = await namesIn(one);
  assert(names.includes("SHA256SUMS"));
  assert.deepEqual(await namesIn(other), names);
  for (const name of names) {
    await t.step(name, async () => {
      const difference = firstDifference(
        await Deno.readFile(`${one}/${name}`),
        await Deno.readFile(`${other}/${name}`),
      );
      assert.equal(difference, undefined);
    });
  }

  await t.step(
    "the bill of materials is valid, and names what is embedded",
    async () => {
      const text = await Deno.readTextFile(
        `${one}/panos-ipsec-exporter.cdx.json`,
      );
      const executable = `${one}/panos-ipsec-exporter-${BASE_TARGET}`;
      const bill = await parseBill(text);
      assert.deepEqual(packagesOf(bill), await embeddedPackages(executable));
    },
  );

  await t.step("the executable is stamped with the commit", async () => {
    const revision = await execute("git", ["rev-parse", "--short", "HEAD"], {
      cwd: ROOT,
    });
    const { stdout } = await execute(
      `${one}/panos-ipsec-exporter-${BASE_TARGET}`,
      ["--version"],
    );
    assert(stdout.includes(`(${revision.stdout.trim()}`), stdout);
  });
});

Deno.test("a difference is told by the byte, and what stands around it", () => {
  const bytes = new TextEncoder().encode("one and the same");
  assert.equal(firstDifference(bytes, bytes.slice()), undefined);
  assert.equal(
    firstDifference(bytes, bytes.with(4, 0x41)),
    'byte 4 of 16 differs from byte 4 of 16: "one and the same", "one And the same"',
  );
  assert.equal(
    firstDifference(bytes, bytes.subarray(0, 3)),
    'byte 3 of 16 differs from byte 3 of 3: "one and the same", "one"',
  );
});

/** @returns The folder with what was released. */
async function releaseFrom(root: string, buildFolder: string): Promise<string> {
  const clone = ["clone", "--quiet", "--no-hardlinks", ROOT, root];
  const { code, stderr } = await execute("git", clone);
  assert.equal(code, 0, stderr);
  await release({
    root,
    buildFolder,
    // Not every registry can be asked.
    audit: () => Promise.resolve(),
    compile: compileForAll,
    // As the release does, which is slower.
    compression: ["-Zgzip", "-z1"],
  });
  return `${root}/dist`;
}

async function compileForAll(job: CompileJob): Promise<void> {
  await compileWithDeno({ ...job, target: BASE_TARGET });
  using file = await Deno.open(job.output, { write: true });
  await file.seek(18, Deno.SeekMode.Start);
  const machine = PLATFORMS.get(job.target)?.machine ?? 0;
  await file.write(new Uint8Array([machine, 0]));
}

/** Says where two files differ first, if they do. */
function firstDifference(
  one: Uint8Array,
  other: Uint8Array,
): string | undefined {
  const shorter = Math.min(one.length, other.length);
  let at = 0;
  while (at < shorter && one[at] === other[at]) at++;
  if (at === one.length && at === other.length) return undefined;
  const around = (bytes: Uint8Array): string =>
    JSON.stringify(
      new TextDecoder().decode(bytes.subarray(Math.max(0, at - 40), at + 40)),
    );
  return `byte ${at} of ${one.length} differs from byte ${at} of ${other.length}: ${
    around(one)
  }, ${around(other)}`;
}

async function namesIn(folder: string): Promise<readonly string[]> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  return entries.map(({ name }) => name).sort();
}
