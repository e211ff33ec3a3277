/**
 * Compares what the emitted kernels compute on the interpreter with the reference, on random kernels, as a
 * program of its own:
 *
 *     node test/cuda/compare.ts SEED COUNT
 *
 * Prints how many kernels had other bits, and the first of them.
 */
import fc from "fast-check";
import type { Backend } from "../../src/repops/backends/backend.ts";
import { reference } from "../../src/repops/backends/reference.ts";
import { TILES } from "../../src/repops/backends/cuda/tile.ts";
import { type Case, cases, products } from "../repops/kernels.ts";
import { interpreted } from "./interpreted.ts";

async function run(backend: Backend, { list, inputs }: Case): Promise<[words: Uint32Array, noted: string]> {
  const output = list.inputs.length;
  const session = await backend.prepare(list, { keep: [output] });
  for (const [i, tensor] of inputs.entries()) await session.write(i, tensor);
  const { noted } = await session.execute();
  const { data } = await session.read(output);
  await session.close();
  return [new Uint32Array(data.buffer, data.byteOffset, data.length), JSON.stringify(noted)];
}

const [seed, count] = process.argv.slice(2, 4).map(Number);
let [compared, different] = [0, 0];
let first: string | undefined;
for (const generator of [cases, products])
  for (const one of fc.sample(generator, { seed, numRuns: count })) {
    const wanted = await run(reference, one);
    for (const tile of generator === products ? TILES : [undefined]) {
      compared++;
      try {
        const actual = await run(interpreted(tile && { tiles: [tile] }), one);
        const element = wanted[0].findIndex((word, i) => word !== actual[0][i]);
        if (element < 0 && actual[1] === wanted[1]) continue;
        different++;
        first ??= `element ${element} ${actual[1]} ${wanted[1]}: ${JSON.stringify(one.list)}`;
      } catch (error) {
        different++;
        first ??= `${String((error as Error).stack)}: ${JSON.stringify(one.list)}`;
      }
    }
  }
console.log(JSON.stringify({ compared, different, first }));
