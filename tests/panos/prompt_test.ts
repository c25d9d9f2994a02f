import assert from "node:assert/strict";
import {
  isUsualPrompt,
  learnPrompt,
  looksLikePrompt,
} from "../../src/panos/prompt.ts";

Deno.test("learnPrompt() takes the state from the parentheses, if it is one", () => {
  const cases: readonly [line: string, haState: string | undefined][] = [
    ["admin@PA-1> ", undefined],
    ["admin@PA-1(active)> ", "active"],
    ["admin@PA-1(active)>", "active"],
    ["admin@PA-1(active-primary)> ", "active-primary"],
    ["admin@pano(primary-active)> ", "primary-active"],
    ["admin@PA-1(non-functional)# ", "non-functional"],
    ["admin@PA-1(active) vsys2> ", "active"],
    ["admin@PA-1(Site-B)(passive)> ", "passive"],
    ["admin@PA-1(Site-B)> ", undefined],
    ["admin@(none)> ", undefined],
    ["admin@PA-1()> ", undefined],
    ["admin@PA-1(Active)> ", undefined],
    ["admin@PA-1(standby)> ", undefined],
    ["> ", undefined],
    ["", undefined],
  ];
  for (const [line, haState] of cases) {
    assert.equal(learnPrompt(line).haState, haState, line);
  }
});

Deno.test("a prompt is known again at the end of a line, whatever its state", async (t) => {
  const cases: readonly {
    readonly learned: string;
    readonly known: readonly [line: string, haState?: string][];
    readonly unknown: readonly string[];
  }[] = [
    {
      learned: "admin@PA-1(passive)> ",
      known: [
        ["admin@PA-1(passive)> ", "passive"],
        ["admin@PA-1(active)>", "active"],
        ["admin@PA-1> "],
        ["The system is going down NOW!admin@PA-1(active)> ", "active"],
        ["root (pts/1) (Tue Apr 22 15:31:09 2025):admin@PA-1> "],
        ["admin@PA-1(passive)> admin@PA-1(active)> ", "active"],
      ],
      unknown: [
        "admin@PA-2(active)> ",
        "admin@PA-1(active)# ",
        "admin@PA-1(active)> show",
        "admin@PA-1(active) vsys2> ",
        "PA-1(active)> ",
        "> ",
        "",
      ],
    },
    {
      learned: "admin@north fw 2> ",
      known: [["admin@north fw 2> "], ["admin@north fw 2(active)> ", "active"]],
      unknown: ["admin@north fw> ", "fw 2> "],
    },
    {
      learned: "admin@PA-1(Site-B)> ",
      known: [["admin@PA-1(Site-B)> "], ["admin@PA-1(active)> ", "active"]],
      unknown: ["admin@PA-2(Site-B)> "],
    },
    {
      learned: "admin@(none)> ",
      known: [["admin@(none)> "]],
      unknown: ["admin@PA-1> "],
    },
    {
      learned: "admin@PA-1(active) vsys2> ",
      known: [["admin@PA-1(passive) vsys2> ", "passive"]],
      unknown: ["admin@PA-1(active)> ", "admin@PA-1(active) vsys3> "],
    },
    {
      learned: "Change it prior to deployment.admin@PA-1(passive)> ",
      known: [
        ["Change it prior to deployment.admin@PA-1(active)> ", "active"],
        ["admin@PA-1(active)> ", "active"],
      ],
      unknown: ["admin@PA-2(active)> ", "1> "],
    },
    {
      learned: "fw> ",
      known: [["fw> "], ["fw(active)>", "active"]],
      unknown: ["admin@fw> ", "see fw> "],
    },
    { learned: "> ", known: [["> "]], unknown: ["to> ", "admin@PA-1> "] },
  ];
  for (const { learned, known, unknown } of cases) {
    await t.step(learned, () => {
      const prompt = learnPrompt(learned);
      for (const [line, haState] of known) {
        const found = prompt.match(line);
        assert(found !== undefined, line);
        assert.equal(found.haState, haState, line);
      }
      for (const line of unknown) {
        assert.equal(prompt.match(line), undefined, line);
      }
    });
  }
});

Deno.test("a prompt is known at the start of a line that goes on", () => {
  const prompt = learnPrompt("admin@PA-1(passive)> ");
  const found = prompt.matchStart("admin@PA-1(active)> Broadcast message");
  assert.equal(found?.haState, "active");
  assert(prompt.matchStart("admin@PA-1>exit") !== undefined);
  for (const line of ["admin@PA-1", "admin@PA-1(act", " admin@PA-1> ", ""]) {
    assert.equal(prompt.matchStart(line), undefined, line);
  }
  assert.equal(learnPrompt("> ").matchStart("> quoted"), undefined);
});

Deno.test("what stands alone on its line and has a user and a host is usual", () => {
  for (const line of ["admin@PA-1> ", "a@b c(active)>", "admin@(none)# "]) {
    assert(isUsualPrompt(line), line);
  }
  const others = ["> ", "set system ztp>", "see admin@PA-1> ", "a@b> a@b> "];
  for (const line of others) {
    assert(!isUsualPrompt(line), line);
    assert(looksLikePrompt(line), line);
  }
  const none = ["", "admin@PA-1", `${"x".repeat(600)}>`];
  for (const line of none) assert(!looksLikePrompt(line), line);
});
