import assert from "node:assert/strict";

Deno.test("the demo serves eight tunnels until it is interrupted", async () => {
  await using demo = new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "demo"],
    cwd: new URL("../..", import.meta.url),
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();

  let printed = "";
  let metrics: string | undefined;
  for await (const text of demo.stdout.pipeThrough(new TextDecoderStream())) {
    printed += text;
    if (metrics !== undefined || !printed.includes("Ctrl-C")) continue;
    metrics = /http:\S+\/metrics/.exec(printed)?.[0] ?? "";
    const response = await fetch(metrics);
    const exposition = await response.text();
    assert.match(exposition, /^panos_ipsec_up 1$/m);
    assert.equal(exposition.match(/^ifIPsecOperStatus\{/gm)?.length, 8);
    demo.kill("SIGINT");
  }
  const { code } = await demo.status;
  assert.equal(code, 0, printed);
  assert(metrics !== undefined, printed);
  await assert.rejects(fetch(metrics), TypeError, "it still serves");
});
