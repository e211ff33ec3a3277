/** The graphs of the tasks that are one operator, with their operands. */
import { elementCount, type Shape, type Tensor } from "../../src/encoding/tensor.ts";
import {
  crossEntropy,
  dense,
  gelu,
  geluTanh,
  GraphBuilder,
  gradients,
  layerNorm,
  matmul,
  mul,
  softmax,
  sum,
  transpose,
  type Value,
} from "../../src/graph/index.ts";
import type { KernelList } from "../../src/repops/kernels/kernel.ts";
import { element, type OperatorTask, type ProductTask } from "./tasks.ts";

/** A list of kernels, its inputs, and the tensors to keep. */
export interface Prepared {
  list: KernelList;
  operands: Tensor[];
  outputs: number[];
}

/** An operand by the formula that all contenders share. */
export function operand(shape: Shape, salt: number, scale = 1): Tensor {
  const data = new Float32Array(elementCount(shape));
  for (let i = 0; i < data.length; i++) data[i] = scale * element(i, salt);
  return { dtype: "f32", shape, data };
}

function finish(builder: GraphBuilder, values: readonly Value[], operands: Tensor[]): Prepared {
  const list = builder.finish(values.map((value, i) => ({ name: `output${i}`, value: dense(value) })));
  return { list, operands, outputs: list.outputs.map(({ tensor }) => tensor) };
}

export function productGraph({ batch, m, n, k, transpose: stored }: ProductTask): Prepared {
  const outer = batch > 1 ? [batch] : [];
  const operands = [
    operand([...outer, ...(stored === "a" ? [k, m] : [m, k])], 1),
    operand([...outer, ...(stored === "b" ? [n, k] : [k, n])], 2),
  ];
  const builder = new GraphBuilder();
  const [a, b] = operands.map((type, i) => builder.input(`operand${i}`, type));
  const product = matmul(stored === "a" ? transpose(a) : a, stored === "b" ? transpose(b) : b);
  return finish(builder, [product], operands);
}

/** Logits and similar operands are ten times as large as factors of products: -5 to 5. */
const SCALE = 10;

/** The target of row `i` of a cross-entropy. */
export const target = (i: number, columns: number): number => (i * 31) % columns;

export function operatorGraph({ operator, rows, columns, gradient }: OperatorTask): Prepared {
  const builder = new GraphBuilder();
  const operands: Tensor[] = [];
  const input = (name: string, operand: Tensor): Value => (operands.push(operand), builder.input(name, operand));
  const x = input("x", operand([rows, columns], 1, SCALE));
  if (operator === "cross-entropy") {
    const data = Int32Array.from({ length: rows }, (_, i) => target(i, columns));
    const loss = crossEntropy(x, input("targets", { dtype: "i32", shape: [rows], data }));
    return finish(builder, gradient ? [loss, ...gradients(loss, [x])] : [loss], operands);
  }
  const parameters = operator === "layer norm" ? [2, 3].map((i) => input(`p${i}`, operand([columns], i))) : [];
  const apply = { softmax: () => softmax(x), GELU: () => geluTanh(x), "GELU, erf form": () => gelu(x) };
  const y = operator === "layer norm" ? layerNorm(x, parameters[0], parameters[1]) : apply[operator]();
  if (!gradient) return finish(builder, [y], operands);
  // The gradient of y is g.
  const loss = sum(mul(y, input("g", operand([rows, columns], 4))));
  return finish(builder, [y, ...gradients(loss, [x, ...parameters])], operands);
}
