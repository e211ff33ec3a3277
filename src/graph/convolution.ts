/** Convolutions over any number of axes, and their transposes: what the operators of ops/conv.ts share. */
import { checkOptions, type Refuse } from "../errors/arguments.ts";
import { wholeSetting } from "../repops/numbers/settings.ts";
import { composed } from "./autodiff.ts";
import { correlate, turned } from "./correlate.ts";
import { builderOf, expectFloat, settingOf, shapeError, type Value } from "./value.ts";
import { eachAxis, type PerAxis, type Sliding } from "./windows.ts";
import { add } from "./ops/add.ts";
import { reshape } from "./ops/reshape.ts";

/** The options of convolutions. */
export interface ConvOptions {
  /** From one window to the next; 1. */
  stride?: PerAxis;
  /**
   * Zeros on both sides of each axis; 0. "same" adds what keeps the extents, at a stride of 1; "valid" is 0.
   */
  padding?: PerAxis | "same" | "valid";
  /** From one element of a window to the next; 1. */
  dilation?: PerAxis;
  /** How many groups the channels form; outputs of a group depend on its own inputs; 1. */
  groups?: number;
}

/** The options of transposed convolutions. */
export interface ConvTransposeOptions extends Omit<ConvOptions, "padding"> {
  /** Elements that are taken off on both sides of each axis; 0. */
  padding?: PerAxis;
  /** Elements that are added at the end of each axis; below the stride or the dilation; 0. */
  outputPadding?: PerAxis;
}

/** The operands and settings that both kinds of convolution have. */
interface Parts {
  readonly refuse: Refuse;
  readonly extents: readonly number[];
  readonly kernels: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  readonly groups: number;
  /** f32 [examples, groups, inputs, extents…]. */
  readonly input: Value;
}

/** Checks what both kinds of convolution have. */
function partsOf(
  x: Value,
  weight: Value,
  options: Omit<ConvTransposeOptions, "padding">,
  known: readonly string[],
  axes: number,
  name: string,
): Parts {
  const builder = builderOf(name, { x, weight });
  const refuse = settingOf(builder.label(name));
  checkOptions(options, ["stride", "padding", "dilation", "groups", ...known], refuse);
  for (const operand of [x, weight]) expectFloat(operand, name);
  const shown = axes === 1 ? "length" : "height, width";
  if (x.rank !== axes + 2 || weight.rank !== axes + 2)
    throw shapeError(
      "OPERANDS",
      builder,
      name,
      `takes [examples, channels, ${shown}] and a weight of as many axes, not ${x} and ${weight}`,
    );
  const groups = wholeSetting("groups", options.groups ?? 1, {}, refuse);
  const [examples, channels, ...extents] = x.shape;
  if (channels % groups !== 0)
    throw refuse(`${channels} channels can't be split into ${groups} groups; take a divisor of the channels`);
  const kernels = weight.shape.slice(2);
  if ([...kernels, ...extents, channels].includes(0))
    throw shapeError("OPERANDS", builder, name, `${x} and the weight ${weight} have no elements; give some`);
  return {
    refuse,
    extents,
    kernels,
    groups,
    stride: eachAxis("stride", options.stride ?? 1, axes, 1, refuse),
    dilation: eachAxis("dilation", options.dilation ?? 1, axes, 1, refuse),
    input: reshape(x, [examples, groups, channels / groups, ...extents]),
  };
}

/** The result with a bias for each channel, and its gradients in one piece. */
function finished(y: Value, x: Value, weight: Value, bias: Value | undefined, name: string): Value {
  const [examples, groups, outputs, ...windows] = y.shape;
  const channels = groups * outputs;
  const flat = reshape(y, [examples, channels, ...windows]);
  if (bias === undefined) return composed(flat, [x, weight]);
  builderOf(name, { x, bias });
  expectFloat(bias, name, "bias");
  if (bias.shape.join() !== `${channels}`)
    throw shapeError("OPERANDS", x.builder, name, `the bias ${bias} does not fit ${channels} channels`);
  return composed(add(flat, reshape(bias, [channels, ...windows.map(() => 1)])), [x, weight, bias]);
}

/**
 * The padding in front of each axis and after it. `reach`: the distance from a window's first to last
 * element.
 */
function paddingOf(given: ConvOptions["padding"], reach: readonly number[], { refuse, stride }: Parts) {
  if (given === "same") {
    if (stride.some((step) => step !== 1))
      throw refuse(`padding "same" keeps the extents at a stride of 1 only, and the stride is ${stride.join(", ")}`);
    return reach.map((distance) => [Math.floor(distance / 2), Math.ceil(distance / 2)]);
  }
  const padding = given === "valid" ? 0 : given;
  return eachAxis("padding", padding, reach.length, 0, refuse).map((count) => [count, count]);
}

/** The convolution of `conv1d` and `conv2d`, over `axes` axes. */
export function convolution(
  x: Value,
  weight: Value,
  bias: Value | undefined,
  options: ConvOptions,
  axes: number,
  name: string,
): Value {
  const parts = partsOf(x, weight, options as ConvTransposeOptions, [], axes, name);
  const { extents, kernels, stride, dilation, groups, input } = parts;
  const [outputs, inputs] = weight.shape;
  if (outputs % groups !== 0 || inputs !== input.shape[2])
    throw shapeError(
      "OPERANDS",
      x.builder,
      name,
      `the weight ${weight} does not fit ${x} in ${groups} groups; it has to have ${input.shape[2]} inputs, ` +
        "and a multiple of the groups as outputs",
    );
  const reach = kernels.map((kernel, i) => (kernel - 1) * dilation[i]);
  const around = paddingOf(options.padding ?? 0, reach, parts);
  const slidings = extents.map((extent, i): Sliding => {
    const [before, after] = around[i];
    const all = before + extent + after;
    const windows = Math.floor((all - reach[i] - 1) / stride[i]) + 1;
    if (windows < 1)
      throw shapeError(
        "OPERANDS",
        x.builder,
        name,
        `a kernel that reaches over ${reach[i] + 1} elements does not fit an axis of ${all}, of ${x} with its padding`,
      );
    return { extent, spacing: 1, before, kernel: kernels[i], stride: stride[i], dilation: dilation[i], windows };
  });
  const own = reshape(weight, [groups, outputs / groups, inputs, ...kernels]);
  return finished(correlate(input, own, slidings, name), x, weight, bias, name);
}

/** The transposed convolution of `convTranspose1d` and `convTranspose2d`, over `axes` axes. */
export function transposedConvolution(
  x: Value,
  weight: Value,
  bias: Value | undefined,
  options: ConvTransposeOptions,
  axes: number,
  name: string,
): Value {
  const parts = partsOf(x, weight, options, ["outputPadding"], axes, name);
  const { refuse, extents, kernels, stride, dilation, groups, input } = parts;
  const [inputs, outputs] = weight.shape;
  if (inputs !== x.shape[1])
    throw shapeError(
      "OPERANDS",
      x.builder,
      name,
      `the weight ${weight} does not fit ${x}; its first extent has to be ${x.shape[1]}, the number of channels`,
    );
  const padding = eachAxis("padding", options.padding ?? 0, axes, 0, refuse);
  const extra = eachAxis("outputPadding", options.outputPadding ?? 0, axes, 0, refuse);
  const slidings = extents.map((extent, i): Sliding => {
    if (extra[i] >= Math.max(stride[i], dilation[i]))
      throw refuse(`outputPadding is ${extra[i]}; take one below the stride or the dilation`);
    const reach = (kernels[i] - 1) * dilation[i];
    const windows = (extent - 1) * stride[i] - 2 * padding[i] + reach + extra[i] + 1;
    if (windows < 1 || extent < 1)
      throw shapeError("OPERANDS", x.builder, name, `an axis of ${extent}, of ${x}, leaves no elements; pad less`);
    const before = reach - padding[i];
    return { extent, spacing: stride[i], before, kernel: kernels[i], stride: 1, dilation: dilation[i], windows };
  });
  const own = turned(reshape(weight, [groups, inputs / groups, outputs, ...kernels]));
  return finished(correlate(input, own, slidings, name), x, weight, bias, name);
}
