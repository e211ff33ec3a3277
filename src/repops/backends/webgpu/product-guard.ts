/** The guard of products that a device is found to respect, the cheapest first. */
import { DOT_STEP, type FoldKernel } from "../../kernel.ts";
import { productForm } from "../product-form.ts";
import { type OpenDevice } from "./device.ts";
import { type ProductGuard, productShader, type Tile } from "./product.ts";

const DEPTH = 64;
const chosen = new WeakMap<OpenDevice, Promise<ProductGuard>>();

/**
 * `fma` where it gives the bits that `bits` gives, in every tile; else `bits`. Decided once a device. On a program in a
 * GPU's place neither is cheaper, so it is not asked.
 */
export function chooseGuard(open: OpenDevice, tiles: readonly Tile[]): Promise<ProductGuard> {
  let guard = chosen.get(open);
  if (!guard) {
    guard = open.software ? Promise.resolve("bits") : decide(open, tiles);
    chosen.set(open, guard);
  }
  return guard;
}

async function decide(open: OpenDevice, tiles: readonly Tile[]): Promise<ProductGuard> {
  for (const tile of tiles) {
    const [bits, fma] = [await multiply(open, tile, "bits"), await multiply(open, tile, "fma")];
    if (bits.some((word, i) => word !== fma[i])) return "bits";
  }
  return "fma";
}

/** A square product of one tile, of numbers whose products nearly all have to be rounded. */
async function multiply(open: OpenDevice, tile: Tile, guard: ProductGuard): Promise<Uint32Array> {
  const n = tile.rows;
  const operand = (tensor: number, strides: number[]) =>
    ({ kind: "operand", tensor, view: { offset: 0, strides }, ranging: "dot" }) as const;
  const kernel: FoldKernel = {
    kind: "fold",
    type: { dtype: "f32", shape: [n, n] },
    program: DOT_STEP,
    start: 0,
    reduce: [DEPTH],
    args: [operand(0, [DEPTH, 0, 1]), operand(1, [0, 1, n])],
  };
  const { code, parameters, workgroups } = productShader(productForm(kernel)!, 2, guard, [tile])!;
  const data = [n * DEPTH, DEPTH * n].map((count, which) =>
    Float32Array.from({ length: count }, (_, i) => (((i + 1) * (7919 + 104_729 * which)) % 1_048_573) / 524_288 - 1),
  );
  const buffers = await open.buffers([4 * parameters.length, ...data.map(({ byteLength }) => byteLength), 4 * n * n]);
  const contents = [Uint32Array.from(parameters), ...data];
  contents.forEach((content, i) => open.device.queue.writeBuffer(buffers[i], 0, content));
  const pipeline = await open.pipeline(code, "a product");
  const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
  const group = open.device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  const encoder = open.device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(...workgroups);
  pass.end();
  open.device.queue.submit([encoder.finish()]);
  const [result] = await open.download([{ buffer: buffers[3], offset: 0, bytes: 4 * n * n }]);
  for (const buffer of buffers) buffer.destroy();
  return new Uint32Array(result);
}
