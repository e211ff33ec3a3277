/** Lists of kernels that share one memory: what is kept, what hooks see, and code from the optimizing compiler. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Tensor } from "../../../../src/encoding/tensor.ts";
import type { Backend } from "../../../../src/repops/backends/backend.ts";
import { reference } from "../../../../src/repops/backends/reference.ts";
import { wasm } from "../../../../src/repops/backends/wasm/backend.ts";
import { type Arg, DOT_STEP, type Kernel, type KernelList, SUM_STEP } from "../../../../src/repops/kernels/kernel.ts";
import { defineProgram } from "../../../../src/repops/programs/expressions.ts";
import type { View } from "../../../../src/repops/kernels/view.ts";
import { floats } from "../../inputs.ts";

const SEED = 20261120;
const SIDE = 9;
const SHAPE = [SIDE, SIDE];

const operand = (tensor: number, view: View, ranging: "none" | "dot" | "sum" = "none"): Arg => ({
  kind: "operand",
  tensor,
  view,
  ranging,
});
const dense: View = { offset: 0, strides: [SIDE, 1] };
const VIEWS: readonly View[] = [
  dense,
  { offset: 0, strides: [1, SIDE] },
  { offset: SIDE * SIDE - 1, strides: [-SIDE, -1] },
  { offset: 3, strides: [0, SIDE] },
  {
    offset: -SIDE - 2,
    strides: [SIDE, 1],
    bounds: [
      [1, SIDE],
      [2, SIDE],
    ],
    fill: 0x3f800000,
  },
];
const MIX = defineProgram("ff", (x, y) => x.mul(0.5).add(y.max(x.neg())));

type Choice = readonly [kind: number, first: number, second: number, view: number];

/** Kernel number `i` of a list: it reads tensors that stand before it. */
function kernelOf([kind, first, second, view]: Choice, tensors: number): Kernel {
  const [a, b] = [first % tensors, second % tensors];
  const type = { dtype: "f32" as const, shape: SHAPE };
  const picked = VIEWS[view % VIEWS.length];
  if (kind === 0) return { kind: "map", type, program: MIX, args: [operand(a, dense), operand(b, picked)] };
  const fold = { kind: "fold", type, start: 0, reduce: [SIDE] } as const;
  const left: View = { offset: 0, strides: [SIDE, 0, 1] };
  if (kind === 1) return { ...fold, program: SUM_STEP, args: [operand(a, { ...left, strides: [1, 0, SIDE] }, "sum")] };
  const right: View = { offset: 0, strides: view % 2 ? [0, SIDE, 1] : [0, 1, SIDE] };
  return { ...fold, program: DOT_STEP, args: [operand(a, left, "dot"), operand(b, right, "dot")] };
}

const choice = fc.tuple(fc.nat(2), fc.nat(99), fc.nat(99), fc.nat(9));
const lists = fc
  .record({ choices: fc.array(choice, { minLength: 3, maxLength: 14 }), keep: fc.nat(2 ** 14), fault: fc.nat(99) })
  .map(({ choices, keep, fault }) => {
    const inputs = [0, 1].map(() => ({ dtype: "f32" as const, shape: SHAPE }));
    const kernels = choices.map((one, i) => kernelOf(one, inputs.length + i));
    const kept = kernels.flatMap((_, i) => ((keep >> i) & 1 || i === kernels.length - 1 ? [inputs.length + i] : []));
    return { list: { inputs, kernels } satisfies KernelList, kept, fault: fault % kernels.length };
  });

const bits = ({ data }: Tensor): number[] => [...new Uint32Array(data.buffer, data.byteOffset, data.length)];

/** What hooks saw and what was kept, over two executions, the second with a value changed by a hook. */
async function record(backend: Backend, list: KernelList, keep: readonly number[], fault: number): Promise<unknown> {
  const session = await backend.prepare(list, { keep });
  const next = floats(SEED);
  for (const [i, type] of list.inputs.entries())
    await session.write(i, { ...type, data: Float32Array.from({ length: SIDE * SIDE }, next) });
  const seen: number[][] = [];
  await session.execute({ afterKernel: (kernel, output) => seen.push([kernel, ...bits(output)]) });
  const first = await Promise.all(keep.map(async (tensor) => bits(await session.read(tensor))));
  await session.execute({
    at: new Set([fault]),
    afterKernel: (_, output) => {
      output.data[7] = 1.25;
    },
  });
  const second = await Promise.all(keep.map(async (tensor) => bits(await session.read(tensor))));
  await session.close();
  return { seen, first, second };
}

describe("lists of kernels", () => {
  test("keep, show and let change the same bits as the reference, though outputs share memory", () =>
    fc.assert(
      fc.asyncProperty(lists, async ({ list, kept, fault }) => {
        expect(await record(wasm, list, kept, fault)).toEqual(await record(reference, list, kept, fault));
      }),
      { seed: SEED, numRuns: 150 },
    ));

  test("take no more memory than what is alive at once", async () => {
    // 400 outputs of 64 MiB in a row, of which two are alive at a time: far beyond 4 GiB if each had its own place.
    const type = { dtype: "f32" as const, shape: [2 ** 24] };
    const program = defineProgram("f", (x) => x);
    const kernels = Array.from(
      { length: 400 },
      (_, i): Kernel => ({ kind: "map", type, program, args: [operand(i, { offset: 0, strides: [1] })] }),
    );
    const session = await wasm.prepare({ inputs: [type], kernels }, { keep: [400] });
    await session.close();
    await expect(
      wasm.prepare({ inputs: [type], kernels }, { keep: kernels.map((_, i) => i + 1) }),
    ).rejects.toMatchObject({ code: "VERDE_BACKEND" });
  });

  test("have the reference's bits in optimized code", () => {
    const script = fileURLToPath(new URL("../../compare.ts", import.meta.url));
    const output = execFileSync(
      process.execPath,
      ["--no-liftoff", script, String(SEED), "150", "wasm", "wasm-always"],
      { encoding: "utf8" },
    );
    expect(JSON.parse(output)).toEqual({ compared: 600, different: 0 });
  });
});
