/** CUDA: kernels as PTX on an NVIDIA card, by its driver alone. Only in Node. */
import type { Backend, DeviceDescription } from "../backend.ts";
import { checkedSession } from "../checked.ts";

/** A certificate is bound to the card, to the driver, which compiles the kernels, and to the PTX. */
async function describeCuda(): Promise<DeviceDescription> {
  const { openCuda } = await import("./open.ts");
  const { name, cuda, release, capability, ptx, memory, processors } = (await openCuda()).facts;
  return { name, software: false, driver: { release, cuda, capability, ptx }, limits: { memory, processors } };
}

/** PTX that is generated for each kernel, on an NVIDIA card. */
export const cuda: Backend = {
  name: "cuda",
  describe: describeCuda,
  // What generates code is loaded when it is needed: most processes run on another backend.
  probe: async () => (await import("./probes.ts")).probeCuda(),
  prepare: (list, options) =>
    checkedSession(list, options, async (keep) => (await import("./session.ts")).prepareCuda(list, keep)),
};
