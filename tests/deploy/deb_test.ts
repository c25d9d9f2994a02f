import assert from "node:assert/strict";
import { dirname } from "node:path";
import { USAGE } from "../../src/check/command_line.ts";
import { execute, type Outcome, temporaryFolder } from "../support/program.ts";

const SCRIPTS = new URL("../../deploy/deb/", import.meta.url).pathname;
const DEPLOY = new URL("../../deploy/", import.meta.url).pathname;
const ENVIRONMENT = "etc/panos-ipsec-exporter.env";
const TEMPLATE =
  "usr/share/panos-ipsec-exporter/panos-ipsec-exporter.env.example";
const UNIT = "panos-ipsec-exporter.service";

Deno.test("the first installation makes the environment file, for root alone", async () => {
  await using system = await createSystem();
  const { code, stderr } = await system.runScript("postinst", "configure");
  assert.equal(code, 0, stderr);
  assert.equal(await system.read(ENVIRONMENT), await system.read(TEMPLATE));
  const { mode } = await Deno.stat(`${system.root}/${ENVIRONMENT}`);
  assert.equal((mode ?? 0) & 0o777, 0o600);
  assert.match(stderr, /: fill in \S+\.env, then: systemctl enable --now /);
});

Deno.test("an upgrade leaves the environment file alone, whatever it is", async (t) => {
  const link = async ({ root }: System): Promise<void> => {
    await Deno.symlink("/somewhere/else", `${root}/${ENVIRONMENT}`);
  };
  const edit = (system: System): Promise<void> =>
    system.write(ENVIRONMENT, "PASSWORD='secret'\n");
  const cases = { "an edited file": edit, "a link to nothing": link };
  for (const [what, prepare] of Object.entries(cases)) {
    await t.step(what, async () => {
      await using system = await createSystem();
      await prepare(system);
      const before = await Deno.lstat(`${system.root}/${ENVIRONMENT}`);
      const { code, stderr } = await system.runScript(
        "postinst",
        "configure",
        "1.0.0",
      );
      assert.equal(code, 0, stderr);
      assert.equal(stderr, "");
      const after = await Deno.lstat(`${system.root}/${ENVIRONMENT}`);
      assert.deepEqual(
        [after.ino, after.mtime, after.mode],
        [before.ino, before.mtime, before.mode],
      );
    });
  }
});

Deno.test("an installation starts nothing, and an upgrade restarts what runs", async () => {
  await using system = await createSystem({ hasSystemd: true });
  await system.runScript("postinst", "configure");
  assert.deepEqual(await system.systemctlCalls(), ["daemon-reload"]);
  await system.runScript("postinst", "configure", "1.0.0");
  assert.deepEqual((await system.systemctlCalls()).slice(1), [
    "daemon-reload",
    "try-restart panos-ipsec-exporter.service panos-ipsec-exporter@*.service",
  ]);
});

Deno.test("a service that does not start again is told, and fails no upgrade", async () => {
  await using system = await createSystem({
    hasSystemd: true,
    failing: "try-restart",
  });
  const { code, stderr } = await system.runScript(
    "postinst",
    "configure",
    "1.0.0",
  );
  assert.equal(code, 0);
  assert.match(stderr, /: warning: a service did not start again: /);
});

Deno.test("a removal stops the services, and an upgrade does not", async () => {
  await using system = await createSystem({ hasSystemd: true });
  await system.runScript("prerm", "upgrade", "1.2.0");
  assert.deepEqual(await system.systemctlCalls(), []);
  await system.runScript("prerm", "remove");
  assert.deepEqual(await system.systemctlCalls(), [
    "stop panos-ipsec-exporter.service panos-ipsec-exporter@*.service",
  ]);
});

Deno.test("what systemd refuses fails neither installation nor removal", async () => {
  for (const failing of ["daemon-reload", "stop"]) {
    await using system = await createSystem({ hasSystemd: true, failing });
    const outcomes = [
      await system.runScript("postinst", "configure", "1.0.0"),
      await system.runScript("prerm", "remove"),
      await system.runScript("postrm", "remove"),
    ];
    assert.deepEqual(outcomes.map(({ code }) => code), [0, 0, 0]);
  }
});

Deno.test("where systemd does not run, no script calls it", async () => {
  await using system = await createSystem();
  await system.runScript("postinst", "configure");
  await system.runScript("postinst", "configure", "1.0.0");
  await system.runScript("prerm", "remove");
  await system.runScript("postrm", "remove");
  await system.runScript("postrm", "purge");
  assert.deepEqual(await system.systemctlCalls(), []);
});

Deno.test("what was made by hand and hides the package's is warned of", async (t) => {
  const shadows = [
    `etc/systemd/system/${UNIT}`,
    "etc/systemd/system/panos-ipsec-exporter@.service",
    `usr/local/lib/systemd/system/${UNIT}`,
    "usr/local/bin/panos-ipsec-exporter",
  ];
  for (const shadow of shadows) {
    await t.step(shadow, async () => {
      await using system = await createSystem();
      await system.write(shadow, "by hand\n");
      const { code, stderr } = await system.runScript(
        "postinst",
        "configure",
        "1.0.0",
      );
      assert.equal(code, 0);
      assert(stderr.includes(`warning: ${system.root}/${shadow} hides the `));
      assert.equal(await system.read(shadow), "by hand\n");
    });
  }
});

Deno.test("a masked unit, and settings of systemctl edit, are not warned of", async () => {
  await using system = await createSystem();
  const folder = "etc/systemd/system";
  await system.write(`${folder}/${UNIT}.d/override.conf`, "[Service]\n");
  await Deno.symlink("/dev/null", `${system.root}/${folder}/${UNIT}`);
  const { stderr } = await system.runScript("postinst", "configure", "1.0.0");
  assert.doesNotMatch(stderr, /warning/);
});

Deno.test("a removal leaves the environment file, and a purge takes it", async () => {
  await using system = await createSystem({ hasSystemd: true });
  await system.runScript("postinst", "configure");
  await system.runScript("postrm", "remove");
  await system.read(ENVIRONMENT);
  const { code } = await system.runScript("postrm", "purge");
  assert.equal(code, 0);
  assert(!await system.has(ENVIRONMENT));
  assert.equal((await system.systemctlCalls()).at(-1), "daemon-reload");
});

Deno.test("a purge takes what systemctl enable has made, and no other link", async () => {
  await using system = await createSystem();
  const wants = "etc/systemd/system/multi-user.target.wants";
  const [own, others] = [`${wants}/${UNIT}`, `${wants}/other.service`];
  await system.write(`${wants}/README`, "");
  for (const link of [own, others]) {
    await Deno.symlink("/gone", `${system.root}/${link}`);
  }
  await system.runScript("postrm", "purge");
  assert(!await system.has(own));
  assert(await system.has(others));
});

Deno.test("a purge leaves and names the administrator's own files", async () => {
  await using system = await createSystem();
  const own = "etc/panos-ipsec-exporter/north.env";
  await system.write(own, "PASSWORD='secret'\n");
  const { code, stderr } = await system.runScript("postrm", "purge");
  assert.equal(code, 0);
  assert(stderr.includes(`${system.root}/${own}\n`), stderr);
  assert.doesNotMatch(stderr, /secret/);
  assert.equal(await system.read(own), "PASSWORD='secret'\n");
});

Deno.test("the manual page names what --help names", async () => {
  const manual = (await Deno.readTextFile(`${SCRIPTS}panos-ipsec-exporter.1`))
    .replaceAll("\\-", "-");
  const options = (text: string): readonly string[] =>
    [...new Set(text.match(/(?<=[\s"])--?[a-z]+\b/gi))].sort();
  const variables = (text: string): readonly string[] =>
    [...new Set(text.match(/\b(?:USER|HOST)NAME|PASSWORD|HTTP_[A-Z_]+/g))]
      .sort();
  assert.equal(options(USAGE).length, 7);
  assert.deepEqual(options(manual), options(USAGE));
  assert.equal(variables(USAGE).length, 4);
  assert.deepEqual(variables(manual), variables(USAGE));
});

/** A root folder that the scripts take for a system. */
interface System extends AsyncDisposable {
  readonly root: string;
  runScript(name: string, ...args: readonly string[]): Promise<Outcome>;
  /** The arguments of each call of `systemctl` so far. */
  systemctlCalls(): Promise<readonly string[]>;
  write(path: string, text: string): Promise<void>;
  read(path: string): Promise<string>;
  has(path: string): Promise<boolean>;
}

interface SystemOptions {
  /** Whether systemd runs there. */
  readonly hasSystemd?: boolean;
  /** Command of `systemctl` that fails. */
  readonly failing?: string;
}

async function createSystem(
  { hasSystemd = false, failing = "" }: SystemOptions = {},
): Promise<System> {
  const folder = await temporaryFolder();
  const root = `${folder.path}/root`;
  const calls = `${folder.path}/calls`;
  const systemctl =
    `#!/bin/sh\necho "$@" >>"${calls}"\n[ "$1" != "${failing}" ]\n`;
  const system: System = {
    root,
    runScript: (name, ...args) =>
      execute("/bin/sh", [`${SCRIPTS}${name}`, ...args], {
        env: { DPKG_ROOT: root, PATH: `${folder.path}/bin:/usr/bin:/bin` },
      }),
    async systemctlCalls(): Promise<readonly string[]> {
      return (await Deno.readTextFile(calls)).split("\n").slice(0, -1);
    },
    async write(path, text): Promise<void> {
      await Deno.mkdir(dirname(`${root}/${path}`), { recursive: true });
      await Deno.writeTextFile(`${root}/${path}`, text);
    },
    read: (path) => Deno.readTextFile(`${root}/${path}`),
    has: (path) => Deno.lstat(`${root}/${path}`).then(() => true, () => false),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
  await Deno.mkdir(`${folder.path}/bin`);
  await Deno.writeTextFile(`${folder.path}/bin/systemctl`, systemctl);
  await Deno.chmod(`${folder.path}/bin/systemctl`, 0o755);
  await Deno.writeTextFile(calls, "");
  await Deno.mkdir(`${root}/etc`, { recursive: true });
  const template = `${DEPLOY}panos-ipsec-exporter.env.example`;
  await system.write(TEMPLATE, await Deno.readTextFile(template));
  if (hasSystemd) {
    await Deno.mkdir(`${root}/run/systemd/system`, { recursive: true });
  }
  return system;
}
