/** The messages between the page and its worker: a task, then reports. The last report ends the task. */
import type { TraceListing } from "../../services/trace-files.ts";

/** Where the trace is: on the server, or among files that the user chose. */
export type TraceInput =
  | { kind: "served"; listing: TraceListing }
  | { kind: "chosen"; path: string; trace: Blob; data: readonly { name: string; blob: Blob }[] };

export type Task =
  | { kind: "open"; input: TraceInput }
  | { kind: "check"; input: TraceInput; backend: string; from: number; to: number };

/** The facts of a trace that are known before anything is executed. */
export interface Facts {
  path: string;
  job: string;
  steps: number;
  /** The last recorded step; -1 if there is none. */
  recorded: number;
  parameters: number;
  kernels: number;
  commitEvery: number;
  detail: string;
  backend: string;
  /** For a drill: the fault that the trace states. */
  fault?: string;
  checkpoints: readonly number[];
  runRoot?: string;
  /** The root of the last state that is committed to. */
  lastRoot?: string;
  /** The number of committed states, the initial one included. Only the metrics of these are proven. */
  committed: number;
  /** The reported losses, of all steps or of evenly spaced ones. Empty if the job reports no loss. */
  losses: readonly { step: number; loss: number }[];
  /** Why the trace is not a finished run, if it is not. */
  unfinished?: string;
  /** A missing file that is needed to execute steps. */
  missing?: string;
}

export interface StepLine {
  step: number;
  seconds: number;
  claimed?: string;
  recomputed?: string;
  agrees: boolean;
}

export interface Outcome {
  from: number;
  to: number;
  /** The step after whose committed state the check began. Absent if it began at the initial state. */
  start?: number;
  last: number;
  compared: number;
  seconds: number;
  /** The device that executed it, for people. */
  device: string;
  mismatch?: {
    step: number;
    roots?: { claimed: string; recomputed: string };
    metric?: { name: string; claimed: number; recomputed: number };
    /** Whether WASM agrees with the trace, so that this device is wrong. */
    deviceDiffers?: boolean;
    operator?: { step: number; kernel: number; label: string };
    /** Whether the trace has the operators' roots, and all of them match. */
    operatorsAgree?: boolean;
  };
}

export type Report =
  | { kind: "opened"; facts: Facts }
  | { kind: "stage"; text: string }
  | { kind: "step"; line: StepLine }
  | { kind: "finished"; outcome: Outcome }
  | { kind: "failed"; code: string; message: string };
