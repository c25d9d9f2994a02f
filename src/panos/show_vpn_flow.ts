/**
 * How the tunnels are asked for: as text, and in XML.
 *
 * @module
 */

import type { VpnFlow } from "../model/tunnel.ts";
import type { Command } from "./command.ts";
import { parseVpnFlow } from "./vpn_flow.ts";
import { parseVpnFlowXml } from "./vpn_flow_xml.ts";

const SHOW = "show vpn flow";

/** The table, as the firewall prints it for people. */
export const SHOW_AS_TEXT: Command<VpnFlow> = {
  text: SHOW,
  answer: /tunnel/i,
  parse: parseVpnFlow,
};

/** The same in XML; for a session that was switched to it. */
export const SHOW_IN_XML: Command<VpnFlow> = {
  text: SHOW,
  answer: /<(?:\?xml|response)/,
  // the whole answer may be one line
  maxLineLength: 8 * 1024 * 1024,
  parse: parseVpnFlowXml,
};
