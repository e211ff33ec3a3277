/**
 * The functions to start with: define a job, run it, dispute two runs, check a verdict, or evaluate one
 * operator. The other entries of the package (`@verde-ml/verde/graph`, `/repops`, `/game` and more) have the
 * rest.
 */
export { fromHex, toHex, type Tensor } from "./encoding/index.ts";
export * from "./errors/index.ts";
export { evaluate, intTensor, tensor } from "./graph/index.ts";
export { type ClosedJob, defineJob, type JobDefinition, loadJob } from "./job/index.ts";
export { checkVerdict, dispute, type DisputeResult, type Verdict } from "./referee/index.ts";
export {
  openTrace,
  parseFault,
  readJobFile,
  run,
  type RunOptions,
  type RunResult,
  type Trace,
  writeJobFile,
} from "./trace/index.ts";
