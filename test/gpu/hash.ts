/**
 * Compares the roots that a device computes with those of the reference, as a program of its own: `node
 * test/gpu/hash.ts`. Sizes are around the edges of chunks and levels of the tree. Prints how many were
 * compared, and those that differ.
 */
import { elementCount, tensorRoot, type TensorType } from "../../src/encoding/tensor.ts";
import { toHex } from "../../src/encoding/bytes.ts";
import { prepareWebGpu } from "../../src/repops/backends/webgpu/session.ts";
import { floatTensor, intTensor } from "../../src/repops/conformance/data.ts";

const LENGTHS = [0, 1, 3, 63, 64, 65, 127, 128, 129, 256, 257, 1023, 1024, 1025, 20_000, 65_537];
const SHAPES = [[], ...LENGTHS.map((length) => [length]), [5, 0, 2], [7, 9], [64, 65], [3, 5, 7, 11]];
const tensors = SHAPES.flatMap((shape, i) => [floatTensor(i, shape), intTensor(100 + i, shape)]);
const inputs: TensorType[] = tensors.map(({ dtype, shape }) => ({ dtype, shape }));
const session = await prepareWebGpu({ inputs, kernels: [] }, [...inputs.keys()], { hashing: "device" });
for (const [i, tensor] of tensors.entries()) await session.write(i, tensor);
const different: string[] = [];
// Twice, since what the device keeps between two calls must not matter; alone, and in one forest with all
// others.
for (let pass = 0; pass < 2; pass++) {
  const all = await session.roots([...inputs.keys()]);
  for (const [i, tensor] of tensors.entries()) {
    const [alone] = await session.roots([i]);
    const expected = tensorRoot(tensor);
    for (const actual of [all[i], alone])
      if (toHex(actual) !== toHex(expected))
        different.push(`${tensor.dtype} [${tensor.shape.join(", ")}], ${elementCount(tensor.shape)} elements`);
  }
}
console.log(JSON.stringify({ compared: 4 * tensors.length, different }));
process.exit();
