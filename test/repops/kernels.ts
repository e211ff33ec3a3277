/** Random scalar programs, views and kernels for conformance: everything the specification allows. */
import fc from "fast-check";
import { elementCount, type Tensor } from "../../src/encoding/tensor.ts";
import {
  type Arg,
  DOT_STEP,
  type FoldKernel,
  type Kernel,
  type KernelList,
  type ClampRange,
  SCATTER_STEP,
  SUM_STEP,
} from "../../src/repops/kernels/kernel.ts";
import type { Program } from "../../src/repops/programs/program.ts";
import { type Bool, defineProgram, Float, type Int } from "../../src/repops/programs/expressions.ts";
import { fromBits } from "../../src/repops/numbers/vf32.ts";
import { addressRange, rowMajorStrides, type View } from "../../src/repops/kernels/view.ts";
import { floatBits, integers } from "./inputs.ts";

/** A choice from a list of random numbers, so that fast-check can shrink what was chosen. */
class Dice {
  private at = 0;
  private readonly rolls: readonly number[];
  constructor(rolls: readonly number[]) {
    this.rolls = rolls;
  }
  below(limit: number): number {
    return this.rolls[this.at++ % this.rolls.length] % limit;
  }
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }
}

/** A program of these inputs that can contain every instruction. */
function randomProgram(dice: Dice, inputs: string, result: "f" | "i", length: number): Program {
  return defineProgram(inputs, (...given: (Float | Int)[]) => {
    const floats = given.filter((x): x is Float => x instanceof Float);
    const ints = given.filter((x): x is Int => !(x instanceof Float));
    const f = (): Float => (floats.length > 0 && dice.below(5) > 0 ? dice.pick(floats) : constant());
    const constant = (): Float => {
      const value = dice.pick([0, 1, -1, 0.5, 3.5, 2 ** -40, -(2 ** 60), 2 ** 127, 2 ** -125, 0.1]);
      return (
        dice
          .pick([...ints, undefined])
          ?.toFloat()
          .mul(value) ?? new Float({ kind: "float", bits: bits(value) })
      );
    };
    const i = (): Int => (ints.length > 0 && dice.below(5) > 0 ? dice.pick(ints) : f().toI32());
    const b = (): Bool =>
      dice.pick([
        () => f().lt(f()),
        () => f().eq(f()),
        () => f().gt(dice.pick([0, 1, -(2 ** -30)])),
        () => i().lt(i()),
        () => i().ult(i()),
        () => i().eq(i()),
        () => f().lt(f()).and(i().eq(0).not()),
        () => f().eq(0).or(i().lt(3)),
      ])();
    const steps: (() => void)[] = [
      () => floats.push(f().add(f())),
      () => floats.push(f().sub(f())),
      () => floats.push(f().mul(f())),
      () => floats.push(f().div(f())),
      () => floats.push(f().sqrt()),
      () => floats.push(f().neg()),
      () => floats.push(f().abs()),
      () => floats.push(f().min(f())),
      () => floats.push(f().max(f())),
      () => floats.push(f().floor()),
      () => floats.push(f().ldexp(dice.below(2) ? i() : dice.pick([-300, -130, -20, 0, 3, 127, 128, 255]))),
      () => floats.push(f().mantissa()),
      () => floats.push(b().select(f(), f())),
      () =>
        floats.push(
          f()
            .abs()
            .lt(2 ** -30)
            .select(0, f())
            .max(-4)
            .min(4),
        ),
      () => floats.push(i().toFloat()),
      () => floats.push(i().toFloatUnsigned()),
      () => floats.push(i().asFloat()),
      () => ints.push(f().exponent()),
      () => ints.push(f().toI32()),
      () => ints.push(f().toU32()),
      () => ints.push(f().bits()),
      () => ints.push(i().add(i())),
      () => ints.push(i().sub(i())),
      () => ints.push(i().mul(i())),
      () => ints.push(i().and(i())),
      () => ints.push(i().or(i())),
      () => ints.push(i().xor(i())),
      () => ints.push(i().shl(dice.below(2) ? i() : dice.below(40))),
      () => ints.push(i().shr(dice.below(2) ? i() : dice.below(40))),
      () => ints.push(i().sar(dice.below(2) ? i() : dice.below(40))),
      () => ints.push(i().rotl(dice.below(2) ? i() : dice.below(40))),
      () => ints.push(b().selectInt(i(), i())),
    ];
    for (let n = 0; n < length; n++) dice.pick(steps)();
    // Every input has to be used.
    const float = given.reduce<Float>(
      (x, input) => (input instanceof Float ? x.max(input.min(x)) : x.add(input.and(3).toFloat())),
      floats.at(-1) ?? constant(),
    );
    if (result === "f") return float;
    const int = ints.at(-1) ?? float.toI32();
    return given.reduce<Int>((x, input) => x.xor(input instanceof Float ? input.bits() : input), int);
  });
}

const bits = (value: number): number => new Uint32Array(Float32Array.of(value).buffer)[0];

/** Programs of up to four inputs. */
export const programs: fc.Arbitrary<Program> = fc
  .array(fc.nat(2 ** 20), { minLength: 100, maxLength: 160 })
  .map((rolls) => {
    const dice = new Dice(rolls);
    const inputs = Array.from({ length: 1 + dice.below(4) }, () => dice.pick(["f", "f", "i"])).join("");
    return randomProgram(dice, inputs, dice.pick(["f", "i"]), 1 + dice.below(25));
  });

function randomView(dice: Dice, space: readonly number[], fillBits: number, boundable: number): View {
  const dense = rowMajorStrides(space);
  const order = [...space.keys()].sort(() => dice.below(3) - 1);
  const permuted = space.map((_, axis) => dense[order[axis]] ?? 0);
  const strides = dice.pick([
    () => dense,
    () => dense,
    () => permuted,
    () => dense.map((stride) => (dice.below(2) ? stride : 0)),
    () => space.map(() => dice.below(7) - 2),
    () => dense.map((stride) => 2 * stride),
  ])();
  const bounded = dice.below(4) === 0 && boundable > 0;
  const bounds = space.map((extent, axis): [number, number] => {
    if (!bounded || axis >= boundable || dice.below(2)) return [0, extent];
    const from = dice.below(extent + 1);
    return [from, from + dice.below(extent + 1 - from)];
  });
  return { offset: 0, strides, ...(bounded && { bounds, fill: fillBits }) };
}

/** A kernel with an input for each operand, large enough for what its view reads. */
export interface Case {
  list: KernelList;
  inputs: Tensor[];
}

const EXTENTS = [0, 1, 1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 33];

function build(rolls: readonly number[], seed: number): Case {
  const dice = new Dice(rolls);
  const shape = Array.from({ length: dice.below(4) }, () => dice.pick(EXTENTS));
  const fold = dice.below(2) === 0;
  const reduce = fold ? Array.from({ length: dice.below(3) }, () => dice.pick(EXTENTS)) : [];
  while (elementCount(shape) > 1500) shape.pop();
  while (elementCount(shape) * elementCount(reduce) > 20_000) reduce.pop();
  const space = [...shape, ...reduce];
  const special = fold ? dice.pick([DOT_STEP, SUM_STEP, SCATTER_STEP, undefined, undefined]) : undefined;
  const result = special ? "f" : dice.pick(["f", "f", "i"] as const);
  const types = special
    ? special.inputs.slice(1).join("")
    : Array.from({ length: 1 + dice.below(4) }, () => dice.pick(["f", "f", "i"])).join("");
  const program = special ?? randomProgram(dice, (fold ? result : "") + types, result, 1 + dice.below(25));
  const [nextFloat, nextInt] = [floatBits(seed), integers(seed + 1)];
  const inputs: Tensor[] = [];
  const args = [...types].map((type): Arg => {
    if (type === "i" && shape.length > 0 && dice.below(3) === 0)
      return { kind: "coordinate", axis: dice.below(shape.length) };
    if (type === "i" && fold && dice.below(3) === 0) return { kind: "index" };
    const fill = type === "f" ? nextFloat() : nextInt();
    const boundable = dice.below(4) === 0 ? space.length : shape.length;
    const view = randomView(dice, space, type === "f" ? fill : 0, boundable);
    const range = addressRange(
      { ...view, bounds: undefined },
      space.map((extent) => [0, extent]),
    );
    const offset = range ? -range[0] : 0;
    const count = range ? range[1] - range[0] + 1 : 1;
    const data = type === "f" ? new Float32Array(count) : new Int32Array(count);
    const words = new Uint32Array(data.buffer);
    for (let n = 0; n < count; n++) words[n] = type === "f" ? nextFloat() : special ? nextInt() & 7 : nextInt();
    inputs.push({ dtype: type === "f" ? "f32" : "i32", shape: [count], data });
    const free: ClampRange[] = ["none", "dot", "sum"];
    const clampRange =
      !fold || type === "i" ? "none" : special === DOT_STEP ? "dot" : special ? "sum" : dice.pick(free);
    return { kind: "operand", tensor: inputs.length - 1, view: { ...view, offset }, clampRange };
  });
  const type = { dtype: result === "f" ? ("f32" as const) : ("i32" as const), shape };
  const start = special || dice.below(2) ? 0 : result === "f" ? nextFloat() : nextInt() >>> 0;
  const kernel: Kernel = fold
    ? ({ kind: "fold", type, program, start, reduce, args } satisfies FoldKernel)
    : { kind: "map", type, program, args };
  return { list: { inputs: inputs.map(({ dtype, shape: s }) => ({ dtype, shape: s })), kernels: [kernel] }, inputs };
}

export const cases: fc.Arbitrary<Case> = fc
  .tuple(fc.array(fc.nat(2 ** 20), { minLength: 150, maxLength: 250 }), fc.nat(2 ** 30))
  .map(([rolls, seed]) => build(rolls, seed));

/** Dot folds in all transpositions and with batch axes. */
export const products: fc.Arbitrary<Case> = fc
  .record({
    batch: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 2 }),
    m: fc.constantFrom(1, 2, 5, 8, 11, 33),
    n: fc.constantFrom(1, 2, 4, 8, 9, 33),
    k: fc.constantFrom(0, 1, 2, 7, 16, 50),
    orders: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean(), fc.boolean()),
    seed: fc.nat(2 ** 30),
  })
  .map(({ batch, m, n, k, orders: [ta, tb, swap, shared], seed }) => {
    const next = floatBits(seed);
    const blocks = batch.reduce((a, b) => a * b, 1);
    const batchStrides = rowMajorStrides(batch);
    const a = [...batchStrides.map((s) => (shared ? 0 : s * m * k)), ta ? 1 : k, 0, ta ? m : 1];
    const b = [...batchStrides.map((s) => s * k * n), 0, tb ? k : 1, tb ? 1 : n];
    const tensors = [blocks * m * k, blocks * k * n].map((count): Tensor => {
      const data = new Float32Array(count);
      for (let i = 0; i < count; i++) data[i] = fromBits(next());
      return { dtype: "f32", shape: [count], data };
    });
    const arg = (tensor: number, strides: number[]): Arg => ({
      kind: "operand",
      tensor,
      view: { offset: 0, strides },
      clampRange: "dot",
    });
    const args = swap ? [arg(1, b), arg(0, a)] : [arg(0, a), arg(1, b)];
    const type = { dtype: "f32" as const, shape: [...batch, m, n] };
    const kernel: Kernel = { kind: "fold", type, program: DOT_STEP, start: 0, reduce: [k], args };
    return {
      list: { inputs: tensors.map(({ dtype, shape }) => ({ dtype, shape })), kernels: [kernel] },
      inputs: tensors,
    };
  });
