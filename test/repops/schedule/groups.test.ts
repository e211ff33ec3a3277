/**
 * Groups of kernels that are executed block by block: what they may read, by the definition of their views.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { elementCount, type Shape } from "../../../src/encoding/tensor.ts";
import {
  iterationSpace,
  type Kernel,
  type KernelList,
  type MapKernel,
  typeOf,
} from "../../../src/repops/kernels/kernel.ts";
import { addressOf, rowMajorStrides } from "../../../src/repops/kernels/view.ts";
import type { Grain } from "../../../src/repops/schedule/grain.ts";
import { type Group, groupKernels, joinSteps } from "../../../src/repops/schedule/groups.ts";
import { planKernels } from "../../../src/repops/schedule/kernel-plan.ts";
import { schedule } from "../../../src/repops/schedule/schedule.ts";
import { add, double, f32, lists, reversed, sum } from "./lists.ts";
import { rowLists } from "./row-lists.ts";

const SEED = 20261129;
const GRAIN: Grain = { bytes: 2 ** 12, mostBytes: 2 ** 20, nanoseconds: 10, streamedBytes: 2 ** 24 };

function groupsOf(list: KernelList, keep: readonly number[], grain = GRAIN): Group[] {
  const planned = schedule(list, keep);
  return groupKernels(planned, planKernels(planned, false), grain);
}

function* coordinatesIn(space: Shape): Generator<number[]> {
  const place = space.map(() => 0);
  for (let left = elementCount(space); left > 0; left--) {
    yield place;
    for (let axis = space.length - 1; axis >= 0 && ++place[axis] === space[axis]; axis--) place[axis] = 0;
  }
}

/** The reads of a group's kernels in another row of the group's own outputs. */
function strayReads(list: KernelList, { kernels, blocks }: Group): string[] {
  const found: string[] = [];
  if (!blocks) return found;
  const rows = blocks.axes.reduce((product, extent) => product * extent, 1);
  const own = new Set(kernels.map((kernel) => list.inputs.length + kernel));
  for (const number of kernels) {
    const kernel = list.kernels[number];
    if (kernel.kind === "gather") {
      found.push(`kernel ${number} is a gather`);
      continue;
    }
    const { shape } = kernel.type;
    const rowOf = (tensor: number, element: number): number =>
      Math.floor(element / (elementCount(typeOf(list, tensor).shape) / rows));
    for (const place of coordinatesIn(iterationSpace(kernel))) {
      const element = shape.reduce((sum, extent, axis) => sum * extent + place[axis], 0);
      for (const arg of kernel.args) {
        if (arg.kind !== "operand" || !own.has(arg.tensor)) continue;
        const address = addressOf(arg.view, place);
        if (address < 0 || rowOf(arg.tensor, address) === rowOf(list.inputs.length + number, element)) continue;
        found.push(`kernel ${number}, element ${element}: element ${address} of tensor ${arg.tensor}`);
      }
    }
  }
  return found;
}

describe("groups", () => {
  const kernelsOf = (list: KernelList, keep: readonly number[]) => groupsOf(list, keep).map(({ kernels }) => kernels);

  test("hold chains, and what only they read needs no memory after a block", () => {
    const list: KernelList = { inputs: [f32(4000)], kernels: [double(0, 4000), double(1, 4000), add(1, 2, 4000)] };
    const [{ kernels, blocks }] = groupsOf(list, [3]);
    expect(kernels).toEqual([0, 1, 2]);
    expect(blocks).toMatchObject({
      axes: [4000],
      rows: 256,
      dealt: true,
      interior: new Map([1, 2].map((t) => [t, 4])),
    });
  });

  test("end where another row is read, and where nothing is shared", () => {
    const list: KernelList = {
      inputs: [f32(4000), f32(4000)],
      kernels: [double(0, 4000), reversed(2, 4000), double(3, 4000), sum(4, 4000, 4000), double(1, 4000)],
    };
    expect(kernelsOf(list, [])).toEqual([[0], [1, 2], [3], [4]]);
  });

  test("keep what they touch in memory until they end", () => {
    const list: KernelList = {
      inputs: [f32(40)],
      kernels: [double(0, 40), double(1, 40), double(2, 40), sum(3, 40, 1)],
    };
    const planned = schedule(list, []);
    const { steps, lifetimes } = joinSteps(planned, groupKernels(planned, planKernels(planned, false), GRAIN));
    expect(steps.map(({ kernels }) => kernels)).toEqual([[0, 1, 2], [3]]);
    expect(lifetimes.slice(1)).toEqual([
      { from: 0, to: 0 },
      { from: 0, to: 0 },
      { from: 0, to: 1 },
      { from: 1, to: 1 },
    ]);
  });

  test("have no more axes than native code has room for", () => {
    // Rows of the two end at 4, 16, 64 and at 2, 8, 32: together they would have 12 axes.
    const crossed = (tensor: number, across: number, ...shape: number[]): Kernel => {
      const { program, args } = add(tensor, tensor, ...shape) as MapKernel;
      const strides = rowMajorStrides([...shape].reverse()).reverse();
      const more = { kind: "operand", tensor: across, view: { offset: 0, strides }, clampRange: "none" } as const;
      return { kind: "map", type: f32(...shape), program, args: [args[0], more] };
    };
    const [first, second] = [Array<number>(8).fill(4), [2, 4, 4, 4, 4, 4, 4, 8]];
    const list: KernelList = {
      inputs: [f32(...first), f32(...second)],
      kernels: [crossed(0, 0, ...first), crossed(2, 1, ...second)],
    };
    for (const grain of [GRAIN, { ...GRAIN, bytes: 1 }])
      for (const { blocks } of groupsOf(list, [3], grain)) expect(blocks?.axes.length ?? 0).toBeLessThanOrEqual(8);
  });

  test("of random kernels read their own rows only, hold each kernel once and in order", () => {
    let joined = 0;
    fc.assert(
      fc.property(fc.oneof({ weight: 3, arbitrary: rowLists }, lists), fc.constantFrom(512, 4096), (made, bytes) => {
        const groups = groupsOf(made.list, made.keep, { ...GRAIN, bytes });
        expect(groups.flatMap(({ kernels }) => kernels)).toEqual([...made.list.kernels.keys()]);
        for (const group of groups) {
          expect(strayReads(made.list, group)).toEqual([]);
          if (group.blocks) joined += group.kernels.length;
          const outside = made.list.kernels.flatMap((kernel, i) =>
            group.kernels.includes(i)
              ? []
              : kernel.kind === "gather"
                ? [kernel.source, kernel.index]
                : kernel.args.flatMap((arg) => (arg.kind === "operand" ? [arg.tensor] : [])),
          );
          for (const tensor of group.blocks?.interior.keys() ?? [])
            expect([...made.keep, ...outside]).not.toContain(tensor);
        }
      }),
      { seed: SEED, numRuns: 600 },
    );
    expect(joined).toBeGreaterThan(1000);
  });
});
