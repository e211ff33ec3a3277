/**
 * A kernel list with one tensor that is too large for any device, and one whose tensors together exceed the
 * device's memory. Then a run on the same device. A program of its own:
 *
 *     node test/gpu/memory.ts
 *
 * Prints what was said, and both roots: the root from this device, and the root from WASM.
 */
import { toHex } from "../../src/encoding/bytes.ts";
import { VerdeError } from "../../src/errors/index.ts";
import { wasm } from "../../src/repops/backends/wasm/backend.ts";
import { webgpu } from "../../src/repops/backends/webgpu/backend.ts";
import { openDevice } from "../../src/repops/backends/webgpu/device.ts";
import type { KernelList } from "../../src/repops/kernels/kernel.ts";
import { run } from "../../src/trace/index.ts";
import line from "../fixtures/line.ts";

/** Nothing but inputs, all kept: `count` tensors of `elements` floats. */
function tensors(count: number, elements: number): KernelList {
  return { inputs: Array.from({ length: count }, () => ({ dtype: "f32" as const, shape: [elements] })), kernels: [] };
}

async function said(list: KernelList): Promise<string> {
  try {
    const session = await webgpu.prepare(list, { keep: list.inputs.map((_, i) => i) });
    await session.close();
    return "it fits";
  } catch (error) {
    if (error instanceof VerdeError) return `${error.code} ${error.message}`;
    throw error;
  }
}

const { limits } = (await openDevice()).device;
const most = Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize);
const tooLarge = await said(tensors(1, 2 ** 30));
const tooMany = await said(tensors(16, Math.floor(most / 8) * 2));
const { runRoot } = await run(await line.close(), { backend: webgpu });
const expected = await run(await line.close(), { backend: wasm });
console.log(JSON.stringify({ tooLarge, tooMany, runRoot: toHex(runRoot), expected: toHex(expected.runRoot) }));
