/** Random jobs at the limits of the specification (9), and the most expensive ones. */
import fc from "fast-check";
import { elementCount, type TensorType } from "../../src/encoding/tensor.ts";
import { type Arg, checkKernel, type Kernel } from "../../src/repops/kernels/kernel.ts";
import { foldLeaves } from "../../src/repops/kernels/reads.ts";
import type { InstructionName } from "../../src/repops/programs/instructions.ts";
import { checkProgram, type Program } from "../../src/repops/programs/program.ts";
import type { Imagined } from "./imagined.ts";

/** A tensor of 2^31 - 128 elements with as many axes as a type may have. */
const WIDE: TensorType = { dtype: "f32", shape: [2, 2, 2, 2, 2, 2, 2, 2 ** 24 - 1] };
/** As many elements as a tensor may have, so the last chunk is shorter. */
const LONG: TensorType = { dtype: "f32", shape: [2 ** 31 - 1] };
const MOST = 2 ** 20;
const VALUES = 256;

export const KINDS = ["map", "fold", "short fold", "gather", "new state"] as const;
export type Kind = (typeof KINDS)[number];

/** Instructions of two floats, and of one. */
const BINARY = ["fadd", "fsub", "fmul", "fdiv", "fmin", "fmax"] as const satisfies readonly InstructionName[];
const UNARY = ["fsqrt", "fabs", "fneg", "ffloor", "fmant"] as const satisfies readonly InstructionName[];

/** A program of as many values as there may be: all inputs, then the given instructions, again and again. */
function programOf(inputs: number, names: readonly InstructionName[]): Program {
  const steps: { name: InstructionName; args: number[] }[] = [];
  for (let at = 1; at < inputs; at++)
    steps.push({ name: "fadd", args: [at === 1 ? 0 : inputs + steps.length - 1, at] });
  while (inputs + steps.length < VALUES && steps.length < 255) {
    const name = names[steps.length % names.length];
    const last = inputs + steps.length - 1;
    steps.push({ name, args: (UNARY as readonly string[]).includes(name) ? [last] : [last, Math.max(last - 1, 0)] });
  }
  const program: Program = {
    inputs: Array.from({ length: inputs }, () => "f"),
    floats: [],
    ints: [],
    steps,
  };
  checkProgram(program);
  return program;
}

/** Reads one element deep in a tensor, with as long an encoding as a view may have. */
function operand(tensor: number, type: TensorType, axes: number, at: number, space: readonly number[]): Arg {
  return {
    kind: "operand",
    tensor,
    clampRange: "none",
    view: {
      offset: at % elementCount(type.shape),
      strides: new Array<number>(axes).fill(0),
      bounds: space.map((extent) => [0, extent] as const),
      fill: 0x3f800000,
    },
  };
}

/** What a job is made from: numbers that say how far it is from the limits, and which operands it reads. */
export interface Choice {
  readonly kind: Kind;
  readonly init: boolean;
  /** Where each operand is: 0 an operator's output, 1 the state, 2 the dataset. */
  readonly from: readonly number[];
  readonly bits: readonly number[];
  readonly names: readonly InstructionName[];
  /** How much smaller than its limit each number is. */
  readonly less: readonly number[];
  readonly at: readonly number[];
}

export const choices: fc.Arbitrary<Choice> = fc.record({
  kind: fc.constantFrom(...KINDS),
  init: fc.boolean(),
  from: fc.array(fc.nat(2), { minLength: 8, maxLength: 8 }),
  bits: fc.array(
    fc.oneof(fc.integer({ min: 0x01000000, max: 0x7f000000 }), fc.constantFrom(0, 0x3f800001, 0x7f000000, 0x01000000)),
    { minLength: 8, maxLength: 8 },
  ),
  names: fc.array(fc.constantFrom<InstructionName>(...BINARY, ...UNARY), { minLength: 1, maxLength: 6 }),
  less: fc.array(fc.oneof(fc.constantFrom(0, 1, 2), fc.nat(200_000)), { minLength: 5, maxLength: 5 }),
  at: fc.array(fc.nat(2 ** 31 - 2), { minLength: 6, maxLength: 6 }),
});

/** The most expensive job of a kind: everything at its limit, and the most expensive instructions. */
export const worstOf = (kind: Kind, init = false): Choice => ({
  kind,
  init,
  // Proofs of the state have the most levels, and tensors in three places share nothing.
  from: [1, 0, 2, 1, 0, 2, 1, 0],
  bits: [0x3f8ccccd, 0x3e99999a, 0x40490fdb, 0x3f19999a, 0x402df854, 0x3dcccccd, 0x3fb504f3, 0x3f3504f3],
  names: ["fsqrt", "fsub"],
  less: [0, 0, 0, 0, 0],
  at: [2 ** 30 + 12_345, 987_654, 2 ** 29, 2 ** 30, 4_321, 2 ** 28 + 777],
});

/** The job of a choice. Its operator passes the checks of a job. */
export function imaginedJob({ kind, init, from, bits, names, less, at }: Choice): Imagined {
  const entries = MOST - less[0];
  const dataset = MOST - less[1];
  const operators = MOST - less[2];
  const isInit = init && kind !== "new state";
  const inputs = isInit ? 0 : entries + dataset;
  const operator = kind === "new state" ? operators : operators - 1 - (at[1] % 1000);
  const operands = new Map<number, { type: TensorType; bits: number }>();
  /** A tensor of its own for each operand. */
  const add = (i: number, type: TensorType, value = bits[i]): number => {
    const place = isInit ? 0 : from[i];
    /** Spread over the whole tree, so that the proofs share little. */
    const far = (most: number): number => Math.floor(((most - 1) * (i + 1)) / 9) - (at[5] % 1000);
    const tensor = place === 0 ? inputs + far(operator) : place === 1 ? far(entries) : entries + far(dataset);
    operands.set(tensor, { type, bits: value });
    return tensor;
  };
  const list = (count: number, shape: readonly number[], reduce: readonly number[]): Arg[] =>
    Array.from({ length: count }, (_, i) => {
      const type = i % 2 === 0 ? WIDE : LONG;
      const space = [...shape, ...reduce];
      return operand(add(i, type), type, space.length, at[i % 6], space);
    });
  let kernel: Kernel | undefined;
  let output = inputs;
  if (kind === "map") {
    const args = list(8, WIDE.shape, []);
    kernel = { kind: "map", type: WIDE, program: programOf(8, names), args };
  } else if (kind === "fold" || kind === "short fold") {
    const reduce = kind === "fold" ? [2, 2, 2, 2, 2, 2, 2, 2 ** 15] : [2, 2, 2, 1, 1, 1, 1, 1];
    const args = list(kind === "fold" ? 7 : 1, WIDE.shape, reduce);
    kernel = { kind: "fold", type: WIDE, program: programOf(1 + args.length, names), start: 0x3f800000, reduce, args };
  } else if (kind === "gather") {
    const [source, index] = [add(0, WIDE), add(1, { dtype: "i32", shape: [2] }, at[2] % 3)];
    kernel = { kind: "gather", type: { dtype: "f32", shape: WIDE.shape }, source, index, fill: 0x3f800000 };
  } else output = add(0, SCALAR_LIKE, bits[0]);
  if (kernel) checkKernel(kernel, new Proxy([], { get: (_, key) => typesOf(operands, inputs + operator, key) }), kind);
  const leaves = kernel ? foldLeaves(kernel) : 0;
  const steps = 2 ** 31 - 1 - less[3];
  return {
    graph: isInit ? "init" : "step",
    steps,
    commitEvery: 1 + (at[4] % 2 === 0 ? at[4] : at[4] % 1000),
    entries,
    dataset,
    operators,
    step: isInit ? 0 : 1 + (at[3] % steps),
    operator,
    ...(kernel && { kernel }),
    element: kernel ? at[0] % elementCount(kernel.type.shape) : 0,
    fold: leaves > 0 ? at[5] % leaves : 0,
    entry: at[4] % entries,
    output,
    operands,
  };
}

const SCALAR_LIKE: TensorType = { dtype: "f32", shape: [3] };

/** A list of types, of which only those that are read exist. */
function typesOf(operands: Imagined["operands"], length: number, key: string | symbol): unknown {
  return key === "length" ? length : operands.get(Number(key))?.type;
}
