/**
 * What passes the gate has the same bits on every backend: operators on any canonical data, also at the ends
 * of vf32, and with empty tensors.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Tensor } from "../../src/encoding/tensor.ts";
import * as graph from "../../src/graph/index.ts";
import type { Value } from "../../src/graph/index.ts";
import type { NotedOperator } from "../../src/graph/outside.ts";
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

/** A matrix, which may have no rows, with a row of zeros more, as the only channel of the only example. */
const plane = (x: Value): Value => {
  const more = graph.pad(x, 0, 0, 1);
  return graph.reshape(more, [1, 1, ...more.shape]);
};
const flat = (x: Value): Value => graph.reshape(x, [-1]);
/** Up to 2 × 2 elements, as the weight of a convolution. */
const corner = (x: Value): Value => {
  const all = plane(x);
  return graph.slice(graph.slice(all, 2, 0, Math.min(2, all.shape[2])), 3, 0, Math.min(2, all.shape[3]));
};
/** Indices cut to the columns of x. */
const classesOf = (k: Value, x: Value): Value =>
  graph.toInt(graph.maximum(graph.minimum(graph.toFloat(k), x.shape[1] - 1), 0));

/** A mean of no elements is refused, so there is one more row. */
const filled = (value: Value): Value => {
  const [rows, columns] = value.shape;
  return graph.pad(graph.pad(value, 0, 0, rows === 0 ? 1 : 0), 1, 0, columns === 0 ? 1 : 0);
};

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
  "other norms": ({ x, row }) => graph.add(graph.rmsNorm(x, row), graph.normalize(x)),
  "norms of channels": ({ x, y }) =>
    graph.add(graph.instanceNorm(plane(x)), graph.batchNorm(graph.concat([plane(x), plane(y)], 0))),
  "cross-entropy": ({ x, k }) => graph.crossEntropy(x, classesOf(k, x), { ignoreIndex: 1, labelSmoothing: 0.1 }),
  losses: (on) => {
    const [x, y] = [filled(on.x), filled(on.y)];
    return graph.add(
      graph.add(graph.mseLoss(x, y), graph.huberLoss(x, y)),
      graph.add(graph.klDiv(x, y), graph.binaryCrossEntropyWithLogits(x, y)),
    );
  },
  "log-softmax": ({ x }) => graph.add(graph.logSoftmax(x, 0), graph.reshape(graph.logSumExp(x), [-1, 1])),
  convolution: ({ x, y }) => graph.conv2d(plane(x), corner(y), undefined, { padding: 1, stride: [2, 1] }),
  "transposed convolution": ({ x, y }) => graph.convTranspose2d(plane(x), corner(y), undefined, { stride: 2 }),
  "max pooling": ({ x }) =>
    graph.concat(
      [graph.maxPool2d(plane(x), 2, { padding: 1, stride: 1 }), graph.adaptiveMaxPool2d(plane(x), 3)].map(flat),
      0,
    ),
  "average pooling": ({ x }) =>
    graph.concat(
      [
        graph.avgPool2d(plane(x), 2, { padding: 1, stride: 1, countIncludePad: false }),
        graph.adaptiveAvgPool2d(plane(x), [3, 2]),
      ].map(flat),
      0,
    ),
  attention: ({ x, y }) => {
    const [q, k] = [x, y].map((value) => graph.reshape(value, [1, ...value.shape]));
    return graph.scaledDotProductAttention(q, k, q, { isCausal: true, window: 2 });
  },
  products: ({ x, y }) => graph.matmul(x, graph.transpose(y)),
  rows: ({ x, k }) => graph.gather(x, k),
  places: ({ x, y }) => graph.pad(graph.concat([graph.transpose(x), graph.transpose(y)], 1), 0, 1, 2),
  integers: ({ x, k }) => graph.add(graph.toFloat(graph.toInt(x)), graph.reshape(graph.toFloat(k), [-1, 1])),
};

/** Indices outside are wanted here. */
const onOutOfRange = (): void => undefined;

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
        const [expected, found]: NotedOperator[][] = [[], []];
        const noting = (list: NotedOperator[]) => (note: NotedOperator) => void list.push(note);
        const given = { onOutOfRange, onNoted: noting(expected) };
        const wanted = await graph.evaluate(body, { ...inputs }, { backend: reference, ...given });
        for (const backend of [wasm, wasmAlways]) {
          found.length = 0;
          const actual = await graph.evaluate(body, { ...inputs }, { backend, onOutOfRange, onNoted: noting(found) });
          expect(found).toEqual(expected);
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
