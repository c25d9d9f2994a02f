/**
 * The Debian package, installed on this system and taken off again: run by CI,
 * as root, with an executable in `EXPORTER_EXECUTABLE`.
 *
 * It refuses to touch a system that has an exporter, and leaves one without,
 * also when it is interrupted.
 *
 * @module
 */

import assert from "node:assert/strict";
import { dirname } from "node:path";
import {
  describePackages,
  type Package,
} from "../../deploy/release/bill_of_materials.ts";
import { makeDebianPackage } from "../../deploy/release/debian_package.ts";
import { embeddedPackages } from "../../deploy/release/embedded.ts";
import config from "../../deno.json" with { type: "json" };
import { execute } from "../support/program.ts";
import { processes } from "../support/system.ts";
import { verifyUnit } from "./verify_unit.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const EXECUTABLE = Deno.env.get("EXPORTER_EXECUTABLE") ??
  `${ROOT}dist/panos-ipsec-exporter`;
const NAME = "panos-ipsec-exporter";
const VERSION = `${config.version}~test`;
const UPGRADE = `${config.version}~test2`;
const ENVIRONMENT = `/etc/${NAME}.env`;
const TEMPLATE = `/usr/share/${NAME}/${NAME}.env.example`;
const UNITS = ["", "@"].map((at) =>
  `/usr/lib/systemd/system/${NAME}${at}.service`
);
/** What a test makes by hand, and no package owns. */
const SHADOW = `/etc/systemd/system/${NAME}.service`;
const LINK = `/etc/systemd/system/multi-user.target.wants/${NAME}.service`;
const OWN = `/etc/${NAME}/north.env`;

/** Where traces of the exporter could be, on any Linux. */
const TRACES = [
  "/etc",
  "/opt",
  "/usr/bin",
  "/usr/lib/systemd",
  "/usr/local",
  "/usr/share",
  "/var/lib",
];

Deno.test("the Debian package installs, upgrades, and is gone after a purge", async (t) => {
  assert.equal(Deno.env.get("CI"), "true", "this installs: set CI=true");
  assert.deepEqual(await traces(), [], "an exporter is installed here");
  const folder = await Deno.makeTempDir({ prefix: "deb-" });
  await using _janitor = cleanUpAtTheEnd(folder);
  const first = await build(`${folder}/first.deb`, ROOT, VERSION);

  await t.step("lintian finds nothing", () => findNothing(first));
  await t.step(
    "it holds no conffile, and files of root with their modes",
    () => checkContents(first),
  );
  await checkInstallation(t, first);
  await checkUpgrade(t, folder);
  await checkRemoval(t, first);
});

async function checkInstallation(
  t: Deno.TestContext,
  first: string,
): Promise<void> {
  await t.step("the installation is told what to do next", async () => {
    const said = await dpkg("--install", first);
    assert.match(said, /fill in \/etc\/panos-ipsec-exporter\.env, then: /);
    assert.doesNotMatch(said, /warning/);
  });
  await t.step(
    "the environment file is the template, for root alone",
    async () => {
      assert.equal(await read(ENVIRONMENT), await read(TEMPLATE));
      const { mode, uid, gid } = await Deno.stat(ENVIRONMENT);
      assert.deepEqual([(mode ?? 0) & 0o7777, uid, gid], [0o600, 0, 0]);
    },
  );
  await t.step("every file is as it was packed", async () => {
    assert.equal(await dpkg("--verify", NAME), "");
  });
  await t.step("the program runs", async () => {
    const { code, stdout } = await execute(NAME, ["--version"]);
    assert.equal(code, 0);
    assert(stdout.startsWith(`${NAME} ${config.version} `), stdout);
  });
  await t.step("systemd has nothing to say about the units", verifyUnits);
  await t.step("the service is neither enabled nor started", async () => {
    const { stdout } = await execute("systemctl", ["is-enabled", NAME]);
    assert.equal(stdout.trim(), "disabled");
    assert(!await exists(LINK));
    const running = (await processes())
      .filter(({ command }) => command.startsWith(`/usr/bin/${NAME}`));
    assert.deepEqual(running, []);
  });
}

async function checkUpgrade(
  t: Deno.TestContext,
  folder: string,
): Promise<void> {
  await t.step(
    "an upgrade with an edited file and a changed template asks nothing",
    () => upgradeAfterAnEdit(folder),
  );
  await t.step("a unit made by hand is warned of, and left", async () => {
    await Deno.writeTextFile(SHADOW, "[Service]\nExecStart=/bin/true\n");
    const said = await dpkg("--install", `${folder}/second.deb`);
    assert(said.includes(`warning: ${SHADOW} hides the unit`), said);
    await Deno.remove(SHADOW);
  });
}

async function checkRemoval(t: Deno.TestContext, first: string): Promise<void> {
  await t.step("a removal leaves the environment file", async () => {
    await Deno.mkdir(`/etc/${NAME}`);
    await Deno.writeTextFile(OWN, "PASSWORD='of the administrator'\n");
    await execute("systemctl", ["enable", NAME]);
    assert(await exists(LINK));
    await dpkg("--remove", NAME);
    assert.match(await read(ENVIRONMENT), /PASSWORD='edited'/);
    for (const gone of [`/usr/bin/${NAME}`, TEMPLATE, ...UNITS]) {
      assert(!await exists(gone), gone);
    }
  });
  await t.step(
    "a purge leaves the administrator's files, and names them",
    async () => {
      const said = await dpkg("--purge", NAME);
      assert(said.includes(OWN), said);
      assert.deepEqual(await traces(), [`/etc/${NAME}`, OWN]);
      await Deno.remove(`/etc/${NAME}`, { recursive: true });
    },
  );
  await t.step("a purge in one step leaves nothing", async () => {
    await dpkg("--install", first);
    await dpkg("--purge", NAME);
    assert.deepEqual(await traces(), []);
  });
}

/** @returns The path of the package. */
async function build(
  output: string,
  source: string,
  version: string,
): Promise<string> {
  const { stdout } = await execute("dpkg", ["--print-architecture"]);
  const madeAt = Number(
    (await execute("git", ["log", "-1", "--format=%ct"], { cwd: ROOT })).stdout,
  );
  await makeDebianPackage({
    source,
    executable: EXECUTABLE,
    version,
    architecture: stdout.trim(),
    commit: { id: "of a test", madeAt },
    packages: await packages(),
    output,
    compression: ["-Zgzip", "-z1"],
  });
  return output;
}

/** What is known of the packages in the executable. */
async function packages(): Promise<readonly Package[]> {
  const { stdout } = await execute(Deno.execPath(), ["info", "--json"]);
  return await describePackages(await embeddedPackages(EXECUTABLE), {
    lock: JSON.parse(await Deno.readTextFile(`${ROOT}deno.lock`)),
    cache: JSON.parse(stdout).denoDir,
  });
}

async function findNothing(file: string): Promise<void> {
  const { code, stdout, stderr } = await execute("lintian", [
    "--allow-root",
    "--no-cfg",
    "--fail-on=error,warning",
    file,
  ]);
  assert.equal(code, 0, stdout + stderr);
  assert.equal(stdout, "");
}

async function checkContents(file: string): Promise<void> {
  const info = await execute("dpkg-deb", ["--info", file]);
  assert.match(info.stdout, new RegExp(`^ Version: ${VERSION}$`, "m"));
  assert.doesNotMatch(info.stdout, /conffiles/);
  const { stdout } = await execute("dpkg-deb", ["--contents", file]);
  const entries = stdout.trim().split("\n").map((line) => line.split(/ +/));
  const modes = new Map(entries.map((parts) => [parts[5], parts[0]]));
  const doc = `./usr/share/doc/${NAME}`;
  for (
    const path of [
      ...[...UNITS, TEMPLATE].map((path) => `.${path}`),
      `${doc}/README.md`,
      `${doc}/changelog.gz`,
      `${doc}/copyright`,
      `${doc}/deploy/alerts.yml`,
      `${doc}/docs/operations.md`,
      `./usr/share/man/man1/${NAME}.1.gz`,
    ]
  ) {
    assert.equal(modes.get(path), "-rw-r--r--", path);
  }
  assert.equal(modes.get(`./usr/bin/${NAME}`), "-rwxr-xr-x");
  for (const [mode = "", owner, , , , path = ""] of entries) {
    assert.equal(owner, "root/root", path);
    assert(!path.startsWith("./etc"), path);
    if (mode.startsWith("d")) assert.equal(mode, "drwxr-xr-x", path);
  }
}

async function verifyUnits(): Promise<void> {
  for (const unit of UNITS) {
    assert.match(await read(unit), /^ExecStart=\/usr\/bin\//m);
    const verdict = await verifyUnit(unit);
    assert.deepEqual(verdict, { code: 0, stdout: "", stderr: "" });
  }
}

async function upgradeAfterAnEdit(folder: string): Promise<void> {
  const edited = `${await read(ENVIRONMENT)}PASSWORD='edited'\n`;
  await Deno.writeTextFile(ENVIRONMENT, edited);
  const source = `${folder}/source`;
  await Deno.mkdir(source);
  const parts = ["LICENSE", "README.md", "deploy", "docs"];
  await execute("cp", ["-r", ...parts, source], { cwd: ROOT });
  const template = `${source}/deploy/${NAME}.env.example`;
  const changed = `${await Deno.readTextFile(template)}# changed\n`;
  await Deno.writeTextFile(template, changed);

  // Standard input is empty: a question would end dpkg with an error.
  await dpkg(
    "--install",
    await build(`${folder}/second.deb`, source, UPGRADE),
  );
  assert.equal(await read(ENVIRONMENT), edited);
  assert.equal(await read(TEMPLATE), changed);
  const { mode } = await Deno.stat(ENVIRONMENT);
  assert.equal((mode ?? 0) & 0o7777, 0o600);
  const left = (await traces()).filter((path) => /\.dpkg-|\.new$/.test(path));
  assert.deepEqual(left, []);
}

/** @returns What it said. */
async function dpkg(...args: readonly string[]): Promise<string> {
  const outcome = await execute("dpkg", args, { env: QUIET });
  assert.equal(outcome.code, 0, outcome.stdout + outcome.stderr);
  return args[0] === "--verify"
    ? outcome.stdout
    : outcome.stdout + outcome.stderr;
}

const QUIET = { DEBIAN_FRONTEND: "noninteractive" };

/** Lists what on this system has the name of the exporter, sorted. */
async function traces(): Promise<readonly string[]> {
  const { stdout } = await execute("find", [...TRACES, "-path", `*${NAME}*`]);
  const status = await execute("dpkg-query", ["--show", NAME]);
  return [
    ...stdout.split("\n").filter((path) => path !== ""),
    ...(status.code === 0 ? [`dpkg knows ${NAME}`] : []),
  ].sort();
}

/**
 * Takes the package off at the end of the test, and also when this process is
 * ended before: what waits for that is a process of its own.
 *
 * @param folder Where the test builds.
 */
function cleanUpAtTheEnd(folder: string): AsyncDisposable {
  const janitor = new Deno.Command("sh", {
    args: [
      "-c",
      `trap "" INT TERM HUP
      cat >/dev/null
      rm -rf "$1" "$2" "$3"
      # Another dpkg may still be at work.
      for try in 1 2 3 4 5 6 7 8 9 10; do
        dpkg --purge --force-remove-reinstreq "$4" && break
        sleep 1
      done`,
      "sh",
      folder,
      SHADOW,
      dirname(OWN),
      NAME,
    ],
    env: QUIET,
    stdin: "piped",
    stdout: "null",
    stderr: "null",
  }).spawn();
  return {
    async [Symbol.asyncDispose](): Promise<void> {
      await janitor.stdin.close();
      await janitor.status;
    },
  };
}

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

function read(path: string): Promise<string> {
  return Deno.readTextFile(path);
}
