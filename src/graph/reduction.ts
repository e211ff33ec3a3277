/** What reductions over axes have in common: their options, the axes, and the shape of the result. */
import type { Shape } from "../encoding/tensor.ts";
import { checkOptions, describe, isPlainObject } from "../errors/arguments.ts";
import { reshape } from "./ops/reshape.ts";
import { argumentError, axesOf, expectValue, settingOf, shapeError, type Value } from "./value.ts";

/** The options of a reduction. A text in their place is the label. */
export interface Reduction {
  /** Whether the axes that are reduced stay, with the extent 1; false. */
  readonly keepdim?: boolean;
  /** The label of the operator. */
  readonly name?: string;
}

/** A reduction with its defaults: the axes in ascending order, and what the result becomes. */
export interface Reduced {
  readonly name: string;
  readonly axes: readonly number[];
  /** How many elements become one. */
  readonly count: number;
  /** A result without the axes, with them if `keepdim` asks for that. */
  finish(y: Value): Value;
  /** A result with the extent 1 on the axes, so that it broadcasts to the shape of x. */
  widen(y: Value): Value;
}

/** The label and the option `keepdim` of a reduction. */
function reductionOf(options: string | Reduction | undefined, name: string): Required<Reduction> {
  if (options === undefined) return { keepdim: false, name };
  if (typeof options === "string") return { keepdim: false, name: options };
  if (!isPlainObject(options)) throw argumentError(name, "options", options, "a label, or { keepdim, name }");
  checkOptions(options, ["keepdim", "name"], settingOf(name));
  const { keepdim = false, name: label = name } = options as Reduction;
  if (typeof label !== "string") throw argumentError(name, "name", label, "a text, the label");
  if (typeof keepdim !== "boolean") throw settingOf(label)(`keepdim is ${describe(keepdim)}; take true or false`);
  return { keepdim, name: label };
}

/** x.shape with the extent 1 on some axes. */
const ones = (shape: Shape, axes: readonly number[]): Shape =>
  shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent));

/**
 * Reads the arguments of a reduction.
 * @param axes undefined: all axes
 * @param name the label that it has by default
 * @throws {ShapeError} when an axis does not exist, or the list is empty; {GraphError} for other options
 */
export function reduction(
  x: Value,
  axes: readonly number[] | undefined,
  options: string | Reduction | undefined,
  name: string,
): Reduced {
  const { keepdim, name: label } = reductionOf(options, name);
  expectValue(x, label, "x");
  const over = axes === undefined ? [...x.shape.keys()] : axesOf(x, axes, label).sort((a, b) => a - b);
  const wide = ones(x.shape, over);
  return {
    name: label,
    axes: over,
    count: over.reduce((product, axis) => product * x.shape[axis], 1),
    finish: (y) => (keepdim ? reshape(y, wide) : y),
    widen: (y) => reshape(y, wide),
  };
}

/** @throws {ShapeError} when a reduction has no elements, and so no result */
export function expectElements(x: Value, { count, name }: Reduced): void {
  if (count === 0) throw shapeError("OPERANDS", x.builder, name, `no elements, of ${x}, have no ${name}`);
}
