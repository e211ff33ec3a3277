/**
 * How fast is one job with no, one and two workers on this machine, and how many bytes go to and fro?
 *
 *     node bench/shards.ts
 *
 * The coordinator and each worker compute on one thread. The runs take turns, and the median training step of
 * each number of workers counts, so that what else the machine does strikes all of them alike.
 */
import os from "node:os";
import { fileURLToPath } from "node:url";
import { toHex } from "../src/encoding/bytes.ts";
import { loadJob } from "../src/job/load.ts";
import { wasm } from "../src/repops/backends/wasm/backend.ts";
import { setThreads } from "../src/repops/backends/threads.ts";
import { shardedBackend } from "../src/shards/backend.ts";
import { Crew } from "../src/shards/crew.ts";
import { localWorker } from "../src/shards/local.ts";
import { ShardPlan } from "../src/shards/plan.ts";
import { run } from "../src/trace/run.ts";
import { median } from "./measure.ts";

const [JOB, MAIN] = ["../examples/data-parallel.ts", "../src/cli/main.ts"].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
);
const COMMAND = [process.execPath, "--disable-warning=ExperimentalWarning", MAIN];
const [STEPS, ROUNDS] = [20, 3];
const WORKERS = [0, 1, 2];

setThreads(1);
const job = await loadJob(JOB, { steps: STEPS });
const plan = new ShardPlan(job);
const seconds = new Map<number, number[]>(WORKERS.map((count) => [count, []]));
const bytes = new Map<number, string>();
const roots = new Set<string>();
for (let round = 0; round < ROUNDS; round++)
  for (const count of WORKERS) {
    const options = ["--backend", "wasm", "--threads", "1"];
    const workers = Array.from({ length: count }, (_, i) => localWorker(`local ${i + 1}`, COMMAND, options));
    const crew = new Crew(plan, { backend: wasm, workers, checked: 0, timeout: 600_000, say: console.error });
    await crew.open();
    const { runRoot } = await run(job, {
      backend: wasm,
      ...(count > 0 && { distribute: (backend) => shardedBackend(backend, crew) }),
      // The first steps compile.
      onStep: ({ step, seconds: took }) => void (step > 3 && seconds.get(count)!.push(took)),
    });
    roots.add(toHex(runRoot));
    const all = crew.summary.workers;
    const perStep = (of: "bytesSent" | "bytesReceived"): string =>
      (all.reduce((sum, worker) => sum + worker[of], 0) / STEPS / 1e6).toFixed(2);
    bytes.set(
      count,
      count === 0
        ? ""
        : `, ${perStep("bytesSent")} MB to the workers and ${perStep("bytesReceived")} MB back in each step`,
    );
    await crew.close();
  }
const load = os.loadavg()[0].toFixed(1);
console.log(
  `${os.cpus()[0].model}, ${os.cpus().length} cores, load ${load}; ${job.name}, ${plan.count} shards, ${STEPS} steps, ${ROUNDS} rounds`,
);
for (const count of WORKERS) {
  const step = median(seconds.get(count)!);
  const name = count === 1 ? "1 worker " : `${count} workers`;
  console.log(`${name}: ${Math.round(job.unit.perStep / step)} ${job.unit.name}/s${bytes.get(count)}`);
}
console.log(roots.size === 1 ? `one run root: ${[...roots][0]}` : `the run roots differ: ${[...roots].join(", ")}`);
if (roots.size !== 1) process.exitCode = 1;
