/** What the page and its worker say to each other: a task, and reports up to the one that ends it. */
import type { TraceListing } from "../trace-files.ts";

/** Where the trace is: with the server, or among files that the user chose. */
export type TraceInput =
  | { kind: "served"; listing: TraceListing }
  | { kind: "chosen"; path: string; trace: Blob; data: readonly { name: string; blob: Blob }[] };

export type Task =
  | { kind: "open"; input: TraceInput }
  | { kind: "check"; input: TraceInput; backend: string; from: number; to: number };

/** What a trace says, without anything being executed. */
export interface Facts {
  path: string;
  job: string;
  steps: number;
  /** The last step that is recorded; -1 where there is none. */
  recorded: number;
  parameters: number;
  kernels: number;
  commitEvery: number;
  detail: string;
  backend: string;
  /** For drills: the fault that the trace states. */
  fault?: string;
  checkpoints: readonly number[];
  runRoot?: string;
  /** Of the last state that is committed to. */
  lastRoot?: string;
  /** Reported, by step, from 0; none where the job reports no loss. */
  losses: readonly number[];
  /** The trace is the beginning of a run. */
  unfinished?: string;
  /** A file that has to be there before steps can be executed. */
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
  /** The step after whose committed state it began. */
  start?: number;
  last: number;
  compared: number;
  seconds: number;
  /** What executed it, as people call it. */
  device: string;
  mismatch?: {
    step: number;
    roots?: { claimed: string; recomputed: string };
    metric?: { name: string; claimed: number; recomputed: number };
    /** WASM agrees with the trace: it is the device that differs. */
    deviceDiffers?: boolean;
    operator?: { step: number; kernel: number; label: string };
    /** The trace has the operators' roots, and all of them come out. */
    operatorsAgree?: boolean;
  };
}

export type Report =
  | { kind: "opened"; facts: Facts }
  | { kind: "stage"; text: string }
  | { kind: "step"; line: StepLine }
  | { kind: "finished"; outcome: Outcome }
  | { kind: "failed"; code: string; message: string };
