/** WebGPU: kernels as WGSL, on the browser's device or, in Node, on that of the optional package `webgpu`. */
import type { Backend } from "../backend.ts";
import { openDevice } from "./webgpu/device.ts";
import { prepareWebGpu } from "./webgpu/session.ts";
import { STRICT } from "./webgpu/strict.ts";

const describe = async (): Promise<string> => (await openDevice()).name;

export const webgpu: Backend = { name: "webgpu", describe, prepare: (list, { keep }) => prepareWebGpu(list, keep) };

/** The same device computing with integers alone, which WGSL fixes to the bit. */
export const webgpuStrict: Backend = {
  name: "webgpu:strict",
  describe,
  prepare: (list, { keep }) => prepareWebGpu(list, keep, { dialect: STRICT }),
};
