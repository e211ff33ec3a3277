/** Convolutions with trained weights. */
import { describe } from "../../errors/arguments.ts";
import type { ConvOptions } from "../../graph/convolution.ts";
import { conv1d, conv2d } from "../../graph/ops/conv.ts";
import type { Value } from "../../graph/value.ts";
import type { Context } from "../context.ts";
import { type Initializer, uniform } from "../initializers.ts";
import { countOf, expectOptions, settingError } from "../settings.ts";
import { expectLayer } from "./arguments.ts";

/** The options of convolution layers: those of the operator, and two of their parameters. */
export interface ConvLayerOptions extends ConvOptions {
  /** The initial `weight`; default uniform up to 1/sqrt(elements of a window), as in PyTorch. */
  init?: Initializer;
  /** Whether a trained `bias` is added; default true. */
  bias?: boolean;
}

function convolutionLayer(
  call: string,
  context: Context,
  name: string,
  x: Value,
  outputs: number,
  kernels: readonly number[],
  options: ConvLayerOptions,
): Value {
  const path = expectLayer(call, context, name, x);
  expectOptions(path, options, ["init", "bias", "stride", "padding", "dilation", "groups"]);
  const { init, bias = true, ...settings } = options;
  if (typeof bias !== "boolean") throw settingError(path, `bias is ${describe(bias)}; take true or false`);
  if (x.rank !== kernels.length + 2)
    throw settingError(path, `takes [examples, channels] and ${kernels.length} more axes, not ${x}; reshape it`);
  countOf(path, "the number of its outputs", outputs);
  for (const extent of kernels) countOf(path, "an extent of the kernel", extent);
  const groups = countOf(path, "groups", settings.groups ?? 1);
  if (x.shape[1] % groups !== 0 || outputs % groups !== 0)
    throw settingError(path, `${groups} groups do not divide ${x.shape[1]} channels and ${outputs} outputs`);
  const inputs = countOf(path, "the number of inputs of a group", x.shape[1] / groups);
  const limit = 1 / Math.sqrt(kernels.reduce((product, extent) => product * extent, inputs));
  return context.scope(name, () => {
    const weight = context.parameter("weight", [outputs, inputs, ...kernels], init ?? uniform(limit));
    const own = bias ? context.parameter("bias", [outputs], uniform(limit)) : undefined;
    return (kernels.length === 1 ? conv1d : conv2d)(x, weight, own, settings);
  });
}

/**
 * Convolution over one axis: f32 [examples, channels, length] → [examples, outputs, windows]. Parameters
 * `weight` [outputs, channels / groups, kernel] and `bias` [outputs].
 * @param name the scope of its parameters and operators
 * @param options `stride`, `padding`, `dilation` and `groups` of `conv1d`; `init` and `bias`
 * @throws {JobError} when x has other axes, a size is not a whole number from 1, groups do not divide, or the
 *   name is taken
 * @throws {ShapeError | GraphError} as `conv1d` does
 */
export function conv1dLayer(
  context: Context,
  name: string,
  x: Value,
  outputs: number,
  kernel: number,
  options: ConvLayerOptions = {},
): Value {
  return convolutionLayer("conv1dLayer", context, name, x, outputs, [kernel], options);
}

/**
 * Convolution over two axes: f32 [examples, channels, height, width] → [examples, outputs, rows, columns].
 * Parameters `weight` [outputs, channels / groups, rows, columns] and `bias` [outputs].
 *
 *     const y = relu(conv2dLayer(job, "stem", images, 16, 3, { padding: 1 }));
 *
 * @param name the scope of its parameters and operators
 * @param kernel one extent for both axes, or one for each
 * @param options `stride`, `padding`, `dilation` and `groups` of `conv2d`; `init` and `bias`
 * @throws as `conv1dLayer` does
 */
export function conv2dLayer(
  context: Context,
  name: string,
  x: Value,
  outputs: number,
  kernel: number | readonly [rows: number, columns: number],
  options: ConvLayerOptions = {},
): Value {
  const kernels = Array.isArray(kernel) ? (kernel as readonly number[]) : [kernel as number, kernel as number];
  return convolutionLayer("conv2dLayer", context, name, x, outputs, kernels, options);
}
