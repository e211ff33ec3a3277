/** Convolutions over one or two axes, and their transposes. */
import { type ConvOptions, type ConvTransposeOptions, convolution, transposedConvolution } from "../convolution.ts";
import type { Operator } from "../operator.ts";
import type { Value } from "../value.ts";

/**
 * Convolution over one axis: f32 [examples, channels, length] → [examples, outputs, windows]. Each element is
 * Σ over the channels of its group and the kernel, in this order.
 * @param weight f32 [outputs, channels / groups, kernel]
 * @param bias f32 [outputs]; absent: 0
 * @param options `stride`, 1; `padding`, 0, also "same" and "valid"; `dilation`, 1; `groups`, 1
 * @param name the label of the operator; "conv1d"
 * @throws {ShapeError} when the operands do not fit together, are not f32, or a kernel is larger than its
 *   axis
 * @throws {GraphError} when they belong to two graphs, or an option is unknown or out of its range
 */
export function conv1d(x: Value, weight: Value, bias?: Value, options: ConvOptions = {}, name = "conv1d"): Value {
  return convolution(x, weight, bias, options, 1, name);
}

/**
 * Convolution over two axes: f32 [examples, channels, height, width] → [examples, outputs, rows, columns].
 * Each element is Σ over the channels of its group and the kernel's rows and columns, in this order.
 *
 *     conv2d(images, weight, bias, { padding: 1 }); // [8, 3, 32, 32], [16, 3, 3, 3] → [8, 16, 32, 32]
 *
 * @param weight f32 [outputs, channels / groups, rows, columns]
 * @param bias f32 [outputs]; absent: 0
 * @param options `stride`, 1; `padding`, 0, also "same" and "valid"; `dilation`, 1; `groups`, 1; each a
 *   number, or a list with one for each axis
 * @param name the label of the operator; "conv2d"
 * @throws as `conv1d` does
 */
export function conv2d(x: Value, weight: Value, bias?: Value, options: ConvOptions = {}, name = "conv2d"): Value {
  return convolution(x, weight, bias, options, 2, name);
}

/**
 * Transposed convolution over one axis, the gradient of `conv1d` as an operator: f32 [examples, channels,
 * length] → [examples, outputs, (length - 1) · stride - 2 · padding + dilation · (kernel - 1) + outputPadding
 * + 1].
 * @param weight f32 [channels, outputs / groups, kernel]
 * @param bias f32 [outputs]; absent: 0
 * @param options `stride`, 1; `padding`, 0; `outputPadding`, 0; `dilation`, 1; `groups`, 1
 * @param name the label of the operator; "conv-transpose1d"
 * @throws as `conv1d` does
 */
export function convTranspose1d(
  x: Value,
  weight: Value,
  bias?: Value,
  options: ConvTransposeOptions = {},
  name = "conv-transpose1d",
): Value {
  return transposedConvolution(x, weight, bias, options, 1, name);
}

/**
 * Transposed convolution over two axes: f32 [examples, channels, height, width] → [examples, outputs, rows,
 * columns], with the extents of `convTranspose1d`.
 * @param weight f32 [channels, outputs / groups, rows, columns]
 * @param bias f32 [outputs]; absent: 0
 * @param options `stride`, 1; `padding`, 0; `outputPadding`, 0; `dilation`, 1; `groups`, 1
 * @param name the label of the operator; "conv-transpose2d"
 * @throws as `conv1d` does
 */
export function convTranspose2d(
  x: Value,
  weight: Value,
  bias?: Value,
  options: ConvTransposeOptions = {},
  name = "conv-transpose2d",
): Value {
  return transposedConvolution(x, weight, bias, options, 2, name);
}

/**
 * Convolution by the textbook: x [examples, inputs, height, width], weight [outputs, inputs / groups, rows,
 * columns], bias [outputs].
 */
function textbook(
  [x, weight, bias]: number[][],
  [examples, inputs, height, width]: readonly number[],
  [outputs, own, rows, columns]: readonly number[],
  { stride, padding, dilation, groups }: { stride: number; padding: number; dilation: number; groups: number },
): number[] {
  const windowsOf = (extent: number, kernel: number): number =>
    Math.floor((extent + 2 * padding - (kernel - 1) * dilation - 1) / stride) + 1;
  const [down, across] = [windowsOf(height, rows), windowsOf(width, columns)];
  const at = (n: number, c: number, i: number, j: number): number =>
    i >= 0 && i < height && j >= 0 && j < width ? x[((n * inputs + c) * height + i) * width + j] : 0;
  return Array.from({ length: examples * outputs * down * across }, (_, flat) => {
    const j = flat % across;
    const i = Math.floor(flat / across) % down;
    const output = Math.floor(flat / across / down) % outputs;
    const n = Math.floor(flat / across / down / outputs);
    let total = bias[output];
    for (let c = 0; c < own; c++)
      for (let r = 0; r < rows; r++)
        for (let s = 0; s < columns; s++) {
          const channel = Math.floor((output * groups) / outputs) * own + c;
          const value = at(n, channel, i * stride - padding + r * dilation, j * stride - padding + s * dilation);
          total += value * weight[((output * own + c) * rows + r) * columns + s];
        }
    return total;
  });
}

/**
 * Transposed convolution by the textbook: each element of x [examples, inputs, height, width] adds its
 * multiple of the weight [inputs, outputs, rows, columns] to the result.
 */
function transposedTextbook(
  x: number[],
  weight: number[],
  [examples, inputs, height, width]: readonly number[],
  [outputs, rows, columns]: readonly number[],
  [stride, padding]: readonly number[],
): number[] {
  const [down, across] = [(height - 1) * stride - 2 * padding + rows, (width - 1) * stride - 2 * padding + columns];
  const y = new Array<number>(examples * outputs * down * across).fill(0);
  for (let flat = 0; flat < x.length; flat++) {
    const [j, i] = [flat % width, Math.floor(flat / width) % height];
    const [c, n] = [Math.floor(flat / width / height) % inputs, Math.floor(flat / width / height / inputs)];
    for (let k = 0; k < outputs * rows * columns; k++) {
      const [s, r, output] = [k % columns, Math.floor(k / columns) % rows, Math.floor(k / columns / rows)];
      const [row, column] = [i * stride - padding + r, j * stride - padding + s];
      if (row >= 0 && row < down && column >= 0 && column < across)
        y[((n * outputs + output) * down + row) * across + column] +=
          x[flat] * weight[c * outputs * rows * columns + k];
    }
  }
  return y;
}

conv1d.check = {
  number: 117,
  name: "conv1d",
  digests: {
    result: "0xc61edb6c9d9ad8951115edfea61b7cb5b950f82d84021f44b7544d0cda57a93c",
    "gradient 0": "0x92b3269581e5ae2f3af5c19ea484109ae56a2a1e57d620a15edf49ac134653f3",
    "gradient 1": "0x54b7f991e83b2df54fea3576ea9b723b53cc45cd9bd398d5a2a6e12e946dc23d",
  },
  vector: ({ floats }) => ({
    y: conv1d(floats(3122, 3, 4, 19), floats(3123, 6, 2, 5), undefined, { stride: 2, padding: 3, groups: 2 }),
    gradient: floats(3124, 3, 6, 11),
  }),
  gradient: [
    {
      operands: [{ shape: [2, 2, 9] }, { shape: [4, 1, 3] }, { shape: [4] }],
      apply: (x, weight, bias) => conv1d(x, weight, bias, { stride: 2, dilation: 2, groups: 2 }),
      textbook: (_, x, weight, bias) => {
        const settings = { stride: 2, padding: 0, dilation: 2, groups: 2 };
        return textbook([x, weight, bias], [2, 2, 9, 1], [4, 1, 3, 1], settings);
      },
    },
  ],
} satisfies Operator["check"];

conv2d.check = {
  number: 118,
  name: "conv2d",
  digests: {
    result: "0x05324401f3e926634db5b9b1c56d3dda21627bb6df1cbe3a4b197db05903d8da",
    "gradient 0": "0xa6d0aaf72c5ec8e7701f5db3ea991ea193a35538b370e9826fcf2446b22c7aea",
    "gradient 1": "0x6da28154a454625f1ba5814ae056158c8e75695d99dad8a51cb95b0b8031d791",
    "gradient 2": "0xab5597a6e35d0c6eee5737356ab80eb1583e31751949e652df26a6219dd0ff96",
  },
  vector: ({ floats }) => ({
    y: conv2d(floats(3125, 2, 3, 9, 8), floats(3126, 5, 3, 3, 3), floats(3127, 5), { padding: 1 }),
    gradient: floats(3128, 2, 5, 9, 8),
  }),
  gradient: [
    {
      operands: [{ shape: [2, 2, 5, 4] }, { shape: [3, 2, 3, 3] }, { shape: [3] }],
      apply: (x, weight, bias) => conv2d(x, weight, bias, { padding: 1 }),
      textbook: (_, x, weight, bias) => {
        const settings = { stride: 1, padding: 1, dilation: 1, groups: 1 };
        return textbook([x, weight, bias], [2, 2, 5, 4], [3, 2, 3, 3], settings);
      },
    },
    {
      title: "with strides, dilation and groups",
      operands: [{ shape: [1, 4, 7, 6] }, { shape: [4, 2, 2, 3] }, { shape: [4] }],
      apply: (x, weight, bias) => conv2d(x, weight, bias, { stride: 2, padding: 2, dilation: 2, groups: 2 }),
      textbook: (_, x, weight, bias) => {
        const settings = { stride: 2, padding: 2, dilation: 2, groups: 2 };
        return textbook([x, weight, bias], [1, 4, 7, 6], [4, 2, 2, 3], settings);
      },
    },
  ],
} satisfies Operator["check"];

convTranspose1d.check = {
  number: 119,
  name: "transposed conv1d",
  digests: {
    result: "0x4760fd78694709480573b53ffe250389bae896d7b1727424a9749e9c83e8696c",
    "gradient 0": "0x1df16e4d1f0f83f7343bf597978607e1bf093e406fa0260e3096e1e30a8f2dd9",
    "gradient 1": "0xe03eb2b546046c8be02f07b14826e16d1423b97848e5a2223b67403189e3d03e",
  },
  vector: ({ floats }) => ({
    y: convTranspose1d(floats(3129, 3, 4, 7), floats(3130, 4, 3, 5), undefined, { stride: 3, padding: 2 }),
    gradient: floats(3131, 3, 3, 19),
  }),
  gradient: [
    {
      operands: [{ shape: [2, 3, 4] }, { shape: [3, 2, 3] }],
      apply: (x, weight) => convTranspose1d(x, weight, undefined, { stride: 2 }),
      textbook: (_, x, weight) => transposedTextbook(x, weight, [2, 3, 4, 1], [2, 3, 1], [2, 0]),
    },
  ],
} satisfies Operator["check"];

convTranspose2d.check = {
  number: 120,
  name: "transposed conv2d",
  digests: {
    result: "0x2521bc16ca64b8f64bc109b189a41d27d60286e01358d125c161ea8db4c6f6e7",
    "gradient 0": "0xc24d485bcf36ed6368bc0bb5b2f158f243b9fbb2f96715feb26c280a9d1d4652",
    "gradient 1": "0x97c7c58e0fa68dda3abd112c51b114cbec2cdb50e603ee4ddbd8a2919e781035",
    "gradient 2": "0xab83decb82c7339e1f39f8fc78d14512e14d9996500ddfc31d5be768cd1f037c",
  },
  vector: ({ floats }) => ({
    y: convTranspose2d(floats(3132, 2, 4, 3, 4), floats(3133, 4, 2, 3, 3), floats(3134, 4), { stride: 2, groups: 2 }),
    gradient: floats(3135, 2, 4, 7, 9),
  }),
  gradient: [
    {
      operands: [{ shape: [2, 2, 3, 4] }, { shape: [2, 3, 3, 2] }],
      apply: (x, weight) => convTranspose2d(x, weight, undefined, { stride: 2, padding: 1 }),
      textbook: (_, x, weight) => transposedTextbook(x, weight, [2, 2, 3, 4], [3, 3, 2], [2, 1]),
    },
  ],
} satisfies Operator["check"];
