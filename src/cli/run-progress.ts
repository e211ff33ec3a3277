/** What a run tells about its pace, and about what it used. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { toHex } from "../encoding/bytes.ts";
import type { ClosedJob } from "../job/closed.ts";
import type { RunResult, StepInfo } from "../trace/run.ts";
import { dataFolder } from "../trace/source.ts";
import { formatBytes, formatCount, formatSeconds } from "./output.ts";
import type { Progress } from "./progress.ts";

/** Steps and seconds over which the pace is averaged: whichever of the two is less. */
const [WINDOW, WINDOW_SECONDS] = [100, 60];
/** Seconds of a training step from which on its phases are shown at once. */
const SLOW = 0.2;

/** The line of progress of a run. */
export class RunProgress {
  private readonly job: ClosedJob;
  private readonly progress: Progress;
  private readonly recent: number[] = [];
  private line = "";
  private seconds = 0;
  private counted = 0;

  constructor(job: ClosedJob, progress: Progress) {
    this.job = job;
    this.progress = progress;
  }

  /** What the run does between the ends of two training steps. */
  phase(what: string): void {
    // Where steps are short, what happens within one is not worth a line.
    const isSlow = this.line === "" || this.seconds / this.recent.length > SLOW;
    this.progress.show(this.line === "" ? what : `${this.line} · ${what}`, isSlow);
  }

  step(info: StepInfo): void {
    this.line = this.lineOf(info);
    this.progress.show(this.line);
  }

  /** `step 120/200 · loss 2.41 · 21,000 tokens/s · 4.1 s left` */
  lineOf({ step, steps, metrics, seconds }: StepInfo): string {
    const parts = [`step ${step}/${steps}`];
    // The initial state is no training step.
    if (step > 0) {
      if (metrics.loss !== undefined) parts.push(`loss ${metrics.loss.toFixed(3)}`);
      const { unit } = this.job;
      const pace = this.paceWith(seconds);
      parts.push(`${formatCount(unit.perStep / pace)} ${unit.name}/s`, `${formatSeconds((steps - step) * pace)} left`);
    }
    return parts.join(" · ");
  }

  /** Seconds for a training step, over the last of them. */
  private paceWith(seconds: number): number {
    this.recent.push(seconds);
    this.seconds += seconds;
    this.counted += seconds;
    while (this.recent.length > 1 && (this.recent.length > WINDOW || this.seconds > WINDOW_SECONDS))
      this.seconds -= this.recent.shift()!;
    return this.seconds / this.recent.length;
  }

  /** What the run used, and its pace from its first training step to its last. */
  async used(steps: number, out: string | undefined): Promise<Used> {
    const { unit } = this.job;
    return {
      unit: unit.name,
      unitsPerSecond: this.counted > 0 ? (steps * unit.perStep) / this.counted : null,
      peakMemory: process.resourceUsage().maxRSS * 1024,
      ...(out !== undefined && { traceBytes: await sizeOf(out), dataBytes: await sizeOfFiles(dataFolder(out)) }),
    };
  }
}

/** A training step for programs. */
export function stepLine({ step, metrics, seconds, unitsPerSecond, root, diverged }: StepInfo) {
  const more = { ...(root && { root: toHex(root) }), ...(diverged && { diverged }) };
  return { schemaVersion: 1, step, metrics, seconds, unitsPerSecond, ...more };
}

/** What a run used. Sizes are in bytes. */
export interface Used {
  unit: string;
  /** `null` if no training step was executed. */
  unitsPerSecond: number | null;
  /** The most memory of the process. */
  peakMemory: number;
  traceBytes?: number;
  /** Of the trace's data folder: checkpoints and dataset. */
  dataBytes?: number;
}

/** The same for people: names with their values. */
export function describeUsed({ unit, unitsPerSecond, peakMemory, traceBytes, dataBytes }: Used): [string, string][] {
  const rows: [string, string][] = [["memory", `${formatBytes(peakMemory)} at most`]];
  if (unitsPerSecond !== null) rows.unshift(["pace", `${formatCount(unitsPerSecond)} ${unit}/s`]);
  if (traceBytes !== undefined && dataBytes !== undefined)
    rows.push(["on disk", `${formatBytes(traceBytes)} of trace, ${formatBytes(dataBytes)} of checkpoints and data`]);
  return rows;
}

/** `a root every step, a checkpoint every 20: a dispute executes at most 23 steps again, about 1.2 s` */
export function describeKept(
  { cadence: { commitEvery, checkpointEvery, replayedSteps } }: RunResult,
  steps: number,
  seconds: number,
) {
  const checkpoints =
    checkpointEvery === 0 ? "checkpoints of the first and last state" : `a checkpoint every ${checkpointEvery}`;
  return (
    `a root every ${commitEvery === 1 ? "step" : `${commitEvery} steps`}, ${checkpoints}: ` +
    `a dispute executes at most ${replayedSteps} steps again, about ${formatSeconds((replayedSteps * seconds) / steps)}`
  );
}

const sizeOf = (path: string): Promise<number> =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  );

async function sizeOfFiles(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  const sizes = await Promise.all(names.map((name) => sizeOf(join(folder, name))));
  return sizes.reduce((sum, size) => sum + size, 0);
}
