/** Layer norm, with a gradient of its own. */
import { rsqrt } from "../../repops/functions/roots.ts";
import { defineProgram, float } from "../../repops/programs/expressions.ts";
import { floatSetting, NOT_NEGATIVE } from "../../repops/numbers/settings.ts";
import { map } from "../emit.ts";
import { type Operator, rowsOf } from "../operator.ts";
import { dotColumns, dotRows, sumRows } from "../rows.ts";
import { builderOf, expectFloat, settingOf, shapeError, type Value } from "../value.ts";
import { reshape } from "./reshape.ts";
import { broadcastTo, perRow, sum } from "./sum.ts";

const CENTER = defineProgram("ff", (x, mean) => x.sub(mean));
const NORMAL = defineProgram("ff", (centered, scale) => centered.mul(scale));
const AFFINE = defineProgram("fff", (normal, weight, bias) => normal.mul(weight).add(bias));
const PRODUCT = defineProgram("ff", (a, b) => a.mul(b));
/** scale · (g - mean(g) - x̂ · mean(g·x̂)) */
const NORM_GRADIENT = defineProgram("fffff", (scale, gradient, meanGradient, normal, meanProduct) =>
  scale.mul(gradient.sub(meanGradient).sub(normal.mul(meanProduct))),
);

/**
 * (x - mean) / sqrt(variance + epsilon) · weight + bias over the last axis: f32 [..., n] → [..., n].
 * @param weight f32 [n]
 * @param bias f32 [n]
 * @param epsilon 1e-5
 * @param name the label of the operator; "layer-norm"
 * @throws {ShapeError} when weight or bias does not have one element for each column, or an operand is not
 * f32
 * @throws {GraphError} when the operands belong to two graphs, or epsilon is negative or not a vf32
 */
export function layerNorm(x: Value, weight: Value, bias: Value, epsilon = 1e-5, name = "layer-norm"): Value {
  const builder = builderOf(name, { x, weight, bias });
  for (const operand of [x, weight, bias]) expectFloat(operand, name);
  floatSetting("epsilon", epsilon, NOT_NEGATIVE, settingOf(builder.label(name)));
  const n = x.shape[x.rank - 1];
  if (n === 0) throw shapeError("OPERANDS", builder, name, `rows of no elements, of ${x}, have no mean`);
  if (x.rank < 1 || weight.shape.join() !== `${n}` || bias.shape.join() !== `${n}`)
    throw shapeError("OPERANDS", builder, name, `weight ${weight} and bias ${bias} do not fit rows of ${x}`);
  const rows = reshape(x, [-1, n]);
  const shape = rows.shape;
  const over = (value: Value): Value => broadcastTo(value, shape);
  const average = defineProgram("f", (total) => total.mul(1 / n));
  const meanOf = (total: Value, label: string): Value => map(average, [total], { name: label, shape: total.shape });
  const scaleOf = defineProgram("f", (total) => rsqrt(total.mul(1 / n).add(float(epsilon))));

  const mu = meanOf(sumRows(rows, `${name}-sum`), `${name}-mean`);
  const centered = map(CENTER, [rows, perRow(mu, rows)], { name: `${name}-centered`, shape });
  const squares = dotRows(centered, centered, `${name}-squares`);
  const scale = map(scaleOf, [squares], { name: `${name}-scale`, shape: squares.shape });
  const normal = map(NORMAL, [centered, perRow(scale, rows)], { name: `${name}-normal`, shape });
  const y = map(AFFINE, [normal, over(weight), over(bias)], { name, shape });
  const origin = y.withOrigin([rows, weight, bias], (gradient) => {
    const label = `${name}-gradient`;
    const inner = map(PRODUCT, [gradient, over(weight)], { name: label, shape });
    const meanGradient = perRow(meanOf(sumRows(inner, `${label}-sum`), `${label}-mean`), rows);
    const meanProduct = perRow(meanOf(dotRows(inner, normal, `${label}-dot`), `${label}-mean`), rows);
    const operands = [perRow(scale, rows), inner, meanGradient, normal, meanProduct];
    return [
      map(NORM_GRADIENT, operands, { name: label, shape }),
      dotColumns(gradient, normal, `${name}-weight-gradient`),
      sum(gradient, [0], `${name}-bias-gradient`),
    ];
  });
  return reshape(origin, x.shape);
}

layerNorm.check = {
  number: 23,
  name: "layer norm",
  digests: {
    result: "0x2bce2d874f10925d995d23dc145af45be130a64b99441e063d32ba3116ff7ff5",
    "gradient 0": "0xdbf5d3a49f3b51c3254b0380ea1372dbd58c4ba178024da44b44f67a522280b0",
  },
  vector: ({ x, g, floats }) => ({ y: layerNorm(x, floats(3015, 37), floats(3016, 37)), gradient: g }),
  gradient: [
    {
      operands: [{ shape: [4, 6] }, { shape: [6] }, { shape: [6] }],
      apply: (x, weight, bias) => layerNorm(x, weight, bias),
      textbook: (m, x, weight, bias) =>
        rowsOf(x, 6).flatMap((row) => {
          const average = row.reduce((a, b) => a + b) / 6;
          const variance = row.reduce((total, value) => total + (value - average) * (value - average), 0) / 6;
          return row.map((value, j) => ((value - average) / m.sqrt(variance + 1e-5)) * weight[j] + bias[j]);
        }),
    },
  ],
} satisfies Operator["check"];
