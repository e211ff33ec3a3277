/**
 * Views larger than any tensor: products, and gradients of gathers, fold over them. Only what an operator
 * writes has at most 2^31 - 1 elements.
 */
import { expect, test } from "vitest";
import { gradients, GraphBuilder, matmul, broadcastTo, gather, mul, sum, type Value } from "../../src/graph/index.ts";

/** The operators of a graph that nothing executes. */
function operatorsOf(body: (input: (shape: number[], dtype?: "i32") => Value) => Value): number {
  const builder = new GraphBuilder();
  let inputs = 0;
  const out = body((shape, dtype) => builder.input(`x${inputs++}`, { dtype: dtype ?? "f32", shape }));
  return builder.finish([{ name: "y", value: out }]).kernels.length;
}

test("the gradient of a gather from a large table", () => {
  const count = operatorsOf((input) => {
    const table = input([50_257, 768]);
    return gradients(sum(gather(table, input([8, 2_048], "i32"))), [table])[0];
  });
  expect(count).toBeGreaterThan(1);
});

test("one large matrix for a batch of them", () => {
  expect(operatorsOf((input) => matmul(input([64, 2, 768]), input([768, 50_257])))).toBe(1);
});

test("no operator writes so many elements", () => {
  const big = (input: (shape: number[]) => Value): Value => broadcastTo(input([1]), [2 ** 16, 2 ** 16]);
  expect(() => operatorsOf((input) => mul(big(input), big(input)))).toThrow("at most 2147483647 elements");
  expect(() => operatorsOf((input) => sum(mul(big(input), input([1]))))).toThrow("at most 2147483647 elements");
});

test("a view has the extents and axes of a shape all the same", () => {
  expect(() => operatorsOf((input) => broadcastTo(input([1]), [2 ** 32, 1]))).toThrow("is not a shape");
  expect(() => operatorsOf((input) => broadcastTo(input([1]), new Array<number>(9).fill(1)))).toThrow("is not a shape");
});
