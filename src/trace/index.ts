export { type RunRoot, runRootOf } from "./commitments.ts";
export { type Fault, formatFault, parseFault } from "./fault.ts";
export type { StepRecord } from "./file.ts";
export type { Detail, Manifest } from "./manifest.ts";
export { checkpointsOf, expectComplete, loadClosedJob, openTrace, readCheckpoint, type Trace } from "./open.ts";
export { Replayer, type StepDetail } from "./replay.ts";
export { run, type RunOptions, type RunResult, type StepInfo } from "./run.ts";
export { readSafetensors, type ReadOptions, writeSafetensors } from "./safetensors.ts";
export { startFrom } from "./start.ts";
