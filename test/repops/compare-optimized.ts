/**
 * Compares backends on random kernels, as a program of its own: `node --no-liftoff test/repops/compare-optimized.ts SEED COUNT`.
 * A short test only ever runs what the engine's first, quick compiler made; with `--no-liftoff` all code comes from the
 * optimizing one, which is what a long run executes. Prints how many kernels had other bits.
 */
import fc from "fast-check";
import type { Backend } from "../../src/repops/backend.ts";
import { reference } from "../../src/repops/backends/reference.ts";
import { wasm, wasmAlways } from "../../src/repops/backends/wasm.ts";
import { type Case, cases, products } from "./kernels.ts";

async function run(backend: Backend, { list, inputs }: Case): Promise<Uint32Array> {
  const output = list.inputs.length;
  const session = await backend.prepare(list, { keep: [output] });
  for (const [i, tensor] of inputs.entries()) await session.write(i, tensor);
  await session.execute();
  const { data } = await session.read(output);
  await session.close();
  return new Uint32Array(data.buffer, data.byteOffset, data.length);
}

const [seed, count] = process.argv.slice(2).map(Number);
let compared = 0;
let different = 0;
for (const generator of [cases, products])
  for (const one of fc.sample(generator, { seed, numRuns: count })) {
    const wanted = await run(reference, one);
    for (const backend of [wasm, wasmAlways]) {
      const actual = await run(backend, one);
      compared++;
      if (wanted.some((word, i) => word !== actual[i])) different++;
    }
  }
console.log(JSON.stringify({ compared, different }));
