/** The job of the demos, and how they run it. */
import { fileURLToPath } from "node:url";
import type { ClosedJob } from "../../job/closed.ts";
import type { Fault } from "../../trace/fault.ts";
import { run, type RunResult } from "../../trace/run.ts";
import { colors, formatCount, formatSeconds, writeLine } from "../output.ts";
import { Progress } from "../progress.ts";
import { RunProgress } from "../run-progress.ts";

/** The example has the file ending of this module: `.ts` in the sources, `.js` in what is built from them. */
export const JOB = fileURLToPath(new URL(`../../../examples/char-gpt${import.meta.url.slice(-3)}`, import.meta.url));

export function heading(text: string): void {
  writeLine("", `${colors.bold(colors.green("▍"))} ${colors.bold(text)}`);
}

/** One bit in the middle of the second block's first matrix product, two thirds into the run. */
export function defaultFault(job: ClosedJob): Fault {
  const operator = job.step.labels.indexOf("blocks.1/mlp.in/matmul");
  return { kind: "flip", step: Math.max(1, Math.floor((2 * job.steps) / 3)), operator, element: 12_345, bit: 9 };
}

export function labelOf(job: ClosedJob, step: number, operator: number): string | undefined {
  if (step > 0) return job.step.labels[operator];
  return job.init.kind === "graph" ? job.init.graph.labels[operator] : undefined;
}

export async function train(job: ClosedJob, out: string, fault: Fault | undefined): Promise<RunResult> {
  const progress = new Progress();
  const shown = new RunProgress(job, progress);
  const began = performance.now();
  const result = await run(job, {
    out,
    force: true,
    ...(fault && { fault }),
    onPhase: (what) => shown.phase(what),
    onStep: (info) => shown.step(info),
  });
  progress.clear();
  const seconds = (performance.now() - began) / 1000;
  const [before, after] = [result.metrics[1].loss, meanOfLast(result.metrics.map(({ loss }) => loss))];
  const rate = formatCount((job.steps * job.unit.perStep) / seconds);
  writeLine(
    `${job.steps} training steps in ${formatSeconds(seconds)}, ${rate} tokens/s: ` +
      `the loss falls from ${before.toFixed(2)} to ${after.toFixed(2)} nats for each byte.`,
  );
  return result;
}

/** The loss of one batch is noisy, so the mean of the last ten is shown. */
function meanOfLast(losses: readonly number[], count = 10): number {
  const last = losses.slice(-count);
  return last.reduce((sum, loss) => sum + loss, 0) / last.length;
}
