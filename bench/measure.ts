/** Timing for the benches: warm-up, several samples, the median. Results are ratios to trust, not seconds. */
import { cpus } from "node:os";

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
