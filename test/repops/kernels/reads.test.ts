/** What a dispute's last step reads and computes, compared with the reference backend. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { elementBits, type Tensor, zeros } from "../../../src/encoding/tensor.ts";
import { runDefinition } from "../../../src/repops/backends/definition.ts";
import {
  DOT_STEP,
  type FoldKernel,
  type GatherKernel,
  type Kernel,
  type MapKernel,
} from "../../../src/repops/kernels/kernel.ts";
import { accumulators, pointLength } from "../../../src/repops/kernels/point.ts";
import {
  accumulatorRead,
  type Contents,
  foldLeaves,
  mostReads,
  type Point,
  type Read,
  readsAt,
  resultAt,
  scalarSteps,
} from "../../../src/repops/kernels/reads.ts";
import { defineProgram } from "../../../src/repops/programs/expressions.ts";
import { cases, products } from "../kernels.ts";

const contents = (tensors: readonly Tensor[]): Contents => ({
  type: (tensor) => tensors[tensor],
  bits: ({ tensor, address }) => (address < 0 ? 0 : elementBits(tensors[tensor], address)),
});

const plain = (reads: readonly Read[]): Read[] => reads.map(({ tensor, address }) => ({ tensor, address }));

/** Expects that no tensor is read more often than `mostReads` says. */
function checkBound(kernel: Kernel, point: Point, reads: readonly Read[]): void {
  const bound = mostReads(kernel);
  const rest = [...bound.tensors];
  for (const { tensor } of reads) {
    expect(rest).toContain(tensor);
    rest.splice(rest.indexOf(tensor), 1);
  }
  expect(scalarSteps(kernel, point)).toBeLessThanOrEqual(bound.scalarSteps);
  if (accumulatorRead(point) !== undefined) expect(accumulatorRead(point)).toBeLessThan(bound.accumulators);
}

const dot = (length: number): FoldKernel => ({
  kind: "fold",
  type: { dtype: "f32", shape: [2] },
  program: DOT_STEP,
  start: 0,
  reduce: [length],
  args: [
    { kind: "operand", tensor: 0, view: { offset: 0, strides: [length, 1] }, clampRange: "dot" },
    { kind: "operand", tensor: 1, view: { offset: 3, strides: [0, -1] }, clampRange: "dot" },
  ],
});

describe("what a point reads", () => {
  it("of any map or fold gives what the reference backend gives", () => {
    fc.assert(
      fc.property(fc.oneof(cases, products), ({ list, inputs }) => {
        const [kernel] = list.kernels as readonly (MapKernel | FoldKernel)[];
        const out = zeros(kernel.type);
        runDefinition(kernel, inputs, out);
        for (let element = 0; element < out.data.length; element += 1 + Math.floor(out.data.length / 7)) {
          if (kernel.kind === "map" || foldLeaves(kernel) === 0) {
            const reads = readsAt(kernel, { element }, contents(inputs));
            checkBound(kernel, { element }, reads);
            expect(resultAt(kernel, { element }, reads)).toBe(elementBits(out, element));
            continue;
          }
          const every = accumulators(kernel, element, inputs);
          for (const fold of new Set([0, 1, every.length - 1])) {
            const point = { element, fold };
            const reads = readsAt(kernel, point, contents(inputs));
            checkBound(kernel, point, reads);
            const before = accumulatorRead(point);
            expect(resultAt(kernel, point, reads, before === undefined ? undefined : every[before])).toBe(every[fold]);
          }
        }
      }),
      { seed: 20261128, numRuns: 200 },
    );
  });

  it("of a gather is its index, then the row's element, or the source's type alone", () => {
    const source: Tensor = { dtype: "f32", shape: [3, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6) };
    const index: Tensor = { dtype: "i32", shape: [4], data: Int32Array.of(2, -1, 3, 0) };
    const type = { dtype: "f32" as const, shape: [4, 2] };
    const kernel: GatherKernel = { kind: "gather", type, source: 1, index: 0, fill: 0x3f000000 };
    const tensors = [index, source];
    const out = zeros(type);
    runDefinition(kernel, [index, source], out);
    const found = Array.from({ length: 8 }, (_, element) => readsAt(kernel, { element }, contents(tensors)));
    expect(found.map((reads) => reads.map(({ address }) => address))).toEqual([
      [0, 4],
      [0, 5],
      [1, -1],
      [1, -1],
      [2, -1],
      [2, -1],
      [3, 0],
      [3, 1],
    ]);
    for (const [element, reads] of found.entries()) {
      expect(reads.map(({ tensor }) => tensor)).toEqual([0, 1]);
      checkBound(kernel, { element }, reads);
      expect(resultAt(kernel, { element }, reads)).toBe(elementBits(out, element));
    }
    expect(mostReads(kernel)).toEqual({ tensors: [1, 0], scalarSteps: 1, accumulators: 0 });
  });

  it("is every step of a fold of eight reads, and one step of a longer one", () => {
    const asked: Read[] = [];
    const watching: Contents = { type: () => dot(4).type, bits: (read) => (asked.push(read), 0) };
    expect(plain(readsAt(dot(4), { element: 1 }, watching))).toEqual([
      { tensor: 0, address: 4 },
      { tensor: 1, address: 3 },
      { tensor: 0, address: 5 },
      { tensor: 1, address: 2 },
      { tensor: 0, address: 6 },
      { tensor: 1, address: 1 },
      { tensor: 0, address: 7 },
      { tensor: 1, address: 0 },
    ]);
    expect(asked).toHaveLength(8);
    expect(foldLeaves(dot(4))).toBe(0);
    expect(mostReads(dot(4))).toEqual({ tensors: [0, 0, 0, 0, 1, 1, 1, 1], scalarSteps: 4, accumulators: 0 });
    expect(foldLeaves(dot(5))).toBe(5);
    expect(mostReads(dot(5))).toEqual({ tensors: [0, 1], scalarSteps: 1, accumulators: 5 });
    expect(pointLength(dot(5))).toBe(5);
    expect(
      [undefined, 0, 1, 4].map((fold) => accumulatorRead({ element: 0, ...(fold !== undefined && { fold }) })),
    ).toEqual([undefined, undefined, 0, 3]);
  });

  it("is nothing if a view's fill value is taken, or if a fold is empty", () => {
    const kernel: MapKernel = {
      kind: "map",
      type: { dtype: "f32", shape: [3] },
      program: defineProgram("ff", (x, y) => x.add(y)),
      args: [
        {
          kind: "operand",
          tensor: 0,
          view: { offset: -1, strides: [1], bounds: [[1, 3]], fill: 0x40000000 },
          clampRange: "none",
        },
        { kind: "operand", tensor: 0, view: { offset: 0, strides: [0] }, clampRange: "none" },
      ],
    };
    const x: Tensor = { dtype: "f32", shape: [2], data: Float32Array.of(5, 7) };
    const reads = [0, 1, 2].map((element) => readsAt(kernel, { element }, contents([x])));
    expect(reads.map((own) => own.map(({ address }) => address))).toEqual([[0], [0, 0], [1, 0]]);
    const values = reads.map((own, element) => resultAt(kernel, { element }, own));
    expect([...new Float32Array(Uint32Array.from(values).buffer)]).toEqual([7, 10, 12]);
    const empty = { ...dot(0), start: 0x3f800000 };
    expect(readsAt(empty, { element: 0 }, contents([]))).toEqual([]);
    expect(resultAt(empty, { element: 0 }, [])).toBe(0x3f800000);
  });
});
