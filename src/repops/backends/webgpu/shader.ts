/**
 * Steps of kernels as compute shaders: one invocation for each output element, which runs a fold in its
 * order.
 */
import { elementCount } from "../../../encoding/tensor.ts";
import {
  type Arg,
  type FoldKernel,
  type GatherKernel,
  type KernelList,
  type MapKernel,
  RANGE_EXPONENT,
  typeOf,
} from "../../kernels/kernel.ts";
import { outputType } from "../../programs/program.ts";
import { type Analysis, analyze, analyzeFold, mayBeNegativeZero } from "../../ranges/analysis.ts";
import { type Noting, notingOfKernel } from "../../ranges/telling.ts";
import { type Range, rangedFloat } from "../../ranges/values.ts";
import { bitsOf } from "../../numbers/vf32.ts";
import type { Dialect } from "./dialect.ts";
import { isIdentity } from "../../schedule/fuse.ts";
import { isCounted } from "../wanted.ts";
import type { Step } from "../../schedule/schedule.ts";
import { coordinates, loadBits, u32 } from "./places.ts";
import { programStatements } from "./wgsl.ts";

export const WORKGROUP = 64;
/** Invocations in one row of workgroups; more elements take further rows. */
const ROW = 65_535 * WORKGROUP;

/** A compute shader and what it is bound to: its parameters at binding 0, then the tensors. */
export interface Shader {
  code: string;
  reads: readonly number[];
  writes: readonly number[];
  /** Numbers of workgroups. */
  workgroups: readonly [x: number, y: number, z: number];
  /** Words of binding 0, at most 64; the first is the 0 that no compiler knows. */
  parameters: readonly number[];
}

/** The workgroups for one invocation for each element. */
export function workgroupsFor(elements: number): [number, number, number] {
  return [Math.ceil(Math.min(elements, ROW) / WORKGROUP), Math.ceil(elements / ROW), 1];
}

/** One invocation for each element; the number of elements is after the zero. */
function launch(elements: number): Pick<Shader, "workgroups" | "parameters"> {
  return { workgroups: workgroupsFor(elements), parameters: [0, elements] };
}

/**
 * Bindings from 1, the dialect's functions, and the beginning of `main`, in which `element` is the
 * invocation's number.
 */
function head({ library }: Dialect, bindings: readonly string[]): string {
  return [
    ...declarations(bindings),
    library,
    `@compute @workgroup_size(${WORKGROUP}) fn main(@builtin(global_invocation_id) id: vec3<u32>) {`,
    "  Z = zero[0];",
    `  let element = id.x + id.y * ${u32(ROW)};`,
  ].join("\n");
}

/** The binding in which a shader counts, after its tensors: a word for each of its kernels that counts. */
export const COUNTER = "var<storage, read_write> counter: array<atomic<u32>>;";
/** Tells what clamp ranges have changed: `rangedBits` sets bits of F. */
export const TELL = "if (F != 0u) { atomicOr(&counter[0], F); }";

/** The parameters, of which the first is the zero that no compiler knows, and the bindings after them. */
export function declarations(bindings: readonly string[]): string[] {
  return [
    "@group(0) @binding(0) var<storage, read> zero: array<u32>;",
    ...bindings.map((declaration, i) => `@group(0) @binding(${i + 1}) ${declaration}`),
    "var<private> Z: u32;",
    "var<private> F: u32;",
  ];
}

type Operand = Arg & { kind: "operand" };

/** The name of a value in a register, and its known range. */
interface Known {
  name: string;
  range: Range | undefined;
}

/** Tells what a step notes, which is seldom anything. */
const notes = (noting: Noting | undefined, values: readonly string[], counter: number): string[] =>
  (noting?.flags ?? []).map(
    ({ value, bit }) => `if (${values[value]}) { atomicOr(&counter[${u32(counter)}], ${u32(bit)}); }`,
  );

/** Shaders of a list in one dialect. */
export class ShaderWriter {
  private readonly list: KernelList;
  private readonly dialect: Dialect;

  constructor(list: KernelList, dialect: Dialect) {
    this.list = list;
    this.dialect = dialect;
  }

  /** A step of maps, or of a fold and maps after it. */
  step({ kernels, reads, writes }: Step): Shader {
    const first = this.list.inputs.length;
    const bufferOf = (tensor: number): string => `t${reads.indexOf(tensor)}`;
    const known = new Map<number, Known>();
    const lines: string[] = [];
    const counted = kernels.filter((index) => isCounted(this.list.kernels[index]));
    for (const [member, index] of kernels.entries()) {
      const kernel = this.list.kernels[index];
      if (kernel.kind === "gather") throw new TypeError("a gather is a shader of its own");
      const tensor = first + index;
      const counter = counted.indexOf(index);
      const emit =
        kernel.kind === "map"
          ? this.map(kernel, member, counter, bufferOf, known)
          : this.fold(kernel, counter, bufferOf);
      lines.push(...coordinates("element", kernel.type.shape, `c${member}_`, emit.lines), ...emit.lines);
      lines.push(`let w${member} = ${emit.result};`);
      known.set(tensor, { name: `w${member}`, range: emit.range });
      const stored = this.dialect.word(`w${member}`, outputType(kernel.program));
      if (writes.includes(tensor)) lines.push(`o${writes.indexOf(tensor)}[element] = ${stored};`);
    }
    const elements = elementCount(typeOf(this.list, first + kernels[0]).shape);
    const bindings = [
      ...reads.map((_, i) => `var<storage, read> t${i}: array<u32>;`),
      ...writes.map((_, i) => `var<storage, read_write> o${i}: array<u32>;`),
    ];
    if (counted.length > 0) bindings.push(COUNTER);
    // What clamp ranges have changed: only a fold has them, and it is the first of its step.
    const end = counted.length > 0 ? [TELL, "}"] : ["}"];
    const code = [head(this.dialect, bindings), "if (element >= zero[1]) { return; }", ...lines, ...end];
    return { code: code.join("\n"), reads, writes, ...launch(elements) };
  }

  private map(
    kernel: MapKernel,
    member: number,
    counter: number,
    bufferOf: (tensor: number) => string,
    known: ReadonlyMap<number, Known>,
  ): { lines: string[]; result: string; range: Range | undefined } {
    const { shape } = kernel.type;
    const names = shape.map((_, axis) => `c${member}_${axis}`);
    const { inputs: types } = kernel.program;
    const given = kernel.args.map((arg) => (arg.kind === "operand" ? known.get(arg.tensor) : undefined));
    const noting = notingOfKernel(kernel);
    const program = noting?.program ?? kernel.program;
    const analysis = analyze(
      program,
      given.map((value) => value?.range),
    );
    const loads = kernel.args.flatMap((arg, i) => {
      if (given[i]) return [];
      // For operands in the output's own order the shader needs no coordinates, and is the same for every
      // shape.
      const dense = arg.kind === "operand" && isIdentity(arg.view, shape);
      const value = dense
        ? this.register(arg, types[i], `${bufferOf(arg.tensor)}[element]`)
        : this.argument(arg, types[i], bufferOf, names);
      return [`let a${member}_${i} = ${value};`];
    });
    const inputs = kernel.args.map((_, i) => given[i]?.name ?? `a${member}_${i}`);
    const body = programStatements(this.dialect, program, analysis, inputs, `v${member}_`);
    const output = noting?.output ?? body.values.length - 1;
    const range = analysis.values[output];
    const cleaned = "negativeZero" in range ? { ...range, negativeZero: false } : range;
    const lines = [...loads, ...body.statements, ...notes(noting, body.values, counter)];
    return { lines, result: this.unsigned(body.values[output], analysis, output), range: cleaned };
  }

  /** A value without the sign of a zero. */
  private unsigned(name: string, analysis: Analysis, value: number): string {
    return mayBeNegativeZero(analysis, value) ? this.dialect.unsignedZero(name) : name;
  }

  private fold(kernel: FoldKernel, counter: number, bufferOf: (tensor: number) => string) {
    const { shape } = kernel.type;
    const { reduce } = kernel;
    const names = [...shape.map((_, axis) => `c0_${axis}`), ...reduce.map((_, axis) => `r${axis}`)];
    const { inputs: types } = kernel.program;
    const loads = kernel.args.map((arg, i) => `let b${i} = ${this.argument(arg, types[i + 1], bufferOf, names)};`);
    const ranges = kernel.args.map((arg) =>
      arg.kind === "operand" && arg.clampRange !== "none" ? rangedFloat(arg.clampRange) : undefined,
    );
    const noting = notingOfKernel(kernel);
    const program = noting?.program ?? kernel.program;
    const analysis = analyzeFold(kernel.program, kernel.start, [undefined, ...ranges], program);
    const inputs = ["acc", ...kernel.args.map((_, i) => `b${i}`)];
    const { statements, values } = programStatements(this.dialect, program, analysis, inputs, "u");
    const output = noting?.output ?? values.length - 1;
    const start = `(${u32(kernel.start)} ^ Z)`;
    const lines = [
      `var acc = ${outputType(kernel.program) === "f" ? this.dialect.float(start) : `bitcast<i32>${start}`};`,
      `for (var k = 0; k < ${elementCount(reduce)}; k++) {`,
      ...coordinates("u32(k)", reduce, "r", loads),
      ...loads,
      ...statements,
      ...notes(noting, values, counter),
      `acc = ${this.unsigned(values[output], analysis, output)};`,
      "}",
    ];
    return { lines, result: "acc", range: undefined };
  }

  private argument(arg: Arg, type: "f" | "i", bufferOf: (tensor: number) => string, names: readonly string[]): string {
    if (arg.kind === "coordinate") return names[arg.axis];
    if (arg.kind === "index") return "k";
    return this.register(arg, type, loadBits(arg.view, bufferOf(arg.tensor), names));
  }

  /** A stored word as the register of an operand. */
  private register({ clampRange }: Operand, type: "f" | "i", bits: string): string {
    if (type === "i") return `bitcast<i32>(${bits})`;
    if (clampRange === "none") return this.dialect.float(bits);
    const limit = 2 ** RANGE_EXPONENT[clampRange];
    return this.dialect.ranged(bits, u32(bitsOf(1 / limit)), u32(bitsOf(limit)));
  }

  /** Rows by index. The binding after the output counts the indices outside of the source. */
  gather(kernel: GatherKernel, output: number): Shader {
    const source = typeOf(this.list, kernel.source).shape;
    const row = elementCount(source.slice(1));
    const elements = elementCount(kernel.type.shape);
    const bindings = [
      "var<storage, read> source: array<u32>;",
      "var<storage, read> index: array<i32>;",
      "var<storage, read_write> out: array<u32>;",
      COUNTER,
    ];
    const inside = `out[element] = source[u32(chosen) * ${u32(row)} + element % ${u32(row)}];`;
    const code = `${head(this.dialect, bindings)}
  if (element >= zero[1]) { return; }
  let chosen = index[element / ${u32(row)}];
  if (chosen >= 0 && chosen < ${source[0]}) { ${inside} }
  else {
    out[element] = ${u32(kernel.fill)} ^ Z;
    if (element % ${u32(row)} == 0u) { atomicAdd(&counter[0], 1u); }
  }
}`;
    return { code, reads: [kernel.source, kernel.index], writes: [output], ...launch(elements) };
  }
}
