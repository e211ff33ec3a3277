/**
 * gpu.js: kernels are functions in its subset of JavaScript, which it translates for the device of the mode.
 */
import type { Backend, DeviceDescription } from "../backend.ts";
import { checkedSession } from "../checked.ts";
import { inOrder } from "../in-order.ts";
import { type GpuJsDevice, type Mode, openFirstGpu, openGpuJs } from "./device.ts";
import { probeGpuJs } from "./probes.ts";
import { prepareGpuJs } from "./session.ts";
import { describeWebGpu } from "../webgpu/backend.ts";

/** WebGL does not tell which device it uses, so only the mode is known here. */
async function describeMode(mode: Mode): Promise<DeviceDescription> {
  const name = `gpu.js in the mode ${mode}`;
  if (mode !== "webgpu") return { name, software: mode === "cpu" || mode === "webasm", driver: { mode }, limits: {} };
  const below = await describeWebGpu();
  return { ...below, name: `${name} on ${below.name}`, driver: { mode, ...below.driver } };
}

const backend = <Name extends string>(name: Name, open: () => Promise<GpuJsDevice>): Backend & { name: Name } => ({
  name,
  describe: async () => describeMode((await open()).mode),
  probe: async () => probeGpuJs(await open()),
  prepare: (list, options) =>
    checkedSession(list, options, async (keep) => inOrder(await prepareGpuJs(await open(), list, keep))),
});
const inMode = <M extends Mode>(mode: M) => backend(`gpujs:${mode}`, () => openGpuJs(mode));

/**
 * The backends by their names on the command line. Without a mode, the first working mode on a GPU is used.
 */
export const gpujs = {
  gpujs: backend("gpujs", openFirstGpu),
  "gpujs:webgpu": inMode("webgpu"),
  "gpujs:webgl2": inMode("webgl2"),
  "gpujs:headlessgl": inMode("headlessgl"),
  "gpujs:webasm": inMode("webasm"),
  "gpujs:cpu": inMode("cpu"),
} as const;
