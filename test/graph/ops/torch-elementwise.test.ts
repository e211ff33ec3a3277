/**
 * Element-wise operators beside PyTorch's in double precision: values within some ULP, and gradients, at the
 * kinks too. `test/vectors/torch-elementwise.py` made the vectors.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { errorInUlp } from "../../../bench/accuracy/inputs.ts";
import * as graph from "../../../src/graph/index.ts";
import { evaluate, gradients, intTensor, sum, tensor, type Value } from "../../../src/graph/index.ts";

interface Vectors {
  unary: Record<string, { x: number[]; y: number[]; gradient: number[] }>;
  binary: Record<string, { a: number[]; b: number[]; y: number[]; gradientA: number[] }>;
  integers: Record<string, { a: number[]; b?: number[]; y: number[] }>;
}
const file = new URL("../../vectors/torch-elementwise.json", import.meta.url);
const { unary, binary, integers } = JSON.parse(readFileSync(file, "utf8")) as Vectors;

/** Those that are not called by their names with the operands alone. */
const FORMS: Record<string, (...operands: Value[]) => Value> = {
  "softplus 2": (x) => graph.softplus(x, 2),
  "elu 0.5": (x) => graph.elu(x, 0.5),
  "leakyRelu 0.2": (x) => graph.leakyRelu(x, 0.2),
  "pow whole": (a, b) => graph.pow(a, b),
  clamp: (x) => graph.clamp(x, -1.5, 2.5),
};
const formOf = (name: string): ((...operands: Value[]) => Value) =>
  FORMS[name] ?? (graph as unknown as Record<string, (...operands: Value[]) => Value>)[name];
/** Their gradient is 0 in PyTorch; here none flows, or it passes unchanged. */
const WITHOUT = ["floor", "ceil", "round", "trunc", "sign", "toF16", "toBf16"];

function expectSlopes(actual: ArrayLike<number>, wanted: readonly number[], xs: readonly number[]): void {
  for (const [i, slope] of wanted.entries()) {
    const bounded = Math.max(-(2 ** 127), Math.min(2 ** 127, slope));
    expect(Math.abs(actual[i] - bounded), `at ${xs[i]}`).toBeLessThanOrEqual(2e-6 * Math.max(0.25, Math.abs(bounded)));
  }
}

describe("functions of floats have PyTorch's values and gradients", () => {
  for (const [name, { x, y, gradient }] of Object.entries(unary))
    test(name, async () => {
      const apply = formOf(name);
      const results = await evaluate(
        ({ x }) => {
          const result = apply(x);
          return { result, slope: gradients(sum(result), [x])[0] };
        },
        { x: tensor([x.length], x) },
      );
      for (const [i, wanted] of y.entries()) {
        const found = results.result.data[i];
        // PyTorch's own GELU of x cancels: 1 + erf has an absolute error of some 2^-53.
        if (name === "gelu" && Math.abs(found - wanted) <= Math.abs(x[i]) * 2 ** -50) continue;
        expect(errorInUlp(found, wanted), `${name} ${x[i]}`).toBeLessThanOrEqual(2.6);
      }
      if (name.startsWith("to")) expect([...results.slope.data]).toEqual(x.map(() => 1));
      else if (WITHOUT.includes(name)) expect([...results.slope.data]).toEqual(x.map(() => 0));
      else expectSlopes(results.slope.data, gradient, x);
    });

  for (const [name, { a, b, y, gradientA }] of Object.entries(binary))
    test(name, async () => {
      const apply = formOf(name);
      const results = await evaluate(
        ({ a, b }) => {
          const result = apply(a, b);
          return { result, slope: gradients(sum(result), [a])[0] };
        },
        { a: tensor([a.length], a), b: tensor([b.length], b) },
      );
      for (const [i, wanted] of y.entries())
        expect(errorInUlp(results.result.data[i], wanted), `${name} ${a[i]}, ${b[i]}`).toBeLessThanOrEqual(2);
      expectSlopes(results.slope.data, gradientA, a);
    });
});

describe("functions of integers have PyTorch's values", () => {
  for (const [name, { a, b, y }] of Object.entries(integers))
    test(name, async () => {
      const inputs = { a: intTensor([a.length], a), ...(b && { b: intTensor([b.length], b) }) };
      const { data } = await evaluate(
        (operands: Record<string, Value>) => formOf(name)(...Object.values(operands)),
        inputs,
      );
      expect([...data]).toEqual(y);
    });
});

describe("where PyTorch has no result", () => {
  test("a division by 0 gives 0, and the remainder is the dividend", async () => {
    const results = await evaluate(
      ({ a, b }) => ({ quotient: graph.floorDivide(a, b), remainder: graph.remainder(a, b) }),
      { a: intTensor([3], [7, -7, 0]), b: intTensor([3], [0, 0, 0]) },
    );
    expect([...results.quotient.data]).toEqual([0, 0, 0]);
    expect([...results.remainder.data]).toEqual([7, -7, 0]);
  });

  test("a number takes the place of an operand, of the operand's type", async () => {
    const results = await evaluate(
      ({ i, f }) => ({
        sum: graph.add(i, 3),
        less: graph.lt(f, 0.5),
        chosen: graph.where(graph.ge(f, 0.5), i, -1),
        floats: graph.where(graph.ne(i, 2), 0.25, f),
      }),
      { i: intTensor([2], [1, 2]), f: tensor([2], [0.25, 0.5]) },
    );
    expect(Object.values(results).map(({ dtype, data }) => [dtype, ...data])).toEqual([
      ["i32", 4, 5],
      ["i32", 1, 0],
      ["i32", -1, 2],
      ["f32", 0.25, 0.5],
    ]);
  });
});

describe("misuse is an error that says what was given", () => {
  const build = (body: (values: { i: Value; f: Value }) => Value): Promise<unknown> =>
    evaluate(body, { i: intTensor([2], [1, 2]), f: tensor([2], [0, 1]) });
  test.each([
    ["two types", ({ i, f }) => graph.add(i, f), "add: takes operands of one type, not i32[2] and f32[2]"],
    [
      "two types of a choice",
      ({ i, f }) => graph.where(i, i, f),
      "where: takes a and b of one type, not i32[2] and f32[2]",
    ],
    ["a float for an integer", ({ f }) => graph.bitwiseAnd(f, 1), "bitwise-and: takes i32, not f32[2]"],
    ["an integer for a float", ({ i }) => graph.log1p(i), "log1p: takes f32, not i32[2]"],
    ["a fraction for an integer", ({ i }) => graph.add(i, 0.5), "add: operand b is 0.5; take a whole number"],
    ["a float as condition", ({ f }) => graph.where(f, f, f), "where: takes i32, not f32[2]"],
    ["no bounds", ({ f }) => graph.clamp(f), "clamp: max is undefined; pass a lower or an upper bound"],
    [
      "another form",
      ({ f }) => graph.gelu(f, { approximate: "erf" as "none" }),
      'gelu: approximate is the text "erf"; pass "none" or "tanh"',
    ],
    ["a setting that is none", ({ f }) => graph.softplus(f, 0), "softplus: beta is 0; take a number above 0"],
  ] as [string, (values: { i: Value; f: Value }) => Value, string][])("%s", async (_, body, message) => {
    await expect(build(body)).rejects.toThrow(message);
  });
});
