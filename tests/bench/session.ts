/**
 * A kept session on a simulated firewall in another process: what the
 * exporter itself costs.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type Exporter, startExporter } from "../support/exporter.ts";
import { type Fleet, startFleet } from "../support/fleet.ts";
import { median, print, report, time } from "./measure.ts";

const WARM_UP = 200;

/** A scrape on a kept session. */
export async function benchWarm(rounds = 2_000): Promise<void> {
  await using fleet = await startFleet({ size: 1, tunnels: 6 });
  await using exporter = await startFor(fleet, "600");
  const times: number[] = [];
  for (let round = 0; round < WARM_UP + rounds; round++) {
    const ms = await time(() => scrape(exporter));
    if (round >= WARM_UP) times.push(ms);
  }
  report("warm: scrape, median", `${median(times).toFixed(2)} ms`, "≤ 1.2 ms");
}

/** Memory after very many scrapes. */
export async function benchMemory(): Promise<void> {
  await benchMemoryOf("kept session", "600", 10_000, "≤ 1.2");
  await benchMemoryOf("login per poll", "0", 3_000, "");
}

async function benchMemoryOf(
  what: string,
  idleTimeout: string,
  scrapes: number,
  budget: string,
): Promise<void> {
  await using fleet = await startFleet({ size: 1, tunnels: 6 });
  await using exporter = await startFor(fleet, idleTimeout);
  const marks = [100, 2_000, scrapes / 2, scrapes];
  const sizes = new Map<number, number>();
  for (let done = 1; done <= scrapes; done++) {
    const text = await scrape(exporter);
    if (marks.includes(done)) {
      const bytes = /^process_resident_memory_bytes (\d+)$/m.exec(text)?.[1];
      sizes.set(done, Number(bytes) / 1024 / 1024);
    }
  }
  for (const [done, size] of sizes) {
    print(`  ${what}: ${size.toFixed(0)} MiB after ${done} scrapes`);
  }
  const ratio = (sizes.get(scrapes) ?? NaN) / (sizes.get(100) ?? NaN);
  report(
    `memory: ${what}, ratio to the first hundred`,
    ratio.toFixed(2),
    budget,
  );
}

async function startFor(fleet: Fleet, idleTimeout: string): Promise<Exporter> {
  const port = fleet.targets[0]?.split(":")[1] ?? "";
  return await startExporter({
    HOSTNAME: "127.0.0.1",
    SSH_PORT: port,
    USERNAME: fleet.username,
    PASSWORD: fleet.password,
    SSH_HOST_KEY: fleet.fingerprint,
    SSH_SESSION_IDLE_TIMEOUT: idleTimeout,
    MIN_POLL_INTERVAL: "0",
  });
}

async function scrape({ url }: Exporter): Promise<string> {
  const response = await fetch(`${url}/metrics`);
  const text = await response.text();
  assert.match(text, /^panos_ipsec_up 1$/m);
  return text;
}
