/**
 * gpu.js: kernels are functions in its subset of JavaScript, which it translates for the device of the mode.
 */
import type { Backend, DeviceDescription } from "../backend.ts";
import { checkedSession } from "../checked.ts";
import { inOrder } from "../in-order.ts";
import type { GpuJsDevice, Mode } from "./device.ts";
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
  probe: async () => (await import("./probes.ts")).probeGpuJs(await open()),
  prepare: (list, options) =>
    checkedSession(list, options, async (keep) => {
      const { prepareGpuJs } = await import("./session.ts");
      return inOrder(await prepareGpuJs(await open(), list, keep));
    }),
});
/** Loaded when it is needed: most processes run on another backend. */
const device = () => import("./device.ts");
const inMode = <M extends Mode>(mode: M) => backend(`gpujs:${mode}`, async () => (await device()).openGpuJs(mode));

/**
 * The backends by their names on the command line. Without a mode, the first working mode on a GPU is used.
 */
export const gpujs = {
  gpujs: backend("gpujs", async () => (await device()).openFirstGpu()),
  "gpujs:webgpu": inMode("webgpu"),
  "gpujs:webgl2": inMode("webgl2"),
  "gpujs:headlessgl": inMode("headlessgl"),
  "gpujs:webasm": inMode("webasm"),
  "gpujs:cpu": inMode("cpu"),
} as const;
