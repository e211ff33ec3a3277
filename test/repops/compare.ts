/**
 * Compares backends with the reference on random kernels, as a program of its own:
 *
 *     node [--no-liftoff] test/repops/compare.ts SEED COUNT BACKEND…
 *
 * A short test only runs what the engine's first, quick compiler made. With `--no-liftoff` all code is from
 * the optimizing compiler, which is what a long run executes. A GPU's driver may crash its process. Prints
 * how many kernels had other bits, and the first of them.
 */
import fc from "fast-check";
import type { Backend } from "../../src/repops/backends/backend.ts";
import { reference } from "../../src/repops/backends/reference.ts";
import { backendByName } from "../../src/repops/backends/index.ts";
import { wasmAlways } from "../../src/repops/backends/wasm/backend.ts";
import { type Case, cases, products } from "./kernels.ts";

/** The words of the output, and what the steps noted. */
async function run(backend: Backend, { list, inputs }: Case): Promise<[words: Uint32Array, noted: string | undefined]> {
  const output = list.inputs.length;
  const session = await backend.prepare(list, { keep: [output] });
  for (const [i, tensor] of inputs.entries()) await session.write(i, tensor);
  const { noted } = await session.execute();
  const { data } = await session.read(output);
  await session.close();
  return [new Uint32Array(data.buffer, data.byteOffset, data.length), noted && JSON.stringify(noted)];
}

const [seed, count] = process.argv.slice(2, 4).map(Number);
const backends = process.argv.slice(4).map((name) => (name === wasmAlways.name ? wasmAlways : backendByName(name)));
let compared = 0;
let different = 0;
let first: string | undefined;
for (const generator of [cases, products]) {
  const sample = fc.sample(generator, { seed, numRuns: count });
  for (const backend of backends) await backend.warmUp?.(sample.map(({ list }) => ({ list, keep: [] })));
  for (const one of sample) {
    const wanted = await run(reference, one);
    for (const backend of backends) {
      const actual = await run(backend, one);
      compared++;
      const element = wanted[0].findIndex((word, i) => word !== actual[0][i]);
      if (element < 0 && actual[1] === wanted[1]) continue;
      different++;
      first ??= `${backend.name}, element ${element}: ${JSON.stringify(one.list)}`;
    }
  }
}
console.log(JSON.stringify({ compared, different, ...(first !== undefined && { first }) }));
