/**
 * What the simulated firewall prints for `show vpn flow` in XML.
 *
 * @module
 */

import { inventTunnels, type PrintedTunnel } from "./vpn_flow_reply.ts";
import type { VpnFlow } from "../../src/model/tunnel.ts";
import { parseVpnFlowXml } from "../../src/panos/vpn_flow_xml.ts";

/** Prints tunnels as one data plane does. Lines end in `\n`. */
export function printVpnFlowXml(tunnels: readonly PrintedTunnel[]): string {
  return `<response status="success"><result>
  <dp>dp0</dp>
  <num_ipsec>${tunnels.length}</num_ipsec>
  <num_sslvpn>0</num_sslvpn>
${
    tunnels.length === 0
      ? "  <IPSec/>\n"
      : `  <IPSec>\n${tunnels.map(printEntry).join("")}  </IPSec>\n`
  }  <total>${tunnels.length}</total>
</result></response>
`;
}

/** What firewalls have been seen to print where XML was asked for. */
export const XML_FAULTS = {
  "a blank answer": "\n",
  "an error response": '<response status="error"><msg><line>No such node' +
    "</line></msg></response>\n",
  "a refusal as text": "Server error : No such node\n",
  "a cut answer": printVpnFlowXml(inventTunnels(6)).slice(0, 700) + "\n",
} as const;

/** A table that no reader knows, so that only the XML tells. */
export function printUnknownLayout(tunnels: readonly PrintedTunnel[]): string {
  const rows = tunnels.map(({ id, name, state, peerIp }) =>
    `${peerIp} | ${state} | ${name} | ${id}`
  );
  return ["", "Gateway | Phase2 | Tunnel | No", ...rows, "", ""].join("\n");
}

function printEntry(tunnel: PrintedTunnel): string {
  return `    <entry>
      <name>${escapeXml(tunnel.name)}</name>
      <id>${tunnel.id}</id>
      <gwid>1</gwid>
      <inner-if>${tunnel.interfaceName}</inner-if>
      <outer-if>ethernet1/1</outer-if>
      <ipsec-mode>tunnel</ipsec-mode>
      <localip>${tunnel.localIp}</localip>
      <peerip>${tunnel.peerIp}</peerip>
      <state>${tunnel.state}</state>
      <mon>${tunnel.monitor}</mon>
      <owner>1</owner>
    </entry>
`;
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}

/** Reads an answer that is given as one text, with any line ends. */
export function readVpnFlowXml(text: string): VpnFlow {
  return parseVpnFlowXml(text.split(/\r?\n/));
}
