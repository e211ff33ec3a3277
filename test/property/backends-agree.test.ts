/**
 * What passes the gate has the same bits on every backend: operators on any canonical data, also at the ends
 * of vf32, and with empty tensors.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Tensor } from "../../src/encoding/tensor.ts";
import * as graph from "../../src/graph/index.ts";
import type { Value } from "../../src/graph/index.ts";
import { reference } from "../../src/repops/backends/reference.ts";
import { wasm, wasmAlways } from "../../src/repops/backends/wasm/backend.ts";
import { canonBits } from "../../src/repops/numbers/vf32.ts";
import { SEED } from "./seed.ts";

const EDGES = [0, 0x01000000, 0x01000001, 0x7f000000, 0x7effffff, 0x3f800000, 0x3f7fffff, 0x4b000001, 0x42a00000];
const pattern = fc.oneof(
  fc.constantFrom(...EDGES, ...EDGES.map((bits) => canonBits((bits | 0x80000000) >>> 0))),
  fc.nat(0xffffffff).map(canonBits),
  fc.float({ noNaN: true, min: -100, max: 100 }).map((x) => canonBits(new Uint32Array(Float32Array.of(x).buffer)[0])),
);
const some = fc.oneof({ weight: 6, arbitrary: fc.integer({ min: 1, max: 5 }) }, fc.constantFrom(16, 17, 32, 48));
/** Rows may be none. */
const any = fc.oneof({ weight: 8, arbitrary: some }, fc.constant(0));

interface Data {
  x: Tensor;
  y: Tensor;
  row: Tensor;
  k: Tensor;
}
const data: fc.Arbitrary<Data> = fc.tuple(any, some).chain(([rows, columns]) => {
  const floats = (shape: number[]): fc.Arbitrary<Tensor> => {
    const length = shape.reduce((a, b) => a * b, 1);
    return fc
      .array(pattern, { minLength: length, maxLength: length })
      .map((words) => ({ dtype: "f32", shape, data: new Float32Array(Uint32Array.from(words).buffer) }));
  };
  const index = fc.oneof(fc.integer({ min: -2, max: 60 }), fc.constantFrom(-(2 ** 31), 2 ** 31 - 1));
  return fc.record({
    x: floats([rows, columns]),
    y: floats([rows, columns]),
    row: floats([columns]),
    k: fc.array(index, { minLength: rows, maxLength: rows }).map((values) => graph.intTensor([rows], values)),
  });
});

const OPERATORS: Record<string, (on: Record<keyof Data, Value>) => Value> = {
  "element-wise": ({ x, y, row }) =>
    graph.add(graph.div(graph.mul(x, y), graph.sub(row, x)), graph.maximum(graph.neg(x), graph.minimum(y, 0.5))),
  functions: ({ x }) =>
    graph.add(
      graph.add(graph.exp(x), graph.tanh(x)),
      graph.add(graph.gelu(x), graph.add(graph.sin(x), graph.rsqrt(x))),
    ),
  roots: ({ x, y }) => graph.add(graph.log(graph.abs(x)), graph.mul(graph.sqrt(y), graph.sigmoid(x))),
  sums: ({ x }) => graph.add(graph.sum(x, [-1]), graph.mean(graph.square(x), [1])),
  columns: ({ x }) => graph.sum(x, [0]),
  maxima: ({ x }) => graph.maxRows(x),
  softmax: ({ x }) => graph.softmax(x),
  "layer norm": ({ x, row }) => graph.layerNorm(x, row, row),
  "cross-entropy": ({ x, k }) => graph.crossEntropy(x, k),
  products: ({ x, y }) => graph.matmul(x, graph.transpose(y)),
  rows: ({ x, k }) => graph.gather(x, k),
  places: ({ x, y }) => graph.pad(graph.concat([graph.transpose(x), graph.transpose(y)], 1), 0, 1, 2),
  integers: ({ x, k }) => graph.add(graph.toFloat(graph.toInt(x)), graph.reshape(graph.toFloat(k), [-1, 1])),
};

const bits = ({ data: elements }: Tensor): Uint32Array =>
  new Uint32Array(elements.buffer, elements.byteOffset, elements.length);

describe("the reference and WASM agree on data that passes the gate", () => {
  test.each(Object.entries(OPERATORS))("%s, with gradients", async (_, apply) => {
    await fc.assert(
      fc.asyncProperty(data, async (inputs) => {
        const body = (on: Record<keyof Data, Value>): Record<string, Value> => {
          const y = apply(on);
          const [x, row] = graph.gradients(graph.sum(y), [on.x, on.row]);
          return { y, x, row };
        };
        const wanted = await graph.evaluate(body, { ...inputs }, { backend: reference });
        for (const backend of [wasm, wasmAlways]) {
          const actual = await graph.evaluate(body, { ...inputs }, { backend });
          for (const [name, tensor] of Object.entries(wanted)) {
            expect(bits(tensor).every((word) => canonBits(word) === word || tensor.dtype === "i32")).toBe(true);
            expect([name, bits(actual[name])]).toEqual([name, bits(tensor)]);
          }
        }
      }),
      { seed: SEED, numRuns: 60 },
    );
  });
});
