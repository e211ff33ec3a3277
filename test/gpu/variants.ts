/**
 * All ways in which a device may compute products and roots, whichever it would choose itself, as a program
 * of its own:
 *
 *     node test/gpu/variants.ts SEED COUNT
 *
 * Prints how many products, plain ones and those of views, had other bits than the reference, and whether
 * roots hashed on the device equal the host's.
 */
import fc from "fast-check";
import { toHex } from "../../src/encoding/bytes.ts";
import { type Tensor, tensorRoot } from "../../src/encoding/tensor.ts";
import type { Backend } from "../../src/repops/backends/backend.ts";
import { reference } from "../../src/repops/backends/reference.ts";
import { openDevice } from "../../src/repops/backends/webgpu/device.ts";
import { TILES } from "../../src/repops/backends/webgpu/product.ts";
import { prepareWebGpu } from "../../src/repops/backends/webgpu/session.ts";
import { kernelOf, PRODUCTS } from "../repops/backends/view-products.ts";
import { type Case, products } from "../repops/kernels.ts";

const [seed, count] = process.argv.slice(2).map(Number);
const { slowCompiler } = await openDevice();
const tiles = slowCompiler ? TILES.slice(-1) : TILES;

async function run(backend: Backend, { list, inputs }: Case): Promise<Uint32Array> {
  const session = await backend.prepare(list, { keep: [list.inputs.length] });
  for (const [i, tensor] of inputs.entries()) await session.write(i, tensor);
  await session.execute();
  const { data } = await session.read(list.inputs.length);
  await session.close();
  return new Uint32Array(data.buffer, data.byteOffset, data.length);
}

let compared = 0;
const different: string[] = [];
// Each is a shader to compile for each tile and guard: a convolution, a gradient, and one with bounds.
const bounded = PRODUCTS.filter(({ outer, depth }) => [...outer, ...depth].some(({ bounds }) => bounds));
const ofViews = [PRODUCTS[0], PRODUCTS[2], bounded[0]].map((product, i) => kernelOf(product, seed + i));
for (const one of [...fc.sample(products, { seed, numRuns: count }), ...ofViews]) {
  const wanted = await run(reference, one);
  for (const tile of tiles)
    for (const guard of ["bits", "fma"] as const) {
      const name = `${guard}, ${tile.rows}×${tile.columns} by ${tile.own}`;
      const prepare: Backend["prepare"] = (list, { keep }) => prepareWebGpu(list, keep, { guard, tiles: [tile] });
      const actual = await run({ name, prepare }, one);
      compared++;
      const element = wanted.findIndex((word, i) => word !== actual[i]);
      if (element >= 0) different.push(`${name}, element ${element}: ${JSON.stringify(one.list)}`);
    }
}

/** Trees of every form: empty, one chunk, odd nodes at several levels, a last chunk of every length. */
const sizes = [0, 1, 2, 13, 14, 15, 16, 29, 62, 63, 64, 65, 128, 129, 320, 449, 64 * 37 + 5, 64 * 1000 + 1];
const tensors = sizes.map((size, t): Tensor => {
  const data = Int32Array.from({ length: size }, (_, i) => Math.imul(i + 1, 0x9e3779b1) ^ Math.imul(t, 0x85ebca6b));
  return { dtype: "i32", shape: [size], data };
});
const types = tensors.map(({ dtype, shape }) => ({ dtype, shape }));
const session = await prepareWebGpu({ inputs: types, kernels: [] }, [], { hashing: "device" });
for (const [i, tensor] of tensors.entries()) await session.write(i, tensor);
const found = await session.roots([...tensors.keys()]);
await session.close();
const wrongRoots = sizes.filter((_, i) => toHex(found[i]) !== toHex(tensorRoot(tensors[i])));
console.log(JSON.stringify({ compared, different, hashed: sizes.length, wrongRoots }));
