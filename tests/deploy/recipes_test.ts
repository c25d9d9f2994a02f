import assert from "node:assert/strict";

const RECIPES = await Deno.readTextFile(
  new URL("../../docs/recipes.md", import.meta.url),
);

Deno.test("the wrapper for credentials hands on each value as it is", async () => {
  const [, wrapper = ""] = /^```sh\n(#!\/bin\/sh\n[^]*?)^```$/m
    .exec(RECIPES) ?? [];
  const folder = await Deno.makeTempDir({ prefix: "recipes-" });
  try {
    const credentials = {
      PASSWORD: `pa\\ss $HOME "a" 'b' \`c\` #d`,
      SSH_PRIVATE_KEY: "-----BEGIN KEY-----\nAAAA\n-----END KEY-----",
    };
    await Deno.mkdir(`${folder}/credentials`);
    for (const [name, value] of Object.entries(credentials)) {
      await Deno.writeTextFile(`${folder}/credentials/${name}`, value);
    }
    const exporter = `${folder}/panos-ipsec-exporter`;
    await Deno.writeTextFile(exporter, '#!/bin/sh\necho "$@"\nexec env -0\n');
    await Deno.chmod(exporter, 0o755);

    const { success, stdout } = await new Deno.Command("/bin/sh", {
      args: ["-c", wrapper, "wrapper", "--check"],
      clearEnv: true,
      env: {
        PATH: `${folder}:/usr/bin:/bin`,
        CREDENTIALS_DIRECTORY: `${folder}/credentials`,
      },
      stderr: "inherit",
    }).output();

    assert(success);
    const text = new TextDecoder().decode(stdout);
    assert(text.startsWith("--check\n"), "the option was lost");
    const variables = text.slice("--check\n".length).split("\0");
    for (const [name, value] of Object.entries(credentials)) {
      assert(variables.includes(`${name}=${value}`), `${name} was changed`);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
