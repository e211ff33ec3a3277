/** Timing for the benches: warm-up, several samples, the median. Results are ratios to trust, not seconds. */
import { cpus, loadavg, totalmem } from "node:os";
import { UsageError } from "../src/errors/index.ts";
import { native } from "../src/repops/backends/native/backend.ts";

export interface Sample {
  name: string;
  value: number;
  unit: string;
}

const WARM_UP_MILLIS = 400;

/** The median time of one call in milliseconds. */
export async function medianMillis(call: () => unknown, { samples = 9, warmup = 3, calls = 1 } = {}): Promise<number> {
  // Engines recompile hot code while it runs, so it has to run for a while first.
  const until = performance.now() + WARM_UP_MILLIS;
  for (let i = 0; i < warmup || performance.now() < until; i++) await call();
  const times: number[] = [];
  for (let sample = 0; sample < samples; sample++) {
    const began = performance.now();
    for (let i = 0; i < calls; i++) await call();
    times.push((performance.now() - began) / calls);
  }
  return median(times);
}

/** The one in the middle, the upper of two. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

export function machine(): { cpu: string; cores: number; node: string } {
  return { cpu: cpus()[0]?.model ?? "unknown", cores: cpus().length, node: process.version };
}

/** The machine of a result that is kept. */
export interface Machine {
  cpu: string;
  cores: number;
  memoryGiB: number;
  node: string;
  /** Of native code; `none` where there is no compiler. */
  compiler: string;
  /** The register tile of its products; absent where there is no compiler. */
  tile?: string;
  /** The mean number of programs that wanted a core in the last minute, when the measurement began. */
  load: number;
  /** The day, in UTC. */
  date: string;
}

export async function describeMachine(): Promise<Machine> {
  const device = await native.describe?.().catch(() => undefined);
  return {
    ...machine(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    compiler: device?.driver.version ?? "none",
    ...(device && { tile: device.driver.tile }),
    load: Number(loadavg()[0].toFixed(1)),
    date: new Date().toISOString().slice(0, 10),
  };
}

/** The error about a name that no measurement contains. */
export function nothingNamed(only: string, names: readonly string[]): UsageError {
  return new UsageError(
    "VALUE",
    `nothing to measure has ${JSON.stringify(only)} in its name; there are: ${names.join("; ")}`,
    {
      found: only,
    },
  );
}
