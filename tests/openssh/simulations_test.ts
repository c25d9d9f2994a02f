/** The simulated firewall and the login shell, which play the same faults. */

import assert from "node:assert/strict";
import { startFirewall } from "../support/firewall.ts";
import { createFleetOfOne, type Server } from "../support/fleet_of_one.ts";
import {
  SIX_TUNNELS,
  SIX_TUNNELS_UNKNOWN,
  SIX_TUNNELS_XML,
  startOpenSsh,
  testWithOpenSsh,
} from "../support/openssh.ts";
import type { Output } from "../support/panos_output.ts";
import { XML_FAULTS } from "../support/vpn_flow_xml.ts";

const SHOW = "show vpn flow";
const HALF = SIX_TUNNELS.slice(0, SIX_TUNNELS.indexOf("QUITO"));
const SIX = "up with 6 tunnels";

interface Play {
  readonly reply: Output;
  readonly xml?: string;
  /** What a poll makes of it. */
  readonly seen: string;
}

const PLAYS: Readonly<Record<string, Play>> = {
  "a table": { reply: SIX_TUNNELS, seen: SIX },
  "a table in pieces": {
    reply: [HALF, SIX_TUNNELS.slice(HALF.length)],
    seen: SIX,
  },
  "silence": { reply: [{ hang: true }], seen: "timeout" },
  "silence in the table": { reply: [HALF, { hang: true }], seen: "timeout" },
  "the end of the shell": { reply: [{ end: true }], seen: "session" },
  "the end of the shell in the table": {
    reply: [HALF, { end: true }],
    seen: "parse",
  },
  "the end of the connection": { reply: [{ drop: true }], seen: "session" },
  "a refusal": { reply: "Invalid syntax.\n", seen: "command" },
  "an unknown table, and no XML": {
    reply: SIX_TUNNELS_UNKNOWN,
    seen: "parse",
  },
  "an unknown table, and XML": {
    reply: SIX_TUNNELS_UNKNOWN,
    xml: SIX_TUNNELS_XML,
    seen: SIX,
  },
  ...Object.fromEntries(
    Object.entries(XML_FAULTS).map(([fault, xml]) => [
      `an unknown table, and XML with ${fault}`,
      { reply: SIX_TUNNELS_UNKNOWN, xml, seen: "parse" },
    ]),
  ),
};

testWithOpenSsh({
  name: "a fault is the same in the simulated firewall and on OpenSSH",
  fn: async () => {
    const names = Object.keys(PLAYS);
    const expected = names.map((name) => [name, PLAYS[name]?.seen]);
    const waiting = Object.entries(PLAYS);
    const simulated = new Map<string, string>();
    const real = new Map<string, string>();
    // Most of them wait for a server to start, or for a limit.
    const workers = Array.from({ length: 6 }, async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        const [name, play] = next;
        simulated.set(name, await playInProcess(play));
        real.set(name, await playOnOpenSsh(play));
      }
    });
    await Promise.all(workers);
    const inOrder = (seen: ReadonlyMap<string, string>): unknown =>
      names.map((name) => [name, seen.get(name)]);
    assert.deepEqual(inOrder(simulated), expected);
    assert.deepEqual(inOrder(real), expected);
  },
});

async function playInProcess({ reply, xml }: Play): Promise<string> {
  await using firewall = await startFirewall({
    reply: () => reply,
    ...(xml !== undefined && { replyXml: () => xml }),
  });
  return await pollOnce(firewall);
}

async function playOnOpenSsh({ reply, xml }: Play): Promise<string> {
  await using server = await startOpenSsh({
    shell: {
      replies: { [SHOW]: reply },
      xmlReplies: xml === undefined ? {} : { [SHOW]: xml },
    },
  });
  return await pollOnce(server);
}

/** The reason of a failure, or how many tunnels were seen. */
async function pollOnce(server: Server): Promise<string> {
  await using exporter = createFleetOfOne(server);
  const poll = await exporter.poll(8_000);
  return poll.ok ? `up with ${poll.flow.tunnels.length} tunnels` : poll.reason;
}
