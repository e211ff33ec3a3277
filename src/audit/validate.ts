/**
 * Whether a trace and its data are whole: every record, every hash, the dataset and every checkpoint. Nothing
 * is executed, so this does not show that the run is right.
 */
import type { FormatError } from "../errors/index.ts";
import { checkpointsOf, expectComplete, scanTrace, stopsOf, type Trace } from "../trace/open.ts";
import { damagedStates } from "../trace/damaged.ts";
import { DATASET_FILE, isDataFile, isStopped, type TraceSource } from "../trace/source.ts";

/** What of a file is wrong, in a sentence. */
export interface Problem {
  /** The trace, or a file of its data folder. */
  readonly file: string;
  readonly problem: string;
}

/** What of a trace and its data folder is whole, and what is not. */
export interface Validation {
  readonly trace: Trace;
  /** Bytes of the trace's file. */
  readonly size: number;
  /** Records of steps whose hashes are right, and how many of them hold a root of the state. */
  readonly records: number;
  readonly roots: number;
  /** Whether the dataset is there, and the job needs one. */
  readonly dataset: "none" | "present" | "missing";
  /** The steps of the checkpoints, and of the states that a stopped run left. */
  readonly checkpoints: readonly number[];
  readonly stopped: readonly number[];
  /** Files in the data folder that belong to no run. They have no effect. */
  readonly stray: readonly string[];
  readonly problems: readonly Problem[];
}

/**
 * @throws {FormatError} when the file is no trace, or its manifest is damaged, or a file can't be read now
 */
export async function validateTrace(source: TraceSource): Promise<Validation> {
  const { trace, problem, size } = await scanTrace(source);
  const names = await source.names();
  const { outline } = trace.manifest;
  const needsData = outline.step.inputs.length > outline.step.outputs.length;
  const states = await damagedStates(trace);
  const bad = new Set(states.states.map(({ step }) => step));
  const whole = (step: number): boolean => !bad.has(step);
  const problems: Problem[] = [];
  if (problem) problems.push({ file: trace.path, problem: problem.message });
  else if (!trace.complete) problems.push({ file: trace.path, problem: unfinished(trace) });
  for (const { file, problem: what } of states.states) problems.push({ file, problem: what });
  const dataset = !needsData ? "none" : names.includes(DATASET_FILE) ? "present" : "missing";
  return {
    trace,
    size,
    records: trace.recorded,
    roots: trace.committed,
    dataset,
    checkpoints: (await checkpointsOf(trace)).filter(whole),
    stopped: (await stopsOf(trace)).map(({ step }) => step).filter(whole),
    stray: names.filter((name) => !isDataFile(name) && !isStopped(name)).sort(),
    problems,
  };
}

/** Why a trace that has no bad record is no finished run. */
function unfinished(trace: Trace): string {
  try {
    expectComplete(trace);
    return "";
  } catch (error) {
    return (error as FormatError).message;
  }
}
