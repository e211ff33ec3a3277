/** The devices with which this browser can execute operators, and why a device is not available. */

export interface Choice {
  /** The backend's name. */
  name: string;
  label: string;
  about: string;
  /** Why it can't be chosen, if it can't. */
  unavailable?: string;
}

interface Gpu {
  requestAdapter(): Promise<object | null>;
}

export async function choices(): Promise<Choice[]> {
  const wasm = typeof WebAssembly === "object" ? undefined : "this browser has no WebAssembly";
  const webgpu = await whyNoWebGpu();
  return [
    { name: "wasm", label: "WASM", about: "The processor, one thread.", ...(wasm && { unavailable: wasm }) },
    { name: "webgpu", label: "WebGPU", about: "The graphics card.", ...(webgpu && { unavailable: webgpu }) },
    {
      name: "webgpu:strict",
      label: "WebGPU, strict",
      about: "Only integers: for cards whose float arithmetic is not exact. Slow.",
      ...(webgpu && { unavailable: webgpu }),
    },
  ];
}

async function whyNoWebGpu(): Promise<string | undefined> {
  if (!isSecureContext)
    return "browsers allow WebGPU only on pages with https and pages of this machine; open 127.0.0.1";
  const { gpu } = navigator as Navigator & { gpu?: Gpu };
  if (!gpu) return "this browser has no WebGPU, or it is switched off";
  try {
    return (await gpu.requestAdapter()) ? undefined : "the browser finds no graphics card that it can use";
  } catch (error) {
    return `the browser gives no graphics card: ${String(error)}`;
  }
}
