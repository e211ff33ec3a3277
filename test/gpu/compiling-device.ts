/** A GPU with a real compiler only: buffers hold zeros, and commands do nothing. */
import type { Gpu, GpuBuffer, GpuDevice, GpuEncoder, GpuPass } from "../../src/repops/backends/webgpu/api.ts";

const nothing = (): void => undefined;

const buffer = (size: number): GpuBuffer => ({
  mapAsync: async () => undefined,
  getMappedRange: () => new ArrayBuffer(size),
  unmap: nothing,
  destroy: nothing,
});

const pass: GpuPass = { setPipeline: nothing, setBindGroup: nothing, dispatchWorkgroups: nothing, end: nothing };

const encoder: GpuEncoder = {
  beginComputePass: () => pass,
  copyBufferToBuffer: nothing,
  clearBuffer: nothing,
  finish: () => undefined,
};

/** @param before is called before each shader is compiled; shaders are compiled one after the other */
function compiling(device: GpuDevice, before: () => void): GpuDevice {
  let last: Promise<unknown> = Promise.resolve();
  return {
    limits: device.limits,
    lost: device.lost,
    queue: { writeBuffer: nothing, submit: nothing, onSubmittedWorkDone: async () => undefined },
    createShaderModule: (options) => device.createShaderModule(options),
    createComputePipelineAsync: (options) => {
      const turn = last.then(() => {
        before();
        return device.createComputePipelineAsync(options);
      });
      last = turn.catch(nothing);
      return turn;
    },
    createBuffer: ({ size }) => buffer(size),
    createBindGroup: nothing,
    createCommandEncoder: () => encoder,
    pushErrorScope: (filter) => device.pushErrorScope(filter),
    popErrorScope: () => device.popErrorScope(),
    addEventListener: (type, listener) => device.addEventListener(type, listener),
    destroy: () => device.destroy(),
  };
}

export function compilingGpu(gpu: Gpu, before: () => void): Gpu {
  return {
    requestAdapter: async (options) => {
      const adapter = await gpu.requestAdapter(options);
      if (!adapter) return null;
      const { info, limits } = adapter;
      return { info, limits, requestDevice: async (wanted) => compiling(await adapter.requestDevice(wanted), before) };
    },
  };
}
