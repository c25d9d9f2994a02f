import assert from "node:assert/strict";
import { Journal } from "../../src/firewall/journal.ts";
import { ADVICE } from "../../src/model/advice.ts";
import type { HaState } from "../../src/model/high_availability.ts";
import type { Fields } from "../../src/std/log.ts";
import { type Poll, PollError, type Reason } from "../../src/model/poll.ts";
import type { Tunnel } from "../../src/model/tunnel.ts";
import { failedPoll, goodPoll, tunnelOf } from "../support/status.ts";
import {
  inventTunnels,
  printVpnFlow,
  readVpnFlow,
} from "../support/vpn_flow_reply.ts";
import { printVpnFlowXml, readVpnFlowXml } from "../support/vpn_flow_xml.ts";

Deno.test("a good poll is worth a line when it is the first, and then no more", () => {
  const { journal, take } = start();
  for (let polls = 0; polls < 3; polls++) journal.record(good(tunnels(6)));
  assert.deepEqual(take(), [["info", "first poll", { tunnels: 6, up: 6 }]]);
});

Deno.test("proxy IDs are counted as the one tunnel that they are", () => {
  const { journal, take } = start();
  const rows = ["oslo", "oslo:net-1", "oslo:net-2", "lima"]
    .map((name, index) => tunnel({ id: `${index + 1}`, name }));
  journal.record(good(rows));
  journal.record(failed("connect", "refused"));
  journal.record(good(rows.with(2, tunnel({ name: "oslo:net-2", ...DOWN }))));
  const told = take().filter(([, , fields]) => "tunnels" in fields);
  assert.deepEqual(told, [
    ["info", "first poll", { tunnels: 2, up: 2 }],
    ["info", "poll recovered", {
      failed_polls: 1,
      tunnels: 2,
      partly_down: 1,
      up: 1,
    }],
  ]);
});

Deno.test("a failure is told when it happens and when its reason changes", () => {
  const { journal, take } = start();
  journal.record(failed("connect", "refused"));
  journal.record(failed("connect", "refused"));
  journal.record(failed("timeout", "no answer"));
  journal.record(failed("timeout", "no answer"));
  journal.record(failed("connect", "refused"));
  assert.deepEqual(take().filter(([level]) => level !== "debug"), [
    ["error", "poll failed", advised("connect", "refused")],
    ["error", "poll failed", advised("timeout", "no answer")],
    ["error", "poll failed", advised("connect", "refused")],
  ]);
});

Deno.test("a failure that goes on is told to those who debug", () => {
  const { journal, take } = start();
  journal.record(failed("connect", "refused"));
  take();
  journal.record(failed("connect", "refused"));
  assert.deepEqual(take(), [
    ["debug", "poll failed again", { reason: "connect" }],
  ]);
});

Deno.test("a recovery is told with the number of polls that failed", () => {
  const { journal, take } = start();
  journal.record(failed("connect", "refused"));
  journal.record(failed("timeout", "no answer"));
  take();
  journal.record(good(tunnels(6)));
  journal.record(good(tunnels(6)));
  assert.deepEqual(take(), [
    ["info", "poll recovered", { failed_polls: 2, tunnels: 6, up: 6 }],
  ]);
  journal.record(failed("connect", "refused"));
  journal.record(good(tunnels(6)));
  assert.deepEqual(take().at(-1), [
    "info",
    "poll recovered",
    { failed_polls: 1, tunnels: 6, up: 6 },
  ]);
});

Deno.test("a tunnel that changes state is told, as bad news unless it is up", () => {
  const { journal, take } = start();
  journal.record(good([tunnel({ name: "oslo" }), tunnel({ id: "2" })]));
  take();
  journal.record(
    good([tunnel({ name: "oslo", ...DOWN }), tunnel({ id: "2" })]),
  );
  journal.record(
    good([tunnel({ name: "oslo", ...DOWN }), tunnel({ id: "2" })]),
  );
  journal.record(good([tunnel({ name: "oslo" }), tunnel({ id: "2" })]));
  assert.deepEqual(take(), [
    ["warn", "tunnel changed state", {
      tunnel: "oslo",
      from: "up",
      to: "down",
    }],
    ["info", "tunnel changed state", {
      tunnel: "oslo",
      from: "down",
      to: "up",
    }],
  ]);
});

Deno.test("a change of state is told across polls that failed", () => {
  const { journal, take } = start();
  journal.record(good([tunnel()]));
  journal.record(failed("timeout", "no answer"));
  take();
  journal.record(good([tunnel(DOWN)]));
  assert.deepEqual(take().map(([, message]) => message), [
    "poll recovered",
    "tunnel changed state",
  ]);
});

Deno.test("a tunnel that comes or goes is told, and not as a change of state", () => {
  const { journal, take } = start();
  journal.record(good(tunnels(1)));
  take();
  journal.record(good(tunnels(2)));
  journal.record(good(tunnels(1)));
  assert.deepEqual(take(), [
    ["info", "tunnel added", { tunnel: "branch-2", state: "up" }],
    ["warn", "tunnel removed", { tunnel: "branch-2", state: "up" }],
  ]);
});

Deno.test("a tunnel comes and goes with the same word for its state", () => {
  const { journal, take } = start();
  const states = { rekey: "unknown (rekey)", "": "unknown (blank)" };
  for (const [stateWord, state] of Object.entries(states)) {
    journal.record(good([]));
    take();
    journal.record(good([tunnel({ state: "unknown", stateWord })]));
    journal.record(good([]));
    const told = take().filter(([, message]) => message.startsWith("tunnel"));
    assert.deepEqual(told, [
      ["info", "tunnel added", { tunnel: "branch", state }],
      ["warn", "tunnel removed", { tunnel: "branch", state }],
    ]);
  }
});

Deno.test("a monitor that goes down and up is told", () => {
  const { journal, take } = start();
  for (const monitor of ["up", "down", "up", "off"]) {
    journal.record(good([tunnel({ monitor })]));
  }
  const message = "tunnel monitor changed";
  assert.deepEqual(take().slice(1), [
    ["warn", message, { tunnel: "branch", from: "up", to: "down" }],
    ["info", message, { tunnel: "branch", from: "down", to: "up" }],
    ["info", message, { tunnel: "branch", from: "up", to: "off" }],
  ]);
});

Deno.test("a monitor that XML does not tell is unknown, and not off", () => {
  const { journal, take } = start();
  const [printed] = inventTunnels(1).map((row) => ({ ...row, monitor: "up" }));
  assert(printed !== undefined);
  const xml = printVpnFlowXml([{ ...printed, monitor: "on" }]);
  journal.record(good(readVpnFlow(printVpnFlow([printed])).tunnels));
  journal.record(good(readVpnFlowXml(xml).tunnels));
  const fields = { tunnel: "branch-1", from: "up", to: "unknown" };
  assert.deepEqual(take().slice(1), [
    ["info", "tunnel monitor changed", fields],
  ]);
});

Deno.test("a monitor of which two rows say different things is unknown", () => {
  const { journal, take } = start();
  journal.record(good([tunnel()]));
  const monitors = ["up", "down"];
  journal.record(good(monitors.map((monitor) => tunnel({ monitor }))));
  const fields = { tunnel: "branch", from: "off", to: "unknown" };
  assert.deepEqual(take()[1], ["info", "tunnel monitor changed", fields]);
});

Deno.test("a failover is told", () => {
  const { journal, take } = start();
  journal.record(good([tunnel()], "passive"));
  journal.record(good([tunnel()], "active"));
  journal.record(good([tunnel()]));
  const message = "high availability changed";
  assert.deepEqual(take().slice(1), [
    ["warn", message, { from: "passive", to: "active" }],
    ["warn", message, { from: "active", to: "none" }],
  ]);
});

Deno.test("a state that text and XML spell differently has not changed", () => {
  const { journal, take } = start();
  journal.record(good([tunnel(DOWN)]));
  journal.record(good([tunnel({ ...DOWN, stateWord: "inactive" })]));
  assert.equal(take().length, 1);
});

Deno.test("tunnels that were never established are one count, not a line each", () => {
  const { journal, take } = start();
  const init = { state: "init", stateWord: "init" } as const;
  journal.record(good(tunnels(300).map((tunnel) => ({ ...tunnel, ...init }))));
  assert.deepEqual(take(), [
    ["info", "first poll", { tunnels: 300, not_established: 300 }],
  ]);
});

Deno.test("twenty changes are told one by one, and more in one summary", async (t) => {
  for (const [changes, others] of [[20, undefined], [21, 1], [500, 480]]) {
    await t.step(`${changes} changes`, () => {
      const { journal, take } = start();
      journal.record(good(tunnels(500)));
      take();
      journal.record(
        good(
          tunnels(500).map((tunnel, index) =>
            index < Number(changes) ? { ...tunnel, ...DOWN } : tunnel
          ),
        ),
      );
      const lines = take();
      const last = ["warn", "more changes", { others }];
      assert.deepEqual(
        lines.slice(0, 20).map(([, message]) => message),
        Array(20).fill("tunnel changed state"),
      );
      assert.deepEqual(lines.slice(20), others === undefined ? [] : [last]);
    });
  }
});

Deno.test("rows that differ in their interface alone do not seem to change", () => {
  const { journal, take } = start();
  const rows = [
    tunnel({ interfaceName: "tunnel.1" }),
    tunnel({ interfaceName: "tunnel.2", ...DOWN }),
  ];
  journal.record(good(rows));
  take();
  journal.record(good(rows));
  assert.deepEqual(take(), []);
});

Deno.test("a tunnel whose rows contradict each other is told once", () => {
  const { journal, take } = start();
  const rows = [tunnel({ name: "oslo" }), tunnel({ name: "oslo", ...DOWN })];
  journal.record(good(rows));
  journal.record(good(rows));
  assert.deepEqual(take(), [
    ["info", "first poll", { tunnels: 1, unknown: 1 }],
    ["warn", "rows of one tunnel contradict each other", {
      tunnel: "oslo",
      id: "1",
    }],
  ]);
});

Deno.test("a state that is not known is told once a tunnel and word", () => {
  const { journal, take } = start();
  const odd = { state: "unknown", stateWord: "odd" } as const;
  const rekey = { state: "unknown", stateWord: "rekey" } as const;
  journal.record(good([
    tunnel({ name: "oslo", ...odd }),
    tunnel({ id: "2", name: "rome", ...odd }),
  ]));
  journal.record(good([tunnel({ name: "oslo", ...rekey })]));
  journal.record(good([tunnel({ name: "oslo", ...odd })]));
  assert.deepEqual(
    take().filter(([, message]) => message === "state is not known"),
    [
      ["warn", "state is not known", { tunnel: "oslo", state: "odd" }],
      ["warn", "state is not known", { tunnel: "rome", state: "odd" }],
      ["warn", "state is not known", { tunnel: "oslo", state: "rekey" }],
    ],
  );
});

Deno.test("a firewall that invents oddities for ever is told of a bounded number", () => {
  const { journal, take } = start();
  for (let poll = 0; poll < 30; poll++) {
    journal.record(good(Array.from({ length: 100 }, (_, index) =>
      tunnel({
        id: `${index}`,
        state: "unknown",
        stateWord: `word-${poll}-${index}`,
      }))));
  }
  const told = take().filter(([, message]) => message === "state is not known");
  assert.equal(told.length, 1_000);
});

Deno.test("a login that fails in the background is told once a message", () => {
  const { journal, take } = start();
  journal.recordLogin(new PollError("timeout", "no prompt"));
  journal.recordLogin(new PollError("timeout", "no prompt"));
  journal.recordLogin(new PollError("auth", "rejected"));
  const message = "login failed in the background";
  assert.deepEqual(take(), [
    ["error", message, advised("timeout", "no prompt")],
    ["error", message, advised("auth", "rejected")],
  ]);

  journal.record(good([]));
  take();
  journal.recordLogin(new PollError("auth", "rejected"));
  assert.deepEqual(take(), [
    ["error", message, advised("auth", "rejected")],
  ]);
});

Deno.test("recordLogin() throws what is a bug", () => {
  const { journal, take } = start();
  const bug = new TypeError("x is not a function");
  assert.throws(() => journal.recordLogin(bug), bug);
  assert.deepEqual(take(), []);
});

const DOWN = { state: "inactive", stateWord: "inactiv" } as const;

type Line = readonly [level: string, message: string, fields: Fields];

function start(): {
  readonly journal: Journal;
  /** What was logged since it was last asked. */
  readonly take: () => readonly Line[];
} {
  const lines: Line[] = [];
  const journal = new Journal((level, message, fields = {}) => {
    lines.push([level, message, fields]);
  });
  return { journal, take: () => lines.splice(0) };
}

function tunnel(changes: Partial<Tunnel> = {}): Tunnel {
  return tunnelOf({
    id: "1",
    name: "branch",
    interfaceName: "tunnel.1",
    ...changes,
  });
}

function tunnels(size: number): readonly Tunnel[] {
  return Array.from(
    { length: size },
    (_, index) =>
      tunnel({
        id: `${index + 1}`,
        name: `branch-${index + 1}`,
        interfaceName: `tunnel.${index + 1}`,
      }),
  );
}

function good(tunnels: readonly Tunnel[], haState?: HaState): Poll {
  return goodPoll(tunnels, { haState });
}

function advised(reason: Reason, error: string): Fields {
  return { reason, error, advice: ADVICE[reason].remedy };
}

function failed(reason: Reason, message: string): Poll {
  return failedPoll({ reason, message });
}
