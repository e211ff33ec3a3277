/** What every backend's report of an execution has to be; test/gpu/reports.ts checks the same for devices. */
import assert from "node:assert/strict";
import { toHex } from "../../src/encoding/bytes.ts";
import { type Tensor, tensorRoot } from "../../src/encoding/tensor.ts";
import { VerdeError } from "../../src/errors/index.ts";
import type { Backend, ExecuteOptions, ExecuteReport, Session } from "../../src/repops/backends/backend.ts";
import { reference } from "../../src/repops/backends/reference.ts";
import { type Arg, type Kernel, type KernelList, SUM_STEP } from "../../src/repops/kernels/kernel.ts";
import { defineProgram } from "../../src/repops/programs/expressions.ts";

const dense = (tensor: number): Arg => ({
  kind: "operand",
  tensor,
  view: { offset: 0, strides: [1] },
  clampRange: "none",
});
const f32 = (...shape: number[]) => ({ dtype: "f32" as const, shape });
const i32 = (...shape: number[]) => ({ dtype: "i32" as const, shape });
const HALVE = defineProgram("ff", (x, y) => x.mul(0.5).add(y));
const MIX_BITS = defineProgram("i", (x) => x.mul(0x9e3779b1 | 0).xor(x));

const halve = (a: number, b: number, ...shape: number[]): Kernel => ({
  kind: "map",
  type: f32(...shape),
  program: HALVE,
  args: [dense(a), dense(b)],
});
const mixBits = (a: number): Kernel => ({ kind: "map", type: i32(4), program: MIX_BITS, args: [dense(a)] });

/**
 * A chain in which most outputs are read once, of several sizes, with a gather, a sum, ints and an empty one.
 */
const list: KernelList = {
  inputs: [f32(700), f32(0), i32(4)],
  kernels: [
    halve(0, 0, 700),
    halve(3, 0, 700),
    halve(4, 3, 700),
    halve(1, 1, 0),
    mixBits(2),
    { kind: "gather", type: f32(4), source: 5, index: 2, fill: 0x3f800000 },
    halve(5, 4, 64),
    halve(9, 5, 65 - 1),
    mixBits(7),
    {
      kind: "fold",
      type: f32(),
      program: SUM_STEP,
      start: 0,
      reduce: [700],
      args: [{ kind: "operand", tensor: 5, view: { offset: 0, strides: [1] }, clampRange: "sum" }],
    },
    mixBits(11),
    halve(5, 0, 129),
    halve(14, 14, 129),
    halve(15, 14, 129),
  ],
};
const FIRST = list.inputs.length;
const COUNT = list.kernels.length;
const ALL: readonly number[] = [...Array(COUNT).keys()];
const KEPT = FIRST + COUNT - 1;
const inputs: readonly Tensor[] = [
  { ...f32(700), data: Float32Array.from({ length: 700 }, (_, i) => (i % 37) - 11.5) },
  { ...f32(0), data: new Float32Array() },
  { ...i32(4), data: Int32Array.of(3, -1, 700, 699) },
];

const bits = ({ dtype, shape, data }: Tensor): unknown => ({
  dtype,
  shape: [...shape],
  bits: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("hex"),
});
const shown = ({ roots, captured, outOfRange }: ExecuteReport): unknown => ({
  outOfRange,
  roots: [...roots].map(([kernel, root]) => [kernel, toHex(root)]),
  captured: [...captured].map(([kernel, tensor]) => [kernel, bits(tensor)]),
});

/** The expected report, from a session that keeps every output in a place of its own. */
async function expectedOf(rootsOf: readonly number[], capture: readonly number[]): Promise<unknown> {
  const session = await open(
    reference,
    ALL.map((kernel) => FIRST + kernel),
  );
  await session.execute();
  const outputs = await Promise.all(ALL.map((kernel) => session.read(FIRST + kernel)));
  await session.close();
  return {
    outOfRange: [{ kernel: 5, count: 2 }],
    roots: rootsOf.map((kernel) => [kernel, toHex(tensorRoot(outputs[kernel]))]),
    captured: capture.map((kernel) => [kernel, bits(outputs[kernel])]),
  };
}

async function open(backend: Backend, keep: readonly number[]): Promise<Session> {
  const session = await backend.prepare(list, { keep });
  for (const [i, tensor] of inputs.entries()) await session.write(i, tensor);
  return session;
}

/** @throws {AssertionError} at the first thing that is wrong */
export async function checkReports(backend: Backend): Promise<void> {
  const session = await open(backend, [KEPT]);
  const ran = async (options: ExecuteOptions): Promise<ExecuteReport> => {
    const report = await session.execute(options);
    assert.deepEqual(shown(structuredClone(report)), shown(report), "a report survives structured clone");
    return report;
  };
  const all = await ran({ rootsOf: "all", capture: ALL });
  const everything = await expectedOf(ALL, ALL);
  assert.deepEqual(shown(all), everything, "roots and outputs are those of when the kernel had run");
  for (const [kernel, tensor] of all.captured)
    assert.equal(toHex(all.roots.get(kernel)!), toHex(tensorRoot(tensor)), `the root of captured ${kernel}`);
  // Overwritten and read again: neither the kept outputs nor a later execution has changed.
  const last = bits(await session.read(KEPT));
  for (const { data } of all.captured.values()) data.fill(7);
  for (const root of all.roots.values()) root.fill(7);
  assert.deepEqual(bits(await session.read(KEPT)), last, "captures are copies");
  assert.deepEqual(shown(await ran({ rootsOf: "all", capture: ALL })), everything, "the next report is the same");
  for (const [rootsOf, capture] of [
    [[9, 2, 2, 3], []],
    [[], [13, 5]],
    [
      [2, 4, 10],
      [4, 3, 1],
    ],
    [[], []],
  ]) {
    const sorted = [rootsOf, capture].map((kernels) => [...new Set(kernels)].sort((a, b) => a - b));
    assert.deepEqual(shown(await ran({ rootsOf, capture })), await expectedOf(sorted[0], sorted[1]));
    assert.deepEqual(bits(await session.read(KEPT)), last, "what is kept does not depend on what is looked at");
  }
  for (const [options, named] of [
    [{ rootsOf: [0, COUNT] }, `the root of kernel ${COUNT}`],
    [{ rootsOf: [0.5] }, "the root of kernel 0.5"],
    [{ capture: [-1] }, "the output of kernel -1"],
  ] as const)
    await assert.rejects(session.execute(options), (error) => {
      assert.ok(error instanceof VerdeError && error.family === "VERDE_BACKEND");
      assert.equal(error.message, `${named} can't be given: the list has kernels 0 to ${COUNT - 1}`);
      return true;
    });
  assert.deepEqual(shown(await ran({ capture: [1] })), await expectedOf([], [1]), "a refusal leaves the session whole");
  await session.close();
  const nothing = await backend.prepare({ inputs: [], kernels: [] }, { keep: [] });
  assert.deepEqual(shown(await nothing.execute({ rootsOf: "all" })), { outOfRange: [], roots: [], captured: [] });
  await assert.rejects(nothing.execute({ capture: [0] }), /of kernel 0 can't be given: the list has no kernels/);
  await nothing.close();
}
