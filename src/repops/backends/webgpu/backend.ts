/** WebGPU: kernels as WGSL, on the browser's device or, in Node, on that of the optional package `webgpu`. */
import type { KernelList } from "../../kernels/kernel.ts";
import type { Backend, DeviceDescription, Probe, Session } from "../backend.ts";
import { checkedSession } from "../checked.ts";
import { inOrder } from "../in-order.ts";
import { openDevice } from "./device.ts";
import type { WebGpuOptions } from "./session.ts";

export async function describeWebGpu(): Promise<DeviceDescription> {
  const { name, adapter, device, software } = await openDevice();
  const { vendor, architecture, device: model, description } = adapter.info;
  const driver = { vendor, architecture, device: model, description };
  const limits: Record<string, number> = {};
  for (const limit in device.limits) limits[limit] = device.limits[limit];
  return { name, software, driver, limits };
}

// What generates code is loaded when it is needed: most processes run on another backend.
const shared = {
  describe: describeWebGpu,
  probe: async (): Promise<Probe[]> => (await import("./probes.ts")).probeWebGpu(),
};

async function prepare(
  list: KernelList,
  keep: readonly number[],
  options: Partial<WebGpuOptions> = {},
): Promise<Session> {
  return inOrder(await (await import("./session.ts")).prepareWebGpu(list, keep, options));
}

/** The same device, computing with integers only, whose results WGSL defines exactly. */
export const webgpuStrict: Backend = {
  ...shared,
  name: "webgpu:strict",
  get strict() {
    return webgpuStrict;
  },
  prepare: (list, options) =>
    checkedSession(list, options, async (keep) =>
      prepare(list, keep, { dialect: (await import("./strict.ts")).STRICT }),
    ),
};

/** WGSL that is generated for each kernel, on a WebGPU device. */
export const webgpu: Backend = {
  ...shared,
  name: "webgpu",
  strict: webgpuStrict,
  prepare: (list, options) => checkedSession(list, options, (keep) => prepare(list, keep)),
};
