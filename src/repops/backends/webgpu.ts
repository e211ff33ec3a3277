/** WebGPU: kernels as WGSL, on the browser's device or, in Node, on that of the optional package `webgpu`. */
import type { Backend } from "../backend.ts";
import { openDevice } from "./webgpu/device.ts";
import { prepareWebGpu } from "./webgpu/session.ts";
import { STRICT } from "./webgpu/strict.ts";
import { GUARDED } from "./webgpu/wgsl.ts";

async function describe(): Promise<string> {
  const { adapter, device } = await openDevice();
  device.destroy();
  const { vendor, architecture, description } = adapter.info;
  return [description, vendor, architecture].filter((part) => part !== "").join(", ");
}

export const webgpu: Backend = { name: "webgpu", describe, prepare: (list) => prepareWebGpu(list, GUARDED) };

/** The same device computing with integers alone, which WGSL fixes to the bit. */
export const webgpuStrict: Backend = {
  name: "webgpu:strict",
  describe,
  prepare: (list) => prepareWebGpu(list, STRICT),
};
