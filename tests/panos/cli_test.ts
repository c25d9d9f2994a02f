import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import type { Shell } from "../../src/model/shell.ts";
import { type Cli, startCli } from "../../src/panos/cli.ts";
import { type Command, ReplyError } from "../../src/panos/command.ts";
import { PollError, type Reason } from "../../src/model/poll.ts";
import type { VpnFlow } from "../../src/model/tunnel.ts";
import type { Clock } from "../../src/std/clock.ts";
import { quote } from "../../src/std/quote.ts";
import { parseVpnFlow } from "../../src/panos/vpn_flow.ts";
import { VpnFlowError } from "../../src/panos/vpn_flow_error.ts";
import { type FakeTime, stopTime } from "../support/fake_time.ts";
import { inventTunnels, printVpnFlow } from "../support/vpn_flow_reply.ts";

const SHOW_VPN_FLOW: Command<VpnFlow> = {
  text: "show vpn flow",
  answer: /tunnel/i,
  parse: parseVpnFlow,
};

const PROMPT = "monitor@fw-a(active)> ";
const LOGIN_TEXT =
  "Last login: Mon Jan  5 09:12:44 2026 from 192.0.2.200\n\n\nNumber of failed attempts since last successful login: 0\n\n\n";
const TABLE = printVpnFlow(inventTunnels(2));
const SETTINGS = ["set cli scripting-mode on", "set cli pager off"];

Deno.test("startCli() learns prompts of all shapes", async (t) => {
  const cases: readonly [prompt: string, haState: string | undefined][] = [
    ["monitor@fw-a> ", undefined],
    ["monitor@fw-a>", undefined],
    ["monitor@fw-a# ", undefined],
    ["monitor@fw-a(active)> ", "active"],
    ["monitor@fw-a(active)>", "active"],
    ["monitor@fw-a(active-primary)> ", "active-primary"],
    ["monitor@fw-a(non-functional)> ", "non-functional"],
    ["monitor@fw-a()> ", undefined],
    ["admin@(none)> ", undefined],
    ["monitor@PA-1(Site-B)> ", undefined],
    ["monitor@north fw 2(passive)> ", "passive"],
    ["monitor@fw-a.example.com(passive)> ", "passive"],
    ["monitor@fw-a vsys2> ", undefined],
    ["monitor@fw-a(active) vsys2> ", "active"],
    ["admin@fw-a(active)> ", "active"],
    ["monitor@fw-a(active)> \nmonitor@fw-a(active)> ", "active"],
    ["monitor@fw-a(active)> \rmonitor@fw-a(active)> ", "active"],
    ["monitor@fw-a(active)> monitor@fw-a(active)> ", "active"],
  ];
  for (const [prompt, haState] of cases) {
    await t.step(JSON.stringify(prompt), async () => {
      using time = stopTime();
      const firewall = createFirewall(time, { prompt: () => prompt });
      const cli = await time.until(start(time, firewall));
      assert.equal(cli.haState, haState);
      const { tunnels } = await time.until(cli.run(SHOW_VPN_FLOW));
      assert.equal(tunnels.length, 2);
      assert.deepEqual(firewall.typed, [...SETTINGS, "show vpn flow"]);
    });
  }
});

Deno.test("the dialogue needs no quiet where the prompt is certain", async () => {
  using time = stopTime();
  const firewall = createFirewall(time);
  const cli = await time.until(start(time, firewall));
  await time.until(cli.run(SHOW_VPN_FLOW));
  assert.equal(time.now, 0);
});

Deno.test("the dialogue gets by with every way to echo", async (t) => {
  for (const echo of ["redraw", "plain", "none", "twice"] as const) {
    for (const knowsSettings of [true, false]) {
      const name = `${echo}, ${knowsSettings ? "with" : "without"} settings`;
      await t.step(name, async () => {
        using time = stopTime();
        const firewall = createFirewall(time, { echo, knowsSettings });
        const cli = await time.until(start(time, firewall));
        const { tunnels } = await time.until(cli.run(SHOW_VPN_FLOW));
        assert.equal(tunnels.length, 2);
        assert.equal(cli.haState, "active");
        assert.deepEqual(firewall.typed, [...SETTINGS, "show vpn flow"]);
      });
    }
  }
});

Deno.test("the dialogue may be split at every byte, with or without a pause", async () => {
  const [first, ...others] = inventTunnels(2);
  assert(first !== undefined);
  const table = printVpnFlow([{ ...first, name: "pöl-東-🛰" }, ...others]);
  let length = 1;
  for (let position = 0; position < length; position++) {
    for (const pauseMs of [0, 100]) {
      using time = stopTime();
      const split = { position, pauseMs };
      const firewall = createFirewall(time, { reply: () => table, split });
      const cli = await time.until(start(time, firewall));
      const { tunnels } = await time.until(cli.run(SHOW_VPN_FLOW));
      const where = `split at byte ${position}, pause ${pauseMs} ms`;
      assert.deepEqual(
        tunnels.map(({ name, interfaceName }) => [name, interfaceName]),
        [["pöl-東-🛰", "tunnel.1"], ["branch-2", "tunnel.2"]],
        where,
      );
      assert.equal(cli.haState, "active", where);
      await time.until(firewall.allSent());
      length = firewall.length;
    }
  }
  assert(length > 700, `only ${length} bytes were printed`);
});

Deno.test("the dialogue may come byte by byte", async () => {
  using time = stopTime();
  const firewall = createFirewall(time, { split: "every byte" });
  const cli = await time.until(start(time, firewall));
  const { tunnels } = await time.until(cli.run(SHOW_VPN_FLOW));
  assert.equal(tunnels.length, 2);
});

Deno.test("login text that looks like a prompt is not taken for one", async (t) => {
  const cases = {
    "a line with a command": "           > set system ztp disable\n",
    "a whole prompt": "monitor@fw-a(active)> \nnothing here is allowed\n",
    "a prompt of ours, and more on its line":
      "monitor@fw-a(active)> is what you will see\n",
    "colours and a title":
      "\x1b]0;fw-a>\x07\x1b[1mWelcome\x1b[0m to fw-a#\x1b[K\n",
    "bytes that are no text": "\xff\xfe\x00\x9b>\n",
  };
  for (const [name, text] of Object.entries(cases)) {
    await t.step(name, async () => {
      using time = stopTime();
      const firewall = createFirewall(time, { loginText: text });
      const cli = await time.until(start(time, firewall));
      await time.until(cli.run(SHOW_VPN_FLOW));
      assert.equal(cli.haState, "active");
      assert.deepEqual(firewall.typed, [...SETTINGS, "show vpn flow"]);
    });
  }
});

Deno.test("a part of a line that looks like a prompt is waited behind", async () => {
  using time = stopTime();
  const firewall = createFirewall(time, { loginText: "", prompt: () => "" });
  const started = start(time, firewall);
  await time.pass(20_000);
  firewall.print("Unauthorised access to fw-a>");
  await time.pass(299);
  firewall.print(" is an offence\n");
  await time.pass(20_000);
  assert.deepEqual(firewall.typed, []);
  firewall.setPrompt(PROMPT);
  firewall.print(PROMPT);
  assert.equal((await time.until(started)).haState, "active");
});

Deno.test("another prompt behind a setting is waited behind", async () => {
  using time = stopTime();
  const firewall = createFirewall(time, { settingReply: () => undefined });
  start(time, firewall).catch(() => {});
  await time.settle();
  firewall.print("Message> ");
  await time.pass(2_999);
  firewall.print("be careful\n");
  assert.deepEqual(firewall.typed, SETTINGS.slice(0, 1));
  firewall.print(PROMPT);
  await time.settle();
  assert.deepEqual(firewall.typed, SETTINGS);
  firewall.end();
  await time.settle();
});

Deno.test("the first prompt is right even if a banner was taken for it", async () => {
  using time = stopTime();
  const firewall = createFirewall(time, { loginText: "", prompt: () => "" });
  const started = start(time, firewall);
  firewall.print("Unauthorised access to fw-a>");
  await time.pass(1_000);
  assert.deepEqual(firewall.typed, SETTINGS.slice(0, 1));
  firewall.setPrompt(PROMPT);
  firewall.print(
    ` is an offence\n${PROMPT}set cli scripting-mode on\n${PROMPT}`,
  );
  const cli = await time.until(started);
  assert.equal(cli.haState, "active");
  await time.until(cli.run(SHOW_VPN_FLOW));
});

Deno.test("the state in the prompt is that of the last prompt", async () => {
  using time = stopTime();
  const states = ["passive", "passive", "passive", "active", "suspended"];
  const firewall = createFirewall(time, {
    prompt: (answered) => `monitor@fw-a(${states[answered]})> `,
  });
  const cli = await time.until(start(time, firewall));
  assert.equal(cli.haState, "passive");
  await time.until(cli.run(SHOW_VPN_FLOW));
  assert.equal(cli.haState, "active");
  await time.until(cli.run(SHOW_VPN_FLOW));
  assert.equal(cli.haState, "suspended");
  assert.equal(time.now, 0, "a failover costs no time");
});

Deno.test("another prompt than before is learned after 3 s of quiet", async () => {
  using time = stopTime();
  const firewall = createFirewall(time, {
    prompt: (answered) => answered < 3 ? PROMPT : "monitor@PA-vsys2(passive)> ",
  });
  const cli = await time.until(start(time, firewall));
  const { tunnels } = await time.until(cli.run(SHOW_VPN_FLOW));
  assert.equal(tunnels.length, 2);
  assert.deepEqual([time.now, cli.haState], [3_000, "passive"]);
  await time.until(cli.run(SHOW_VPN_FLOW));
  assert.equal(time.now, 3_000, "it was not learned");
});

Deno.test("a prompt is known with a message in front of it", async (t) => {
  const warning =
    "Warning: Your device is still configured with the default admin account credentials. Please change your password prior to deployment.";
  const broadcast =
    "Broadcast message from root (pts/1) (Tue Apr 22 15:31:09 2025):\nThe system is going down for reboot NOW!";
  await t.step("at the login", async () => {
    using time = stopTime();
    const firewall = createFirewall(time, { loginText: `Hello\n${warning}` });
    const cli = await time.until(start(time, firewall));
    assert.equal(time.now, 300, "the first prompt is not alone on its line");
    assert.equal(cli.haState, "active");
    await time.until(cli.run(SHOW_VPN_FLOW));
    assert.equal(time.now, 300);
  });
  await t.step(
    "at the login, as long as a message of the day may be",
    async () => {
      using time = stopTime();
      const loginText = "Only for staff. ".repeat(200);
      const firewall = createFirewall(time, { loginText });
      const cli = await time.until(start(time, firewall));
      assert.deepEqual([time.now, cli.haState], [300, "active"]);
      const { tunnels } = await time.until(cli.run(SHOW_VPN_FLOW));
      assert.deepEqual([time.now, tunnels.length], [300, 2]);
    },
  );
  await t.step("behind a setting", async () => {
    using time = stopTime();
    const firewall = createFirewall(time, { settingReply: () => broadcast });
    const cli = await time.until(start(time, firewall));
    assert.deepEqual([time.now, cli.haState], [0, "active"]);
  });
  for (const message of [warning, "The system is going down NOW!"]) {
    await t.step(`behind the table: ${message}`, async () => {
      using time = stopTime();
      const firewall = createFirewall(time, {
        reply: () => `${TABLE}${message}`,
        prompt: (answered) =>
          `monitor@fw-a(${answered < 3 ? "passive" : "active"})> `,
      });
      const cli = await time.until(start(time, firewall));
      const { tunnels } = await time.until(cli.run(SHOW_VPN_FLOW));
      assert.equal(tunnels.length, 2);
      assert.equal(time.now, 0);
      assert.equal(cli.haState, "active");
    });
  }
});

Deno.test("what comes behind a complete reply and a prompt is no part of it", async (t) => {
  const broadcast =
    "Broadcast message from root (pts/1) (Tue Apr 22 15:31:09 2025):\n\nThe system is going down for reboot NOW!\n";
  const cases: readonly {
    readonly when: string;
    readonly behind: string;
    readonly waitedMs: number;
  }[] = [
    { when: "a broadcast", behind: `\n\n${broadcast}`, waitedMs: 0 },
    {
      when: "a broadcast and a prompt",
      behind: `\n${broadcast}${PROMPT}`,
      waitedMs: 0,
    },
    { when: "a broadcast on its line", behind: broadcast, waitedMs: 0 },
    { when: "a message without an end", behind: "Auto-commit", waitedMs: 300 },
    { when: "a line end and a message", behind: "\nSee >", waitedMs: 0 },
    { when: "another table", behind: `\n${TABLE}`, waitedMs: 0 },
  ];
  for (const { when, behind, waitedMs } of cases) {
    await t.step(`${when} in the packet of the prompt`, async () => {
      using time = stopTime();
      let more = behind;
      const firewall = createFirewall(time, {
        prompt: (answered) => {
          const states = ["passive", "passive", "passive", "active"];
          const prompt = `monitor@fw-a(${states[answered] ?? "active"})> `;
          return answered === 3 ? `${prompt}${more}` : prompt;
        },
      });
      const cli = await time.until(start(time, firewall));
      const { tunnels } = await time.until(cli.run(SHOW_VPN_FLOW));
      assert.equal(tunnels.length, 2);
      assert.equal(time.now, waitedMs);
      assert.equal(cli.haState, "active");
      more = "";
      await time.until(cli.run(SHOW_VPN_FLOW));
      assert.equal(time.now, waitedMs, "the next command was delayed");
      assert.equal(time.timers, 0);
    });
  }
  await t.step("a broadcast in the packet of a setting's prompt", async () => {
    using time = stopTime();
    const firewall = createFirewall(time, {
      prompt: (answered) => `${PROMPT}${answered > 0 ? `\n${broadcast}` : ""}`,
    });
    const cli = await time.until(start(time, firewall));
    await time.until(cli.run(SHOW_VPN_FLOW));
    assert.equal(time.now, 0);
  });
  await t.step("a broadcast in the packet of the first prompt", async () => {
    using time = stopTime();
    const firewall = createFirewall(time, {
      prompt: (answered) =>
        `${PROMPT}${answered === 0 ? `\n${broadcast}` : ""}`,
    });
    const cli = await time.until(start(time, firewall));
    assert.equal(time.now, 3_000);
    await time.until(cli.run(SHOW_VPN_FLOW));
    assert.equal(time.now, 3_000);
  });

  await t.step("a broadcast behind the prompt of a refusal", async () => {
    using time = stopTime();
    const firewall = createFirewall(time, {
      reply: () => "Invalid syntax.\n",
      prompt: (answered) => `${PROMPT}${answered > 2 ? `\n${broadcast}` : ""}`,
    });
    const cli = await time.until(start(time, firewall));
    await assert.rejects(time.until(cli.run(SHOW_VPN_FLOW)), {
      reason: "command",
    });
    assert.equal(time.now, 3_000);
  });
});

Deno.test("a line that ends in > between two tables ends no reply", async () => {
  using time = stopTime();
  const firewall = createFirewall(time, { reply: () => undefined });
  const cli = await time.until(start(time, firewall));
  const replied = cli.run(SHOW_VPN_FLOW);
  firewall.print(`${TABLE}target-dp: >`);
  await time.pass(2_900);
  firewall.print(`\n${TABLE}${PROMPT}`);
  assert.equal((await time.until(replied)).tunnels.length, 4);
});

Deno.test("what looks like the prompt is parsed in proportion", async (t) => {
  const SIZE = 3_000;
  const names = inventTunnels(SIZE).map((tunnel) => ({
    ...tunnel,
    name: PROMPT.trim(),
  }));
  const cases = {
    "in the rows": printVpnFlow(names),
    "on lines of their own": `${PROMPT}\n`.repeat(SIZE) + TABLE,
  };
  for (const [where, text] of Object.entries(cases)) {
    await t.step(where, async () => {
      using time = stopTime();
      const firewall = createFirewall(time, { reply: () => undefined });
      const cli = await time.until(start(time, firewall));
      let parsed = 0;
      const replied = cli.run({
        ...SHOW_VPN_FLOW,
        parse(lines): VpnFlow {
          parsed += lines.length;
          return parseVpnFlow(lines);
        },
      });
      for (const piece of text.split(/(?<=>)/)) firewall.print(piece);
      firewall.print(PROMPT);
      await time.until(replied);
      const lines = text.split("\n").length;
      assert(parsed <= 12 * lines, `${parsed} lines parsed, of ${lines}`);
    });
  }
});

Deno.test("what has arrived is read before a time counts as quiet", async (t) => {
  const cases = {
    "at the login": { settings: 0, waitMs: 300 },
    "in a reply": { settings: 2, waitMs: 3_000 },
  };
  for (const [when, { settings, waitMs }] of Object.entries(cases)) {
    await t.step(when, async () => {
      using time = stopTime();
      const isLogin = settings === 0;
      let stalled: string | undefined;
      const clock: Clock = {
        ...time.clock,
        setTimer(ms, ring): () => void {
          return time.clock.setTimer(ms, () => {
            // the event loop is free again, and only then is the socket read
            if (ms === waitMs && stalled !== undefined) {
              const text = stalled;
              stalled = undefined;
              setImmediate(() => firewall.print(text));
            }
            ring();
          });
        },
      };
      const firewall = createFirewall(time, {
        reply: () => undefined,
        ...(isLogin && { loginText: "", prompt: () => "" }),
      });
      const { shell } = firewall;
      const started = startCli(shell, { quote, clock });
      if (isLogin) {
        stalled = " is an offence\n";
        firewall.print("Unauthorised access to fw-a>");
        await time.pass(20_000);
        assert.deepEqual(firewall.typed, []);
        firewall.setPrompt(PROMPT);
        firewall.print(PROMPT);
        await time.until(started);
      } else {
        const cli = await time.until(started);
        const replied = cli.run(SHOW_VPN_FLOW);
        stalled = `\n${TABLE}${PROMPT}`;
        firewall.print("to >");
        await time.until(replied);
      }
    });
  }
});

Deno.test("the rest of a refused reply is not taken for the next one", async () => {
  using time = stopTime();
  const late = printVpnFlow(inventTunnels(7));
  const replies = [undefined, `${TABLE}`];
  const firewall = createFirewall(time, { reply: () => replies.shift() });
  const cli = await time.until(start(time, firewall));
  const refused = cli.run(SHOW_VPN_FLOW);
  firewall.print(PROMPT);
  await assert.rejects(time.until(refused), { reason: "parse" });

  // all of it comes before the echo of the next command
  firewall.holdBack(`\n${late}${PROMPT}`);
  const { tunnels } = await time.until(cli.run(SHOW_VPN_FLOW));
  assert.equal(tunnels.length, 2);
});

Deno.test("a late reply alone is no reply to the next command", async () => {
  using time = stopTime();
  const firewall = createFirewall(time, {
    echo: "plain",
    reply: () => undefined,
  });
  const cli = await time.until(start(time, firewall));
  const refused = cli.run(SHOW_VPN_FLOW);
  firewall.print(PROMPT);
  await assert.rejects(time.until(refused), { reason: "parse" });

  firewall.mute();
  const waiting = cli.run(SHOW_VPN_FLOW);
  const late = printVpnFlow(inventTunnels(7));
  firewall.print(`${late}${PROMPT}\nAuto-commit done\n${PROMPT}`);
  await time.pass(60_000);
  assert.equal(time.timers, 0);
  firewall.print(`\n${PROMPT}${SHOW_VPN_FLOW.text}\n${TABLE}${PROMPT}`);
  assert.equal((await time.until(waiting)).tunnels.length, 2);
});

Deno.test("a reply counts although a message came into its echo", async () => {
  using time = stopTime();
  const firewall = createFirewall(time);
  const cli = await time.until(start(time, firewall));
  firewall.mute();
  const replied = cli.run(SHOW_VPN_FLOW);
  firewall.print(`show vpnAuto-commit done\n flow\n${TABLE}${PROMPT}`);
  assert.equal((await time.until(replied)).tunnels.length, 2);
  assert.equal(time.now, 3_000);
});

Deno.test("a prompt may come long after the text of the login", async () => {
  using time = stopTime();
  const firewall = createFirewall(time, { prompt: () => "" });
  const started = start(time, firewall);
  await time.pass(30_000);
  assert.deepEqual(firewall.typed, []);
  firewall.setPrompt(PROMPT);
  firewall.print(PROMPT);
  assert.equal((await time.until(started)).haState, "active");
});

Deno.test("setForm() tells what the firewall has done", async (t) => {
  const cases: readonly {
    readonly reply: string;
    readonly isDone: boolean;
  }[] = [
    { reply: "", isDone: true },
    { reply: "\n", isDone: true },
    {
      reply: "Unknown command: set cli op-command-xml-output\n",
      isDone: false,
    },
    {
      reply: "Unknown command: set cli op-command-xml-output on\n",
      isDone: false,
    },
    { reply: "\nInvalid syntax.\n", isDone: false },
  ];
  for (const { reply, isDone } of cases) {
    await t.step(JSON.stringify(reply), async () => {
      using time = stopTime();
      const replies = [reply, TABLE];
      const firewall = createFirewall(time, { reply: () => replies.shift() });
      const cli = await time.until(start(time, firewall));
      assert.equal(await time.until(cli.setForm("xml")), isDone);
      assert.equal(time.now, 0);
      await time.until(cli.run(SHOW_VPN_FLOW));
      assert.deepEqual(firewall.typed.slice(2), [
        "set cli op-command-xml-output on",
        "show vpn flow",
      ]);
    });
  }
  await t.step("an answer that tells neither", async () => {
    using time = stopTime();
    const firewall = createFirewall(time, { reply: () => "Server busy\n" });
    const cli = await time.until(start(time, firewall));
    await assert.rejects(time.until(cli.setForm("text")), {
      name: "PollError",
      reason: "parse",
      message: /"set cli op-command-xml-output off".*"Server busy"/,
    });
  });
  await t.step("the end of the session", async () => {
    using time = stopTime();
    const firewall = createFirewall(time, { reply: () => undefined });
    const cli = await time.until(start(time, firewall));
    const failed = cli.setForm("xml");
    await time.settle();
    firewall.end();
    await assert.rejects(time.until(failed), { reason: "session" });
  });
});

Deno.test("a bug of a parser ends the command at once", async () => {
  using time = stopTime();
  const cli = await time.until(start(time, createFirewall(time)));
  const bug = new TypeError("x is not a function");
  const failed = cli.run({
    ...SHOW_VPN_FLOW,
    parse(): never {
      throw bug;
    },
  });
  // no time passes
  await assert.rejects(failed, bug);
});

Deno.test("a command may allow lines of several MiB", async (t) => {
  const MIB = 2 ** 20;
  const long: Command<number> = {
    text: "show long",
    answer: /<a>/,
    maxLineLength: 8 * MIB,
    parse(lines): number {
      const text = lines.join("\n").trim();
      if (!text.endsWith("</a>")) throw new ReplyError("it is not complete");
      return text.length;
    },
  };
  // pieces of it look like a prompt, which costs nothing either
  const line = `<a>${"x".repeat(50)}${PROMPT}`.repeat(4 * MIB / 75) + "</a>";
  for (const size of [16, 1_000, 32 * 1024, 4 * MIB]) {
    for (const end of ["\n", ""]) {
      const name = `in pieces of ${size}, ${
        end ? "with" : "without"
      } a line end`;
      await t.step(name, async () => {
        using time = stopTime();
        const firewall = createFirewall(time, { reply: () => undefined });
        const cli = await time.until(start(time, firewall));
        const replied = cli.run(long);
        for (let start = 0; start < line.length; start += size) {
          firewall.print(line.slice(start, start + size));
        }
        firewall.print(`${end}${PROMPT}`);
        assert.equal(await time.until(replied), line.length);
        // the next command allows no more than usual
        const failed = cli.run(SHOW_VPN_FLOW);
        firewall.print(line);
        await assert.rejects(time.until(failed), { message: /8 KiB/ });
      });
    }
  }
});

Deno.test("what the firewall prints is quoted as it is told", async () => {
  using time = stopTime();
  const hide = (text: string): string => `<${text.replace("hunter2", "***")}>`;
  const firewall = createFirewall(time, {
    prompt: () => "hunter2 is old. New password: ",
  });
  const { shell } = firewall;
  const started = startCli(shell, { quote: hide, clock: time.clock });
  await assert.rejects(time.until(started), {
    message: /asks <\*\*\* is old\. New password:> after/,
  });
});

Deno.test("the shell is told when output is expected", async () => {
  using time = stopTime();
  const firewall = createFirewall(time);
  const told: string[] = [];
  const shell: Shell = {
    output: firewall.shell.output,
    write(text): void {
      told.push(text.trim());
      firewall.shell.write(text);
    },
    expectOutput: ({ isExpected }) => void told.push(String(isExpected)),
  };
  const cli = await time.until(startCli(shell, { quote, clock: time.clock }));
  await time.until(cli.run(SHOW_VPN_FLOW));
  firewall.end();
  await assert.rejects(time.until(cli.run(SHOW_VPN_FLOW)));
  const expected = ["true", "show vpn flow", "false"];
  assert.deepEqual(told, [...SETTINGS, "false", ...expected, ...expected]);
});

Deno.test("run() reads a table that holds what looks like a prompt", async (t) => {
  const [first, ...others] = inventTunnels(3);
  assert(first !== undefined);
  for (const name of ["to >", "monitor@fw-a(active)>", "show vpn flow", "#"]) {
    await t.step(name, async () => {
      using time = stopTime();
      const table = printVpnFlow([{ ...first, name }, ...others]);
      const firewall = createFirewall(time, {
        reply: () => table,
        split: "every byte",
      });
      const cli = await time.until(start(time, firewall));
      const { tunnels } = await time.until(cli.run(SHOW_VPN_FLOW));
      assert.deepEqual(
        tunnels.map((tunnel) => tunnel.name),
        [name, "branch-2", "branch-3"],
      );
    });
  }
});

Deno.test("run() waits for a slow table, and not for a slow prompt", async () => {
  using time = stopTime();
  const firewall = createFirewall(time, { reply: () => undefined });
  const cli = await time.until(start(time, firewall));
  const replied = cli.run(SHOW_VPN_FLOW);
  for (const line of TABLE.split("\n").slice(0, -1)) {
    await time.pass(4_000);
    firewall.print(`${line}\n`);
  }
  await time.pass(4_000);
  firewall.print(PROMPT);
  assert.equal((await replied).tunnels.length, 2);
});

Deno.test("run() takes no prompt that comes before the answer", async () => {
  using time = stopTime();
  const firewall = createFirewall(time, { reply: () => undefined });
  const cli = await time.until(start(time, firewall));
  const replied = cli.run(SHOW_VPN_FLOW);
  firewall.print(`\r${PROMPT}`);
  await time.pass(2_900);
  firewall.print(`\n${TABLE}${PROMPT}`);
  assert.equal((await time.until(replied)).tunnels.length, 2);
});

Deno.test("run() passes on why the reply cannot be read, and nothing is typed", async (t) => {
  const cases: readonly {
    readonly when: string;
    readonly reply: string;
    readonly reason: Reason;
    readonly message: RegExp;
  }[] = [
    {
      when: "the command is not known",
      reply: "Unknown command: show vpn\n",
      reason: "command",
      message: /Unknown command: show vpn/,
    },
    {
      when: "the syntax is not known",
      reply: "Invalid syntax.\n",
      reason: "command",
      message: /Invalid syntax\./,
    },
    {
      when: "the server fails",
      reply: "Server error : timed out\n",
      reason: "command",
      message: /Server error : timed out/,
    },
    {
      when: "there is no answer at all",
      reply: "",
      reason: "parse",
      message: /no table/,
    },
    {
      when: "a row is missing",
      reply: TABLE.replace(/^2 .*\n/m, ""),
      reason: "parse",
      message: /Cannot read the reply to "show vpn flow".*\b2\b.*\b1\b/,
    },
  ];
  for (const { when, reply, reason, message } of cases) {
    await t.step(when, async () => {
      using time = stopTime();
      const firewall = createFirewall(time, { reply: () => reply });
      const cli = await time.until(start(time, firewall));
      const failed = cli.run(SHOW_VPN_FLOW);
      await assert.rejects(time.until(failed), (error) => {
        assert(error instanceof VpnFlowError);
        assert.equal(error.reason, reason);
        assert.match(error.explain(quote), message);
        return true;
      });
      assert.deepEqual(firewall.typed, [...SETTINGS, "show vpn flow"]);
    });
  }
});

Deno.test("run() says that a pager waits, and presses no key", async (t) => {
  for (
    const pager of ["lines 1-23 ", "--more--", "\x1b[7mlines 1-23\x1b[27m"]
  ) {
    await t.step(JSON.stringify(pager), async () => {
      using time = stopTime();
      const firewall = createFirewall(time, { reply: () => undefined });
      const cli = await time.until(start(time, firewall));
      const failed = cli.run(SHOW_VPN_FLOW);
      firewall.print(`${TABLE.slice(0, 300)}\n${pager}`);
      await assert.rejects(time.until(failed), {
        reason: "parse",
        message: /pager waits at "(?:lines 1-23|--more--)"/,
      });
      assert.deepEqual(firewall.typed, [...SETTINGS, "show vpn flow"]);
    });
  }
});

Deno.test("a shell that asks for a password is given nothing", async (t) => {
  const questions = [
    "Enter old password : ",
    "New password:",
    "Password:",
    "Retype new password: ",
    "Enter passcode: ",
    "Your token? ",
  ];
  for (const question of questions) {
    for (const when of ["before the first prompt", "behind a setting"]) {
      await t.step(`${question.trim()} ${when}`, async () => {
        using time = stopTime();
        const isFirst = when === "before the first prompt";
        const firewall = createFirewall(time, {
          prompt: (answered) => isFirst || answered === 1 ? question : PROMPT,
        });
        await assert.rejects(time.until(start(time, firewall)), {
          reason: "auth",
          message: /log in by hand/,
        });
        assert.deepEqual(firewall.typed, isFirst ? [] : SETTINGS.slice(0, 1));
      });
    }
  }
});

Deno.test("login text about passwords is no question", async () => {
  using time = stopTime();
  const firewall = createFirewall(time, {
    loginText:
      "Warning: Your password:\nexpires in 3 days. Never tell a token: it is secret\n",
  });
  await time.until(start(time, firewall));
  assert.deepEqual(firewall.typed, SETTINGS);
});

Deno.test("output without an end is read within bounds", async (t) => {
  const cases = {
    "lines": "x".repeat(79) + "\n",
    "one line": "x".repeat(80),
    "prompts": `${PROMPT}\n`,
    "line ends": "\n".repeat(80),
  };
  for (const [name, text] of Object.entries(cases)) {
    for (const when of ["in the login", "in the reply", "while idle"]) {
      await t.step(`${name} ${when}`, async () => {
        using time = stopTime();
        const isLogin = when === "in the login";
        const firewall = createFirewall(time, {
          reply: () => undefined,
          ...(isLogin && { loginText: "", prompt: () => "" }),
        });
        const started = start(time, firewall);
        let failed: Promise<unknown> = started;
        if (!isLogin) {
          const cli = await time.until(started);
          failed = when === "while idle"
            ? cli.closed.then((reason) => Promise.reject(reason))
            : cli.run(SHOW_VPN_FLOW);
        }
        failed.catch(() => {});
        const chunk = text.repeat(400);
        let printed = 0;
        while (!firewall.isCancelled && printed < 9 * 2 ** 20) {
          firewall.print(chunk);
          printed += chunk.length;
          await time.settle();
        }
        assert(firewall.isCancelled, `read all of ${printed} bytes`);
        const linesRead = printed / text.length * (text.split("\n").length - 1);
        assert(linesRead < 600_000, `read ${linesRead} lines`);
        await assert.rejects(time.until(failed), {
          reason: "parse",
          message:
            /more than 8 MiB, 524288 lines, or a line of more than 8 KiB/,
        });
      });
    }
  }
});

Deno.test("a session that ends is told by when it ended", async (t) => {
  const lost = new PollError("session", "Lost the session: reset");
  const cases: readonly {
    readonly when: string;
    readonly text: string;
    readonly reason: Reason;
  }[] = [
    { when: "before the echo", text: "", reason: "session" },
    { when: "behind the echo", text: "show vpn flow\n", reason: "session" },
    { when: "in the counts", text: TABLE.slice(0, 90), reason: "parse" },
    { when: "in a row", text: TABLE.slice(0, -60), reason: "parse" },
  ];
  for (const { when, text, reason } of cases) {
    for (const error of [undefined, lost]) {
      const how = error === undefined ? "closed" : "lost";
      await t.step(`${how} ${when}: ${reason}`, async () => {
        using time = stopTime();
        const firewall = createFirewall(time, {
          echo: "none",
          reply: () => undefined,
        });
        const cli = await time.until(start(time, firewall));
        const failed = cli.run(SHOW_VPN_FLOW);
        firewall.print(text);
        await time.settle();
        firewall.end(error);
        await assert.rejects(failed, { reason });
        assert.equal((await cli.closed).reason, "session");
        assert.equal(time.timers, 0);
      });
    }
  }
});

Deno.test("a reply that is complete counts even if the session ends behind it", async () => {
  using time = stopTime();
  const firewall = createFirewall(time, { reply: () => undefined });
  const cli = await time.until(start(time, firewall));
  const replied = cli.run(SHOW_VPN_FLOW);
  firewall.print(`${TABLE}${PROMPT}`);
  firewall.end();
  assert.equal((await replied).tunnels.length, 2);
  await assert.rejects(cli.run(SHOW_VPN_FLOW), { reason: "session" });
});

Deno.test("startCli() fails when the session ends before the prompt", async (t) => {
  for (const answered of [0, 1, 2]) {
    await t.step(`after ${answered} settings`, async () => {
      using time = stopTime();
      const firewall = createFirewall(time, {
        prompt: (count) => count < answered ? PROMPT : "",
      });
      const started: Promise<Cli> = start(time, firewall);
      started.catch(() => {});
      await time.pass(1_000);
      firewall.end();
      await assert.rejects(started, { reason: "session" });
      assert.equal(time.timers, 0);
    });
  }
});

Deno.test("why the output failed is why the dialogue fails", async () => {
  using time = stopTime();
  const firewall = createFirewall(time, { reply: () => undefined });
  const cli = await time.until(start(time, firewall));
  const failed = cli.run(SHOW_VPN_FLOW);
  firewall.print(TABLE.slice(0, 300));
  await time.settle();
  firewall.end(new PollError("timeout", "Cannot wait"));
  await assert.rejects(failed, { reason: "timeout", message: "Cannot wait" });
});

function start(time: FakeTime, { shell }: FarSide): Promise<Cli> {
  return startCli(shell, { quote, clock: time.clock });
}

interface FarSideOptions {
  readonly loginText?: string;
  /** Given the number of commands answered so far. */
  readonly prompt?: (answered: number) => string;
  readonly echo?: "redraw" | "plain" | "none" | "twice";
  readonly knowsSettings?: boolean;
  /** `undefined` prints nothing, not even the prompt. */
  readonly settingReply?: () => string | undefined;
  readonly reply?: () => string | undefined;
  readonly split?: "every byte" | {
    /** In all that is printed, after which there is a pause. */
    readonly position: number;
    readonly pauseMs: number;
  };
}

interface FarSide {
  readonly shell: Shell;
  /** Lines typed so far. */
  readonly typed: readonly string[];
  /** Bytes printed so far. */
  readonly length: number;
  readonly isCancelled: boolean;
  /** Settles when everything printed has been sent. */
  allSent(): Promise<void>;
  setPrompt(prompt: string): void;
  /** Prints this in front of the next echo. */
  holdBack(text: string): void;
  /** Neither echoes nor answers what is typed from here on. */
  mute(): void;
  /** Line ends become CR LF. */
  print(text: string): void;
  end(error?: PollError): void;
}

/** A command line of PAN-OS without a firewall, which greets at once. */
function createFirewall(time: FakeTime, options: FarSideOptions = {}): FarSide {
  const {
    loginText = LOGIN_TEXT,
    echo = "redraw",
    knowsSettings = true,
    settingReply = () => "",
    reply = () => TABLE,
    split,
  } = options;
  let { prompt = () => PROMPT } = options;
  const typed: string[] = [];
  let length = 0;
  let isCancelled = false;
  let isEnded = false;
  let isScripted = false;
  let isMute = false;
  let heldBack = "";
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const output = new ReadableStream<Uint8Array>({
    start: (given) => void (controller = given),
    cancel: () => void (isCancelled = true),
  });
  let printed = Promise.resolve();

  function send(bytes: Uint8Array): void {
    if (isCancelled || isEnded || bytes.length === 0) return;
    controller?.enqueue(bytes);
  }

  function print(text: string): void {
    const bytes = toBytes(text.replaceAll("\n", "\r\n"));
    const start = length;
    length += bytes.length;
    if (split === undefined) return send(bytes);
    if (split === "every byte") {
      for (const byte of bytes) send(Uint8Array.of(byte));
      return;
    }
    const at = Math.max(0, split.position - start);
    const { pauseMs } = split;
    const isSplit = at > 0 && at < bytes.length;
    printed = printed.then(async () => {
      send(bytes.subarray(0, at));
      if (isSplit) await time.settle();
      if (isSplit && pauseMs > 0) {
        await new Promise<void>((resolve) => setTimeout(resolve, pauseMs));
      }
      send(bytes.subarray(at));
    });
  }

  function echoOf(line: string): string {
    if (echo === "none") return "";
    if (echo === "plain" || isScripted) return `${line}\n`;
    const redrawn = line.split(" ").map((_, index, words) =>
      index === 0
        ? words[0]
        : ` \r\x1b[K${promptNow()}${words.slice(0, index + 1).join(" ")}`
    ).join("");
    return echo === "twice"
      ? `${redrawn}\n${promptNow()}${line}\n`
      : `${redrawn}\n`;
  }

  function promptNow(): string {
    return prompt(typed.length);
  }

  function answer(line: string): string | undefined {
    if (!SETTINGS.includes(line)) return reply();
    if (!knowsSettings) return `Unknown command: ${line}\n`;
    isScripted = true;
    return settingReply();
  }

  const shell: Shell = {
    output,
    write(text): void {
      const line = text.replace(/\n$/, "");
      if (isMute) return;
      const echoed = heldBack + echoOf(line);
      heldBack = "";
      typed.push(line);
      const answered = answer(line);
      const rest = answered === undefined ? "" : `${answered}${promptNow()}`;
      print(`${echoed}${rest}`);
    },
    expectOutput: () => {},
  };
  print(`${loginText}${promptNow()}`);
  return {
    shell,
    typed,
    get length() {
      return length;
    },
    get isCancelled() {
      return isCancelled;
    },
    allSent: () => printed,
    setPrompt: (text) => void (prompt = () => text),
    holdBack: (text) => void (heldBack = text),
    mute: () => void (isMute = true),
    print,
    end(error): void {
      isEnded = true;
      if (error === undefined) controller?.close();
      else controller?.error(error);
    },
  };
}

/** As UTF-8, but for U+0080 to U+00FF: these are bytes that are no text. */
function toBytes(text: string): Uint8Array {
  const isBroken = /[\u0080-\u009f\u00fe\u00ff]/.test(text);
  if (!isBroken) return new TextEncoder().encode(text);
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
