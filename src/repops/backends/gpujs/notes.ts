/**
 * What a kernel's steps note (spec 4.7), as kernels of their own: a shader of gpu.js has one output and no
 * other place to tell something. Each thread counts, of some elements, those of two kinds in one float.
 */
import { elementCount, type TensorType } from "../../../encoding/tensor.ts";
import { type Arg, type FoldKernel, type Kernel, type MapKernel, NOTED, RANGE_EXPONENT } from "../../kernels/kernel.ts";
import { Bool, defineProgram, extendProgram, Float } from "../../programs/expressions.ts";
import type { Program } from "../../programs/program.ts";
import { type Noting, notingOfKernel } from "../../ranges/telling.ts";

/** The count of the first kind is in multiples of this; a thread sees fewer elements. */
const UNIT = 4096;

/** A kernel that counts, and the bits of the two kinds. */
export interface NoteKernel {
  kernel: FoldKernel;
  bits: readonly [first: number, second: number];
}

type Operand = Arg & { kind: "operand" };

/**
 * The kernels that count what a kernel's steps note.
 * @returns `undefined` where its steps have to be computed again one by one
 */
export function noteKernels(kernel: Kernel): NoteKernel[] | undefined {
  if (kernel.kind === "gather") return [];
  const noting = notingOfKernel(kernel);
  if (noting && kernel.kind === "fold") return undefined;
  const ranged = kernel.args.filter((arg): arg is Operand => arg.kind === "operand" && arg.clampRange !== "none");
  const space = kernel.kind === "fold" ? [...kernel.type.shape, ...kernel.reduce] : kernel.type.shape;
  const clamped = ranged.map((arg) => ofOperand(arg, space));
  return noting ? [...clamped, ofSteps(kernel as MapKernel, noting)] : clamped;
}

/** The bits that the results of a note kernel stand for. */
export function notedBits(counts: ArrayLike<number>, [first, second]: NoteKernel["bits"]): number {
  let bits = 0;
  for (let i = 0; i < counts.length; i++) {
    if (counts[i] >= UNIT) bits |= first;
    if (counts[i] % UNIT > 0) bits |= second;
  }
  return bits;
}

const beyond = new Map<string, Program>();

/** Counts magnitudes above and below the range of an operand. */
function ofOperand(arg: Operand, space: readonly number[]): NoteKernel {
  const { view, clampRange } = arg;
  if (!beyond.has(clampRange)) {
    const limit = 2 ** RANGE_EXPONENT[clampRange];
    const count = defineProgram("ff", (acc, x) => {
      const size = x.abs();
      const isLost = size.lt(1 / limit).and(size.gt(0));
      return acc.add(size.gt(limit).select(UNIT, isLost.select(1, 0)));
    });
    beyond.set(clampRange, count);
  }
  // Along the other axes the same elements are read again.
  const axes = [...space.keys()].filter((axis) => {
    const [from, to] = view.bounds?.[axis] ?? [0, space[axis]];
    return view.strides[axis] !== 0 || from > 0 || to < space[axis];
  });
  const own = {
    ...view,
    strides: axes.map((axis) => view.strides[axis]),
    ...(view.bounds && { bounds: axes.map((axis) => view.bounds![axis]) }),
  };
  const shape = axes.map((axis) => space[axis]);
  const args: Arg[] = [{ ...arg, view: own, clampRange: "none" }];
  return { kernel: countingFold(beyond.get(clampRange)!, args, shape), bits: [NOTED.above, NOTED.below] };
}

const counting = new WeakMap<Noting, Program>();

/** Counts the steps of a map that leave the range or a domain: it computes them again. */
function ofSteps({ args, type: { shape } }: MapKernel, noting: Noting): NoteKernel {
  const { flags } = noting;
  let program = counting.get(noting);
  if (!program) {
    const more = extendProgram(afterAccumulator(noting.program), ([acc, ...values]) => [
      flags.reduce((sum, { value }, i) => sum.add((values[value] as Bool).select(i === 0 ? UNIT : 1, 0)), acc as Float),
    ]);
    counting.set(noting, (program = more.program));
  }
  const bits = [flags[0].bit, flags[1]?.bit ?? 0] as const;
  return { kernel: countingFold(program, args, shape), bits };
}

/** The program with one more input before the others. */
function afterAccumulator({ inputs, floats, ints, steps }: Program): Program {
  const moved = steps.map(({ name, args }) => ({ name, args: args.map((arg) => arg + 1) }));
  return { inputs: ["f", ...inputs], floats, ints, steps: moved };
}

/** A fold over the last axes, as far as one thread can count their elements. */
function countingFold(program: Program, args: readonly Arg[], space: readonly number[]): FoldKernel {
  let outer = space.length;
  // A fold does not know the coordinate on one of its own axes.
  const least = Math.max(0, ...args.map((arg) => (arg.kind === "coordinate" ? arg.axis + 1 : 0)));
  while (outer > least && elementCount(space.slice(outer - 1)) < UNIT) outer--;
  const type: TensorType = { dtype: "f32", shape: space.slice(0, outer) };
  return { kind: "fold", type, program, start: 0, reduce: space.slice(outer), args };
}
