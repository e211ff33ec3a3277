import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { elementBits, elementCount, type Tensor, type TensorType, zeros } from "../../src/encoding/tensor.ts";
import { runDefinition } from "../../src/repops/backends/definition.ts";
import {
  type Arg,
  DOT_STEP,
  type FoldKernel,
  type GatherKernel,
  iterationSpace,
  type MapKernel,
  type ClampRange,
  SUM_STEP,
} from "../../src/repops/kernels/kernel.ts";
import {
  accumulators,
  gatherIndexAddress,
  gatherSourceAddress,
  pointInputs,
  pointLength,
  stepAt,
} from "../../src/repops/kernels/point.ts";
import { defineProgram } from "../../src/repops/programs/expressions.ts";
import { canonBits } from "../../src/repops/numbers/vf32.ts";
import { checkView, type View } from "../../src/repops/kernels/view.ts";
import { SEED } from "./seed.ts";

const RUNS = { seed: SEED, numRuns: 120 };

const MAPS = [
  defineProgram("ffii", (x, y, i, j) => x.mul(y).add(i.toFloat()).sub(j.toFloat())),
  defineProgram("ffii", (x, y, i, j) => x.lt(y).selectInt(i, j.add(7))),
];
const FOLDS = [
  { program: DOT_STEP, operands: 2, extra: false, clampRange: "dot" },
  { program: SUM_STEP, operands: 1, extra: false, clampRange: "sum" },
  {
    program: defineProgram("ffii", (acc, x, k, i) => acc.max(x.mul(k.add(i).toFloat()))),
    operands: 1,
    extra: true,
    clampRange: "none",
  },
  {
    program: defineProgram("ifii", (acc, x, k, i) => x.lt(0).selectInt(acc.add(k), acc.sub(i))),
    operands: 1,
    extra: true,
    clampRange: "sum",
  },
] as const;

const extent = fc.integer({ min: 1, max: 5 });
/** Canonical floats of every magnitude, the ends of both ranges included. */
const bits = fc.oneof(
  fc.integer({ min: 0, max: 0xffffffff }).map(canonBits),
  fc.float({ min: -8, max: 8, noNaN: true }).map((x) => canonBits(new Uint32Array(Float32Array.of(x).buffer)[0])),
  fc.constantFrom(0, 0x26000000, 0x25ffffff, 0x59000000, 0x59000001, 0x0c800000, 0x0c7fffff, 0x72800000, 0x72800001),
);

function floats(shape: number[]): fc.Arbitrary<Tensor> {
  const count = elementCount(shape);
  return fc
    .array(bits, { minLength: count, maxLength: count })
    .map((words) => ({ dtype: "f32", shape, data: new Float32Array(Uint32Array.from(words).buffer) }));
}

/** A view of a tensor of `count` elements that reads inside it; out of bounds it gives a fill value. */
function viewOver(space: readonly number[], count: number): fc.Arbitrary<View> {
  return fc
    .record({
      offset: fc.integer({ min: 0, max: count - 1 }),
      strides: fc.tuple(...space.map(() => fc.integer({ min: -3, max: 7 }))),
      bounds: fc.tuple(
        ...space.map((size) => fc.tuple(fc.integer({ min: -1, max: size }), fc.integer({ min: 0, max: size + 1 }))),
      ),
      fill: bits,
      bounded: fc.boolean(),
    })
    .map(
      ({ offset, strides, bounds, fill, bounded }): View =>
        bounded ? { offset, strides, bounds, fill } : { offset, strides },
    )
    .map((view) => (fits(view, space, count) ? view : { offset: 0, strides: space.map(() => 0) }));
}

function fits(view: View, space: readonly number[], count: number): boolean {
  try {
    checkView(view, space, [count], "view");
    return true;
  } catch {
    return false;
  }
}

const operand = (tensor: number, view: View, clampRange: ClampRange): Arg => ({
  kind: "operand",
  tensor,
  view,
  clampRange,
});

/** The element by single steps, from the operands that `pointInputs` names. */
function byPoints(kernel: MapKernel | FoldKernel, element: number, tensors: readonly Tensor[]): number[] {
  const out: number[] = [];
  let accumulator = kernel.kind === "fold" ? kernel.start : 0;
  for (let k = 0; k < pointLength(kernel); k++) {
    const inputs = pointInputs(kernel, element, k);
    const operands = inputs.flatMap((input) =>
      input.kind === "read" ? [elementBits(tensors[input.tensor], input.address)] : [],
    );
    accumulator = stepAt(kernel, inputs, operands, accumulator);
    out.push(accumulator);
  }
  return out;
}

describe("one element of a kernel, step by step (spec 4)", () => {
  it("of a map is what the reference backend gives", () => {
    const cases = fc.tuple(extent, extent, fc.constantFrom(...MAPS)).chain(([rows, columns, program]) => {
      const space = [rows, columns];
      return fc.tuple(
        fc.constant({ space, program }),
        floats([23]),
        floats([40]),
        viewOver(space, 23),
        viewOver(space, 40),
      );
    });
    fc.assert(
      fc.property(cases, ([{ space, program }, a, b, viewA, viewB]) => {
        const type: TensorType = { dtype: program === MAPS[0] ? "f32" : "i32", shape: space };
        const coordinates: Arg[] = [0, 1].map((axis) => ({ kind: "coordinate", axis }));
        const args = [operand(0, viewA, "none"), operand(1, viewB, "none"), ...coordinates];
        const kernel: MapKernel = { kind: "map", type, program, args };
        const out = zeros(type);
        runDefinition(kernel, [a, b], out);
        for (let i = 0; i < elementCount(space); i++)
          expect(byPoints(kernel, i, [a, b])).toEqual([elementBits(out, i)]);
      }),
      RUNS,
    );
  });

  it("of a fold is what the reference backend gives, with every accumulator on the way", () => {
    const cases = fc.tuple(extent, extent, extent, fc.constantFrom(...FOLDS)).chain(([rows, first, second, fold]) => {
      const type: TensorType = { dtype: fold.program.inputs[0] === "f" ? "f32" : "i32", shape: [rows] };
      const space = [rows, first, second];
      const start = fold.extra ? bits.map((word) => (type.dtype === "f32" ? word : word >>> 0)) : fc.constant(0);
      return fc.tuple(
        fc.constant({ type, fold, reduce: [first, second] }),
        start,
        floats([31]),
        fc.tuple(viewOver(space, 31), viewOver(space, 31)),
      );
    });
    fc.assert(
      fc.property(cases, ([{ type, fold, reduce }, start, source, views]) => {
        const args: Arg[] = views.slice(0, fold.operands).map((view) => operand(0, view, fold.clampRange));
        if (fold.extra) args.push({ kind: "index" }, { kind: "coordinate", axis: 0 });
        const kernel: FoldKernel = { kind: "fold", type, program: fold.program, start, reduce, args };
        expect(iterationSpace(kernel)).toHaveLength(3);
        const out = zeros(type);
        runDefinition(kernel, [source], out);
        for (let i = 0; i < elementCount(type.shape); i++) {
          const steps = byPoints(kernel, i, [source]);
          expect([...accumulators(kernel, i, [source])]).toEqual(steps);
          expect(steps[steps.length - 1]).toBe(elementBits(out, i));
        }
      }),
      RUNS,
    );
  });

  it("of a gather is what the reference backend gives, rows outside the source included", () => {
    const cases = fc
      .tuple(extent, extent, extent, extent)
      .chain(([rows, row, first, second]) =>
        fc.tuple(
          floats([rows, row]),
          fc.array(fc.integer({ min: -2, max: rows + 1 }), { minLength: first * second, maxLength: first * second }),
          fc.constant([first, second]),
          bits,
        ),
      );
    fc.assert(
      fc.property(cases, ([source, indices, shape, fill]) => {
        const index: Tensor = { dtype: "i32", shape, data: Int32Array.from(indices) };
        const type: TensorType = { dtype: "f32", shape: [...shape, source.shape[1]] };
        const kernel: GatherKernel = { kind: "gather", type, source: 0, index: 1, fill };
        const out = zeros(type);
        runDefinition(kernel, [source, index], out);
        for (let i = 0; i < elementCount(type.shape); i++) {
          const row = index.data[gatherIndexAddress(kernel, i, index)];
          const address = gatherSourceAddress(kernel, i, row, index, source);
          expect(address < 0 ? fill : elementBits(source, address)).toBe(elementBits(out, i));
        }
      }),
      RUNS,
    );
  });
});
