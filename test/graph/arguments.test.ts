/** What operators refuse: axes, data from outside, and uses that no graph has. */
import { describe, expect, test } from "vitest";
import { toHex } from "../../src/encoding/bytes.ts";
import * as graph from "../../src/graph/index.ts";
import { GraphBuilder, graphRoot, type Value } from "../../src/graph/index.ts";
import { reference } from "../../src/repops/backends/reference.ts";
import { wasm } from "../../src/repops/backends/wasm/backend.ts";
import { defineProgram } from "../../src/repops/programs/expressions.ts";

const X = graph.tensor([2, 3], [1, 2, 3, 4, 5, 6]);
const of = (body: (x: Value) => Value): Promise<unknown> => graph.evaluate(({ x }) => body(x), { x: X });

describe("lists of axes", () => {
  test.each<[string, (x: Value) => Value, string]>([
    [
      "sum of a repeated axis",
      (x) => graph.sum(x, [1, -1]),
      "sum: axis -1 of f32[2, 3], at position 1, repeats that at position 0",
    ],
    [
      "sum of a repeated axis",
      (x) => graph.sum(x, [0, 0]),
      "sum: axis 0 of f32[2, 3], at position 1, repeats that at position 0",
    ],
    ["mean of a repeated axis", (x) => graph.mean(x, [1, -1]), "mean: axis -1 of f32[2, 3], at position 1, repeats"],
    [
      "sum beyond the rank",
      (x) => graph.sum(x, [0, 2]),
      "sum: axis 2, at position 1, of f32[2, 3] does not exist; it has the axes 0 to 1, or -2 to -1",
    ],
    ["sum before the first", (x) => graph.sum(x, [-3]), "axis -3, at position 0"],
    ["sum over half an axis", (x) => graph.sum(x, [0.5]), "axis 0.5, at position 0"],
    ["sum over a text", (x) => graph.sum(x, ["0"] as never), 'axis the text "0", at position 0'],
    ["sum over a number", (x) => graph.sum(x, 1 as never), "sum: axes is 1; pass a list of axes"],
    ["sum over no axes", (x) => graph.sum(x, []), "sum: the list of axes of f32[2, 3] is empty"],
    ["mean over no axes", (x) => graph.mean(x, []), "mean: the list of axes of f32[2, 3] is empty"],
    [
      "mean of no elements",
      (x) => graph.mean(graph.slice(x, 1, 2, 2)),
      "mean: no elements, of f32[2, 0], have no mean",
    ],
    [
      "a third operand",
      (x) => (graph.add as (...all: graph.Value[]) => graph.Value)(x, x, x),
      "add: argument 3 is a value f32[2, 3]; pass no value: it takes two operands; nest the calls",
    ],
    [
      "a second operand",
      (x) => (graph.exp as (...all: graph.Value[]) => graph.Value)(x, x),
      "exp: argument 2 is a value f32[2, 3]; pass no value: it takes one operand; nest the calls",
    ],
    ["sum with a hole", (x) => graph.sum(x, new Array(1)), "axis undefined, at position 0"],
    ["sum over axes of a scalar", (x) => graph.sum(graph.sum(x), [0]), "a scalar has no axes"],
    [
      "a transpose with a repeated axis",
      (x) => graph.transpose(x, [0, -2]),
      "transpose: axis -2 of f32[2, 3], at position 1, repeats",
    ],
    [
      "a transpose of too few",
      (x) => graph.transpose(x, [1]),
      "[1] is not an order of the axes of f32[2, 3]; list each axis once",
    ],
    ["a transpose of a row", (x) => graph.transpose(graph.sum(x, [0])), "f32[3] has no two axes to exchange"],
    ["a concatenation", (x) => graph.concat([x, x], 2), "concat: axis 2 of f32[2, 3] does not exist"],
    ["a slice", (x) => graph.slice(x, NaN, 0, 1), "slice: axis NaN of f32[2, 3] does not exist"],
    ["a pad of nothing", (x) => graph.pad(x, 9, 0, 0), "pad: axis 9 of f32[2, 3] does not exist"],
    [
      "a pad that removes",
      (x) => graph.pad(x, 0, -1, 1),
      "pad: can't add -1 elements before and 1 after axis 0 of f32[2, 3]; take counts from 0, and use slice",
    ],
    ["a shape with two open extents", (x) => graph.reshape(x, [-1, -1]), "reshape: [-1, -1] leaves two extents open"],
    [
      "softmax of a scalar",
      (x) => graph.softmax(graph.sum(x)),
      "softmax: takes rows, not the scalar f32[]; give it an axis",
    ],
    ["a concatenation of nothing", () => graph.concat([], 0), "concat: an operator has no values; give at least one"],
    ["an addition of numbers", () => graph.add(1, 2), "add: all operands are numbers"],
    [
      "a missing operand",
      (x) => graph.add(x, undefined as never),
      "add: operand b is undefined; pass a value of a graph or a number",
    ],
    ["a number that becomes 0", (x) => graph.add(x, 1e-50), "add: operand b is 1e-50, which becomes 0"],
    ["a number that is none", (x) => graph.mul(NaN, x), "mul: operand a is NaN, not a number"],
    [
      "values of two graphs",
      (x) => graph.add(x, new GraphBuilder().input("y", { dtype: "f32", shape: [3] })),
      "add: operand 1 belongs to another graph",
    ],
  ])("%s is refused", async (_, body, message) => {
    await expect(of(body)).rejects.toMatchObject({
      code: expect.stringMatching(/^VERDE_(SHAPE|GRAPH)_/),
      message: expect.stringContaining(message),
    });
  });

  test("axes from the end are counted like the others", async () => {
    const both = await graph.evaluate(
      ({ x }) => ({ a: graph.sum(x, [-1, 0]), b: graph.sum(x), c: graph.transpose(x, [-1, 0]), d: graph.transpose(x) }),
      { x: X },
    );
    expect([...both.a.data]).toEqual([21]);
    expect(both.b).toEqual(both.a);
    expect(both.c).toEqual(both.d);
  });
});

describe("data from outside", () => {
  const raw = (dtype: "f32" | "i32", shape: number[], data: unknown) => ({ dtype, shape, data }) as never;
  const bits = (...words: number[]): Float32Array => new Float32Array(Uint32Array.from(words).buffer);

  test.each<[string, unknown, string, string]>([
    ["NaN", raw("f32", [2], Float32Array.of(1, NaN)), "VALUE_NOT_CANONICAL", "input x: element 1 is NaN (0x7fc00000)"],
    ["-0", raw("f32", [2], Float32Array.of(-0, 1)), "VALUE_NOT_CANONICAL", "input x: element 0 is -0 (0x80000000)"],
    ["a denormal", raw("f32", [1], bits(1)), "VALUE_NOT_CANONICAL", "element 0 is 1.401298464324817e-45"],
    ["the least magnitude that is none", raw("f32", [1], bits(0x00ffffff)), "VALUE_NOT_CANONICAL", "(0x00ffffff)"],
    ["an infinity", raw("f32", [1], Float32Array.of(-Infinity)), "VALUE_NOT_CANONICAL", "element 0 is -Infinity"],
    ["more than 2^127", raw("f32", [1], bits(0xff000001)), "VALUE_NOT_CANONICAL", "(0xff000001)"],
    [
      "too few elements",
      raw("f32", [3], Float32Array.of(1, 2)),
      "SHAPE_COUNT",
      "f32[3] has 2 elements; give one value for each of its 3",
    ],
    ["too many elements", raw("f32", [], Float32Array.of(1, 2)), "SHAPE_COUNT", "f32[] has 2 elements"],
    [
      "data of another type",
      raw("f32", [1], Int32Array.of(1)),
      "VALUE_TYPE",
      "the data of its type f32 is a Int32Array; it has to be a Float32Array",
    ],
    ["a list as data", raw("i32", [1], [1]), "VALUE_TYPE", "the data of its type i32 is a list of 1"],
    ["doubles", raw("f32", [1], Float64Array.of(1)), "VALUE_TYPE", "is a Float64Array"],
    ["an unknown dtype", raw("f64" as never, [1], Float64Array.of(1)), "VALUE_TYPE", 'its dtype is the text "f64"'],
    ["a dtype that every object has", raw("toString" as never, [1], Float32Array.of(1)), "VALUE_TYPE", "its dtype is"],
    ["half an extent", raw("f32", [0.5], new Float32Array(0)), "SHAPE_EXTENTS", "[0.5] is not a shape"],
    ["no tensor", 3, "VALUE_TYPE", "input x: 3 is no tensor"],
    ["a list", [1, 2], "VALUE_TYPE", "input x: a list of 2 is no tensor"],
    ["nothing", undefined, "VALUE_TYPE", "input x: undefined is no tensor"],
  ])("evaluate refuses %s", async (_, x, code, message) => {
    for (const backend of [wasm, reference])
      await expect(
        graph.evaluate(({ x: value }) => graph.mul(value, 1), { x: x as typeof X }, { backend }),
      ).rejects.toMatchObject({ code: `VERDE_${code}`, message: expect.stringContaining(message) });
  });

  test("evaluate takes the ends of vf32, and every integer", async () => {
    const ends = raw("f32", [5], bits(0, 0x01000000, 0x81000000, 0x7f000000, 0xff000000));
    const ints = raw("i32", [3], Int32Array.of(-(2 ** 31), 2 ** 31 - 1, -1));
    const { x, k } = await graph.evaluate(({ a, b }) => ({ x: a, k: b }), { a: ends as typeof X, b: ints as typeof X });
    expect(x).toEqual(ends);
    expect(k).toEqual(ints);
  });

  test.each<[string, () => unknown, string]>([
    ["half an integer", () => graph.intTensor([3], [1.5, NaN, 5e9]), "intTensor: element 0 is 1.5"],
    ["NaN", () => graph.intTensor([2], [1, NaN]), "element 1 is NaN"],
    ["more than 32 bits", () => graph.intTensor([1], [5e9]), "element 0 is 5000000000"],
    ["an unsigned integer", () => graph.intTensor([1], [2 ** 31]), "element 0 is 2147483648"],
    ["a text", () => graph.intTensor([1], ["1" as never]), 'element 0 is the text "1", not a number'],
    ["a float that is NaN", () => graph.tensor([2], [1, NaN]), "tensor: element 1 is NaN"],
    ["a float that is null", () => graph.tensor([2], [1, null as never]), "tensor: element 1 is null, not a number"],
    ["a float that is a text", () => graph.tensor([1], ["3" as never]), "tensor: element 0 is the text"],
    ["a bigint", () => graph.tensor([1], [3n as never]), "tensor: element 0 is the bigint 3"],
    ["a hole", () => graph.tensor([1], new Array(1)), "tensor: element 0 is undefined"],
    ["no list", () => graph.tensor([1], 1 as never), "tensor: its values are 1; give a list"],
    ["an unknown option", () => graph.tensor([1], [1], { saturated: true } as never), "did you mean saturate?"],
  ])("tensors refuse %s", (_, make, message) =>
    expect(make).toThrow(expect.objectContaining({ message: expect.stringContaining(message) })),
  );

  test("integers of any list are kept", () => {
    expect([...graph.intTensor([3], [-0, -(2 ** 31), 2 ** 31 - 1]).data]).toEqual([0, -(2 ** 31), 2 ** 31 - 1]);
    expect([...graph.intTensor([2], Uint8Array.of(1, 255)).data]).toEqual([1, 255]);
  });
});

describe("results and programs", () => {
  test("an output may have any name, such as builder", async () => {
    const result = await graph.evaluate(({ x }) => ({ builder: graph.neg(x), toString: x }), { x: X });
    expect([...result.builder.data]).toEqual([-1, -2, -3, -4, -5, -6]);
  });

  test("a body that returns no values is refused", async () => {
    for (const wrong of [undefined, 3, [], { y: 3 }])
      await expect(graph.evaluate((() => wrong) as never, { x: X })).rejects.toMatchObject({
        code: "VERDE_GRAPH_ARGUMENT",
      });
  });

  test("a program of 100,000 instructions is too long", () => {
    const long = () =>
      defineProgram("f", (x) => {
        let y = x;
        for (let i = 0; i < 100_000; i++) y = y.add(x);
        return y;
      });
    expect(long).toThrow(expect.objectContaining({ code: "VERDE_PROGRAM_TOO_LONG" }));
  });

  test("-0 is 0 in a program", async () => {
    const zero = await graph.evaluate(({ x }) => graph.mul(x, -0), { x: X });
    expect([...new Uint32Array(zero.data.buffer)]).toEqual(new Array(6).fill(0));
  });
});

describe("concatenation", () => {
  const rootOf = (count: number): string => {
    const builder = new GraphBuilder();
    const values = Array.from({ length: count }, (_, i) => builder.input(`x${i}`, { dtype: "i32", shape: [1, 2] }));
    return toHex(graphRoot(builder.finish([{ name: "y", value: graph.concat(values, 0) }])));
  };

  test("of up to 32 values has one operator for each value after the first", () => {
    // The roots of graphs that exist: they do not change.
    expect(rootOf(3)).toBe("0x96155c9aa5afba485b97fe8e2f0e6b72aa0b991a330bf4bd4a494e4372f91455");
    expect(rootOf(32)).toBe("0x0aa275c5482447846483496e1402373eef93e3a77b3c99938e77bb73597d9ee1");
  });

  test("of many values takes time in proportion, almost, and keeps their order", async () => {
    const work = (count: number): number => {
      const builder = new GraphBuilder();
      const values = Array.from({ length: count }, (_, i) => builder.input(`x${i}`, { dtype: "i32", shape: [1] }));
      const { kernels } = builder.finish([{ name: "y", value: graph.concat(values, 0) }]);
      expect(kernels).toHaveLength(count - 1);
      return kernels.reduce((sum, { type }) => sum + type.shape[0], 0);
    };
    // One after another, 2,000 values would take 2 million elements.
    expect(work(2000)).toBeLessThan(2000 * 25);
    const inputs = Object.fromEntries(
      Array.from({ length: 300 }, (_, i) => [`x${i}`, graph.intTensor([1, 2], [i, -i])]),
    );
    const joined = await graph.evaluate((values) => graph.concat(Object.values(values), 0), inputs);
    expect([...joined.data]).toEqual(Array.from({ length: 300 }, (_, i) => [i, i === 0 ? 0 : -i]).flat());
  });

  test("of many values has the gradients of its parts", async () => {
    const inputs = Object.fromEntries(Array.from({ length: 70 }, (_, i) => [`x${i}`, graph.tensor([1], [i / 8])]));
    const slopes = await graph.evaluate((values) => {
      const parts = Object.values(values);
      const slope = graph.gradients(graph.sum(graph.square(graph.concat(parts, 0))), parts);
      return Object.fromEntries(slope.map((value, i) => [`x${i}`, value]));
    }, inputs);
    for (const [i, { data }] of Object.values(slopes).entries()) expect(data[0]).toBe(i / 4);
  });
});

describe("a finished graph", () => {
  test("is frozen in all its parts, and shares none with the caller", () => {
    const builder = new GraphBuilder();
    const shape = [2, 3];
    const x = builder.input("x", { dtype: "f32", shape });
    const program = defineProgram("f", (value) => value.mul(2));
    const operand = {
      source: x,
      offset: 0,
      strides: [3, 1],
      bounds: [
        [0, 2],
        [0, 3],
      ] as [number, number][],
      fill: 0,
    };
    const y = graph.map(program, [operand], { name: "y", shape });
    const done = builder.finish([{ name: "y", value: graph.sum(y, [1]) }]);
    const root = toHex(graphRoot(done));
    const thawed: unknown[] = [];
    const visit = (part: unknown): void => {
      if (typeof part !== "object" || part === null) return;
      if (!Object.isFrozen(part)) thawed.push(part);
      Object.values(part).forEach(visit);
    };
    visit(done);
    expect(thawed).toEqual([]);
    shape[0] = 9;
    operand.strides[0] = 7;
    operand.bounds[0][1] = 1;
    expect(toHex(graphRoot(done))).toBe(root);
  });
});
