import assert from "node:assert/strict";
import { isPagerPrompt } from "../../src/panos/cli_messages.ts";

Deno.test("isPagerPrompt() knows the pagers of the CLI", () => {
  const prompts = [
    "lines 1-23",
    "lines 24-46/61 75%",
    " lines 1-23 ",
    "--more--",
    "--More--",
    "--- More ---",
    "(END)",
  ];
  for (const line of prompts) assert(isPagerPrompt(line), line);
});

Deno.test("isPagerPrompt() takes no part of a table for a pager", () => {
  const row =
    "2     OSLO-BANK  inactiv  off  192.0.2.14  198.51.100.1  tunnel.3";
  const header = "id  name  state  monitor  local-ip  peer-ip  tunnel-i/f";
  for (const line of [row, header, "-----", "user@fw> ", "", "lines"]) {
    assert(!isPagerPrompt(line), line);
  }
});
