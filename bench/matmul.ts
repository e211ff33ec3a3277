/** How fast is a matrix product on one core, packing included? `node bench/matmul.ts [BACKEND]` */
import type { Backend } from "../src/repops/backends/backend.ts";
import { backendByName } from "../src/repops/backends/index.ts";
import { wasm } from "../src/repops/backends/wasm/backend.ts";
import { medianMillis, type Sample } from "./measure.ts";
import { productInputs, productList } from "./product.ts";

const SHAPES: readonly [m: number, n: number, k: number][] = [
  [128, 128, 128],
  [256, 256, 256],
  [512, 512, 512],
  [1024, 256, 256],
  [1024, 1024, 256],
  [1024, 256, 1024],
  [64, 64, 16],
];

export async function benchMatmul(backend: Backend = wasm): Promise<Sample[]> {
  const results: Sample[] = [];
  for (const [m, n, k] of SHAPES) {
    const list = productList(m, n, k);
    const session = await backend.prepare(list, { keep: [2] });
    for (const [i, operand] of productInputs(m, n, k).entries()) await session.write(i, operand);
    const calls = Math.max(1, Math.round(2e8 / (m * n * k)));
    const millis = await medianMillis(() => session.execute(), { calls });
    results.push({ name: `matmul ${m}x${n}x${k}`, value: (2 * m * n * k) / millis / 1e6, unit: "GFLOP/s" });
    await session.close();
  }
  return results;
}

if (import.meta.main)
  for (const result of await benchMatmul(backendByName(process.argv[2] ?? "wasm"))) console.log(JSON.stringify(result));
