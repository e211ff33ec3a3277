/**
 * How fast are a convolution and its gradients, as products of views, beside the plain product with as many
 * rows, columns and depth? `node bench/convolution.ts [BACKEND] [THREADS]`. The two take turns.
 */
import type { Backend, Session } from "../src/repops/backends/backend.ts";
import { backendByName } from "../src/repops/backends/index.ts";
import { setThreads } from "../src/repops/backends/threads.ts";
import type { Tensor } from "../src/encoding/tensor.ts";
import { DOT_STEP, type FoldKernel, type KernelList } from "../src/repops/kernels/kernel.ts";
import { viewProduct } from "../src/repops/schedule/view-product.ts";
import { productInputs, productList } from "./product.ts";

/** Of one image, padded: filters and their taps, and the output's height and width. */
interface Shape {
  batch: number;
  channels: number;
  filters: number;
  taps: number;
  side: number;
  stride?: number;
}

const SHAPES: readonly Shape[] = [
  { batch: 8, channels: 64, filters: 64, taps: 3, side: 56 },
  { batch: 8, channels: 128, filters: 128, taps: 3, side: 28 },
  { batch: 8, channels: 256, filters: 256, taps: 3, side: 14 },
  { batch: 8, channels: 128, filters: 128, taps: 3, side: 28, stride: 2 },
  { batch: 32, channels: 16, filters: 32, taps: 3, side: 16 },
];

function kernelOf(shape: number[], reduce: number[], a: number[], b: number[]): FoldKernel {
  const arg = (tensor: number, strides: number[]) =>
    ({ kind: "operand", tensor, view: { offset: 0, strides }, clampRange: "dot" }) as const;
  const type = { dtype: "f32" as const, shape };
  return { kind: "fold", type, program: DOT_STEP, start: 0, reduce, args: [arg(0, a), arg(1, b)] };
}

/** Forward, and the gradient of the filters. That of the image is a convolution too. */
function kernels({ batch, channels, filters, taps, side, stride = 1 }: Shape): { name: string; list: KernelList }[] {
  const padded = (side - 1) * stride + taps;
  const [image, area, window] = [padded * padded, side * side, taps * taps];
  const f32 = (...shape: number[]) => ({ dtype: "f32" as const, shape });
  const x = f32(batch, channels, padded, padded);
  return [
    {
      name: "forward",
      list: {
        inputs: [f32(filters, channels, taps, taps), x],
        kernels: [
          kernelOf(
            [batch, filters, side, side],
            [channels, taps, taps],
            [0, channels * window, 0, 0, window, taps, 1],
            [channels * image, 0, stride * padded, stride, image, padded, 1],
          ),
        ],
      },
    },
    {
      name: "gradient of the filters",
      list: {
        inputs: [f32(batch, filters, side, side), x],
        kernels: [
          kernelOf(
            [filters, channels, taps, taps],
            [batch, side, side],
            [area, 0, 0, 0, filters * area, side, 1],
            [0, image, padded, 1, channels * image, stride * padded, stride],
          ),
        ],
      },
    },
  ];
}

async function open(backend: Backend, list: KernelList, inputs: readonly Tensor[]): Promise<Session> {
  const session = await backend.prepare(list, { keep: [list.inputs.length] });
  for (const [i, tensor] of inputs.entries()) await session.write(i, tensor);
  await session.execute();
  return session;
}

const ROUNDS = 7;

const [name = "native", threads = "1"] = process.argv.slice(2);
setThreads(Number(threads));
const backend = backendByName(name);
for (const shape of SHAPES)
  for (const { name: what, list } of kernels(shape)) {
    const form = viewProduct(list.kernels[0] as FoldKernel)!;
    const [m, n, k] = [form.row.extent, form.column.extent, form.depth.extent];
    const repeats = form.batch.reduce((all, { extent }) => all * extent, 1);
    const inputs = list.inputs.map((type): Tensor => {
      const count = type.shape.reduce((all, extent) => all * extent, 1);
      return { ...type, data: Float32Array.from({ length: count }, (_, i) => ((i * 37) % 101) / 101 - 0.5) };
    });
    const ours = await open(backend, list, inputs);
    const plain = await open(backend, productList(m, n, k), productInputs(m, n, k));
    const best = { ours: Infinity, plain: Infinity };
    for (let round = 0; round < ROUNDS; round++)
      for (const [side, session, times] of [
        ["ours", ours, 1],
        ["plain", plain, repeats],
      ] as const) {
        // prettier-ignore
        const began = performance.now();
        for (let i = 0; i < times; i++) await session.execute();
        best[side] = Math.min(best[side], performance.now() - began);
      }
    const rate = (millis: number): number => Number(((2 * m * n * k * repeats) / millis / 1e6).toFixed(1));
    const result = { ours: rate(best.ours), plain: rate(best.plain), share: best.plain / best.ours };
    console.log(JSON.stringify({ ...shape, what, m, n, k, repeats, ...result }));
    await ours.close();
    await plain.close();
  }
