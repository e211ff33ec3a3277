/** What operators on arrays refuse, the order in which they add, and their forms. */
import { describe, expect, test } from "vitest";
import * as graph from "../../../src/graph/index.ts";
import { fill, GraphBuilder, type Value } from "../../../src/graph/index.ts";
import { reference } from "../../../src/repops/backends/reference.ts";
import { productForm } from "../../../src/repops/schedule/product-form.ts";
import { scatterForm } from "../../../src/repops/schedule/scatter-form.ts";
import { generator, randomTensor } from "../numeric.ts";

const X = graph.tensor([2, 3], [1, 2, 3, 4, 5, 6]);
const INDEX = graph.intTensor([2, 2], [0, 2, 1, 1]);
type Body = (given: { x: Value; i: Value; builder: GraphBuilder }) => unknown;
const of = (body: Body): Promise<unknown> =>
  graph.evaluate(({ x, i }) => body({ x, i, builder: x.builder }) as Value, { x: X, i: INDEX });

describe("misuse names the operator, the layer and the shapes:", () => {
  test.each<[string, Body, string]>([
    ["a triangle of a row", ({ x }) => graph.tril(graph.flatten(x)), "tril: takes matrices, not f32[6]"],
    ["half a diagonal", ({ x }) => graph.triu(x, 0.5), "triu: the diagonal is 0.5"],
    ["too few counts", ({ x }) => graph.repeat(x, [2]), "repeat: [2] has no count for some axes of f32[2, 3]"],
    ["a negative count", ({ x }) => graph.tile(x, [-1]), "tile: count 0 is -1"],
    ["a flip of no axis", ({ x }) => graph.flip(x, [2]), "flip: axis 2, at position 0, of f32[2, 3] does not exist"],
    ["half a roll", ({ x }) => graph.roll(x, 0.5, 0), "roll: can't move axis 0 of f32[2, 3] by 0.5 places"],
    [
      "sizes that don't add up",
      ({ x }) => graph.split(x, [1, 1], 1),
      "the sizes add up to 2, but axis 1 of f32[2, 3] has 3",
    ],
    [
      "a stack of two shapes",
      ({ x }) => graph.stack([x, graph.flatten(x)]),
      "stack: value 0, f32[2, 3], and value 1, f32[6], differ",
    ],
    ["a place that is none", ({ x }) => graph.unsqueeze(x, 4), "f32[2, 3] has no place 4 for an axis; take -3 to 2"],
    ["an index that is none", ({ x }) => graph.select(x, 0, 2), "select: axis 0 of f32[2, 3] has no index 2; it has 2"],
    ["-1 for a new axis", ({ x }) => graph.expand(x, [-1, 2, 3]), "expand: -1 at position 0 stands for an axis"],
    [
      "an end before the start",
      ({ x }) => graph.flatten(x, 1, 0),
      "flatten: the end, axis 0 of f32[2, 3], is before the start",
    ],
    ["a step of 0", ({ builder }) => graph.arange(builder, 0, 3, 0), "arange: the step is 0"],
    ["no builder", ({ x }) => graph.eye(x as never, 3), "eye: builder is a value f32[2, 3]; pass the graph builder"],
    ["a row of floats as classes", ({ x }) => graph.oneHot(x, 3), "one-hot: takes an i32 index, not f32[2, 3]"],
    [
      "a mask of another shape",
      ({ x, i }) => graph.maskedFill(x, i, 0),
      "broadcast: i32[2, 2] does not broadcast to [2, 3]",
    ],
    ["one axis twice", ({ x }) => graph.diagonal(x, 0, 1, -1), "diagonal: axes 1 and -1 of f32[2, 3] are the same one"],
    [
      "letters of another rank",
      ({ x }) => graph.einsum("ij,j", x, x),
      'the text "ij,j" of f32[2, 3] and f32[2, 3]: the term the text "j" does not',
    ],
    ["a letter of two extents", ({ x }) => graph.einsum("ij,jk", x, x), "the axis j has the extents 3 and 2"],
    [
      "a letter that no operand has",
      ({ x }) => graph.einsum("ij,ij->k", x, x),
      "no operand has the letter k of the result",
    ],
    ["a letter twice in the result", ({ x }) => graph.einsum("ij,ij->ii", x, x), "the result has the letter i twice"],
    ["three terms", ({ x }) => graph.einsum("i,j,k", x, x), "it needs two terms"],
    ["batches of two sizes", ({ x }) => graph.bmm(x, x), "bmm: f32[2, 3] times f32[2, 3]: give two batches"],
    ["a dot of matrices", ({ x }) => graph.dot(x, x), "dot: takes two rows, not f32[2, 3]"],
    ["a vector of another length", ({ x }) => graph.matmul(x, graph.flatten(x)), "f32[2, 3] times f32[6, 1]"],
    [
      "the greatest of nothing",
      ({ x }) => graph.amax(graph.slice(x, 0, 1, 1)),
      "amax: no elements, of f32[0, 3], have no amax",
    ],
    [
      "an option that is none",
      ({ x }) => graph.sum(x, [0], { keepDim: true } as never),
      "sum: there is no option keepDim; did you mean keepdim?",
    ],
    [
      "a correction of all",
      ({ x }) => graph.variance(x, [0], { correction: 2 }),
      "variance: 2 elements minus a correction of 2",
    ],
    [
      "another order",
      ({ x }) => graph.vectorNorm(x, [0], { order: 3 as never }),
      "vector-norm: the order is 3; take 1, 2 or Infinity",
    ],
    ["a sort along no axis", ({ x }) => graph.sort(x, 5), "sort: axis 5 of f32[2, 3] does not exist"],
    [
      "a wrong direction",
      ({ x }) => graph.sort(x, 0, { descending: 1 as never }),
      "sort: descending is 1; take true or false",
    ],
    ["more than there are", ({ x }) => graph.topk(x, 4), "topk: k is 4; take a whole number from 1 to 3"],
    [
      "an index of another shape",
      ({ x, i }) => graph.takeAlongDim(x, i, 0),
      "take-along-dim: the index i32[2, 2] does not choose along axis 0 of f32[2, 3]",
    ],
    [
      "a source of another shape",
      ({ x, i }) => graph.scatterAdd(x, 1, i, x),
      "scatter-add: the source f32[2, 3] does not have one element for each of i32[2, 2]",
    ],
    [
      "slices of another shape",
      ({ x, i }) => graph.indexAdd(x, 1, i, x),
      "index-add: slices f32[2, 3] by i32[2, 2] do not fit",
    ],
    [
      "segments of another length",
      ({ x, i }) => graph.segmentSum(x, i, 2),
      "segment-sum: segments i32[2, 2] of f32[2, 3]",
    ],
    ["a reflection that is too far", ({ x }) => graph.reflectionPad(x, 1, 3, 0), "take counts from 0 to 2"],
    ["rows of another dtype", ({ x, i }) => graph.searchsorted(x, i), "searchsorted: places of i32[2, 2] in f32[2, 3]"],
    ["bins in reverse", ({ x }) => graph.histc(x, 3, 1, 1), "histc: max is 1; take a number above 1"],
    ["three bits", ({ x }) => graph.quantize(x, x, { bits: 3 as never }), "quantize: bits is 3; take 2, 4 or 8"],
    ["packed floats", ({ x }) => graph.packBits(x, 4), "pack-bits: takes rows of i32, not f32[2, 3]"],
    [
      "too few words",
      ({ i }) => graph.unpackBits(i, 8, 9),
      "unpack-bits: 9 integers of 8 bits are not packed in i32[2, 2]",
    ],
    ["chunks of a cube", ({ x }) => graph.chunkedDct(graph.unsqueeze(x, 0)), "chunked-dct: chunks of f32[1, 2, 3]"],
    ["k of 0", ({ x }) => graph.topKFilter(x, 0), "top-k-filter: k is 0"],
    ["a share above 1", ({ x }) => graph.topPFilter(x, 1.5), "top-p-filter: p is 1.5"],
    [
      "a layer",
      ({ x, builder }) => builder.scope("blocks.0", () => graph.topk(x, 4)),
      "blocks.0/topk: k is 4; take a whole number from 1 to 3",
    ],
  ])("%s", async (_, body, message) => {
    await expect(of(body)).rejects.toMatchObject({
      code: expect.stringMatching(/^VERDE_(SHAPE|GRAPH)_/),
      message: expect.stringContaining(message),
    });
  });
});

/** The kernels of a graph of two inputs. */
function kernelsOf(shapes: readonly (readonly number[])[], body: (...values: Value[]) => Value) {
  const builder = new GraphBuilder();
  const inputs = shapes.map((shape, i) => builder.input(`input ${i}`, { dtype: "f32", shape }));
  return builder.finish([{ name: "y", value: graph.dense(body(...inputs)) }]).kernels;
}

describe("einsum", () => {
  test("of a matrix product has its bits, and its kernel", async () => {
    const [a, b] = [randomTensor([5, 40], generator(1)), randomTensor([40, 7], generator(2))];
    const both = await graph.evaluate(({ a, b }) => ({ x: graph.einsum("ij,jk->ik", a, b), y: graph.matmul(a, b) }), {
      a,
      b,
    });
    expect(both.x).toEqual(both.y);
  });

  test.each([
    ["ij,jk->ik", [5, 4], [4, 7]],
    ["ij,kj->ik", [5, 4], [7, 4]],
    ["bqhd,bkhd->bhqk", [2, 5, 3, 4], [2, 6, 3, 4]],
    ["bhqk,bkhd->bqhd", [2, 3, 5, 6], [2, 6, 3, 4]],
    ["abc,bcd->ad", [5, 2, 3], [2, 3, 4]],
  ])("%s takes the path of matrix products", (equation, a, b) => {
    const [kernel, ...rest] = kernelsOf([a, b], (x, y) => graph.einsum(equation, x, y));
    expect(rest).toEqual([]);
    expect(kernel.kind === "fold" && productForm(kernel)).toBeTruthy();
  });
});

describe("scatters", () => {
  test("add in the order of the positions", async () => {
    // 1 + 2^24 is rounded to 2^24, so the order shows.
    const terms = [1, 2 ** 24, -(2 ** 24), 1];
    const x = graph.tensor([1, 4], [...terms]);
    const index = graph.intTensor([1, 4], [0, 0, 0, 0]);
    const y = await graph.evaluate(({ x, index }) => graph.scatterAdd(fill(x.builder, [1, 2], 0), 1, index, x), {
      x,
      index,
    });
    expect([...y.data]).toEqual([1, 0]);
  });

  test("have the form that backends run in one step a position", () => {
    const builder = new GraphBuilder();
    const x = builder.input("x", { dtype: "f32", shape: [3, 12] });
    const index = builder.input("i", { dtype: "i32", shape: [3, 12] });
    const y = graph.scatterAdd(fill(builder, [3, 9], 0), 1, index, x);
    const { kernels } = builder.finish([{ name: "y", value: graph.dense(y) }]);
    const folds = kernels.filter((kernel) => kernel.kind === "fold");
    expect(folds.map((kernel) => scatterForm(kernel)?.count)).toEqual([36]);
  });

  test("have the same bits in both forms", async () => {
    const [k, more] = [8, 9];
    const random = generator(4);
    const places = Array.from({ length: 5 * k }, () => Math.floor(random() * 4) - 1);
    const x = randomTensor([5, k], random);
    // A ninth position that is passed over makes it the other form.
    const wide = Array.from({ length: 5 }, (_, i) => [...places.slice(i * k, (i + 1) * k), -1]).flat();
    const both = await graph.evaluate(
      ({ x, few, many }) => {
        const zeros = fill(x.builder, [5, 3], 0);
        return {
          few: graph.scatterAdd(zeros, 1, few, x),
          many: graph.scatterAdd(zeros, 1, many, graph.pad(x, 1, 0, 1)),
        };
      },
      { x, few: graph.intTensor([5, k], places), many: graph.intTensor([5, more], wide) },
    );
    expect(both.few).toEqual(both.many);
  });

  test("of more positions than one fold takes are several folds", () => {
    const builder = new GraphBuilder();
    const x = builder.input("x", { dtype: "f32", shape: [5, 2 ** 20] });
    const index = builder.input("i", { dtype: "i32", shape: [5, 2 ** 20] });
    const y = graph.scatterMean(x, index, 3, 1);
    const { kernels } = builder.finish([{ name: "y", value: graph.dense(y) }]);
    const counts = kernels.flatMap((kernel) => (kernel.kind === "fold" ? kernel.reduce : []));
    expect(counts).toEqual([2 ** 22, 2 ** 20, 2 ** 22, 2 ** 20]);
  });
});

describe("running sums", () => {
  test("are made by doubling", async () => {
    const x = randomTensor([9], generator(3));
    const y = await graph.evaluate(({ x }) => graph.cumsum(x, 0), { x }, { backend: reference });
    const wanted = Float32Array.from(x.data);
    for (let shift = 1; shift < 9; shift *= 2) {
      const before = Float32Array.from(wanted);
      for (let i = shift; i < 9; i++) wanted[i] = before[i] + before[i - shift];
    }
    expect(y.data).toEqual(wanted);
  });
});

describe("numbers at equal distances", () => {
  test("reach both ends, and are those of PyTorch's formula", async () => {
    const y = await graph.evaluate(
      ({ x }) => ({
        a: graph.linspace(x.builder, -1, 2, 5),
        b: graph.linspace(x.builder, 3, 9, 1),
        c: graph.arange(x.builder, 5, -2, -3),
      }),
      { x: X },
    );
    expect([...y.a.data]).toEqual([-1, -0.25, 0.5, 1.25, 2]);
    expect([...y.b.data]).toEqual([3]);
    expect([...y.c.data]).toEqual([5, 2, -1]);
  });
});

describe("cosine transforms", () => {
  test("have a basis that is right to 1e-7, and are undone", async () => {
    for (const n of [1, 2, 3, 5, 8, 63, 64, 1000]) {
      const eye = await graph.evaluate(({ x }) => graph.dct(graph.eye(x.builder, n)), { x: X });
      let worst = 0;
      for (let i = 0; i < n; i++)
        for (let k = 0; k < n; k++) {
          const wanted =
            Math.sqrt((k === 0 ? 1 : 2) / n) * Math.cos((Math.PI * (((2 * i + 1) * k) % (4 * n))) / (2 * n));
          worst = Math.max(worst, Math.abs(eye.data[i * n + k] - wanted));
        }
      expect(worst, `n = ${n}`).toBeLessThan(1.5e-7);
    }
    const x = randomTensor([12, 130], generator(5));
    const back = await graph.evaluate(({ x }) => graph.chunkedIdct(graph.chunkedDct(x, 64), [12, 130], 64), { x });
    for (const [i, value] of back.data.entries()) expect(Math.abs(value - x.data[i])).toBeLessThan(1e-6);
  });

  test("cut chunks at the largest divisors", async () => {
    const shapes = await graph.evaluate(
      ({ x, y, z }) => ({ x: graph.chunkedDct(x), y: graph.chunkedDct(y), z: graph.chunkedDct(z, 4) }),
      {
        x: randomTensor([128, 96], generator(6)),
        y: randomTensor([67], generator(7)),
        z: randomTensor([6, 10], generator(8)),
      },
    );
    expect(shapes.x.shape).toEqual([2, 2, 64 * 48]);
    expect(shapes.y.shape).toEqual([1, 67, 1]);
    expect(shapes.z.shape).toEqual([2, 5, 3 * 2]);
  });
});
