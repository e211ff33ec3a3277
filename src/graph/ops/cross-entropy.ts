/** The losses of a classifier. */
import { log } from "../../repops/functions/logarithm.ts";
import { SUM_STEP } from "../../repops/kernels/kernel.ts";
import { floatSetting, INT32, SHARE, wholeSetting } from "../../repops/numbers/settings.ts";
import { defineProgram } from "../../repops/programs/expressions.ts";
import { checkOptions } from "../../errors/arguments.ts";
import { composed } from "../autodiff.ts";
import { expectWeights, type LabelledRows, weightedLosses, weightsOfRows } from "../class-weights.ts";
import { dense } from "../dense.ts";
import { map } from "../emit.ts";
import { indices, type Operator, rowsOf } from "../operator.ts";
import { expectReduction, type LossOptions, type Reduction } from "../loss-reduction.ts";
import { foldRows, sumRows } from "../rows.ts";
import { builderOf, expectFloat, settingOf, shapeError, type Value } from "../value.ts";
import { pick } from "./gather.ts";
import { mul } from "./mul.ts";
import { reshape } from "./reshape.ts";
import { softmaxParts, softmaxRow } from "./softmax.ts";
import { broadcastTo, perRow, sum } from "./sum.ts";

/** The options of `nllLoss`. */
export interface LabelOptions extends LossOptions {
  /** A label that is no class, whose rows do not count: their loss and gradient are 0; -100. */
  ignoreIndex?: number;
  /**
   * f32 [classes]: how much the loss of each class' rows weighs. The mean is over the weights. No gradient
   * flows to them.
   */
  weight?: Value;
}

/** The options of `crossEntropy`. */
export interface CrossEntropyOptions extends LabelOptions {
  /** The share of a label that is spread over all classes, in [0, 1); 0. */
  labelSmoothing?: number;
}

const QUOTIENT = defineProgram("ff", (total, count) => total.div(count));
const BELOW_MAX = defineProgram("ff", (x, max) => max.sub(x));

/** The rows of an operand, and one label for each. */
interface Labelled extends LabelledRows {
  readonly reduction: Reduction;
  /** Of each class. */
  readonly weight: Value | undefined;
  /** Of each row. */
  readonly rowWeight: Value | undefined;
}

function labelled(x: Value, targets: Value, options: LabelOptions, known: string[], name: string): Labelled {
  const builder = builderOf(name, { logits: x, targets });
  const refuse = settingOf(builder.label(name));
  checkOptions(options, known, refuse);
  const { ignoreIndex = -100, reduction = "mean" } = options;
  wholeSetting("ignoreIndex", ignoreIndex, INT32, refuse);
  expectReduction(reduction, refuse);
  expectFloat(x, name);
  const classes = x.shape[x.rank - 1];
  if (x.rank === 0 || targets.dtype !== "i32" || targets.shape.join() !== x.shape.slice(0, -1).join())
    throw shapeError("OPERANDS", builder, name, `targets ${targets} for logits ${x}; give one i32 for each row`);
  if (classes === 0) throw shapeError("OPERANDS", builder, name, `the logits ${x} have no classes; give one at least`);
  const label = dense(reshape(targets, [-1]), `${name}-labels`);
  const own = { rows: reshape(x, [-1, classes]), label, ignored: ignoreIndex };
  const weight = options.weight === undefined ? undefined : expectWeights(options.weight, own.rows, name, refuse);
  return { ...own, reduction, weight, rowWeight: weight && weightsOfRows(weight, own, name) };
}

/** Reduces losses of rows, of which those that are ignored are 0. */
function reducedRows(losses: Value, labelled: Labelled, shape: readonly number[], name: string) {
  const { label, reduction, ignored, rowWeight } = labelled;
  if (reduction === "none") return { y: reshape(losses, shape), ofRow: (g: Value) => reshape(g, losses.shape) };
  const total = sum(losses, undefined, `${name}-sum`);
  const spread = (g: Value): Value => broadcastTo(g, losses.shape);
  if (reduction === "sum") return { y: total, ofRow: spread };
  const counted = defineProgram("fi", (acc, found) => acc.add(found.eq(ignored).select(0, 1)));
  const options = { steps: [counted, SUM_STEP], clampRanges: ["none", "sum"], start: 0 } as const;
  const count = rowWeight
    ? sum(rowWeight, undefined, `${name}-weight-sum`)
    : foldRows([label], { ...options, name: `${name}-count` });
  // Where no row counts, 0/0 is 0.
  const mean = (value: Value): Value => map(QUOTIENT, [value, count], { name, shape: [] });
  return { y: mean(total), ofRow: (g: Value) => spread(mean(g)) };
}

/**
 * The mean over rows of -log softmax(logits)[target], in nats: an f32 scalar.
 *
 *     const loss = crossEntropy(logits, labels); // f32 [64, 10] and i32 [64]
 *
 * A target that is neither a class nor `ignoreIndex` stops a run with an error at its first training step.
 * The mean is over the rows that are not ignored. If all are, it is 0, where PyTorch gives NaN.
 * @param logits f32 [..., classes]; in PyTorch the classes are axis 1
 * @param targets i32 [...], from 0 to classes - 1, or `ignoreIndex`
 * @param options `ignoreIndex`, -100; `weight`, f32 [classes]: of each class, all 1; `labelSmoothing`, 0: a
 *   share of each label that is spread over all classes; `reduction`, "mean": "sum" gives the sum, and "none"
 *   f32 [...], the loss of each row
 * @param name the label of the operator; "cross-entropy"
 * @throws {ShapeError} when there is not one i32 target for each row, or the logits are not f32
 * @throws {GraphError} when the operands belong to two graphs, or an option is unknown or out of its range
 */
export function crossEntropy(
  logits: Value,
  targets: Value,
  options: CrossEntropyOptions = {},
  name = "cross-entropy",
): Value {
  const known = ["ignoreIndex", "weight", "labelSmoothing", "reduction"];
  const parts = labelled(logits, targets, options, known, name);
  const { rows, label, ignored } = parts;
  const smoothing = options.labelSmoothing ?? 0;
  floatSetting("labelSmoothing", smoothing, SHARE, settingOf(rows.builder.label(name)));
  if (parts.weight) {
    const weighted = weightedLosses(parts, parts.weight, parts.rowWeight!, smoothing, name);
    const { y, ofRow } = reducedRows(weighted, parts, targets.shape, name);
    return composed(
      y.withOrigin([weighted], (g) => [ofRow(g)]),
      [logits],
    );
  }
  const classes = rows.shape[1];
  const { max, powers, total } = softmaxParts(rows, name);
  const chosen = pick(rows, label, ignored, `${name}-target`);
  // log(Σ exp(x - max)) + max - x, and with smoothing also the mean of max - x over all classes.
  const own = defineProgram("fffi", (sum, top, target, found) =>
    found.eq(ignored).select(0, log(sum).add(top.sub(target).mul(1 - smoothing))),
  );
  const losses = map(own, [total, max, chosen, label], { name: `${name}-rows`, shape: total.shape });
  const { y, ofRow } = reducedRows(
    smoothing === 0 ? losses : smoothed(parts, losses, max, smoothing, name),
    parts,
    targets.shape,
    name,
  );
  return y.withOrigin([logits], (gradient) => {
    /** (softmax - the share of the class) times the row's gradient. */
    const slope = defineProgram("ffiif", (power, sum, found, column, g) => {
      const even = smoothing / classes;
      const share = power.div(sum).sub(found.eq(column).select(1 - smoothing + even, even));
      return found.eq(ignored).select(0, share.mul(g));
    });
    const g = perRow(ofRow(gradient), rows);
    const operands = [powers, perRow(total, rows), perRow(label, rows), { coordinate: 1 }, g];
    return [reshape(map(slope, operands, { name: `${name}-gradient`, shape: rows.shape }), logits.shape)];
  });
}

/** Losses of rows with the part of label smoothing: the mean of max - x over the classes, times its share. */
function smoothed({ rows, label, ignored }: Labelled, losses: Value, max: Value, smoothing: number, name: string) {
  const below = map(BELOW_MAX, [rows, perRow(max, rows)], { name: `${name}-below`, shape: rows.shape });
  const share = smoothing / rows.shape[1];
  const joined = defineProgram("ffi", (loss, sum, found) => found.eq(ignored).select(0, loss.add(sum.mul(share))));
  return map(joined, [losses, sumRows(below, `${name}-below-sum`), label], {
    name: `${name}-smoothed`,
    shape: losses.shape,
  });
}

/**
 * The mean over rows of -logProbabilities[target]: an f32 scalar. `crossEntropy` is this of `logSoftmax`.
 * @param logProbabilities f32 [..., classes]
 * @param targets i32 [...], from 0 to classes - 1, or `ignoreIndex`; another stops a run with an error
 * @param options `ignoreIndex`, `weight` and `reduction`, as `crossEntropy` has them
 * @param name the label of the operator; "nll-loss"
 * @throws as `crossEntropy` does
 */
export function nllLoss(logProbabilities: Value, targets: Value, options: LabelOptions = {}, name = "nll-loss"): Value {
  const parts = labelled(logProbabilities, targets, options, ["ignoreIndex", "weight", "reduction"], name);
  const { rows, label, ignored, rowWeight } = parts;
  const chosen = pick(rows, label, ignored, `${name}-target`);
  const own = defineProgram("fi", (target, found) => found.eq(ignored).select(0, target.neg()));
  const plain = map(own, [chosen, label], { name: `${name}-rows`, shape: chosen.shape });
  const weigh = (value: Value): Value => (rowWeight ? mul(value, rowWeight) : value);
  const { y, ofRow } = reducedRows(weigh(plain), parts, targets.shape, name);
  return y.withOrigin([logProbabilities], (gradient) => {
    const slope = defineProgram("iif", (found, column, g) =>
      found.eq(column).and(found.eq(ignored).not()).select(g.neg(), 0),
    );
    const operands = [perRow(label, rows), { coordinate: 1 }, perRow(weigh(ofRow(gradient)), rows)];
    return [reshape(map(slope, operands, { name: `${name}-gradient`, shape: rows.shape }), logProbabilities.shape)];
  });
}

const TARGETS = [2, 0, 4];
const IGNORING = [2, -100, 4];

crossEntropy.check = {
  number: 24,
  name: "cross-entropy",
  digests: {
    result: "0x5857b754e19313ecfcfab3f2483db443c316371cdc98b3b2a442c28004833170",
    "gradient 0": "0xbead5aecaf7ad8378961df3eab188db5aa982b421743dce3d3b9e86fd89d91fe",
  },
  vector: ({ x, classes, floats }) => ({
    y: crossEntropy(x, classes, { ignoreIndex: 5, labelSmoothing: 0.1, reduction: "none" }),
    gradient: floats(3017, 13),
  }),
  gradient: [
    {
      operands: [{ shape: [3, 5], from: -3, to: 3 }, indices([3], TARGETS)],
      apply: (x, targets) => crossEntropy(x, targets),
      textbook: (m, x) => [
        rowsOf(x, 5).reduce((total, row, i) => total - m.log(softmaxRow(m, row)[TARGETS[i]]) / 3, 0),
      ],
    },
    {
      title: "with an ignored row and smoothed labels",
      operands: [{ shape: [3, 5], from: -3, to: 3 }, indices([3], IGNORING)],
      apply: (x, targets) => crossEntropy(x, targets, { labelSmoothing: 0.25 }),
      textbook: (m, x) => {
        const losses = rowsOf(x, 5).map((row, i) => {
          const logs = softmaxRow(m, row).map(m.log);
          const even = logs.reduce((a, b) => a + b) / 5;
          return IGNORING[i] < 0 ? 0 : -0.75 * logs[IGNORING[i]] - 0.25 * even;
        });
        return [losses.reduce((a, b) => a + b) / 2];
      },
    },
  ],
} satisfies Operator["check"];

nllLoss.check = {
  number: 107,
  name: "nll loss",
  digests: {
    result: "0x516b5310e10f874f6bd3a0cd820abc220817262945841f8c7fce9825c2523e25",
    "gradient 0": "0x5a8d66220ec91aafc231d6b76854150096230fbc614653a1255722e55e5d3e92",
  },
  vector: ({ x, classes, floats }) => ({ y: nllLoss(x, classes, { ignoreIndex: 5 }), gradient: floats(3113) }),
  gradient: [
    {
      operands: [{ shape: [3, 5], from: -3, to: 3 }, indices([3], IGNORING)],
      apply: (x, targets) => nllLoss(x, targets, { reduction: "sum" }),
      textbook: (_, x) => [-x[2] - x[14]],
    },
  ],
} satisfies Operator["check"];
