import assert from "node:assert/strict";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Poll, Reason } from "../../src/model/poll.ts";
import {
  type Action,
  type SimulatedFirewall,
  startFirewall,
} from "../support/firewall.ts";
import { createFleetOfOne } from "../support/fleet_of_one.ts";
import { createKeyPair } from "../support/key_pair.ts";
import {
  createPassingClock,
  type PassingClock,
} from "../support/passing_clock.ts";
import type { Output } from "../support/panos_output.ts";
import { inventTunnels, printVpnFlow } from "../support/vpn_flow_reply.ts";

const FIREWALLS = 20;
const POLLS_EACH = 60;
const TABLE = printVpnFlow(inventTunnels(20));

/** What goes wrong in a poll, and what it is reported as. */
const FAULTS = {
  "a refused command": "command",
  "a row that does not fit": "parse",
  "a table cut by the end of the session": "parse",
  "a table cut by the end of the connection": "parse",
  "a session that ends before the answer": "session",
  "a dropped connection": "connect",
  "a refused channel": "session",
  "a hung command": "timeout",
  "a killed session": undefined,
} satisfies Readonly<Record<string, Reason | undefined>>;

type Fault = keyof typeof FAULTS;

/** After these the prompt returns, and the session goes on. */
const KEEPS_SESSION: ReadonlySet<Fault | undefined> = new Set([
  "a refused command",
  "a row that does not fit",
]);

/** What a poll may take, which passes at once when a command hangs. */
const POLL_MS = 30_000;
const HUNG: Fault = "a hung command";
const QUICK = Object.keys(FAULTS).filter((name) => name !== HUNG) as Fault[];

Deno.test("1,200 polls, a third of them failing, leave nothing behind", async () => {
  await using stack = new AsyncDisposableStack();
  const hostKeys = [createKeyPair()];
  const firewalls = await Promise.all(
    Array.from({ length: FIREWALLS }, async () => {
      const clock = createPassingClock();
      const firewall = await startFaultyFirewall(hostKeys, clock);
      const simulated = stack.use(firewall.simulated);
      const exporter = stack.use(createFleetOfOne(simulated, { clock }));
      return { ...firewall, exporter };
    }),
  );
  const memory: number[] = [];
  let failures = 0;

  await Promise.all(
    firewalls.map(async ({ simulated, arm, exporter }, number) => {
      for (let round = 0; round < POLLS_EACH; round++) {
        const fault = faultOf(number, round);
        arm(fault);
        const poll: Poll = await exporter.poll(POLL_MS);
        const wanted: Reason | undefined = fault && FAULTS[fault];
        const got: Reason | undefined = poll.ok === false
          ? poll.reason
          : undefined;
        assert.equal(
          got,
          wanted,
          `${fault} in poll ${round}: ${poll.ok === false && poll.message}`,
        );
        if (fault !== undefined) failures++;
        if (number === 0 && round % 10 === 9) memory.push(heapInUse());
        if (wanted !== undefined && !KEEPS_SESSION.has(fault)) {
          await simulated.waitFor(({ openSessions }) => openSessions === 0);
        }
      }
    }),
  );

  assert(failures > FIREWALLS * POLLS_EACH * 0.33, `only ${failures} failed`);
  for (const { simulated, exporter } of firewalls) {
    await exporter.fleet[Symbol.asyncDispose]();
    await simulated.waitFor(({ openConnections }) => openConnections === 0);
    assert.equal(simulated.openSessions, 0);
    assert.equal(simulated.mostSessions, 1);
  }
  const [first = NaN] = memory;
  const last = memory.at(-1) ?? NaN;
  assert(
    last - first < 3_000_000,
    `the heap grew from ${first} to ${last} bytes`,
  );
});

/** Bytes that a collection leaves; other test files have heaps of their own. */
function heapInUse(): number {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  return Deno.memoryUsage().heapUsed;
}

/** Each third poll fails, at another time on each firewall. */
function faultOf(number: number, round: number): Fault | undefined {
  const turn = round + number;
  if (turn % 3 !== 0) return undefined;
  if (turn % 51 === 0) return HUNG;
  return QUICK[turn / 3 % QUICK.length];
}

interface FaultyFirewall {
  readonly simulated: SimulatedFirewall;
  /** Decides what goes wrong in the next poll. */
  arm(fault: Fault | undefined): void;
}

async function startFaultyFirewall(
  hostKeys: readonly ReturnType<typeof createKeyPair>[],
  clock: PassingClock,
): Promise<FaultyFirewall> {
  let armed: Fault | undefined;
  const when = (fault: Fault, action: Action): () => Action => () =>
    armed === fault ? action : "proceed";
  const simulated = await startFirewall({
    hostKeys,
    reply: () => {
      if (armed === HUNG) clock.pass(POLL_MS);
      return replyTo(armed);
    },
    faults: {
      ident: when("a dropped connection", "drop"),
      channel: when("a refused channel", "refuse"),
    },
  });
  return {
    simulated,
    arm(fault): void {
      armed = fault;
      const needsLogin: readonly (Fault | undefined)[] = [
        "a dropped connection",
        "a refused channel",
        "a killed session",
      ];
      if (needsLogin.includes(fault)) simulated.killSessions();
    },
  };
}

function replyTo(fault: Fault | undefined): Output {
  const cut = TABLE.slice(0, -200);
  switch (fault) {
    case "a refused command":
      return "Invalid syntax.\n";
    case "a row that does not fit":
      return TABLE.replace(/^7 .*$/m, "7 ?");
    case "a table cut by the end of the session":
      return [cut, { end: true }];
    case "a table cut by the end of the connection":
      return [cut, { drop: true }];
    case "a session that ends before the answer":
      return [{ end: true }];
    case HUNG:
      return [cut, { hang: true }];
    default:
      return TABLE;
  }
}
