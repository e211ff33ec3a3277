/**
 * Kernels as gpu.js source: one thread for each output element. Its number and all addresses are whole
 * numbers in floats, exact below 2^24. A kernel that needs larger numbers is not listed.
 */
import { DTYPES } from "../../../encoding/dtypes.ts";
import { elementCount, type TensorType } from "../../../encoding/tensor.ts";
import {
  type Arg,
  type FoldKernel,
  type GatherKernel,
  iterationSpace,
  type Kernel,
  type KernelList,
  type MapKernel,
  RANGE_EXPONENT,
  typeOf,
} from "../../kernels/kernel.ts";
import { analyze, analyzeFold } from "../../ranges/analysis.ts";
import { type IntRange, type Range, rangedFloat } from "../../ranges/values.ts";
import { fromBits } from "../../numbers/vf32.ts";
import { bases, coordinates, divide, exactAddress, nest } from "./addresses.ts";
import { constant, programStatements, type Scalars } from "./statements.ts";

/** The sum of a number and an axis' extent stays below 2^24, as a division by the extent requires. */
const MAX_ELEMENTS = 2 ** 23;
/** A device may bind eight buffers, and one of them is the output. */
const MAX_TENSORS = 7;

export interface Source {
  /** A function over tensors, then scalars. */
  code: string;
  tensors: readonly number[];
  scalars: readonly number[];
  /** The bounds of loops. They have to be known when the kernel is compiled. */
  constants: Readonly<Record<string, number>>;
  elements: number;
  /** The range of an output of ints. */
  range?: IntRange;
}

/** The known range of the ints of a tensor; `undefined` if floats may not hold them. */
export type IntRanges = (tensor: number) => IntRange | undefined;

/** Whether floats hold the elements only if they are small. */
export const isInt = ({ dtype }: TensorType): boolean => DTYPES[dtype].scalar === "i";

/** `undefined`: the kernel can't be written in floats. */
export function sourceOf(list: KernelList, kernel: Kernel, ints: IntRanges): Source | undefined {
  const { shape } = kernel.type;
  const tensors = kernel.kind === "gather" ? [kernel.source, kernel.index] : operands(kernel);
  const sizes = [shape, ...tensors.map((tensor) => typeOf(list, tensor).shape)].map(elementCount);
  if (sizes.some((size) => size > MAX_ELEMENTS) || tensors.length > MAX_TENSORS) return undefined;
  if (tensors.some((tensor) => isInt(typeOf(list, tensor)) && !ints(tensor))) return undefined;
  return kernel.kind === "gather" ? gather(list, kernel, ints) : loops(kernel, tensors, ints);
}

function operands({ args }: MapKernel | FoldKernel): number[] {
  return [...new Set(args.flatMap((arg) => (arg.kind === "operand" ? [arg.tensor] : [])))];
}

/**
 * A function whose parameters are what its body uses, because gpu.js fails for a tensor that the body does
 * not use.
 */
function finish(
  body: readonly string[],
  tensors: readonly number[],
  scalars: Scalars,
): Pick<Source, "code" | "tensors" | "scalars"> {
  const text = body.join("\n");
  const uses = (name: string): boolean => new RegExp(`\\b${name}\\b`).test(text);
  const read = [...tensors.keys()].filter((i) => uses(`t${i}`));
  const given = [...scalars].filter(([name]) => uses(name));
  const names = [...read.map((i) => `t${i}`), ...given.map(([name]) => name)];
  return {
    code: `function (${names.join(", ")}) {\n${text}\n}`,
    tensors: read.map((i) => tensors[i]),
    scalars: given.map(([, value]) => value),
  };
}

const runTime = (): Scalars =>
  new Map([
    ["one", 1],
    ["tiny", 2 ** -125],
    ["most", 2 ** 127],
    ["up", 2 ** 64],
    ["down", 2 ** -64],
  ]);

function loops(kernel: MapKernel | FoldKernel, tensors: readonly number[], ints: IntRanges): Source | undefined {
  const { shape } = kernel.type;
  const fold = kernel.kind === "fold";
  const reduce = fold ? kernel.reduce : [];
  const space = iterationSpace(kernel);
  if (!kernel.args.every((arg) => exactAddress(arg, space))) return undefined;
  const scalars = runTime();
  const { lines, names } = coordinates(shape, scalars);
  names.push(...reduce.map((_, axis) => `r${axis}`));
  const ranges = kernel.args.map((arg): Range | undefined => argRange(arg, kernel, ints));
  const analysis = fold
    ? analyzeFold(kernel.program, kernel.start, [undefined, ...ranges])
    : analyze(kernel.program, ranges);
  const inputs = [...(fold ? ["acc"] : []), ...kernel.args.map((arg, i) => argName(arg, i, names))];
  const written = programStatements(kernel.program, analysis, inputs, scalars);
  if (!written) return undefined;
  const types = kernel.program.inputs.slice(fold ? 1 : 0);
  const loads = kernel.args.flatMap((arg, i) => load(arg, i, types[i], { names, space, tensors, scalars }));
  const body = ["let e = this.thread.x * one;", ...lines];
  const constants: Record<string, number> = {};
  if (fold) {
    // An accumulator of ints may have any value, so its program was not written.
    const start = constant(fromBits(kernel.start), scalars);
    body.push(...bases(kernel.args, names, shape.length), `let acc = ${start};`, "let k = 0.0;");
    if (elementCount(reduce) > 0) {
      const step = [...loads, ...written.statements, `acc = ${written.result};`, "k = k + 1.0;"];
      body.push(...nest(kernel.args, reduce, shape.length, step));
      for (const [axis, extent] of reduce.entries()) constants[`n${axis}`] = extent;
    }
    body.push("return acc;");
  } else
    body.push(...bases(kernel.args, names, shape.length), ...loads, ...written.statements, `return ${written.result};`);
  const last = analysis.values[analysis.values.length - 1];
  const range = isInt(kernel.type) ? (last as IntRange) : undefined;
  return {
    ...finish(body, tensors, scalars),
    constants,
    elements: elementCount(shape),
    ...(range && { range }),
  };
}

function argRange(arg: Arg, kernel: MapKernel | FoldKernel, ints: IntRanges): Range | undefined {
  if (arg.kind === "coordinate") return { low: 0, high: Math.max(kernel.type.shape[arg.axis] - 1, 0) };
  if (arg.kind === "index") return { low: 0, high: Math.max(elementCount((kernel as FoldKernel).reduce) - 1, 0) };
  if (arg.clampRange !== "none") return rangedFloat(arg.clampRange);
  const input = kernel.args.indexOf(arg) + (kernel.kind === "fold" ? 1 : 0);
  if (kernel.program.inputs[input] === "f") return undefined;
  const range = ints(arg.tensor)!;
  if (!arg.view.bounds) return range;
  const fill = (arg.view.fill ?? 0) | 0;
  return { low: Math.min(range.low, fill), high: Math.max(range.high, fill) };
}

function argName(arg: Arg, i: number, names: readonly string[]): string {
  if (arg.kind === "coordinate") return names[arg.axis];
  return arg.kind === "index" ? "k" : `x${i}`;
}

interface LoadPlace {
  names: readonly string[];
  space: readonly number[];
  tensors: readonly number[];
  scalars: Scalars;
}

function load(arg: Arg, i: number, type: "f" | "i", { names, space, tensors, scalars }: LoadPlace): string[] {
  if (arg.kind !== "operand") return [];
  const { view, clampRange } = arg;
  const read = `t${tensors.indexOf(arg.tensor)}[p${i}]`;
  const lines: string[] = [];
  const inside = (view.bounds ?? []).flatMap(([from, to], axis) => [
    ...(from > 0 ? [`${names[axis]} >= ${from}.0`] : []),
    ...(to < space[axis] ? [`${names[axis]} < ${to}.0`] : []),
  ]);
  if (inside.length === 0) lines.push(`let x${i} = ${read};`);
  else {
    const fill = constant(type === "f" ? fromBits(view.fill ?? 0) : (view.fill ?? 0) | 0, scalars);
    lines.push(`let x${i} = ${fill};`, `if (${inside.join(" && ")}) { x${i} = ${read}; }`);
  }
  if (clampRange !== "none") {
    const limit = 2 ** RANGE_EXPONENT[clampRange];
    lines.push(`x${i} = ranged(x${i}, ${constant(1 / limit, scalars)}, ${constant(limit, scalars)});`);
  }
  return lines;
}

function gather(list: KernelList, kernel: GatherKernel, ints: IntRanges): Source {
  const source = typeOf(list, kernel.source).shape;
  const row = elementCount(source.slice(1));
  const scalars = runTime();
  const isFloat = !isInt(kernel.type);
  const fill = isFloat ? fromBits(kernel.fill) : kernel.fill | 0;
  const body = [
    "let e = this.thread.x * one;",
    ...(row > 1 ? divide("e", row, "q", "j", scalars) : ["let q = e;", "let j = 0.0;"]),
    "let chosen = t1[q];",
    `let x = ${constant(fill, scalars)};`,
    `if (chosen >= 0.0 && chosen < ${source[0]}.0) { x = t0[chosen * ${row}.0 + j]; }`,
    "return x;",
  ];
  const tensors = [kernel.source, kernel.index];
  const elements = elementCount(kernel.type.shape);
  if (isFloat) return { ...finish(body, tensors, scalars), constants: {}, elements };
  const held = ints(kernel.source)!;
  const range = { low: Math.min(held.low, fill), high: Math.max(held.high, fill) };
  return { ...finish(body, tensors, scalars), constants: {}, elements, range };
}
