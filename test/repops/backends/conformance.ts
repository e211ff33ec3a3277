/** The conformance suite, which every backend that is not a device has to pass. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hex32, toHex } from "../../../src/encoding/bytes.ts";
import { type Tensor, tensorRoot } from "../../../src/encoding/tensor.ts";
import { type Backend, type Noted, executeOnce } from "../../../src/repops/backends/backend.ts";
import { reference } from "../../../src/repops/backends/reference.ts";
import { wasm } from "../../../src/repops/backends/wasm/backend.ts";
import { PROGRAMS } from "../../../src/repops/functions/index.ts";
import { checkKernel, type KernelList } from "../../../src/repops/kernels/kernel.ts";
import { defineProgram } from "../../../src/repops/programs/expressions.ts";
import { floatBits, integers } from "../inputs.ts";
import { type Case, cases, products } from "../kernels.ts";

const SEED = 20261120;

/** The words of an output, and what the steps noted. */
interface Found {
  words: Uint32Array;
  noted: readonly Noted[] | undefined;
}

async function execute(backend: Backend, { list, inputs }: Case): Promise<Found> {
  const output = list.inputs.length;
  const session = await backend.prepare(list, { keep: [output] });
  for (const [i, tensor] of inputs.entries()) await session.write(i, tensor);
  const { noted } = await session.execute();
  const result = await session.read(output);
  expect(toHex((await session.roots([output]))[0])).toBe(toHex(tensorRoot(result)));
  await session.close();
  const { buffer, byteOffset, length } = result.data;
  return { words: new Uint32Array(buffer, byteOffset, length), noted };
}

/** The results of the reference, which several backends are compared with. */
const expected = new WeakMap<Case, Found>();

async function expectSameBits(backend: Backend, one: Case, name = "case"): Promise<void> {
  one.list.kernels.forEach((kernel) => checkKernel(kernel, one.list.inputs, "the case"));
  let wanted = expected.get(one);
  if (!wanted) expected.set(one, (wanted = await execute(reference, one)));
  const actual = await execute(backend, one);
  const at = wanted.words.findIndex((word, i) => word !== actual.words[i]);
  const bits = ({ words }: Found): string => hex32(words[at]);
  if (at >= 0) expect.unreachable(`${name}, seed ${SEED}, element ${at}: ${bits(actual)} instead of ${bits(wanted)}`);
  expect(actual.noted, `${name}, seed ${SEED}`).toEqual(wanted.noted);
}

let functions: Case[] | undefined;

/** A map of each function. */
function functionCases(): Case[] {
  return (functions ??= Object.entries(PROGRAMS).map(([name, program]): Case => {
    const [nextFloat, nextInt] = [floatBits(SEED), integers(SEED)];
    const count = 20_011;
    const inputs = program.inputs.map((type): Tensor => {
      const data = type === "f" ? new Float32Array(count) : new Int32Array(count);
      const bits = new Uint32Array(data.buffer);
      for (let i = 0; i < count; i++) bits[i] = type === "f" ? nextFloat() : nextInt();
      return { dtype: type === "f" ? "f32" : "i32", shape: [count], data };
    });
    const dtype = name.startsWith("threefry") || name === "mulHigh" ? "i32" : "f32";
    const args = inputs.map((_, tensor) => ({
      kind: "operand" as const,
      tensor,
      view: { offset: 0, strides: [1] },
      clampRange: "none" as const,
    }));
    const list: KernelList = { inputs, kernels: [{ kind: "map", type: { dtype, shape: [count] }, program, args }] };
    return { list, inputs };
  }));
}

/** How many random cases run. */
interface Counts {
  kernels: number;
  products: number;
}

/** A backend has the bits of the reference, with no tolerance and no list of exceptions. */
export function conformanceSuite(backend: Backend, counts: Counts): void {
  describe(`${backend.name} against the reference`, () => {
    const everyCase = async (generator: fc.Arbitrary<Case>, numRuns: number): Promise<void> => {
      if (!backend.warmUp)
        return fc.assert(
          fc.asyncProperty(generator, (one) => expectSameBits(backend, one)),
          { seed: SEED, numRuns },
        );
      // A compiler takes all cases at once; one after the other, and all those of a shrinking case, take
      // minutes.
      const sample = fc.sample(generator, { seed: SEED, numRuns });
      await backend.warmUp(sample.map(({ list }) => ({ list, keep: [] })));
      for (const one of sample) await expectSameBits(backend, one);
    };

    test("any map or fold", () => everyCase(cases, counts.kernels));

    test("matrix products in all transpositions", () => everyCase(products, counts.products));

    test("every function on inputs of every magnitude", async () => {
      const all = functionCases();
      await backend.warmUp?.(all.map(({ list }) => ({ list, keep: [] })));
      for (const [i, name] of Object.keys(PROGRAMS).entries()) await expectSameBits(backend, all[i], name);
    });

    test("gathers, with rows outside", async () => {
      for (const row of [[], [1], [3], [4, 2], [0]]) {
        const width = row.reduce((a, b) => a * b, 1);
        const inputs: Tensor[] = [
          { dtype: "f32", shape: [6, ...row], data: Float32Array.from({ length: 6 * width }, (_, i) => i + 0.5) },
          { dtype: "i32", shape: [2, 4], data: Int32Array.of(0, 5, 6, -1, 3, 3, 2 ** 31 - 1, -(2 ** 31)) },
        ];
        const list: KernelList = {
          inputs,
          kernels: [
            { kind: "gather", type: { dtype: "f32", shape: [2, 4, ...row] }, source: 0, index: 1, fill: 0x3f800000 },
          ],
        };
        await expectSameBits(backend, { list, inputs });
        for (const each of [reference, backend]) {
          const session = await each.prepare(list, { keep: [2] });
          for (const [i, tensor] of inputs.entries()) await session.write(i, tensor);
          expect((await session.execute()).outOfRange).toEqual(width === 0 ? [] : [{ kernel: 0, count: 4 }]);
        }
      }
    });
  });
}

/** Lists with more constants than any program has, in sessions that share code. */
export function manyConstants(backends: readonly Backend[], kernels: number): void {
  /** A list of maps, each with 120 constants that no other has. */
  const listOf = (kernels: number, from: number): KernelList => ({
    inputs: [{ dtype: "i32", shape: [20] }],
    kernels: Array.from({ length: kernels }, (_, k) => ({
      kind: "map",
      type: { dtype: "i32", shape: [20] },
      program: defineProgram("i", (x) => {
        let sum = x;
        for (let i = 0; i < 120; i++) sum = sum.add(7 * (from + 120 * k + i) + 1_000_003);
        return sum;
      }),
      args: [{ kind: "operand", tensor: k, view: { offset: 0, strides: [1] }, clampRange: "none" }],
    })),
  });

  test("many constants, in sessions that share code", async () => {
    const lists = [listOf(kernels, 0), listOf(kernels, 0), listOf(3, 40_000)];
    const input: Tensor = { dtype: "i32", shape: [20], data: Int32Array.from({ length: 20 }, (_, i) => 31 * i) };
    for (const backend of backends) {
      const sessions = await Promise.all(lists.map((list) => backend.prepare(list, { keep: [list.kernels.length] })));
      for (const [i, session] of sessions.entries()) {
        await session.write(0, input);
        await session.execute();
        const last = lists[i].kernels.length;
        const [expected] = await executeOnce(reference, lists[i], [input], [last]);
        expect((await session.read(last)).data).toEqual(expected.data);
      }
      for (const session of sessions) await session.close();
    }
  });
}

/**
 * A training loop of which nothing is awaited until its end: the roots and the contents of each state, while
 * the next ones are computed. The state has several tensors, and one moves on to another.
 */
export async function withoutWaiting(
  backend: Backend,
  steps: number,
  count: number,
  wait: boolean,
): Promise<unknown[]> {
  const type = { dtype: "i32" as const, shape: [count] };
  const program = defineProgram("ii", (x, y) => x.mul(3).add(y));
  const mix = (a: number, b: number) => ({
    kind: "map" as const,
    type,
    program,
    args: [a, b].map((tensor) => ({
      kind: "operand" as const,
      tensor,
      view: { offset: 0, strides: [1] },
      clampRange: "none" as const,
    })),
  });
  const list: KernelList = { inputs: [type, type, type], kernels: [mix(0, 1), mix(3, 2), mix(1, 4)] };
  const session = await backend.prepare(list, { keep: [4, 5] });
  const waiting: Promise<unknown>[] = [];
  const call = async <T>(promise: Promise<T>, see: (value: T) => unknown = () => undefined): Promise<void> => {
    waiting.push(promise.then(see));
    if (wait) await promise;
  };
  for (const input of [0, 1, 2])
    await call(session.write(input, { ...type, data: Int32Array.from({ length: count }, (_, i) => 7 * i + input) }));
  for (let step = 0; step < steps; step++) {
    await call(session.execute());
    await call(session.roots([4, 0, 5]), (roots) => roots.map(toHex));
    const pairs = [
      { from: 4, to: 0 },
      { from: 5, to: 1 },
    ];
    // Moves of other orders, too: an output into two inputs, and into another one than before.
    if (step % 4 === 2) pairs.push({ from: 4, to: 2 });
    if (step % 4 === 3) pairs.splice(0, 2, { from: 4, to: 1 }, { from: 5, to: 0 }, { from: 0, to: 2 });
    await call(session.move(pairs));
    await call(session.roots([0, 1, 2, 1]), (roots) => roots.map(toHex));
    await call(session.read(1), ({ data }) =>
      (data as Int32Array).reduce((sum, x, i) => (sum + Math.imul(x, i + 1)) | 0, 0),
    );
    if (step % 4 === 3) await call(session.write(2, { ...type, data: new Int32Array(count).fill(step) }));
  }
  const seen = await Promise.all(waiting);
  await session.close();
  return seen.filter((value) => value !== undefined);
}

/**
 * What a session keeps and moves, and what it gives to a caller that does not wait.
 * @param large the elements of tensors whose roots take longer than a step; default 100,000
 */
export function sessionSuite(backends: readonly Backend[], large = 100_000): void {
  const double = defineProgram("f", (x) => x.add(x));
  const step = (tensor: number) => ({
    kind: "map" as const,
    type: { dtype: "f32" as const, shape: [40] },
    program: double,
    args: [{ kind: "operand" as const, tensor, view: { offset: 0, strides: [1] }, clampRange: "none" as const }],
  });
  const input: Tensor = { dtype: "f32", shape: [40], data: Float32Array.from({ length: 40 }, (_, i) => i) };
  const list: KernelList = { inputs: [input, input], kernels: [step(0), step(2), step(3), step(4), step(5)] };

  test.each(backends)("$name gives tensors as they are at the call, whatever is called next", async (backend) => {
    // Of the larger tensors, roots take longer than a step.
    for (const [steps, count] of [
      [9, 100],
      [9, large],
    ])
      expect(await withoutWaiting(backend, steps, count, false)).toEqual(
        await withoutWaiting(wasm, steps, count, true),
      );
  });

  for (const backend of backends)
    test(`${backend.name} keeps what it is to keep, and moves a kept tensor into an input`, async () => {
      const session = await backend.prepare(list, { keep: [3, 6] });
      await session.write(0, input);
      await session.execute();
      expect((await session.read(3)).data[2]).toBe(8);
      expect((await session.read(6)).data.slice(0, 3)).toEqual(Float32Array.of(0, 32, 64));
      await session.move([
        { from: 6, to: 0 },
        { from: 0, to: 1 },
      ]);
      expect((await session.read(0)).data[1]).toBe(32);
      expect((await session.read(1)).data[1]).toBe(1);
      await session.close();
    });
}
