/** How fast is a matrix product on one core, packing included? `node bench/matmul.ts` */
import { tensor } from "../src/graph/index.ts";
import { DOT_STEP, type KernelList } from "../src/repops/kernel.ts";
import { wasm } from "../src/repops/backends/wasm.ts";
import { medianMillis, type Sample } from "./measure.ts";

const SHAPES: readonly [m: number, n: number, k: number][] = [
  [128, 128, 128],
  [256, 256, 256],
  [512, 512, 512],
  [1024, 256, 256],
  [1024, 1024, 256],
  [1024, 256, 1024],
  [64, 64, 16],
];

export async function benchMatmul(): Promise<Sample[]> {
  const results: Sample[] = [];
  for (const [m, n, k] of SHAPES) {
    const view = (strides: number[]) => ({ offset: 0, strides });
    const list: KernelList = {
      inputs: [
        { dtype: "f32", shape: [m, k] },
        { dtype: "f32", shape: [k, n] },
      ],
      kernels: [
        {
          kind: "fold",
          type: { dtype: "f32", shape: [m, n] },
          program: DOT_STEP,
          start: 0,
          reduce: [k],
          args: [
            { kind: "operand", tensor: 0, view: view([k, 0, 1]), ranging: "dot" },
            { kind: "operand", tensor: 1, view: view([0, 1, n]), ranging: "dot" },
          ],
        },
      ],
    };
    const session = await wasm.prepare(list, { keep: [2] });
    const fill = (count: number) => Float64Array.from({ length: count }, (_, i) => ((i * 37) % 101) / 101 - 0.5);
    await session.write(0, tensor([m, k], fill(m * k)));
    await session.write(1, tensor([k, n], fill(k * n)));
    const calls = Math.max(1, Math.round(2e8 / (m * n * k)));
    const millis = await medianMillis(() => session.execute(), { calls });
    results.push({ name: `matmul ${m}x${n}x${k}`, value: (2 * m * n * k) / millis / 1e6, unit: "GFLOP/s" });
    await session.close();
  }
  return results;
}

if (import.meta.main) for (const result of await benchMatmul()) console.log(JSON.stringify(result));
