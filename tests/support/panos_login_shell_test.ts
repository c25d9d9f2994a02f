import assert from "node:assert/strict";
// @ts-types="@types/ssh2"
import { Client } from "ssh2";
import { VpnFlowError } from "../../src/panos/vpn_flow_error.ts";
import {
  type OpenSsh,
  type Shell,
  SIX_TUNNELS,
  SIX_TUNNELS_UNKNOWN,
  SIX_TUNNELS_XML,
  startOpenSsh,
  testWithOpenSsh,
} from "./openssh.ts";
import { readVpnFlow } from "./vpn_flow_reply.ts";
import { readVpnFlowXml, XML_FAULTS } from "./vpn_flow_xml.ts";

const SHOW = "show vpn flow";
const PAGER_OFF = "set cli pager off";
const XML_ON = "set cli op-command-xml-output on";
const XML_OFF = "set cli op-command-xml-output off";
const PROMPT = "admin@PA-1> ";

interface Scenario {
  readonly shell: Partial<Shell>;
  readonly commands: readonly string[];
}

/** What each command printed, with neither echo nor prompt. */
async function converse(
  { shell, commands }: Scenario,
): Promise<readonly string[]> {
  await using server = await startOpenSsh({
    shell: { echo: "none", ...shell },
  });
  const text = await typeAll(server, commands);
  const replies = text.replaceAll("\r\n", "\n").split(PROMPT);
  return replies.slice(1, commands.length + 1);
}

async function typeAll(
  { port, username, password }: OpenSsh,
  commands: readonly string[],
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const client = new Client();
  client.on("error", reject);
  client.on("ready", () =>
    client.shell({ cols: 500 }, (error, channel) => {
      if (error) return reject(error);
      let text = "";
      const waiting = [...commands, "exit"];
      channel.on("data", (chunk: Uint8Array) => {
        text += new TextDecoder().decode(chunk);
        const isPrompt = text.split(PROMPT).length - 1 >
          commands.length + 1 - waiting.length;
        const command = isPrompt ? waiting.shift() : undefined;
        if (command !== undefined) channel.write(`${command}\n`);
      });
      channel.once("close", () => resolve(text));
    }));
  client.connect({ host: "127.0.0.1", port, username, password });
  try {
    return await promise;
  } finally {
    const closed = new Promise<void>((resolve) => {
      client.once("close", () => resolve());
    });
    client.end();
    await closed;
  }
}

testWithOpenSsh({
  name: "the login shell answers in XML while that is switched on",
  fn: async () => {
    const [, asText = "", on, asXml = "", off, again] = await converse({
      shell: {
        replies: { [SHOW]: SIX_TUNNELS_UNKNOWN },
        xmlReplies: { [SHOW]: SIX_TUNNELS_XML },
      },
      commands: [PAGER_OFF, SHOW, XML_ON, SHOW, XML_OFF, SHOW],
    });
    assert.throws(() => readVpnFlow(asText), VpnFlowError);
    assert.deepEqual([on, off, again], ["", "", asText]);
    assert.equal(readVpnFlowXml(asXml).tunnels.length, 6);
  },
});

testWithOpenSsh({
  name: "the login shell can have no XML, or keep it on",
  fn: async () => {
    const [unknown] = await converse({ shell: {}, commands: [XML_ON] });
    assert.equal(unknown, `Unknown command: ${XML_ON}\n`);
    const [, , , said = ""] = await converse({
      shell: { keepsXml: true, xmlReplies: { [SHOW]: SIX_TUNNELS_XML } },
      commands: [PAGER_OFF, XML_ON, XML_OFF, SHOW],
    });
    assert.equal(readVpnFlowXml(said).tunnels.length, 6);
  },
});

testWithOpenSsh({
  name: "the login shell can answer wrongly in XML",
  fn: async (t) => {
    const faults = {
      ...XML_FAULTS,
      "other values": SIX_TUNNELS_XML.replace("LIMA", "CUZCO"),
    };
    for (const [fault, answer] of Object.entries(faults)) {
      await t.step(fault, async () => {
        const [, asText, , said = ""] = await converse({
          shell: { xmlReplies: { [SHOW]: answer } },
          commands: [PAGER_OFF, SHOW, XML_ON, SHOW],
        });
        assert.deepEqual([asText, said], [SIX_TUNNELS, answer]);
      });
    }
  },
});
