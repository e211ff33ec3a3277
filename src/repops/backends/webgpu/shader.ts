/** Kernels as compute shaders: one invocation an output element, a fold in its order inside. */
import { elementCount } from "../../../encoding/tensor.ts";
import {
  type Arg,
  type FoldKernel,
  type GatherKernel,
  type KernelList,
  type MapKernel,
  RANGE_EXPONENT,
  typeOf,
} from "../../kernel.ts";
import { analyze, analyzeFold } from "../../ranges.ts";
import { rangedFloat } from "../../ranges-values.ts";
import { outputType } from "../../program.ts";
import { bitsOf } from "../../vf32.ts";
import type { View } from "../../view.ts";
import type { Dialect } from "./dialect.ts";
import { signed } from "./lowerings.ts";
import { programStatements } from "./wgsl.ts";

export const WORKGROUP = 64;
/** Invocations in one row of workgroups; more elements take further rows. */
export const ROW = 65_535 * WORKGROUP;

export interface Shader {
  code: string;
  /** The tensors at bindings 1, 2, …; the output comes last. */
  tensors: readonly number[];
}

const u32 = (value: number): string => `${value >>> 0}u`;

function head({ library }: Dialect, bindings: readonly string[]): string {
  return [
    "@group(0) @binding(0) var<storage, read> zero: array<u32>;",
    ...bindings.map((declaration, i) => `@group(0) @binding(${i + 1}) ${declaration}`),
    "var<private> Z: u32;",
    library,
    `@compute @workgroup_size(${WORKGROUP}) fn main(@builtin(global_invocation_id) id: vec3<u32>) {`,
    "  Z = zero[0];",
    `  let element = id.x + id.y * ${u32(ROW)};`,
  ].join("\n");
}

/** The coordinates of a row-major number as names `prefix0`, `prefix1`, … */
function coordinates(number: string, shape: readonly number[], prefix: string): string[] {
  const lines: string[] = [];
  let inner = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    lines.push(`let ${prefix}${axis} = i32((${number} / ${u32(inner)}) % ${u32(Math.max(shape[axis], 1))});`);
    inner *= Math.max(shape[axis], 1);
  }
  return lines;
}

/** The bits that a view reads at the coordinates `names`. */
function loadBits({ offset, strides, bounds, fill = 0 }: View, buffer: string, names: readonly string[]): string {
  const terms = strides.flatMap((stride, axis) => (stride === 0 ? [] : [`${names[axis]} * ${stride}`]));
  const address = [`${offset}`, ...terms].join(" + ");
  if (!bounds) return `${buffer}[${address}]`;
  const inside = bounds.map(([from, to], axis) => `${names[axis]} >= ${from} && ${names[axis]} < ${to}`);
  // Outside the bounds element 0 is read in place of nothing, and not used.
  return `select(${u32(fill)}, ${buffer}[select(0, ${address}, ${inside.join(" && ")})], ${inside.join(" && ")})`;
}

function argument(
  dialect: Dialect,
  arg: Arg,
  type: "f" | "i",
  bufferOf: (tensor: number) => string,
  names: readonly string[],
): string {
  if (arg.kind === "coordinate") return names[arg.axis];
  if (arg.kind === "index") return "k";
  const bits = loadBits(arg.view, bufferOf(arg.tensor), names);
  if (type === "i") return `bitcast<i32>(${bits})`;
  const limit = 2 ** RANGE_EXPONENT[arg.ranging];
  if (arg.ranging === "none") return dialect.float(bits);
  return dialect.ranged(bits, u32(bitsOf(1 / limit)), u32(bitsOf(limit)));
}

export function loopShader(kernel: MapKernel | FoldKernel, dialect: Dialect): Shader {
  const { shape } = kernel.type;
  const tensors = [...new Set(kernel.args.flatMap((arg) => (arg.kind === "operand" ? [arg.tensor] : [])))];
  const bufferOf = (tensor: number): string => `t${tensors.indexOf(tensor)}`;
  const reduce = kernel.kind === "fold" ? kernel.reduce : [];
  const names = [...shape.map((_, axis) => `c${axis}`), ...reduce.map((_, axis) => `r${axis}`)];
  const fold = kernel.kind === "fold" ? 1 : 0;
  const { inputs: types } = kernel.program;
  const args = kernel.args.map((arg, i) => argument(dialect, arg, types[i + fold], bufferOf, names));
  const bindings = [
    ...tensors.map((_, i) => `var<storage, read> t${i}: array<u32>;`),
    "var<storage, read_write> out: array<u32>;",
  ];
  const lines = [
    head(dialect, bindings),
    `  if (element >= ${u32(elementCount(shape))}) { return; }`,
    ...coordinates("element", shape, "c"),
  ];
  const named = kernel.args.map((_, i) => `a${i}`);
  const loads = args.map((code, i) => `let a${i} = ${code};`);
  if (kernel.kind === "map") {
    const analysis = analyze(kernel.program);
    const { statements, result } = programStatements(dialect, kernel.program, analysis, named, "v");
    const written = analysis.negativeZero ? dialect.unsignedZero(result) : result;
    lines.push(...loads, ...statements, `out[element] = ${dialect.word(written, outputType(kernel.program))};`);
  } else {
    const ranges = kernel.args.map((arg) =>
      arg.kind === "operand" && arg.ranging !== "none" ? rangedFloat(arg.ranging) : undefined,
    );
    const analysis = analyzeFold(kernel.program, kernel.start, [undefined, ...ranges]);
    const start = `(${u32(kernel.start)} ^ Z)`;
    const { statements, result } = programStatements(dialect, kernel.program, analysis, ["acc", ...named], "v");
    // A sum of two zeros of either sign is +0; adding +0 takes the sign from a zero that is carried.
    const carried = analysis.negativeZero ? dialect.unsignedZero(result) : result;
    lines.push(
      `var acc = ${types[0] === "f" ? dialect.float(start) : signed(start)};`,
      `for (var k = 0; k < ${elementCount(reduce)}; k++) {`,
      ...coordinates("u32(k)", reduce, "r"),
      ...loads,
      ...statements,
      `acc = ${carried};`,
      "}",
      `out[element] = ${dialect.word("acc", types[0])};`,
    );
  }
  return { code: [...lines, "}"].join("\n"), tensors };
}

/** Rows by index; the buffer behind the output counts the indices that lie outside the source. */
export function gatherShader(list: KernelList, kernel: GatherKernel, dialect: Dialect): Shader {
  const source = typeOf(list, kernel.source).shape;
  const row = elementCount(source.slice(1));
  const bindings = [
    "var<storage, read> source: array<u32>;",
    "var<storage, read> index: array<i32>;",
    "var<storage, read_write> out: array<u32>;",
    "var<storage, read_write> outside: array<atomic<u32>>;",
  ];
  const code = `${head(dialect, bindings)}
  if (element >= ${u32(elementCount(kernel.type.shape))}) { return; }
  let chosen = index[element / ${u32(row)}];
  if (chosen >= 0 && chosen < ${source[0]}) { out[element] = source[u32(chosen) * ${u32(row)} + element % ${u32(row)}]; }
  else {
    out[element] = ${u32(kernel.fill)} ^ Z;
    if (element % ${u32(row)} == 0u) { atomicAdd(&outside[0], 1u); }
  }
}`;
  return { code, tensors: [kernel.source, kernel.index] };
}
