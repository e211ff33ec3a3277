/** The bits do not depend on the number of threads, nor on the blocks into which work is cut. */
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { toHex } from "../../../../src/encoding/bytes.ts";
import { type Tensor, tensorRoot, zeros } from "../../../../src/encoding/tensor.ts";
import { loadJob } from "../../../../src/job/load.ts";
import type { Backend } from "../../../../src/repops/backends/backend.ts";
import { native, nativeWith } from "../../../../src/repops/backends/native/backend.ts";
import { wasm } from "../../../../src/repops/backends/wasm/backend.ts";
import { reference } from "../../../../src/repops/backends/reference.ts";
import { setThreads, threads } from "../../../../src/repops/backends/threads.ts";
import type { FoldKernel, KernelList } from "../../../../src/repops/kernels/kernel.ts";
import type { Grain } from "../../../../src/repops/schedule/grain.ts";
import { run } from "../../../../src/trace/run.ts";
import { floatBits } from "../../inputs.ts";
import { cases, products } from "../../kernels.ts";
import { add, double, f32, i32, scatter, sum } from "../../schedule/lists.ts";
import { rowLists } from "../../schedule/row-lists.ts";
import { nativeBuilds } from "./here.ts";

const [here] = await nativeBuilds();
const GPT = fileURLToPath(new URL("../../../../examples/char-gpt.ts", import.meta.url));
const TINY = { layers: 1, dim: 16, heads: 2, context: 16, batch: 2, dropout: 0.1, seed: 3 };
const SEED = 20261129;
/** The gate takes a part. */
const SWEEP = process.env.VERDE_SWEEP !== undefined;
const COUNTS = SWEEP ? [1, 2, 3, 7] : [1, 3];
/** So small that the tensors of a test are cut into many blocks, and all work is dealt out. */
const GRAINS: readonly Grain[] = [
  { bytes: 2 ** 9, mostBytes: 2 ** 22, nanoseconds: 1, streamedBytes: 0 },
  { bytes: 2 ** 13, mostBytes: 2 ** 22, nanoseconds: 200, streamedBytes: 2 ** 14 },
];

/** Sums of each row in 16 lanes. */
function partialSums(tensor: number, rows: number, columns: number): FoldKernel {
  const length = Math.floor(columns / 16);
  const view = { offset: 0, strides: [columns, 1, 16] };
  const { program } = sum(0, 1, 1) as FoldKernel;
  const args = [{ kind: "operand", tensor, view, clampRange: "sum" } as const];
  return { kind: "fold", type: f32(rows, 16), program, start: 0, reduce: [length], args };
}

interface Problem {
  list: KernelList;
  inputs: readonly Tensor[];
  keep: readonly number[];
}

function* problems(): Generator<Problem> {
  const nextFloat = floatBits(SEED);
  const filled = ({ dtype, shape }: Pick<Tensor, "dtype" | "shape">): Tensor => {
    const tensor = zeros({ dtype, shape });
    const words = new Uint32Array(tensor.data.buffer);
    for (let i = 0; i < words.length; i++) words[i] = dtype === "f32" ? nextFloat() : i % 9;
    return tensor;
  };
  for (const { list, keep } of fc.sample(rowLists, { seed: SEED, numRuns: SWEEP ? 120 : 40 }))
    yield { list, keep, inputs: list.inputs.map(filled) };
  for (const generator of [cases, products])
    for (const { list, inputs } of fc.sample(generator, { seed: SEED, numRuns: SWEEP ? 50 : 16 }))
      yield { list, inputs, keep: [list.inputs.length] };
  // Maps over the same elements, of which one is read again; with lines of the others written past the
  // caches.
  for (const columns of [160, 163]) {
    const wide: KernelList = {
      inputs: [f32(40, columns), f32(40, columns)],
      kernels: [
        add(0, 1, 40, columns),
        add(2, 0, 40, columns),
        double(3, 40, columns),
        partialSums(4, 40, columns),
        add(3, 4, 40, columns),
      ],
    };
    yield { list: wide, inputs: wide.inputs.map(filled), keep: [3, 5, 6] };
    // Ordinary numbers need no `canon`; nor do most blocks of the last inputs, but for numbers at either end.
    const ordinary = ({ dtype, shape }: Pick<Tensor, "dtype" | "shape">): Tensor => {
      const tensor = zeros({ dtype, shape });
      for (let i = 0; i < tensor.data.length; i++) tensor.data[i] = 1 + ((i * 37) % 101) / 64;
      return tensor;
    };
    yield { list: wide, inputs: wide.inputs.map(ordinary), keep: [3, 5, 6] };
    for (const special of [2 ** 126, -(2 ** 127), 2 ** -125, 0]) {
      const inputs = wide.inputs.map(ordinary);
      for (const { data } of inputs) [data[40], data[20 * columns]] = [special, -special || 0];
      yield { list: wide, inputs, keep: [3, 5, 6] };
    }
  }
  // Long enough for several tasks: rows of a table chosen, and added up; a fold over nothing.
  const list: KernelList = {
    inputs: [f32(200, 160), i32(300)],
    kernels: [
      { kind: "gather", type: f32(300, 160), source: 0, index: 1, fill: 0x3f800000 },
      scatter(2, 1, 200, 300, 160),
      { ...(sum(2, 1, 4000) as FoldKernel), start: 0x40000000, reduce: [0] },
    ],
  };
  const index: Tensor = { ...i32(300), data: Int32Array.from({ length: 300 }, (_, i) => (i * 7) % 211) };
  yield { list, inputs: [filled(f32(200, 160)), index], keep: [2, 3, 4] };
}

/**
 * What is kept, as roots; how many indices were outside; and the root of every output, one after the other.
 */
async function resultOf(backend: Backend, { list, inputs, keep }: Problem): Promise<string[]> {
  const session = await backend.prepare(list, { keep });
  for (const [i, tensor] of inputs.entries()) await session.write(i, tensor);
  const { outOfRange } = await session.execute();
  const kept = (await session.roots(keep)).map(toHex);
  const read: Tensor[] = [];
  for (const tensor of keep) read.push(await session.read(tensor));
  expect(read.map((tensor) => toHex(tensorRoot(tensor)))).toEqual(kept);
  const watched = await session.execute({ rootsOf: "all" });
  expect((await session.roots(keep)).map(toHex)).toEqual(kept);
  await session.close();
  expect(watched.outOfRange).toEqual(outOfRange);
  return [...kept, JSON.stringify(outOfRange), ...[...watched.roots.values()].map(toHex)];
}

describe.skipIf(!here)(`on ${COUNTS.join(", ")} threads`, () => {
  afterAll(() => setThreads(undefined));

  test("random kernels, rows, gathers and scatter-adds have the reference's bits", async () => {
    const all = [...problems()];
    const backends = GRAINS.map((grain) => nativeWith({ grain }));
    await native.warmUp!(all.map(({ list }) => ({ list, keep: [] })));
    const wanted: string[][] = [];
    for (const problem of all) wanted.push(await resultOf(reference, problem));
    for (const count of COUNTS) {
      setThreads(count);
      expect(threads()).toBe(count);
      for (const backend of backends)
        for (const [i, problem] of all.entries())
          expect(await resultOf(backend, problem), `seed ${SEED}, problem ${i}`).toEqual(wanted[i]);
    }
  });

  test("20 steps of the GPT have the roots of WASM", async () => {
    const job = await loadJob(GPT, { ...TINY, steps: 20 });
    const wanted = (await run(job, { backend: wasm })).segmentRoots.map(toHex);
    for (const count of COUNTS) {
      setThreads(count);
      for (const backend of [native, nativeWith({ grain: GRAINS[1] })])
        expect((await run(job, { backend })).segmentRoots.map(toHex)).toEqual(wanted);
    }
  });

  test("many sessions at once, of other numbers of threads", async () => {
    const all = fc.sample(rowLists, { seed: SEED, numRuns: 8 });
    await Promise.all(
      COUNTS.map(async (count) => {
        for (const { list, keep } of all) {
          setThreads(count);
          const inputs = list.inputs.map(zeros);
          const wanted = await resultOf(reference, { list, inputs, keep });
          setThreads(count);
          expect(await resultOf(nativeWith({ grain: GRAINS[0] }), { list, inputs, keep })).toEqual(wanted);
        }
      }),
    );
  });
});
