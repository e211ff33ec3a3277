/** WebGPU: kernels as WGSL, on the browser's device or, in Node, on that of the optional package `webgpu`. */
import type { Backend, DeviceDescription } from "../backend.ts";
import { checkedSession } from "../checked.ts";
import { inOrder } from "../in-order.ts";
import { openDevice } from "./device.ts";
import { probeWebGpu } from "./probes.ts";
import { prepareWebGpu } from "./session.ts";
import { STRICT } from "./strict.ts";

export async function describeWebGpu(): Promise<DeviceDescription> {
  const { name, adapter, device, software } = await openDevice();
  const { vendor, architecture, device: model, description } = adapter.info;
  const driver = { vendor, architecture, device: model, description };
  const limits: Record<string, number> = {};
  for (const limit in device.limits) limits[limit] = device.limits[limit];
  return { name, software, driver, limits };
}

const shared = { describe: describeWebGpu, probe: probeWebGpu };

/** The same device, computing with integers only, whose results WGSL defines exactly. */
export const webgpuStrict: Backend = {
  ...shared,
  name: "webgpu:strict",
  get strict() {
    return webgpuStrict;
  },
  prepare: (list, options) =>
    checkedSession(list, options, async (keep) => inOrder(await prepareWebGpu(list, keep, { dialect: STRICT }))),
};

/** WGSL that is generated for each kernel, on a WebGPU device. */
export const webgpu: Backend = {
  ...shared,
  name: "webgpu",
  strict: webgpuStrict,
  prepare: (list, options) => checkedSession(list, options, async (keep) => inOrder(await prepareWebGpu(list, keep))),
};
