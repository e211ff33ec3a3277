/**
 * How often a run commits and keeps a checkpoint, where the user leaves that to Verde (spec 6.7,
 * docs/guides/run-a-provider.md).
 */
import { byteLength } from "../encoding/tensor.ts";
import type { Graph } from "../graph/graph.ts";
import { countInstructions } from "../repops/schedule/work.ts";

/** What a cadence depends on. */
export interface CadenceJob {
  step: Graph;
  steps: number;
}

/** Run time on the reference machine up to which a run has about ten checkpoints, in seconds. */
const SHORT_RUN = 60;
/** Bytes of about ten checkpoints up to which nothing is measured. */
const SMALL_FOLDER = 2 ** 30;
/** The most seconds of training that lie between two checkpoints. */
const MOST_BETWEEN = 15 * 60;
/** Writing a checkpoint takes at most this share of the time until the next one. */
const WRITING_SHARE = 0.1;
/** The checkpoints take at most this share of the free disk. */
const DISK_SHARE = 0.25;
/** About how many checkpoints a run has, unless something else is a reason for another number. */
const CHECKPOINTS = 10;

/**
 * The reference machine executes 50 instructions of scalar programs in a nanosecond, and hashes 2.5 bytes. A
 * step takes 10 ms besides: as long as this many instructions.
 */
const BESIDES = 500_000_000;
const INSTRUCTIONS_PER_SECOND = 50e9;

/** How many instructions a training step takes as long as, on the reference machine. */
const stepCost = ({ step }: CadenceJob): number => BESIDES + countInstructions(step);

/** Bytes of the entries of the state; with `changing`, of those that a training step changes. */
function stateBytes({ step }: CadenceJob, changing = false): number {
  return step.outputs.reduce(
    (sum, { tensor }, entry) => sum + (changing && tensor === entry ? 0 : byteLength(step.inputs[entry])),
    0,
  );
}

/**
 * The training steps between two roots. The run root depends on it, so that equal runs have to choose the
 * same number on every machine: it follows from the job alone, and from no measurement. It is the smallest
 * that keeps hashing below 3 % of the run on the reference machine, whose cores are all busy.
 */
export function commitCadence(job: CadenceJob): number {
  // B / 2.5 ns is 3 % of N · cost / 50 ns. In integers of any size, as it has to be exact.
  const [bytes, cost] = [2000n * BigInt(stateBytes(job, true)), 3n * BigInt(stepCost(job))];
  const every = Number((bytes + cost - 1n) / cost);
  return Math.min(Math.max(every, 1), Math.max(job.steps, 1));
}

/** What a run has measured when it chooses its checkpoints. */
export interface Measured {
  /** Of a training step. */
  stepSeconds: number;
  /** Of the first checkpoint, until the disk had it. */
  writeSeconds: number;
  /** Free on the disk of the trace. */
  freeBytes: number;
}

/**
 * The training steps between two checkpoints, if the job alone decides: in a run that is short on the
 * reference machine and whose checkpoints are small there are about ten.
 * @returns `undefined` where it has to be measured
 */
export function plannedCadence(job: CadenceJob, commitEvery: number): number | undefined {
  if (job.steps === 0) return 0;
  const short = (stepCost(job) / INSTRUCTIONS_PER_SECOND) * job.steps <= SHORT_RUN;
  return short && CHECKPOINTS * stateBytes(job) <= SMALL_FOLDER ? aboutTen(job, commitEvery) : undefined;
}

/** About ten checkpoints. */
export function aboutTen({ steps }: Pick<CadenceJob, "steps">, commitEvery: number): number {
  return commitEvery * Math.ceil(steps / CHECKPOINTS / commitEvery);
}

/**
 * The training steps between two checkpoints, from measurements: about ten in the run, or one every quarter
 * of an hour if that is more often; fewer, where the disk is slow or full. Checkpoints decide how much a
 * dispute executes again, and nothing that is committed to.
 */
export function measuredCadence(job: CadenceJob, commitEvery: number, measured: Measured): number {
  const { steps } = job;
  const { writeSeconds } = measured;
  // A coarse clock or a full disk may say 0.
  const stepSeconds = Math.max(measured.stepSeconds, 1e-6);
  const freeBytes = Math.max(measured.freeBytes, 1);
  const often = Math.min(steps / CHECKPOINTS, MOST_BETWEEN / stepSeconds);
  const written = writeSeconds / WRITING_SHARE / stepSeconds;
  const kept = (steps * stateBytes(job)) / (DISK_SHARE * freeBytes);
  const every = Math.min(Math.ceil(Math.max(often, written, kept, 1)), steps);
  return commitEvery * Math.ceil(every / commitEvery);
}

/**
 * The most training steps that a party executes again in a dispute: from a checkpoint through a segment, and
 * what it is asked about one step of it (`Replayer`).
 */
export function mostReplayed(steps: number, commitEvery: number, checkpointEvery: number): number {
  const between = checkpointEvery === 0 ? steps : Math.min(checkpointEvery, steps);
  const segment = Math.min(commitEvery, steps);
  let root = 1;
  while (root * root < segment) root++;
  return between + root + 2;
}
