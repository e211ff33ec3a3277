export type { Backend, DeviceDescription, ExecuteOptions, ExecuteReport, Probe, Session } from "./backends/backend.ts";
export { BACKENDS, backendByName, type BackendName } from "./backends/index.ts";
export { native } from "./backends/native/backend.ts";
export { reference } from "./backends/reference.ts";
export { setThreads, threads } from "./backends/threads.ts";
export { wasm } from "./backends/wasm/backend.ts";
export { webgpu } from "./backends/webgpu/backend.ts";
export { INSTRUCTIONS, type InstructionName } from "./programs/instructions.ts";
export { interpret, traceProgram } from "./programs/interpret.ts";
export {
  type Arg,
  checkKernel,
  type FoldKernel,
  type GatherKernel,
  type Kernel,
  type KernelList,
  type MapKernel,
} from "./kernels/kernel.ts";
export { checkProgram, decodeProgram, encodeProgram, type Program } from "./programs/program.ts";
export { Bool, defineProgram, Float, float, Int, int } from "./programs/expressions.ts";
export { checkTensor } from "./numbers/tensors.ts";
export { canon, importFloats, isSaturated, MAX_VALUE, MIN_VALUE } from "./numbers/vf32.ts";
export { addressOf, type View } from "./kernels/view.ts";
