/** Losses of probabilities. */
import { exp } from "../../repops/functions/exponential.ts";
import { log, log1p } from "../../repops/functions/logarithm.ts";
import { sigmoid } from "../../repops/functions/sigmoid.ts";
import { floatSetting, NOT_NEGATIVE } from "../../repops/numbers/settings.ts";
import { defineProgram, float, type Float } from "../../repops/programs/expressions.ts";
import { checkOptions, describe, type Refuse } from "../../errors/arguments.ts";
import { composed } from "../autodiff.ts";
import { map } from "../emit.ts";
import { fill } from "../fill.ts";
import type { Operator } from "../operator.ts";
import { expectReduction, type LossOptions, reduced, type Reduction } from "../loss-reduction.ts";
import { builderOf, expectFloat, settingOf, Value } from "../value.ts";
import { expectPair } from "./regression-losses.ts";
import { mul } from "./mul.ts";
import { broadcastTo } from "./sum.ts";

const KL = defineProgram("ff", (x, t) => t.gt(0).select(t.mul(log(t).sub(x)), t.mul(x).neg()));
const KL_X = defineProgram("ff", (t, g) => t.mul(g).neg());
const KL_TARGET = defineProgram("fff", (x, t, g) => t.gt(0).select(log(t).add(1).sub(x), x.neg()).mul(g));
const KL_LOG = defineProgram("ff", (x, t) => exp(t).mul(t.sub(x)));
const KL_LOG_X = defineProgram("ff", (t, g) => exp(t).mul(g).neg());
const KL_LOG_TARGET = defineProgram("fff", (x, t, g) => exp(t).mul(t.sub(x).add(1)).mul(g));

/** The options of `klDiv`. */
export interface KlDivOptions {
  /** Default `mean`; `batchmean` is the sum divided by the first extent, the divergence of one example. */
  reduction?: Reduction | "batchmean";
  /** Whether the target is given as logarithms; false. */
  logTarget?: boolean;
}

/**
 * The mean of target · (log(target) - x), of which terms with a target of 0 are 0: f32 [...] twice → an f32
 * scalar. As in PyTorch, the mean is over all elements; "batchmean" gives the divergence.
 * @param x logarithms of probabilities
 * @param target probabilities, or their logarithms with `logTarget`
 * @param options `reduction`, "mean": "batchmean", "sum" or "none" instead; `logTarget`, false
 * @param name the label of the operator; "kl-div"
 * @throws {ShapeError} when the operands differ in shape, or one is not f32
 * @throws {GraphError} when they belong to two graphs, or an option is unknown or out of its range
 */
export function klDiv(x: Value, target: Value, options: KlDivOptions = {}, name = "kl-div"): Value {
  expectPair(x, target, name);
  const refuse = settingOf(x.builder.label(name));
  checkOptions(options, ["reduction", "logTarget"], refuse);
  const { reduction = "mean", logTarget = false } = options;
  const known = ["mean", "batchmean", "sum", "none"];
  expectReduction(reduction, refuse, known);
  if (typeof logTarget !== "boolean") throw refuse(`logTarget is ${describe(logTarget)}; take true or false`);
  if (reduction === "batchmean" && !(x.shape[0] > 0)) throw refuse(`${x} has no examples; take another reduction`);
  const { shape } = x;
  const [forward, ofX, ofTarget] = logTarget ? [KL_LOG, KL_LOG_X, KL_LOG_TARGET] : [KL, KL_X, KL_TARGET];
  const gradient = { name: `${name}-gradient`, shape };
  const losses = map(forward, [x, target], { name, shape }).withOrigin([x, target], (g) => [
    map(ofX, [target, g], gradient),
    map(ofTarget, [x, target, g], gradient),
  ]);
  if (reduction !== "batchmean") return composed(reduced(losses, reduction, name), [x, target]);
  const share = floatSetting("the share of an example", 1 / shape[0], {}, refuse);
  return composed(mul(reduced(losses, "sum", name), share), [x, target]);
}

const BCE = defineProgram("ff", (x, t) =>
  x
    .max(0)
    .sub(x.mul(t))
    .add(log1p(exp(x.abs().neg()))),
);
/** sigmoid(x) - t, which for x > 0 is (1 - t) - sigmoid(-x). */
const BCE_X = defineProgram("fff", (x, t, g) => {
  const small = sigmoid(x.abs().neg());
  return x.gt(0).select(float(1).sub(t).sub(small), small.sub(t)).mul(g);
});
const BCE_TARGET = defineProgram("ff", (x, g) => x.mul(g).neg());

/** log(1 + e^-x) */
const softplusOfNegative = (x: Float): Float => log1p(exp(x.abs().neg())).add(x.neg().max(0));
/** With positives that weigh p times as much: (1 - t)·x + (1 + (p - 1)·t)·log(1 + e^-x). */
const WEIGHTED = defineProgram("fff", (x, t, p) =>
  float(1)
    .sub(t)
    .mul(x)
    .add(p.sub(1).mul(t).add(1).mul(softplusOfNegative(x))),
);
/** (1 - t) - (1 + (p - 1)·t)·sigmoid(-x), which for x ≤ 0 is (1 + (p - 1)·t)·sigmoid(x) - p·t. */
const WEIGHTED_X = defineProgram("ffff", (x, t, p, g) => {
  const small = sigmoid(x.abs().neg());
  const share = p.sub(1).mul(t).add(1).mul(small);
  return x
    .gt(0)
    .select(float(1).sub(t).sub(share), share.sub(p.mul(t)))
    .mul(g);
});
const WEIGHTED_TARGET = defineProgram("fff", (x, p, g) => p.sub(1).mul(softplusOfNegative(x)).sub(x).mul(g));

/** The options of `binaryCrossEntropyWithLogits`. */
export interface BinaryCrossEntropyOptions extends LossOptions {
  /**
   * How much a positive weighs beside a negative: a number, or an f32 value that broadcasts to the shape of
   * x, such as [classes], to which no gradient flows; 1.
   */
  posWeight?: number | Value;
}

/** The weight of positives for each element. */
function weightsOf(x: Value, posWeight: unknown, name: string, refuse: Refuse): Value | undefined {
  if (posWeight === undefined) return undefined;
  if (posWeight instanceof Value) {
    builderOf(name, { x, posWeight });
    expectFloat(posWeight, name);
    return broadcastTo(posWeight, x.shape);
  }
  const weight = floatSetting("posWeight", posWeight, NOT_NEGATIVE, refuse);
  return broadcastTo(fill(x.builder, [], weight, `${name}-weight`), x.shape);
}

/**
 * The mean of the binary cross-entropy of sigmoid(x) and a target, max(x, 0) - x·target + log(1 + e^-|x|):
 * f32 [...] twice → an f32 scalar. It does not overflow.
 * @param target from 0 to 1
 * @param options `reduction`, "mean": "sum" gives the sum, and "none" the loss of each element; `posWeight`,
 *   1: how much a positive weighs, a number or f32 that broadcasts to x
 * @param name the label of the operator; "bce-with-logits"
 * @throws {ShapeError} when the operands differ in shape, or one is not f32
 * @throws {GraphError} when they belong to two graphs, or an option is unknown or no reduction
 */
export function binaryCrossEntropyWithLogits(
  x: Value,
  target: Value,
  options: BinaryCrossEntropyOptions = {},
  name = "bce-with-logits",
): Value {
  expectPair(x, target, name);
  const refuse = settingOf(x.builder.label(name));
  checkOptions(options, ["reduction", "posWeight"], refuse);
  const { reduction = "mean" } = options;
  expectReduction(reduction, refuse);
  const { shape } = x;
  const gradient = { name: `${name}-gradient`, shape };
  const p = weightsOf(x, options.posWeight, name, refuse);
  const losses = p
    ? map(WEIGHTED, [x, target, p], { name, shape }).withOrigin([x, target], (g) => [
        map(WEIGHTED_X, [x, target, p, g], gradient),
        map(WEIGHTED_TARGET, [x, p, g], gradient),
      ])
    : map(BCE, [x, target], { name, shape }).withOrigin([x, target], (g) => [
        map(BCE_X, [x, target, g], gradient),
        map(BCE_TARGET, [x, g], gradient),
      ]);
  return composed(reduced(losses, reduction, name), [x, target]);
}

klDiv.check = {
  number: 112,
  name: "kl divergence",
  digests: {
    result: "0x2bf6c4849e32af0883b8a23e59a354f03f5678e6e34fceb5f16b680b084cfa1f",
    "gradient 0": "0xd7e8e4dbcf1e83e71bf5cf68525586f328f4a53be6e100ce54aacde520a3da46",
    "gradient 1": "0x18122b669b70c4ca79fbc22ed82da0613ce6b575aed2704f8c5de30c3ae6456d",
  },
  vector: ({ x, g, floats }) => ({ y: klDiv(x, g, { reduction: "batchmean" }), gradient: floats(3118) }),
  gradient: [
    {
      operands: [
        { shape: [3, 5], from: -3, to: 0 },
        { shape: [3, 5], from: 0.1, to: 1 },
      ],
      apply: (x, target) => klDiv(x, target),
      textbook: (m, x, target) => [
        x.reduce((total, value, i) => total + target[i] * (m.log(target[i]) - value), 0) / x.length,
      ],
    },
    {
      title: "of logarithms, for each example",
      operands: [
        { shape: [3, 5], from: -3, to: 0 },
        { shape: [3, 5], from: -3, to: 0 },
      ],
      apply: (x, target) => klDiv(x, target, { reduction: "batchmean", logTarget: true }),
      textbook: (m, x, target) => [
        x.reduce((total, value, i) => total + m.exp(target[i]) * (target[i] - value), 0) / 3,
      ],
    },
  ],
} satisfies Operator["check"];

binaryCrossEntropyWithLogits.check = {
  number: 113,
  name: "binary cross-entropy with logits",
  digests: {
    result: "0x5d748ad4c87e9bd998f50f061bef2cc235bef5b23aca7ceca2b4aa62c58109c4",
    "gradient 0": "0xe0afb6efe84a1b98381cabe627c5da9ec97e1e56dc3c242823f6576f655fabf8",
    "gradient 1": "0xed1f130adce2a1a18d07ed9f35065c4e3ebfbbd392fc643ff7a16cb4271f0b40",
  },
  vector: ({ x, g, floats }) => ({ y: binaryCrossEntropyWithLogits(x, g), gradient: floats(3119) }),
  gradient: [
    {
      operands: [
        { shape: [3, 5], from: -4, to: 4 },
        { shape: [3, 5], from: 0, to: 1 },
      ],
      apply: (x, target) => binaryCrossEntropyWithLogits(x, target),
      textbook: (m, x, target) => [
        x.reduce((total, value, i) => total + m.log(1 + m.exp(value)) - value * target[i], 0) / x.length,
      ],
    },
  ],
} satisfies Operator["check"];
