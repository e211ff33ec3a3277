/**
 * What every backend's executions have to note (spec 4.7). The expected notes are found in binary64 from each
 * operator's textbook definition, and not from its program.
 */
import assert from "node:assert/strict";
import type { Tensor } from "../../src/encoding/tensor.ts";
import type { Backend, Noted } from "../../src/repops/backends/backend.ts";
import { PROGRAMS } from "../../src/repops/functions/index.ts";
import { pow } from "../../src/repops/functions/power.ts";
import { type Kernel, type KernelList, NOTED } from "../../src/repops/kernels/kernel.ts";
import type { View } from "../../src/repops/kernels/view.ts";
import { canon } from "../../src/repops/numbers/vf32.ts";
import { defineProgram, float } from "../../src/repops/programs/expressions.ts";
import type { Program } from "../../src/repops/programs/program.ts";

const MOST = 2 ** 127;
const f32 = (...shape: number[]) => ({ dtype: "f32" as const, shape });

/** An operator of one or two floats: its program, its real function, and whether operands are outside. */
interface Operator {
  program: Program;
  of(x: number, y: number): number;
  outside?(x: number, y: number): boolean;
}

const MAPS: Readonly<Record<string, Operator>> = {
  add: { program: defineProgram("ff", (x, y) => x.add(y)), of: (x, y) => x + y },
  mul: { program: defineProgram("ff", (x, y) => x.mul(y)), of: (x, y) => x * y },
  half: { program: defineProgram("ff", (x, y) => x.mul(0.5).max(y)), of: (x, y) => Math.max(x / 2, y) },
  div: { program: defineProgram("ff", (x, y) => x.div(y)), of: (x, y) => x / y, outside: (_, y) => y === 0 },
  // Three results that may need canon, so that native code has a fast form of it.
  mixed: {
    program: defineProgram("ff", (x, y) => x.mul(y).add(y).mul(x)),
    of: (x, y) => canon(Math.fround(canon(Math.fround(canon(Math.fround(x * y)) + y)) * x)),
  },
  sqrt: { program: defineProgram("f", (x) => x.sqrt()), of: Math.sqrt, outside: (x) => x < 0 },
  exp: { program: PROGRAMS.exp, of: Math.exp },
  log: { program: PROGRAMS.log, of: () => 0, outside: (x) => x <= 0 },
  log2: { program: PROGRAMS.log2, of: () => 0, outside: (x) => x <= 0 },
  log1p: { program: PROGRAMS.log1p, of: () => 0, outside: (x) => x <= -1 },
  rsqrt: { program: PROGRAMS.rsqrt, of: () => 0, outside: (x) => x <= 0 },
  pow: {
    program: PROGRAMS.pow,
    of: (x, y) => x ** y,
    outside: (x, y) => (x < 0 && !Number.isInteger(y)) || (x === 0 && y < 0),
  },
  cube: { program: defineProgram("f", (x) => pow(x, float(3))), of: (x) => x ** 3 },
  power: {
    program: defineProgram("f", (x) => pow(x, float(-1.5))),
    of: (x) => x ** -1.5,
    outside: (x) => x <= 0,
  },
  // 2^127 is what the program chooses, and no sign of anything.
  masked: { program: defineProgram("f", (x) => x.lt(0).select(-MOST, x)), of: () => 0 },
};

/** Pairs of operands, each the only one of its kind among harmless ones. */
const PAIRS: readonly (readonly [number, number])[] = [
  [1.5, 2.5],
  [1.6 * 2 ** 126, 1.2 * 2 ** 126],
  [2 ** 126, 2 ** 126],
  [-(2 ** 80), 2 ** 60],
  [2 ** 100, 2 ** -60],
  [MOST, 3],
  [3, -MOST],
  [3, 0],
  [0, 0],
  [0, -2],
  [-2, 3],
  [-2, 0.5],
  [-1, 1],
  [90, 1],
  [2 ** 50, 2],
  [2 ** -90, -1],
];

const canonical = (x: number): number => (Number.isNaN(x) ? 0 : Math.abs(x));

function expected({ program, of, outside }: Operator, x: number, y: number): number {
  if (outside?.(x, y)) return NOTED.domain;
  const operands = program.inputs.length === 1 ? [x] : [x, y];
  const isClear = operands.every((operand) => Math.abs(operand) < MOST);
  // A result just below 2^127 that rounds up to it is saturated too; none of these is that near.
  return isClear && canonical(of(x, y)) >= MOST ? NOTED.saturated : 0;
}

const notesOf = (bits: number): Omit<Noted, "kernel"> => ({
  above: (bits & NOTED.above) > 0,
  below: (bits & NOTED.below) > 0,
  saturated: (bits & NOTED.saturated) > 0,
  domain: (bits & NOTED.domain) > 0,
});

/** Every operator on the same operands: rows of 37 elements in tensors whose rows are longer. */
const [ROWS, COLUMNS, PITCH] = [3, 37, 40];
const names = Object.keys(MAPS);
const ONE = 0x3f800000;
const productOf = (view: View): Kernel => ({
  kind: "fold",
  type: f32(19),
  program: defineProgram("ff", (acc, x) => acc.mul(x)),
  start: ONE,
  reduce: [5],
  args: [{ kind: "operand", tensor: 2, view, clampRange: "none" }],
});
const list: KernelList = {
  inputs: [f32(ROWS, PITCH), f32(ROWS, PITCH), f32(5, 19)],
  kernels: [
    ...names.map(
      (name): Kernel => ({
        kind: "map",
        type: f32(ROWS, COLUMNS),
        program: MAPS[name].program,
        args: MAPS[name].program.inputs.map((_, tensor) => ({
          kind: "operand",
          tensor,
          view: { offset: 0, strides: [PITCH, 1] },
          clampRange: "none",
        })),
      }),
    ),
    productOf({ offset: 0, strides: [1, 19] }),
    // Of four of the five rows: bounds on a fold's own axis, which backends leave to the definition.
    productOf({ offset: 0, strides: [1, 19], bounds: [[0, 19], [0, 4]], fill: ONE }), // prettier-ignore
  ],
};
const PRODUCTS = [names.length, names.length + 1];

/** Harmless operands, and in each row's last columns, which no kernel reads, ones that are not. */
function inputs(): [Tensor, Tensor, Tensor] {
  const of = (harmless: number, beyond: number): Tensor => ({
    ...f32(ROWS, PITCH),
    data: Float32Array.from({ length: ROWS * PITCH }, (_, i) => (i % PITCH < COLUMNS ? harmless : beyond)),
  });
  return [of(1.5, -MOST * 0.75), of(1.25, -MOST * 0.75), { ...f32(5, 19), data: new Float32Array(95).fill(2) }];
}

/**
 * Executes every operator once for each pair, which is one element of all: the first, an inner, the last one.
 * @throws {AssertionError} at the first note that is missing, or is none
 */
export async function checkNotes(backend: Backend): Promise<void> {
  const keep = list.kernels.map((_, kernel) => list.inputs.length + kernel);
  // Fused, and with every output for itself.
  for (const kept of [keep, keep.slice(-1)]) {
    const session = await backend.prepare(list, { keep: kept });
    for (const [i, [x, y]] of PAIRS.entries()) {
      const [a, b, c] = inputs();
      const place = [0, PITCH + 17, 2 * PITCH + COLUMNS - 1][i % 3];
      a.data[place] = x;
      b.data[place] = y;
      const bits = names.map((name) => expected(MAPS[name], x, y));
      // A column whose product passes 2^127 on the way, and is 0 in the end.
      if (i % 2 === 1)
        for (const [row, factor] of [2 ** 60, 2 ** 67, 2 ** 3, 0, 2].entries()) c.data[19 * row + 18] = factor;
      for (const product of PRODUCTS) bits[product] = i % 2 === 1 ? NOTED.saturated : 0;
      for (const [input, tensor] of [a, b, c].entries()) await session.write(input, tensor);
      const { noted } = await session.execute();
      const wanted = bits.flatMap((own, kernel) => (own === 0 ? [] : [{ kernel, ...notesOf(own) }]));
      assert.deepEqual(noted, wanted, `${backend.name}, operands ${x} and ${y}: ${names.join()}`);
    }
    await session.close();
  }
}
