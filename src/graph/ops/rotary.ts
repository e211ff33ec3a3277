/** Rotary position embedding. */
import { exp } from "../../repops/functions/exponential.ts";
import { cos, sin } from "../../repops/functions/trigonometry.ts";
import { floatSetting } from "../../repops/numbers/settings.ts";
import { defineProgram, float } from "../../repops/programs/expressions.ts";
import { checkOptions, describe } from "../../errors/arguments.ts";
import { logOf } from "../constants.ts";
import { reversed } from "../correlate.ts";
import { map, type Operand } from "../emit.ts";
import { indices, type Operator, type Textbook } from "../operator.ts";
import { builderOf, expectFloat, expectValue, settingOf, shapeError, type Value } from "../value.ts";
import { readOver } from "../windows.ts";
import { reshape } from "./reshape.ts";

/** The options of `rotaryEmbedding`. */
export interface RotaryOptions {
  /** Position p turns pair i by p · base^(-2i/dim); above 1; 10000. */
  base?: number;
  /** The position of each row, i32 [length]; absent: 0, 1, … */
  positions?: Value;
  /** Whether pairs are neighbours (2i, 2i + 1); false: element i of each half, as in Llama. */
  interleaved?: boolean;
}

const COSINE = defineProgram("f", (angle) => cos(angle));
const SINE = defineProgram("f", (angle) => sin(angle));
/** x · cos - partner · sin in the first of a pair, x · cos + partner · sin in the second. */
const TURN = defineProgram("ffffi", (x, partner, c, s, which) =>
  x.mul(c).add(which.eq(0).select(partner.neg(), partner).mul(s)),
);
const TURN_BACK = defineProgram("ffffi", (x, partner, c, s, which) =>
  x.mul(c).add(which.eq(0).select(partner, partner.neg()).mul(s)),
);

/**
 * Turns pairs of elements by an angle that grows with the position: f32 [..., length, dim] → the same. The
 * angle of pair i is position · base^(-2i/dim), in binary32 as Llama computes it: it is within position ·
 * 2^-22 of the true one.
 *
 *     const queries = rotaryEmbedding(q); // [batch, heads, length, dim]
 *
 * @param options `base`, 10000; `positions`, i32 [length], by default 0, 1, …; `interleaved`, false
 * @param name the label of the operator; "rotary"
 * @throws {ShapeError} when x has fewer than two axes, its last extent is odd or 0, it is not f32, or there
 *   is not one i32 position for each row
 * @throws {GraphError} when the operands belong to two graphs, or an option is unknown or out of its range
 */
export function rotaryEmbedding(x: Value, options: RotaryOptions = {}, name = "rotary"): Value {
  expectValue(x, name, "x");
  const refuse = settingOf(x.builder.label(name));
  checkOptions(options, ["base", "positions", "interleaved"], refuse);
  const { base = 10000, positions, interleaved = false } = options;
  floatSetting("base", base, { above: 1 }, refuse);
  if (typeof interleaved !== "boolean") throw refuse(`interleaved is ${describe(interleaved)}; take true or false`);
  expectFloat(x, name);
  builderOf(name, { x, ...(positions !== undefined && { positions }) });
  const dim = x.shape[x.rank - 1];
  if (x.rank < 2 || dim % 2 !== 0 || dim === 0)
    throw shapeError("OPERANDS", x.builder, name, `takes [..., length, dim] with an even dim, not ${x}`);
  const length = x.shape[x.rank - 2];
  if (positions && (positions.dtype !== "i32" || positions.shape.join() !== `${length}`))
    throw shapeError("OPERANDS", x.builder, name, `the positions ${positions} are not one i32 for each row of ${x}`);

  const [c, s] = tables(x, length, dim, base, positions, name);
  const lead = x.rank - 1;
  const pair = interleaved ? lead + 1 : lead;
  const shape = [...x.shape.slice(0, -1), ...(interleaved ? [dim / 2, 2] : [2, dim / 2])];
  const places = shape.map((_, axis) => (axis === lead - 1 ? 0 : axis === (interleaved ? lead : lead + 1) ? 1 : -1));
  const turned = (value: Value, program: typeof TURN, label: string): Value => {
    const own = reshape(value, shape);
    const operands: Operand[] = [
      own,
      reversed(own, [pair]),
      readOver(c, shape, places),
      readOver(s, shape, places),
      { coordinate: pair },
    ];
    return reshape(map(program, operands, { name: label, shape }), x.shape);
  };
  return turned(x, TURN, name).withOrigin([x], (gradient) => [turned(gradient, TURN_BACK, `${name}-gradient`)]);
}

/** The cosine and the sine of each position and pair: f32 [length, dim / 2] twice. */
function tables(x: Value, length: number, dim: number, base: number, positions: Value | undefined, name: string) {
  const shape = [length, dim / 2];
  // The step from a pair to the next one in two parts, of which the first has 12 bits: its multiples are
  // exact.
  const step = (2 * logOf(base)) / dim;
  const high = Math.fround(Math.floor(step * 2 ** 12) / 2 ** 12);
  const low = step - high;
  const at: Operand = positions ? readOver(positions, shape, [0, -1]) : { coordinate: 0 };
  const angle = defineProgram("ii", (position, index) => {
    const pair = index.toFloat();
    const rate = exp(pair.mul(float(-high))).mul(exp(pair.mul(float(low === 0 ? 0 : -low))));
    return position.toFloat().mul(rate);
  });
  const { builder } = x;
  const angles = map(angle, [at, { coordinate: 1 }], { name: `${name}-angle`, shape, builder });
  return [map(COSINE, [angles], { name: `${name}-cos`, shape }), map(SINE, [angles], { name: `${name}-sin`, shape })];
}

/** By the textbook: rows of `dim` elements, row i at position positions[i % length]. */
function textbook(m: Textbook, x: number[], dim: number, positions: number[], interleaved: boolean): number[] {
  const half = dim / 2;
  return x.map((value, at) => {
    const j = at % dim;
    const row = at - j;
    const pair = interleaved ? Math.floor(j / 2) : j % half;
    const isFirst = interleaved ? j % 2 === 0 : j < half;
    const partner = x[row + (interleaved ? j + (isFirst ? 1 : -1) : j + (isFirst ? half : -half))];
    const angle = positions[(row / dim) % positions.length] * m.exp((-2 * pair * m.log(100)) / dim);
    return value * m.cos(angle) + (isFirst ? -partner : partner) * m.sin(angle);
  });
}

rotaryEmbedding.check = {
  number: 129,
  name: "rotary embedding",
  digests: {
    result: "0xe1fb932a34df0e61d411e123290d3aa4dda397a44dd157c7dce71d73b9a96fda",
    "gradient 0": "0x354fe06ebb16b8157f650f7047926d90ae9b3b77b22628fba6339422010e904d",
  },
  vector: ({ floats }) => ({ y: rotaryEmbedding(floats(3152, 3, 2, 7, 10)), gradient: floats(3153, 3, 2, 7, 10) }),
  gradient: [
    {
      title: "of halves",
      operands: [{ shape: [2, 3, 6] }],
      apply: (x) => rotaryEmbedding(x, { base: 100 }),
      textbook: (m, x) => textbook(m, x, 6, [0, 1, 2], false),
    },
    {
      title: "of neighbours, at given positions",
      operands: [{ shape: [2, 3, 4] }, indices([3], [5, 0, 17])],
      apply: (x, positions) => rotaryEmbedding(x, { base: 100, positions, interleaved: true }),
      textbook: (m, x) => textbook(m, x, 4, [5, 0, 17], true),
    },
  ],
} satisfies Operator["check"];
