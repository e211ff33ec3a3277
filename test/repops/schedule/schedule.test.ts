/**
 * Schedules of small lists, and random lists that are run by their schedule alone, on memory that tensors
 * share.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { asBytes } from "../../../src/encoding/bytes.ts";
import { elementCount, type Tensor, zeros } from "../../../src/encoding/tensor.ts";
import { executeOnce } from "../../../src/repops/backends/backend.ts";
import { runDefinition } from "../../../src/repops/backends/definition.ts";
import { reference } from "../../../src/repops/backends/reference.ts";
import { checkKernel, type KernelList, SCATTER_STEP, typeOf } from "../../../src/repops/kernels/kernel.ts";
import type { FuseLimits } from "../../../src/repops/schedule/fuse.ts";
import { endings } from "../../../src/repops/schedule/lifetimes.ts";
import { allocate, Slots, Stretch } from "../../../src/repops/schedule/memory.ts";
import { type Schedule, schedule } from "../../../src/repops/schedule/schedule.ts";
import { add, double, f32, gather, i32, lists, product, reversed, sum } from "./lists.ts";

const LIMITS: FuseLimits = { tensors: 8, instructions: 100, products: true };
const kernelsOf = ({ steps }: Schedule): (readonly number[])[] => steps.map(({ kernels }) => kernels);

describe("the steps of a list", () => {
  /** 0, 1: inputs; 2 = 2x; 3 = 2 · 2x; 4 = 3 + 1 */
  const chain: KernelList = { inputs: [f32(4), f32(4)], kernels: [double(0, 4), double(2, 4), add(3, 1, 4)] };

  test("are its kernels, each with what it reads and writes", () => {
    expect(schedule(chain, [4])).toEqual({
      list: chain,
      steps: [
        { kernels: [0], reads: [0], writes: [2] },
        { kernels: [1], reads: [2], writes: [3] },
        { kernels: [2], reads: [3, 1], writes: [4] },
      ],
      lifetimes: [
        { from: -1, to: 3 },
        { from: -1, to: 3 },
        { from: 0, to: 1 },
        { from: 1, to: 2 },
        { from: 2, to: 3 },
      ],
      lasting: [0, 1, 4],
    });
  });

  test("are one if maps are fused, and what only they read is never in memory", () => {
    expect(schedule(chain, [4], LIMITS)).toEqual({
      list: chain,
      steps: [{ kernels: [0, 1, 2], reads: [0, 1], writes: [4] }],
      lifetimes: [{ from: -1, to: 1 }, { from: -1, to: 1 }, undefined, undefined, { from: 0, to: 1 }],
      lasting: [0, 1, 4],
    });
    expect(schedule(chain, [3, 4], LIMITS).steps[0].writes).toEqual([3, 4]);
  });

  test("have no more tensors and instructions than a device allows", () => {
    expect(kernelsOf(schedule(chain, [4], { ...LIMITS, tensors: 4 }))).toEqual([[0, 1], [2]]);
    expect(kernelsOf(schedule(chain, [4], { ...LIMITS, instructions: 1 }))).toEqual([[0], [1], [2]]);
  });

  test("hold no map that reads in another order, and none of another size", () => {
    const list: KernelList = { inputs: [f32(4)], kernels: [double(0, 4), reversed(1, 4), double(2, 4), sum(3, 4, 1)] };
    expect(kernelsOf(schedule(list, [4], LIMITS))).toEqual([[0], [1, 2], [3]]);
  });

  test("begin with a fold, never with a gather; with a product if the backend has no code for products alone", () => {
    const list: KernelList = {
      inputs: [f32(2, 3), f32(3, 4), f32(9), i32(5)],
      kernels: [product(0, 1, 2, 3, 4), double(4, 2, 4), gather(2, 3, 5), double(6, 5), sum(7, 5, 2), double(8, 2)],
    };
    expect(kernelsOf(schedule(list, [5, 9], LIMITS))).toEqual([[0], [1], [2], [3], [4, 5]]);
    expect(kernelsOf(schedule(list, [5, 9], { ...LIMITS, products: false }))).toEqual([[0, 1], [2], [3], [4, 5]]);
    const [first, second] = schedule(list, [5, 9]).steps;
    expect(first.product).toMatchObject({ row: { extent: 2 }, column: { extent: 4 }, depth: { extent: 3 }, batch: [] });
    expect(second.product).toBeUndefined();
  });

  test("say which fold adds rows to a table", () => {
    const args = [
      { kind: "operand", tensor: 0, view: { offset: 0, strides: [0, 0, 1] }, clampRange: "none" },
      { kind: "coordinate", axis: 0 },
      { kind: "operand", tensor: 1, view: { offset: 0, strides: [0, 1, 3] }, clampRange: "sum" },
    ] as const;
    const kernel = { kind: "fold", type: f32(7, 3), program: SCATTER_STEP, start: 0, reduce: [5], args } as const;
    const list: KernelList = { inputs: [i32(5), f32(5, 3)], kernels: [kernel] };
    checkKernel(kernel, list.inputs, "the scatter-add");
    expect(schedule(list, [2]).steps[0].scatter).toMatchObject({ count: 5, rows: 7, inner: 3, stride: 3 });
    const reduced = { ...kernel, start: 0x3f800000 };
    expect(schedule({ ...list, kernels: [reduced] }, [2]).steps[0].scatter).toBeUndefined();
  });

  test("free the memory of what is never read at once, and of nothing that lasts", () => {
    const list: KernelList = { inputs: [f32(4)], kernels: [double(0, 4), double(0, 4), double(0, 4)] };
    const planned = schedule(list, [2]);
    expect(planned.lifetimes.slice(1)).toEqual([
      { from: 0, to: 0 },
      { from: 1, to: 3 },
      { from: 2, to: 2 },
    ]);
    expect(endings(planned.lifetimes, 3)).toEqual([[1], [], [3]]);
  });

  test("are none for a list without kernels", () => {
    const none = schedule({ inputs: [f32(2)], kernels: [] }, [0]);
    expect(none).toMatchObject({ steps: [], lifetimes: [{ from: -1, to: 0 }], lasting: [0] });
    expect(allocate(none, () => 8, new Stretch(64))).toEqual([0]);
  });
});

const SEED = { seed: 20261128, numRuns: 150 };
const limits = fc.option(
  fc.record({
    tensors: fc.integer({ min: 3, max: 9 }),
    instructions: fc.integer({ min: 1, max: 20 }),
    products: fc.boolean(),
  }),
  { nil: undefined },
);

const bytesIn = (list: KernelList) => (tensor: number) => 4 * elementCount(typeOf(list, tensor).shape);

describe("any list", () => {
  test("has no two tensors at one place while both are needed", () => {
    fc.assert(
      fc.property(lists, limits, ({ list, keep }, limited) => {
        const planned = schedule(list, keep, limited);
        const bytesOf = bytesIn(list);
        const [stretch, slots] = [new Stretch(16), new Slots()];
        const offsets = allocate(planned, bytesOf, stretch);
        const buffers = allocate(planned, bytesOf, slots);
        const lasts = new Set(planned.lasting);
        const present = [...planned.lifetimes.entries()].flatMap(([tensor, life]) =>
          life ? [{ tensor, from: lasts.has(tensor) ? -1 : life.from, to: life.to }] : [],
        );
        for (const a of present) {
          expect(offsets[a.tensor]! % 16).toBe(0);
          expect(offsets[a.tensor]! + bytesOf(a.tensor)).toBeLessThanOrEqual(stretch.bytes);
          expect(slots.sizes[buffers[a.tensor]!]).toBeGreaterThanOrEqual(bytesOf(a.tensor));
          for (const b of present) {
            if (a.tensor >= b.tensor || a.to < b.from || b.to < a.from) continue;
            const [x, y] = [offsets[a.tensor]!, offsets[b.tensor]!];
            expect(x + bytesOf(a.tensor) <= y || y + bytesOf(b.tensor) <= x).toBe(true);
            expect(buffers[a.tensor]).not.toBe(buffers[b.tensor]);
          }
        }
        expect(buffers.slice(0, list.inputs.length)).toEqual([...list.inputs.keys()]);
      }),
      SEED,
    );
  });

  test("gives the reference's bits when it is run by its schedule, twice", async () => {
    await fc.assert(
      fc.asyncProperty(lists, limits, fc.boolean(), async ({ list, keep }, limited, shared) => {
        list.kernels.forEach((kernel, i) => {
          const before = list.kernels.slice(0, i).map(({ type }) => type);
          checkKernel(kernel, [...list.inputs, ...before], `kernel ${i}`);
        });
        const inputs = list.inputs.map((type, i): Tensor => {
          const tensor = zeros(type);
          tensor.data.forEach((_, k) => (tensor.data[k] = (7 * i + 3 * k) % 11));
          return tensor;
        });
        const wanted = [...list.inputs.keys(), ...keep];
        const expected = await executeOnce(reference, list, inputs, wanted);
        expect(runTwice(schedule(list, keep, limited), inputs, wanted, shared)).toEqual(expected);
      }),
      SEED,
    );
  });
});

/** A backend of a few lines: between steps only the bytes at the places of `allocate` are kept. */
function runTwice(
  planned: Schedule,
  inputs: readonly Tensor[],
  wanted: readonly number[],
  inOneStretch: boolean,
): Tensor[] {
  const { list, steps } = planned;
  const stretch = new Stretch(4);
  const slots = new Slots();
  const places = allocate(planned, bytesIn(list), inOneStretch ? stretch : slots);
  const buffers = inOneStretch ? [new ArrayBuffer(stretch.bytes)] : slots.sizes.map((size) => new ArrayBuffer(size));
  const at = (tensor: number): Uint8Array => {
    const [buffer, offset] = inOneStretch ? [0, places[tensor]!] : [places[tensor]!, 0];
    return new Uint8Array(buffers[buffer], offset, bytesIn(list)(tensor));
  };
  const load = (tensor: number): Tensor => {
    const loaded = zeros(typeOf(list, tensor));
    asBytes(loaded.data).set(at(tensor));
    return loaded;
  };
  for (const [i, { data }] of inputs.entries()) at(i).set(asBytes(data));
  for (const { kernels, reads, writes } of [...steps, ...steps]) {
    const registers: Tensor[] = [];
    for (const tensor of reads) registers[tensor] = load(tensor);
    for (const index of kernels) {
      const kernel = list.kernels[index];
      const out = (registers[list.inputs.length + index] = zeros(kernel.type));
      runDefinition(kernel, registers, out);
    }
    for (const tensor of writes) at(tensor).set(asBytes(registers[tensor].data));
  }
  return wanted.map(load);
}
