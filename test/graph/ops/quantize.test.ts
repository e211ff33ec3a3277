/** Quantised numbers: rounding, saturation, packing, and the straight-through gradient. */
import { describe, expect, test } from "vitest";
import {
  affineScale,
  dequantize,
  dequantizeSign,
  evaluate,
  fakeQuantize,
  fill,
  gradients,
  intTensor,
  packBits,
  quantizationScale,
  quantize,
  quantizeSign,
  sum,
  tensor,
  unpackBits,
  type Value,
} from "../../../src/graph/index.ts";
import { generator } from "../numeric.ts";

const of = (x: Value, scale: number): Value => fill(x.builder, [], scale);
const numbers = (values: ArrayLike<number>): number[] => Array.from(values);

/** Half to even. */
const rounded = (x: number): number => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));

describe("quantize", () => {
  test("rounds halves to even, and saturates at every width", async () => {
    const steps = Array.from({ length: 1281 }, (_, i) => (i - 640) / 4);
    for (const bits of [2, 4, 8] as const)
      for (const signed of [true, false]) {
        const y = await evaluate(({ x }) => quantize(x, of(x, 0.5), { bits, signed }), { x: tensor([1281], steps) });
        const [low, high] = signed ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1];
        expect(numbers(y.data), `${bits} bits, signed ${signed}`).toEqual(
          steps.map((x) => Math.min(high, Math.max(low, rounded(x / 0.5)) + 0)),
        );
      }
  });

  test("saturates the greatest numbers, and quotients by 0", async () => {
    const x = tensor([5], [2 ** 127, -(2 ** 127), 1, -1, 0]);
    const y = await evaluate(({ x }) => ({ a: quantize(x, of(x, 2 ** -125)), b: quantize(x, of(x, 0)) }), { x });
    expect(numbers(y.a.data)).toEqual([127, -128, 127, -128, 0]);
    expect(numbers(y.b.data)).toEqual([127, -128, 127, -128, 0]);
  });

  test("is undone up to half a step by rows and by groups, symmetric and affine", async () => {
    const random = generator(11);
    const x = tensor(
      [3, 8],
      Array.from({ length: 24 }, () => random() * 6 - 1),
    );
    const y = await evaluate(
      ({ x }) => {
        const scale = quantizationScale(x, 8, [1]);
        const affine = affineScale(x, 8, [1]);
        const options = { zeroPoint: affine.zeroPoint, signed: false };
        return {
          symmetric: dequantize(quantize(x, scale), scale),
          scale,
          affine: dequantize(quantize(x, affine.scale, options), affine.scale, affine.zeroPoint),
          step: affine.scale,
        };
      },
      { x },
    );
    for (const [i, value] of x.data.entries()) {
      const row = Math.floor(i / 8);
      expect(Math.abs(y.symmetric.data[i] - value)).toBeLessThanOrEqual(y.scale.data[row] * 0.5001);
      // The zero point is rounded too, so an end of the range may lie a step outside.
      expect(Math.abs(y.affine.data[i] - value)).toBeLessThanOrEqual(y.step.data[row] * 1.0001);
    }
  });

  test("lets gradients through where it does not saturate", async () => {
    const x = tensor([5], [-1000, -64, 0.3, 63.6, 63.7]);
    const slope = await evaluate(({ x }) => gradients(sum(fakeQuantize(x, of(x, 0.5))), [x])[0], { x });
    expect(numbers(slope.data)).toEqual([0, 1, 1, 1, 1]);
    const shifted = await evaluate(
      ({ x, zero }) => gradients(sum(fakeQuantize(x, of(x, 0.5), { zeroPoint: zero })), [x])[0],
      { x, zero: intTensor([], [2]) },
    );
    expect(numbers(shifted.data)).toEqual([0, 1, 1, 0, 0]);
  });

  test("keeps signs in one bit, with the mean magnitude", async () => {
    const x = tensor([2, 3], [1, -2, 3, 0, -4, 0]);
    const y = await evaluate(({ x }) => dequantizeSign(quantizeSign(x), quantizationScale(x, 1, [1])), { x });
    expect(numbers(y.data)).toEqual(
      [2, -2, 2, 4, -4, 4].map((value, i) => (i < 3 ? value : Math.fround(value / 3))).map((v) => expect.closeTo(v, 6)),
    );
  });
});

describe("packing", () => {
  test.each([1, 2, 4, 8] as const)("of %i bits is undone, for rows of every length", async (bits) => {
    const random = generator(bits);
    for (let n = 0; n <= 70; n += n < 35 ? 1 : 7) {
      const values = Array.from({ length: 2 * n }, () => Math.floor(random() * 2 ** bits));
      const y = await evaluate(
        ({ x }) => {
          const words = packBits(x, bits);
          return { words, back: unpackBits(words, bits, n), signed: unpackBits(words, bits, n, true) };
        },
        { x: intTensor([2, n], values) },
      );
      expect(y.words.shape).toEqual([2, Math.ceil((n * bits) / 32)]);
      expect(numbers(y.back.data)).toEqual(values);
      const half = 2 ** (bits - 1);
      expect(numbers(y.signed.data)).toEqual(values.map((value) => (value >= half ? value - 2 ** bits : value)));
    }
  });

  test("puts the first integer lowest, and cuts numbers to their lowest bits", async () => {
    const y = await evaluate(({ x }) => packBits(x, 4), { x: intTensor([3], [1, -1, 0x12]) });
    expect(numbers(y.data)).toEqual([0x2f1]);
  });
});
