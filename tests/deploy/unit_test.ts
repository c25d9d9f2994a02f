import assert from "node:assert/strict";
import { ConfigError, parseConfig } from "../../src/config/config.ts";
import { readAsSystemd } from "../support/environment_file.ts";
import { startExporter } from "../support/exporter.ts";
import { execute, isAbsent, temporaryFolder } from "../support/program.ts";
import { descendants, signal } from "../support/system.ts";
import { verifyUnit } from "./verify_unit.ts";

const DEPLOY = new URL("../../deploy/", import.meta.url);
const UNITS = ["panos-ipsec-exporter.service", "panos-ipsec-exporter@.service"];
const ENVIRONMENT = "panos-ipsec-exporter.env.example";
const EXPOSURE_LIMIT = 1.3;

for (const unit of UNITS) {
  Deno.test({
    name: `systemd-analyze verify has nothing to say about ${unit}`,
    ignore: isAbsent("systemd-analyze"),
    fn: async () => {
      const text = await read(unit);
      const addressesFilledIn = text.replaceAll(/^#(IPAddress)/gm, "$1");
      assert.notEqual(addressesFilledIn, text);
      for (const variant of [text, addressesFilledIn]) {
        await using folder = await temporaryFolder();
        const path = `${folder.path}/${unit}`;
        // The program is looked for, and is not installed here.
        const installed = variant.replace(
          /^ExecStart=.*/m,
          `ExecStart=${Deno.execPath()}`,
        );
        await Deno.writeTextFile(path, installed);
        const verdict = await verifyUnit(path);
        assert.deepEqual(verdict, { code: 0, stdout: "", stderr: "" });
      }
    },
  });

  Deno.test({
    name: `systemd-analyze security rates ${unit} at ${EXPOSURE_LIMIT} at most`,
    ignore: isAbsent("systemd-analyze"),
    fn: async () => {
      const { stdout, stderr } = await execute("systemd-analyze", [
        "security",
        "--offline=yes",
        "--no-pager",
        new URL(unit, DEPLOY).pathname,
      ]);
      const level = /exposure level for \S+ (?<level>[\d.]+)/.exec(stdout);
      assert(level, stdout + stderr);
      assert(Number(level.groups?.["level"]) <= EXPOSURE_LIMIT, stdout);
    },
  });
}

Deno.test("the two units differ only where instances must", async () => {
  const [single, template] = await Promise.all(UNITS.map(read));
  assert(single !== undefined && template !== undefined);
  const expected = settings(single).flatMap((line) => {
    if (line.startsWith("Description=")) return [`${line} (%i)`];
    if (line === "DynamicUser=yes") return [line, "User=panos-ipsec-%i"];
    if (line.startsWith("EnvironmentFile=")) {
      return [line.replace(/\.env$/, "/%i.env")];
    }
    return [line];
  });
  assert.deepEqual(settings(template), expected);
});

Deno.test("the units keep what the program depends on", async () => {
  const unit = settings(await read(UNITS[0] ?? ""));
  const has = (setting: string): void => assert(unit.includes(setting));
  // Never given up, and restarted neither at once nor for an operator's error.
  has("StartLimitIntervalSec=0");
  has("Restart=on-failure");
  has("RestartSec=30s");
  // Each start may send the password once more: a crash loop slows down.
  has("RestartSteps=10");
  has("RestartMaxDelaySec=15min");
  has("RestartPreventExitStatus=2 78");
  // A reload forgets held logins.
  has("ExecReload=/bin/kill -HUP $MAINPID");
  // Nothing of the password on disk.
  has("LimitCORE=0");
  has("MemorySwapMax=0");
  has("MemoryMax=1G");
  // V8 writes machine code at run time.
  assert(!unit.some((line) => line.startsWith("MemoryDenyWriteExecute=")));
});

Deno.test({
  name: "the exporter works under the units' system call filter, as strace " +
    "enforces it",
  ignore: isAbsent("strace") || isAbsent("systemd-analyze"),
  fn: async () => {
    const allowed = await allowedSystemCalls(await read(UNITS[0] ?? ""));
    const others = `!${allowed.map((name) => `?${name}`).join(",")}`;
    await using folder = await temporaryFolder();
    await using exporter = await startExporter({
      PE_HOSTNAME: "localhost",
      SSH_PORT: "1",
      PE_USERNAME: "prometheus",
      PE_PASSWORD: "not sent",
    }, {
      wrapper: [
        "strace",
        "--follow-forks",
        "--quiet=all",
        `--output=${folder.path}/refused`,
        `--trace=${others}`,
        `--inject=${others}:error=EPERM`,
      ],
    });
    const end = async (name: Deno.Signal): Promise<void> => {
      // Not to strace, which does not pass it on.
      for (const pid of await descendants(exporter.pid)) signal(pid, name);
    };
    await using stack = new AsyncDisposableStack();
    stack.defer(() => end("SIGKILL"));

    const { verdict, value } = await exporter.scrape();
    assert.equal(verdict, "connect");
    assert(value("process_resident_memory_bytes") > 0);
    await end("SIGTERM");
    const { code, log } = await exporter.ended;
    assert.equal(code, 0, log.join("\n"));
  },
});

Deno.test("the example has every setting, and no secret that is accepted", async () => {
  const example = readAsSystemd(uncommented(await read(ENVIRONMENT)));
  const asked = new Set<string>();
  const look = (name: string): string | undefined => {
    asked.add(name);
    return example[name];
  };
  let key = "";
  const parsePrivateKey = (text: string): never => {
    key = text;
    throw new Error("this is no key");
  };
  assert.throws(() => parseConfig(look, parsePrivateKey), (error) => {
    assert(error instanceof ConfigError);
    const own = "must be your own: it is the text of the example file";
    assert.deepEqual(error.faults, [
      `PASSWORD ${own}`,
      `SSH_PRIVATE_KEY_PASSPHRASE ${own}`,
      "SSH_PRIVATE_KEY this is no key",
      `HTTP_PASSWORD ${own}`,
    ]);
    return true;
  });
  const plain = [...asked].filter((name) => !name.startsWith("PE_"));
  assert.deepEqual(Object.keys(example).sort(), plain.sort());
  assert.match(key, /^-----BEGIN[^\n]+\n[^\n]+\n-----END/);
});

Deno.test("Deno reads the example as systemd does", async () => {
  // shown twice: of two such lines Deno takes the first, systemd the last
  const example = uncommented(await read(ENVIRONMENT))
    .replace(/^SSH_HOST_KEY=.*\n/m, "");
  const values = readAsSystemd(example);
  assert(Object.keys(values).length > 20);
  assert.deepEqual(await readAsDeno(example, Object.keys(values)), values);
});

Deno.test("each value of the example files is in single quotes", async () => {
  for (const path of [ENVIRONMENT, "../.env.example"]) {
    const assignments = (await read(path)).matchAll(/^#?[A-Z_]+=.*/gm);
    const lines = [...assignments].map(([line]) => line);
    assert.notEqual(lines.length, 0);
    for (const line of lines) assert.match(line, /^#?[A-Z_]+='/);
  }
});

Deno.test("nasty values arrive whole, for systemd as for Deno", async () => {
  const values: Readonly<Record<string, string>> = {
    BACKSLASH: "pa\\ss",
    BACKSLASH_AT_THE_END: "pass\\",
    BACKSLASH_N: "one\\ntwo",
    BLANKS: "  one  two\t",
    DOLLAR: "$HOME ${HOME} $(id) $$ %h %%",
    DOUBLE_QUOTES: 'a "quoted" "word',
    BACKTICKS: "`id`",
    HASH: "#one #two ;three",
    EQUALS: "a=b==",
    LETTERS: "Zürich ✓",
    LINES: "-----BEGIN KEY-----\nAA+/=\n\n# no comment\n-----END KEY-----\n",
  };
  const text = Object.entries(values)
    .map(([name, value]) => `${name}='${value}'\n`).join("# comment\n");
  assert.deepEqual(readAsSystemd(text), values);
  assert.deepEqual(await readAsDeno(text, Object.keys(values)), values);
});

Deno.test("a value with a single quote arrives as the example says", async () => {
  const both = `A="it's"\nB="it's # \\$HOME"\nC="two\nit's"\n`;
  const values = { A: "it's", B: "it's # $HOME", C: "two\nit's" };
  assert.deepEqual(readAsSystemd(both), values);
  assert.deepEqual(await readAsDeno(both, Object.keys(values)), values);

  const systemdOnly = 'A="it\'s \\\\ \\" \\` \\$"\n';
  assert.deepEqual(readAsSystemd(systemdOnly), { A: "it's \\ \" ` $" });
});

Deno.test("systemd drops backslashes that are not in single quotes", () => {
  assert.deepEqual(readAsSystemd("A=pa\\ss\n"), { A: "pass" });
});

function read(path: string): Promise<string> {
  return Deno.readTextFile(new URL(path, DEPLOY));
}

/** Lines of a unit that mean something. */
function settings(unit: string): readonly string[] {
  return unit.split("\n").filter((line) => /^[^#]/.test(line));
}

/** Removes the `#` of each setting that is commented out. */
function uncommented(text: string): string {
  return text.replaceAll(/^#(?=[^ ])/gm, "");
}

/** Resolves the unit's system call filter to names of system calls. */
async function allowedSystemCalls(unit: string): Promise<readonly string[]> {
  const { stdout } = await execute("systemd-analyze", [
    "syscall-filter",
    "--no-pager",
  ]);
  const members = new Map<string, readonly string[]>();
  for (const block of stdout.split(/\n(?=\S)/)) {
    const [group = "", ...lines] = block.split("\n");
    const names = lines.map((line) => line.trim());
    members.set(group, names.filter((name) => /^@?\w/.test(name)));
  }
  const resolve = (name: string): readonly string[] =>
    members.get(name)?.flatMap(resolve) ?? [name];

  const allowed = new Set<string>();
  for (const line of settings(unit)) {
    const filter = /^SystemCallFilter=(?<not>~?)(?<names>.*)/.exec(line)
      ?.groups;
    const names = filter?.["names"]?.split(" ").flatMap(resolve) ?? [];
    for (const name of names) {
      if (filter?.["not"] === "") {
        allowed.add(name);
      } else {
        allowed.delete(name);
      }
    }
  }
  assert(allowed.has("socket") && !allowed.has("mount"));
  return [...allowed];
}

/** What a program that Deno starts with such a file sees. */
async function readAsDeno(
  text: string,
  names: readonly string[],
): Promise<Readonly<Record<string, string>>> {
  await using folder = await temporaryFolder();
  const file = `${folder.path}/.env`;
  const program = `${folder.path}/program.ts`;
  await Deno.writeTextFile(file, text);
  await Deno.writeTextFile(
    program,
    "console.log(JSON.stringify(Object.fromEntries(" +
      "Deno.args.map((name) => [name, Deno.env.get(name)]))));",
  );
  const { stdout, stderr } = await execute(
    Deno.execPath(),
    [
      "run",
      "--no-config",
      "--allow-env",
      `--env-file=${file}`,
      program,
      ...names,
    ],
    { clearEnv: true },
  );
  assert.equal(stderr, "");
  return JSON.parse(stdout);
}
