/** An ONNX model of one matrix product, as bytes: just so much of protobuf as that takes. */
import type { ProductTask } from "./tasks.ts";

const IR_VERSION = 8;
const OPSET = 17;
const FLOAT = 1;
const INT_ATTRIBUTE = 2;

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) + 128);
  }
}

const number = (field: number, value: number): number[] => [...varint(8 * field), ...varint(value)];
const block = (field: number, bytes: readonly number[]): number[] => [
  ...varint(8 * field + 2),
  ...varint(bytes.length),
  ...bytes,
];
const text = (field: number, value: string): number[] => block(field, [...new TextEncoder().encode(value)]);

function tensorInfo(name: string, shape: readonly number[]): number[] {
  const dimensions = shape.flatMap((extent) => block(1, number(1, extent)));
  return [...text(1, name), ...block(2, block(1, [...number(1, FLOAT), ...block(2, dimensions)]))];
}

const attribute = (name: string, value: number): number[] =>
  block(5, [...text(1, name), ...number(3, value), ...number(20, INT_ATTRIBUTE)]);

/** Inputs `a` and `b` as they are stored, output `c`. Only single products may have a transposed operand. */
export function productModel({ batch, m, n, k, transpose }: ProductTask): Uint8Array {
  const outer = batch > 1 ? [batch] : [];
  const node = [
    ...text(1, "a"),
    ...text(1, "b"),
    ...text(2, "c"),
    ...text(4, transpose === "" ? "MatMul" : "Gemm"),
    ...(transpose === "" ? [] : attribute(transpose === "a" ? "transA" : "transB", 1)),
  ];
  const graph = [
    ...block(1, node),
    ...text(2, "product"),
    ...block(11, tensorInfo("a", [...outer, ...(transpose === "a" ? [k, m] : [m, k])])),
    ...block(11, tensorInfo("b", [...outer, ...(transpose === "b" ? [n, k] : [k, n])])),
    ...block(12, tensorInfo("c", [...outer, m, n])),
  ];
  return Uint8Array.from([
    ...number(1, IR_VERSION),
    ...block(7, graph),
    ...block(8, [...text(1, ""), ...number(2, OPSET)]),
  ]);
}
