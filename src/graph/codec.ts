/** The canonical bytes of graphs, and the root that commits to each operator of a graph (spec 5.3). */
import { type Bytes, bytesEqual, Reader, Writer } from "../encoding/bytes.ts";
import { type Digest, taggedHash } from "../encoding/hash.ts";
import { Tag } from "../encoding/tags.ts";
import { buildLevels, hashLeaf, type Levels, rootOf } from "../encoding/merkle.ts";
import { dtypeFromCode } from "../encoding/dtypes.ts";
import { encodeType, MAX_RANK, type TensorType } from "../encoding/tensor.ts";
import { describe } from "../errors/arguments.ts";
import { GraphError } from "../errors/index.ts";
import { type Arg, type Kernel, RANGE_EXPONENT, type ClampRange } from "../repops/kernels/kernel.ts";
import { decodeProgram, encodeProgram } from "../repops/programs/program.ts";
import type { View } from "../repops/kernels/view.ts";
import {
  checkGraph,
  checkHeader,
  expectGraph,
  type Graph,
  type GraphHeader,
  type NamedOutput,
  type NamedType,
} from "./graph.ts";

const MAGIC = new TextEncoder().encode("VERDEGR1");
const KIND = { map: 1, fold: 2, gather: 3 } as const;
const ARG = { operand: 1, coordinate: 2, index: 3 } as const;
const RANGES = Object.keys(RANGE_EXPONENT) as ClampRange[];

/** The 32 bytes that commit to a graph: its header, and each kernel, label and output. */
export type GraphRoot = Digest<"graph">;

/** The canonical bytes of a kernel (spec 5.3). */
export function encodeKernel(kernel: Kernel): Bytes {
  const writer = new Writer().u8(KIND[kernel.kind]).bytes(encodeType(kernel.type));
  if (kernel.kind === "gather")
    return writer
      .u32(kernel.source, "the source of a gather")
      .u32(kernel.index, "the index of a gather")
      .u32(kernel.fill, "the fill value of a gather")
      .finish();
  if (kernel.kind === "fold") {
    writer.u32(kernel.start, "the start value of a fold").u8(kernel.reduce.length, "the number of axes of a fold");
    for (const extent of kernel.reduce) writer.u32(extent, "an extent of a fold");
  }
  writer.blob(encodeProgram(kernel.program)).u8(kernel.args.length, "the number of arguments");
  for (const arg of kernel.args) encodeArg(writer, arg);
  return writer.finish();
}

function encodeArg(writer: Writer, arg: Arg): void {
  writer.u8(ARG[arg.kind]);
  if (arg.kind === "coordinate") writer.u8(arg.axis, "the axis of a coordinate");
  if (arg.kind !== "operand") return;
  const { offset, strides, bounds, fill } = arg.view;
  writer.u32(arg.tensor, "the number of an operand").u8(RANGES.indexOf(arg.clampRange), "the number of a clamp range");
  writer.i32(offset, "the offset of a view").u8(strides.length, "the number of strides");
  for (const stride of strides) writer.i32(stride, "a stride of a view");
  writer.u8(bounds ? 1 : 0);
  if (!bounds) return;
  for (const [from, to] of bounds) writer.i32(from, "a bound of a view").i32(to, "a bound of a view");
  writer.u32(fill ?? 0, "the fill value of a view");
}

/**
 * Reads what `encodeType` wrote. The number of elements is not checked.
 * @throws {FormatError} for a type that does not exist
 */
export function decodeType(reader: Reader): TensorType {
  const dtype = dtypeFromCode(reader.u8());
  const rank = reader.u8();
  if (!dtype || rank > MAX_RANK) throw reader.error("MALFORMED", "a tensor type does not exist");
  return { dtype, shape: Array.from({ length: rank }, () => reader.u32()) };
}

/** Does not check whether the kernel fits a graph. @throws {FormatError} when the bytes are no kernel */
export function decodeKernel(reader: Reader): Kernel {
  const kind = reader.u8();
  const type = decodeType(reader);
  if (kind === KIND.gather)
    return { kind: "gather", type, source: reader.u32(), index: reader.u32(), fill: reader.u32() };
  if (kind !== KIND.map && kind !== KIND.fold) throw reader.error("MALFORMED", `unknown kind of operator ${kind}`);
  const start = kind === KIND.fold ? reader.u32() : 0;
  const reduce = kind === KIND.fold ? Array.from({ length: reader.u8() }, () => reader.u32()) : [];
  const code = new Reader(reader.blob(), "a scalar program");
  const program = decodeProgram(code);
  code.end();
  const args = Array.from({ length: reader.u8() }, () => decodeArg(reader));
  return kind === KIND.map
    ? { kind: "map", type, program, args }
    : { kind: "fold", type, program, start, reduce, args };
}

function decodeArg(reader: Reader): Arg {
  const kind = reader.u8();
  if (kind === ARG.coordinate) return { kind: "coordinate", axis: reader.u8() };
  if (kind === ARG.index) return { kind: "index" };
  if (kind !== ARG.operand) throw reader.error("MALFORMED", `unknown kind of argument ${kind}`);
  const tensor = reader.u32();
  const clampRange = RANGES[reader.u8()];
  if (clampRange === undefined) throw reader.error("MALFORMED", "unknown clamp range");
  const offset = reader.i32();
  const axes = reader.u8();
  const strides = Array.from({ length: axes }, () => reader.i32());
  const bounded = reader.u8();
  if (bounded > 1) throw reader.error("MALFORMED", "a flag is neither 0 nor 1");
  const view: View = { offset, strides };
  if (bounded) {
    view.bounds = Array.from({ length: axes }, (): [number, number] => [reader.i32(), reader.i32()]);
    view.fill = reader.u32();
  }
  return { kind: "operand", tensor, view, clampRange };
}

function encodeHeader(graph: Graph): Bytes {
  const writer = new Writer().u32(graph.inputs.length);
  for (const input of graph.inputs) writer.text(input.name).bytes(encodeType(input));
  writer.u32(graph.outputs.length);
  for (const { name, tensor } of graph.outputs) writer.text(name).u32(tensor, "the tensor of an output");
  return writer.u32(graph.kernels.length).finish();
}

/** The canonical bytes: magic, header, kernels, labels. */
export function encodeGraph(graph: Graph): Bytes {
  expectGraph(graph);
  const writer = new Writer().bytes(MAGIC).blob(encodeHeader(graph));
  for (const kernel of graph.kernels) writer.blob(encodeKernel(kernel));
  for (const label of graph.labels) writer.text(label);
  return writer.finish();
}

/**
 * @throws {FormatError | GraphError | ShapeError | ProgramError} for anything that is not a canonical,
 * checked graph.
 */
export function decodeGraph(bytes: Bytes, what = "a graph"): Graph {
  if (!(bytes instanceof Uint8Array) || typeof what !== "string")
    throw new GraphError("ARGUMENT", `decodeGraph takes the bytes of a graph and their name, not ${describe(bytes)}`);
  const reader = new Reader(bytes, what);
  if (!bytesEqual(reader.bytes(Math.min(MAGIC.length, bytes.length)), MAGIC))
    throw reader.error("KIND", "no graph begins here");
  const { inputs, outputs, kernelCount: count } = decodeHeader(reader.blob(), `${what}, header`);
  if (count > reader.remaining)
    throw reader.error("TRUNCATED", `a graph of ${count} operators, but too few bytes are left for them,`);
  const kernels = Array.from({ length: count }, (_, i) => {
    const kernel = new Reader(reader.blob(), `${what}, operator ${i}`);
    const decoded = decodeKernel(kernel);
    kernel.end();
    return decoded;
  });
  const labels = kernels.map(() => reader.text());
  reader.end();
  const graph: Graph = { inputs, kernels, labels, outputs };
  checkGraph(graph);
  if (!bytesEqual(encodeGraph(graph), bytes))
    throw new GraphError("NOT_CANONICAL", `${what} is not in canonical form; encode it again`);
  return graph;
}

/**
 * What the bytes say that `Tag.graphHeader` commits to. It has passed `checkHeader`.
 * @throws {FormatError | GraphError | ShapeError} when the bytes are no header
 */
export function decodeHeader(bytes: Bytes, what: string): GraphHeader {
  const header = new Reader(bytes, what);
  const inputs = header.list((): NamedType => ({ name: header.text(), ...decodeType(header) }));
  const outputs = header.list(() => ({ name: header.text(), tensor: header.u32() }));
  const kernelCount = header.u32();
  header.end();
  const decoded = { inputs, outputs, kernelCount };
  checkHeader(decoded);
  return decoded;
}

/** The trees below a graph's root: one leaf for each operator, and one for each label. */
export interface GraphTrees {
  header: Bytes;
  kernels: Levels;
  labels: Levels;
}

/** The trees of a graph, from which proofs of single operators and labels are made. */
export function graphTrees(graph: Graph): GraphTrees {
  expectGraph(graph);
  return {
    header: encodeHeader(graph),
    kernels: buildLevels(graph.kernels.map((kernel) => hashLeaf(Tag.graphNode, encodeKernel(kernel)))),
    labels: buildLevels(graph.labels.map((label) => hashLeaf(Tag.graphLabel, new TextEncoder().encode(label)))),
  };
}

/**
 * Leaf i commits to the number of the tensor that is output i. So a proof of one output needs neither the
 * other outputs nor their names.
 */
export function outputTree(outputs: readonly NamedOutput[]): Levels {
  return buildLevels(
    outputs.map(({ tensor }) =>
      hashLeaf(Tag.graphOutput, new Writer().u32(tensor, "the tensor of an output").finish()),
    ),
  );
}

/** The root of a graph (spec 5.3). Any change of an operator, a label, a name or a type changes it. */
export function graphRoot(graph: Graph): GraphRoot {
  const { header, kernels, labels } = graphTrees(graph);
  return graphRootOf(header, rootOf(kernels), rootOf(labels));
}

/**
 * The root of a graph from its header and the roots of its trees. The root binds what the header says a
 * second time, as numbers: a verifier that needs only the numbers does not have to parse the header's text.
 * @throws {FormatError | GraphError | ShapeError} when the bytes are no header
 */
export function graphRootOf(header: Bytes, kernels: Bytes, labels: Bytes): GraphRoot {
  const { inputs, outputs, kernelCount } = decodeHeader(header, "the graph's header");
  const counts = new Writer()
    .u32(inputs.length)
    .u32(outputs.length)
    .u32(kernelCount, "the number of operators")
    .finish();
  const outputRoot = rootOf(outputTree(outputs));
  return taggedHash(Tag.graph, counts, taggedHash(Tag.graphHeader, header), kernels, labels, outputRoot);
}
