/** The loss of a classifier. */
import { log } from "../../repops/functions/logarithm.ts";
import { defineProgram } from "../../repops/programs/expressions.ts";
import { dense } from "../dense.ts";
import { map } from "../emit.ts";
import { indices, type Operator, rowsOf } from "../operator.ts";
import { builderOf, expectFloat, shapeError, type Value } from "../value.ts";
import { pick } from "./gather.ts";
import { mean } from "./mean.ts";
import { reshape } from "./reshape.ts";
import { softmaxParts, softmaxRow } from "./softmax.ts";
import { perRow } from "./sum.ts";

const ROW_LOSS = defineProgram("fff", (total, max, target) => log(total).add(max.sub(target)));
/** (softmax - 1 at the target) times the row's gradient. */
const LOSS_GRADIENT = defineProgram("ffiif", (power, total, target, column, gradient) =>
  power.div(total).sub(target.eq(column).select(1, 0)).mul(gradient),
);

/**
 * The mean over rows of -log softmax(logits)[target], in nats: an f32 scalar.
 *
 *     const loss = crossEntropy(logits, labels); // f32 [64, 10] and i32 [64]
 *
 * @param logits f32 [..., classes]
 * @param targets i32 [...], from 0 to classes - 1; for a target outside of this range the target's logit
 * counts as 0
 * @param name the label of the operator; "cross-entropy"
 * @throws {ShapeError} when there is not one i32 target for each row, or the logits are not f32
 * @throws {GraphError} when the operands belong to two graphs
 */
export function crossEntropy(logits: Value, targets: Value, name = "cross-entropy"): Value {
  const builder = builderOf(name, { logits, targets });
  expectFloat(logits, name);
  const classes = logits.shape[logits.rank - 1];
  if (logits.rank === 0 || targets.dtype !== "i32" || targets.shape.join() !== logits.shape.slice(0, -1).join())
    throw shapeError("OPERANDS", builder, name, `targets ${targets} for logits ${logits}; give one i32 for each row`);
  if (classes === 0)
    throw shapeError("OPERANDS", builder, name, `the logits ${logits} have no classes; give one at least`);
  const rows = reshape(logits, [-1, classes]);
  const target = dense(reshape(targets, [-1]));
  const { max, powers, total } = softmaxParts(rows, name);
  const chosen = pick(rows, target, `${name}-target`);
  const losses = map(ROW_LOSS, [total, max, chosen], { name: `${name}-rows`, shape: total.shape });
  const perRowLoss = losses.withOrigin([rows], (gradient) => {
    const operands = [powers, perRow(total, rows), perRow(target, rows), { coordinate: 1 }, perRow(gradient, rows)];
    return [map(LOSS_GRADIENT, operands, { name: `${name}-gradient`, shape: rows.shape })];
  });
  return mean(perRowLoss, undefined, name);
}

const TARGETS = [2, 0, 4];

crossEntropy.check = {
  number: 24,
  name: "cross-entropy",
  digests: {
    result: "0xee7e48659ed3f13af331553e7428f0757915bad83cf5137b6a214da69096f73c",
    "gradient 0": "0x72301a4723b19237dd410c797b3eb66d4a9a933b0821d82765bb803b89601186",
  },
  vector: ({ x, classes, floats }) => ({ y: crossEntropy(x, classes), gradient: floats(3017, 13) }),
  gradient: [
    {
      operands: [{ shape: [3, 5], from: -3, to: 3 }, indices([3], TARGETS)],
      apply: (x, targets) => crossEntropy(x, targets),
      textbook: (m, x) => [
        rowsOf(x, 5).reduce((total, row, i) => total - m.log(softmaxRow(m, row)[TARGETS[i]]) / 3, 0),
      ],
    },
  ],
} satisfies Operator["check"];
