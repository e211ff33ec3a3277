/** How fast are state roots? The tree over 256-byte chunks, in WASM lanes and through Node's native hash. */
import { chunkTree } from "../src/encoding/tensor.ts";
import { tensor } from "../src/graph/index.ts";
import { wasm } from "../src/repops/backends/wasm/backend.ts";
import { medianMillis, type Sample } from "./measure.ts";

const ELEMENTS = 2 ** 20;

export async function benchHashing(): Promise<Sample[]> {
  const data = tensor([ELEMENTS], new Float32Array(ELEMENTS).fill(1.5));
  const session = await wasm.prepare({ inputs: [data], kernels: [] }, { keep: [] });
  await session.write(0, data);
  const lanes = await medianMillis(() => session.roots([0]));
  const native = await medianMillis(() => chunkTree(new Uint8Array(data.data.buffer)), { samples: 5 });
  await session.close();
  const rate = (millis: number): number => (4 * ELEMENTS) / millis / 1e3;
  return [
    { name: "tensor root, WASM lanes", value: rate(lanes), unit: "MB/s" },
    { name: "tensor root, native hash", value: rate(native), unit: "MB/s" },
  ];
}

if (import.meta.main) for (const result of await benchHashing()) console.log(JSON.stringify(result));
