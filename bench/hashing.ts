/**
 * How fast are state roots? The tree over 256-byte chunks, by a backend, and by Node's hash with a call for
 * each chunk.
 */
import { chunkTree } from "../src/encoding/tensor.ts";
import { tensor } from "../src/graph/index.ts";
import type { Backend } from "../src/repops/backends/backend.ts";
import { backendByName } from "../src/repops/backends/index.ts";
import { wasm } from "../src/repops/backends/wasm/backend.ts";
import { medianMillis, type Sample } from "./measure.ts";

const ELEMENTS = 2 ** 20;

export async function benchHashing(backend: Backend = wasm): Promise<Sample[]> {
  const data = tensor([ELEMENTS], new Float32Array(ELEMENTS).fill(1.5));
  const session = await backend.prepare({ inputs: [data], kernels: [] }, { keep: [] });
  await session.write(0, data);
  const here = await medianMillis(() => session.roots([0]));
  await session.close();
  const results = [{ name: "tensor root", value: rate(here), unit: "MB/s" }];
  if (backend !== wasm) return results;
  const apart = await medianMillis(() => chunkTree(new Uint8Array(data.data.buffer)), { samples: 5 });
  return [...results, { name: "tensor root, Node's hash", value: rate(apart), unit: "MB/s" }];
}

const rate = (millis: number): number => (4 * ELEMENTS) / millis / 1e3;

if (import.meta.main)
  for (const result of await benchHashing(backendByName(process.argv[2] ?? "wasm")))
    console.log(JSON.stringify(result));
