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
  let exposition = "";
  for await (const text of demo.stdout.pipeThrough(new TextDecoderStream())) {
    printed += text;
    if (exposition !== "" || !printed.includes("Ctrl-C")) continue;
    const [metrics = ""] = /http:\S+\/metrics/.exec(printed) ?? [];
    exposition = await (await fetch(metrics)).text();
    demo.kill("SIGINT");
  }
  // the exporter has ended: the demo waits for that
  const { code } = await demo.status;
  assert.equal(code, 0, printed);
  assert.match(exposition, /^panos_ipsec_up 1$/m);
  assert.equal(exposition.match(/^ifIPsecOperStatus\{/gm)?.length, 8);
});
