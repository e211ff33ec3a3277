/** WebGPU: kernels as WGSL, on the browser's device or, in Node, on that of the optional package `webgpu`. */
import type { Backend } from "../backend.ts";
import { openDevice } from "./webgpu/device.ts";
import { prepareWebGpu } from "./webgpu/session.ts";

export const webgpu: Backend = {
  name: "webgpu",
  describe: async () => {
    const { adapter, device } = await openDevice();
    device.destroy();
    const { vendor, architecture, description } = adapter.info;
    return [description, vendor, architecture].filter((part) => part !== "").join(", ");
  },
  prepare: (list) => prepareWebGpu(list),
};
