import assert from "node:assert/strict";
import {
  environmentFor,
  type Exporter,
  startExporter,
} from "../support/exporter.ts";
import { type SimulatedFirewall, startFirewall } from "../support/firewall.ts";
import { inventTunnels, printVpnFlow } from "../support/vpn_flow_reply.ts";

const TABLE = printVpnFlow(inventTunnels(3));

/** Less half a second for the way back, it waits a quarter of a second. */
const IMPATIENT = { timeout: 0.75 };

Deno.test("an answer that came too late is no success, for scraper, page and log alike", async () => {
  let answer: ((table: string) => void) | undefined;
  let isSlow = true;
  await using firewall = await startFirewall({
    reply: () => {
      if (!isSlow) return TABLE;
      const { promise, resolve } = Promise.withResolvers<string>();
      answer = resolve;
      return promise;
    },
  });
  await using exporter = await startFor(firewall);
  const late = await exporter.scrape(IMPATIENT);
  assert.equal(late.verdict, "timeout");
  await firewall.waitFor(() => asked(firewall) === 1);
  answer?.(TABLE);
  const tooLate =
    /answered after [\d.]+ s, the scraper waits 0\.3 s: raise scrape_timeout/;
  const failure = await exporter.logged(tooLate);
  assert.match(failure, /level=error.*reason=timeout/);
  const { text: page } = await exporter.get("/");
  assert.match(page, tooLate);

  isSlow = false;
  const next = await exporter.scrape();
  assert.equal(next.verdict, "up", "it is not answered again");
  assert.equal(firewall.logins, 1, "the session is kept");
  assert.equal(asked(firewall), 2);
  const { log } = await exporter.stop();
  const recovered = log.filter((line) => /recovered/.test(line));
  assert.equal(recovered.length, 1);
  assert.match(recovered[0] ?? "", /failed_polls=1 /);
});

Deno.test("a text that cannot be read costs no login", async () => {
  let text = "nothing that is a table\n";
  await using firewall = await startFirewall({ reply: () => text });
  await using exporter = await startFor(firewall, { MIN_POLL_INTERVAL: "0" });
  assert.equal((await exporter.scrape()).verdict, "parse");
  assert.equal((await exporter.scrape()).verdict, "parse");
  text = TABLE;
  assert.equal((await exporter.scrape()).verdict, "up");
  assert.equal(firewall.logins, 1);
});

Deno.test("an impatient stranger does not end the session of everybody", async () => {
  let answer: ((table: string) => void) | undefined;
  await using firewall = await startFirewall({
    reply: () => {
      const { promise, resolve } = Promise.withResolvers<string>();
      answer = resolve;
      return promise;
    },
  });
  await using exporter = await startFor(firewall);
  const patient = exporter.scrape();
  await firewall.waitFor(({ commands }) => commands.includes("show vpn flow"));
  const stranger = await exporter.scrape({ timeout: 0.1 });
  assert.equal(stranger.verdict, "timeout");
  answer?.(TABLE);
  assert.equal((await patient).verdict, "up");
  assert.equal(firewall.connections, 1);
});

async function startFor(
  firewall: SimulatedFirewall,
  environment: Readonly<Record<string, string>> = {},
): Promise<Exporter> {
  return await startExporter({
    ...environmentFor(firewall),
    MIN_POLL_INTERVAL: "60",
    ...environment,
  });
}

/** How often the firewall was asked for its table. */
function asked({ commands }: SimulatedFirewall): number {
  return commands.filter((command) => command === "show vpn flow").length;
}
