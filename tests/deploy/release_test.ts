import assert from "node:assert/strict";
import { release, type ReleaseOptions } from "../../deploy/release.ts";
import { auditWithDeno } from "../../deploy/release/audit.ts";
import {
  checkExecutable,
  type Compile,
  compileArguments,
  PLATFORMS,
} from "../../deploy/release/build.ts";
import { ReleaseError } from "../../deploy/release/command.ts";
import config from "../../deno.json" with { type: "json" };
import { execute, isAbsent, temporaryFolder } from "../support/program.ts";

const ROOT = new URL("../../", import.meta.url);
const GIT = {
  ignore: ["git", "tar", "gzip", "dpkg-deb"].some((name) => isAbsent(name)),
};
const IDENTITY = ["-c", "user.name=a", "-c", "user.email=a@example.net"];

Deno.test({
  name: "release() fills dist/ from the last commit, which it stamps in",
  ...GIT,
  fn: async () => {
    await using repository = await createRepository();
    const { root, options } = repository;
    const versions: unknown[] = [];
    await release({
      ...options,
      compile: async (job) => {
        const version = `import("./src/std/version.ts").then(console.log)`;
        const { stdout } = await deno(["eval", version], job.source);
        versions.push(stdout);
        await writeExecutable(job);
      },
    });
    const revision = await git(["rev-parse", "--short", "HEAD"], root);
    assert.equal(versions.length, PLATFORMS.size);
    for (const version of versions) {
      assert.match(String(version), new RegExp(`REVISION: "${revision}"`));
      assert.match(String(version), new RegExp(`VERSION: "${config.version}"`));
    }

    const released = await filesIn(`${root}/dist`);
    assert.deepEqual(released, [
      "LICENSE",
      "SHA256SUMS",
      "alertmanager.yml",
      "panos-ipsec-exporter-aarch64-unknown-linux-gnu",
      "panos-ipsec-exporter-x86_64-unknown-linux-gnu",
      "panos-ipsec-exporter.cdx.json",
      "panos-ipsec-exporter.env.example",
      "panos-ipsec-exporter.service",
      "panos-ipsec-exporter@.service",
      `panos-ipsec-exporter_${config.version}_amd64.deb`,
      `panos-ipsec-exporter_${config.version}_arm64.deb`,
    ]);
    const sums = await execute("sha256sum", ["--check", "SHA256SUMS"], {
      cwd: `${root}/dist`,
    });
    assert.equal(sums.code, 0, sums.stderr);
    const checked = sums.stdout.trim().split("\n");
    assert.deepEqual(
      checked,
      released.filter((file) => file !== "SHA256SUMS")
        .map((file) => `${file}: OK`),
    );
  },
});

Deno.test({
  name: "release() leaves nothing behind when one target fails, and names it",
  ...GIT,
  fn: async () => {
    await using repository = await createRepository();
    const { root, options } = repository;
    const failing = "aarch64-unknown-linux-gnu";
    await assert.rejects(
      release({
        ...options,
        compile: async (job) => {
          if (job.target === failing) throw new ReleaseError("no base");
          await writeExecutable(job);
        },
      }),
      {
        name: "ReleaseError",
        message: `Cannot compile for\n${failing}: no base`,
      },
    );
    assert.deepEqual(await filesIn(`${root}/dist`), []);
  },
});

Deno.test({
  name: "release() refuses an executable of another machine",
  ...GIT,
  fn: async () => {
    await using repository = await createRepository();
    const { root, options } = repository;
    const compile: Compile = ({ output }) =>
      writeExecutable({ output, target: "x86_64-unknown-linux-gnu" });
    await assert.rejects(release({ ...options, compile }), {
      name: "ReleaseError",
      message:
        /\naarch64-unknown-linux-gnu: the executable must be for machine 0xb7: found 0x3e$/,
    });
    assert.deepEqual(await filesIn(`${root}/dist`), []);
  },
});

Deno.test({
  name: "release() refuses sources that are not stamped",
  ...GIT,
  fn: async () => {
    await using repository = await createRepository();
    const { root, options } = repository;
    await git(["rm", "--quiet", "src/std/.gitattributes"], root);
    await git(["commit", "--quiet", "--message=no attributes"], root);
    await assert.rejects(release(options), {
      name: "ReleaseError",
      message: /^Cannot stamp the commit/,
    });
  },
});

Deno.test({
  name: "release() refuses a build folder that somebody else made",
  ...GIT,
  fn: async () => {
    await using repository = await createRepository();
    const { options } = repository;
    await Deno.mkdir(options.buildFolder);
    await assert.rejects(release(options), {
      name: "ReleaseError",
      message: /^Cannot build in \S+: it exists\./,
    });
    assert.deepEqual(await filesIn(options.buildFolder), []);
  },
});

Deno.test({
  name: "release() refuses executables that embed different packages",
  ...GIT,
  fn: async () => {
    await using repository = await createRepository();
    const embedded = (executable: string): Promise<readonly string[]> =>
      Promise.resolve(executable.includes("x86_64") ? [] : ["asn1@0.2.6"]);
    await assert.rejects(release({ ...repository.options, embedded }), {
      name: "ReleaseError",
      message: /^Cannot write one bill of materials: .* another asn1@0\.2\.6$/,
    });
  },
});

Deno.test("auditWithDeno() refuses packages with known vulnerabilities", async () => {
  await using folder = await temporaryFolder();
  await Deno.writeTextFile(`${folder.path}/deno.json`, "{}");
  const lock = { version: "5", npm: { "asn1@0.2.6": { integrity: "" } } };
  await Deno.writeTextFile(`${folder.path}/deno.lock`, JSON.stringify(lock));
  {
    await using registry = startRegistry({});
    await auditWithDeno(folder.path, registry.env);
    assert.deepEqual(registry.asked, [{ asn1: ["0.2.6"] }]);
  }
  await using registry = startRegistry({
    asn1: [{
      id: 1,
      url: "https://example.net/advisory",
      title: "Reads past the end",
      severity: "high",
      vulnerable_versions: "<1.0.0",
      cwe: [],
      cvss: { score: 7.5, vectorString: null },
    }],
  });
  await assert.rejects(auditWithDeno(folder.path, registry.env), {
    name: "ReleaseError",
    message:
      /^Cannot release with packages that are known to be vulnerable:\n[^]*Reads past the end[^]*Package: +asn1/,
  });
});

Deno.test({
  name: "deno task release refuses packages that nobody could ask about",
  ...GIT,
  fn: async () => {
    await using repository = await createRepository();
    const env = { NPM_CONFIG_REGISTRY: "http://127.0.0.1:1/" };
    const { code, stderr } = await taskRelease(repository, env);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^Cannot ask the registry for known vulnerabilities: /m,
    );
  },
});

Deno.test({
  name: "deno task release refuses a dirty tree, with exit code 1",
  ...GIT,
  fn: async () => {
    await using repository = await createRepository();
    const { root } = repository;
    await Deno.writeTextFile(`${root}/notes.txt`, "to do\n");
    const { code, stderr } = await deno(["task", "release"], root);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^Cannot release with changes that are not committed:\n\?\? notes\.txt$/m,
    );
  },
});

Deno.test({
  name: "deno task release refuses to run with DENORT_BIN set",
  ...GIT,
  fn: async () => {
    await using repository = await createRepository();
    const { root } = repository;
    const env = { DENORT_BIN: "/usr/bin/true" };
    const { code, stderr } = await deno(["task", "release"], root, env);
    assert.equal(code, 1);
    assert.match(stderr, /^Cannot release with DENORT_BIN set: /m);
  },
});

Deno.test({
  name: "deno task release says which targets have no runtime base, and why",
  ...GIT,
  fn: async () => {
    await using repository = await createRepository();
    await using registry = startRegistry({});
    const { root } = repository;
    // A build has a cache of its own, and nobody listens on port 1.
    const { code, stderr } = await taskRelease(repository, {
      ...registry.env,
      HTTPS_PROXY: "http://127.0.0.1:1",
      NO_PROXY: "127.0.0.1",
    });
    assert.equal(code, 1);
    assert.match(stderr, /^Cannot compile for$/m);
    for (const target of PLATFORMS.keys()) {
      assert.match(stderr, new RegExp(`^${target}: `, "m"));
      assert.match(stderr, new RegExp(`denort-${target}\\.zip`));
    }
    assert.deepEqual(await filesIn(`${root}/dist`), []);
  },
});

Deno.test("compileArguments() takes all flags of the task but the output", () => {
  const { command } = config.tasks.compile;
  const target = "aarch64-unknown-linux-gnu";
  const args = compileArguments(command, { target, output: "dist/other" });
  const rest = command.replace(/^deno /, "").replace(/ --output \S+/, "");
  assert.equal(
    args.join(" ").replace(` --target ${target} --output dist/other`, ""),
    rest,
  );
  assert(args.includes("--target") && args.includes("--allow-net"));
  assert(!args.some((arg) => /^(?:-A|--allow-all|--allow-env)$/.test(arg)));
});

Deno.test("compileArguments() refuses a task that it does not understand", () => {
  const where = { target: "any", output: "any" };
  for (const command of ["deno compile main.ts", "make", ""]) {
    assert.throws(() => compileArguments(command, where), ReleaseError);
  }
});

Deno.test("checkExecutable() tells the executables of machines apart", () => {
  for (const { machine } of PLATFORMS.values()) {
    checkExecutable(header(machine), machine);
    assert.throws(() => checkExecutable(header(machine), machine + 1), {
      name: "ReleaseError",
      message: /^the executable must be for machine 0x/,
    });
  }
});

Deno.test("checkExecutable() refuses what is no 64-bit ELF file", async (t) => {
  const cases: Readonly<Record<string, Uint8Array>> = {
    "an empty file": new Uint8Array(),
    "a script": new TextEncoder().encode("#!/bin/sh\nexit 0 # and more\n"),
    "a file cut short": header(0x3e).subarray(0, 19),
    "a 32-bit executable": header(0x3e).with(4, 1),
    "a big-endian executable": header(0x3e).with(5, 2),
  };
  for (const [what, bytes] of Object.entries(cases)) {
    await t.step(what, () => {
      const message = "the file is not a 64-bit ELF executable";
      assert.throws(() => checkExecutable(bytes, 0x3e), { message });
    });
  }
});

/** First bytes of an executable. */
function header(machine: number): Uint8Array {
  const bytes = new Uint8Array(64);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  bytes.set([machine & 0xff, machine >> 8], 18);
  return bytes;
}

/** A compiler that is quick. */
async function writeExecutable(
  { target, output }: { readonly target: string; readonly output: string },
): Promise<void> {
  await Deno.writeFile(output, header(PLATFORMS.get(target)?.machine ?? 0));
}

interface Repository extends AsyncDisposable {
  readonly root: string;
  /** Of a release that is quick and asks nobody. */
  readonly options: ReleaseOptions & { readonly buildFolder: string };
}

/** A repository with a commit of what a release is made of. */
async function createRepository(): Promise<Repository> {
  const folder = await temporaryFolder();
  const root = `${folder.path}/repository`;
  await Deno.mkdir(root);
  const parts = [
    ".gitignore",
    "LICENSE",
    "README.md",
    "docs",
    "deploy/release.ts",
    "deploy/release",
    "deploy/deb",
    "deploy/alertmanager.yml",
    "deploy/panos-ipsec-exporter.env.example",
    "deploy/panos-ipsec-exporter.service",
    "deploy/panos-ipsec-exporter@.service",
    "src/std/.gitattributes",
    "src/std/version.ts",
  ];
  const { code, stderr } = await execute(
    "cp",
    ["--recursive", "--parents", ...parts, root],
    { cwd: ROOT.pathname },
  );
  assert.equal(code, 0, stderr);
  await Deno.writeTextFile(`${root}/main.ts`, "export {};\n");
  // No packages: these tests are about none, and one starts without a cache.
  const { version, tasks } = config;
  await Deno.writeTextFile(
    `${root}/deno.json`,
    JSON.stringify({ version, tasks, imports: {} }),
  );
  await Deno.writeTextFile(`${root}/deno.lock`, `{"version": "5"}\n`);
  await git(["init", "--quiet"], root);
  await git(["add", "."], root);
  await git(["commit", "--quiet", "--message=all"], root);
  return {
    root,
    options: {
      root,
      buildFolder: `${folder.path}/build`,
      audit: () => Promise.resolve(),
      compile: writeExecutable,
      embedded: () => Promise.resolve([]),
      compression: ["-Znone"],
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

/** Runs the task as a person does, in a build folder of this repository. */
function taskRelease(
  { root, options }: Repository,
  env: Readonly<Record<string, string>>,
): ReturnType<typeof execute> {
  return deno(["task", "release", options.buildFolder], root, env);
}

interface Registry extends AsyncDisposable {
  /** Variables that lead Deno to it. */
  readonly env: Readonly<Record<string, string>>;
  /** What it was asked about. */
  readonly asked: readonly unknown[];
}

/** A registry that knows nothing but advisories. */
function startRegistry(advisories: object): Registry {
  const asked: unknown[] = [];
  const options = { hostname: "127.0.0.1", port: 0, onListen: (): void => {} };
  const server = Deno.serve(options, async (request) => {
    asked.push(await request.json());
    return Response.json(advisories);
  });
  return {
    env: { NPM_CONFIG_REGISTRY: `http://127.0.0.1:${server.addr.port}/` },
    asked,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

async function git(args: readonly string[], cwd: string): Promise<string> {
  const outcome = await execute("git", [...IDENTITY, ...args], { cwd });
  assert.equal(outcome.code, 0, outcome.stderr);
  return outcome.stdout.trim();
}

function deno(
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): ReturnType<typeof execute> {
  // CI compiles with DENORT_BIN, which must not reach a release.
  const { DENORT_BIN: _, ...inherited } = Deno.env.toObject();
  return execute(Deno.execPath(), args, {
    cwd,
    clearEnv: true,
    env: { ...inherited, NO_COLOR: "1", ...env },
  });
}

async function filesIn(folder: string): Promise<readonly string[]> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  return entries.map(({ name }) => name).sort();
}
