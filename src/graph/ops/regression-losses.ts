/** Losses of the difference of two tensors. */
import { floatSetting, NOT_NEGATIVE, POSITIVE } from "../../repops/numbers/settings.ts";
import { defineProgram, type Float } from "../../repops/programs/expressions.ts";
import { checkOptions } from "../../errors/arguments.ts";
import { composed } from "../autodiff.ts";
import { map } from "../emit.ts";
import type { Operator, Trial } from "../operator.ts";
import { expectReduction, type LossOptions, reduced } from "../loss-reduction.ts";
import { builderOf, expectFloat, settingOf, shapeError, type Value } from "../value.ts";

/** The loss of a difference d, and its slope. */
interface OfDifference {
  loss(d: Float): Float;
  slope(d: Float): Float;
}

/**
 * Checks two operands of one shape.
 * @throws {ShapeError} when the shapes differ or one is not f32
 */
export function expectPair(x: Value, target: Value, name: string): void {
  const builder = builderOf(name, { x, target });
  for (const operand of [x, target]) expectFloat(operand, name);
  if (x.shape.join() !== target.shape.join())
    throw shapeError("OPERANDS", builder, name, `${x} and the target ${target} differ in shape; reshape one of them`);
}

function differenceLoss(x: Value, target: Value, { reduction = "mean" }: LossOptions, name: string, of: OfDifference) {
  const { shape } = x;
  const forward = defineProgram("ff", (a, b) => of.loss(a.sub(b)));
  const slope = defineProgram("fff", (a, b, g) => of.slope(a.sub(b)).mul(g));
  const negative = defineProgram("fff", (a, b, g) => of.slope(a.sub(b)).mul(g).neg());
  const losses = map(forward, [x, target], { name, shape }).withOrigin([x, target], (g) =>
    [slope, negative].map((program) => map(program, [x, target, g], { name: `${name}-gradient`, shape })),
  );
  return composed(reduced(losses, reduction, name), [x, target]);
}

/** Checks operands and options, and gives the options' numbers. */
function checked(x: Value, target: Value, options: LossOptions, known: readonly string[], name: string) {
  expectPair(x, target, name);
  const refuse = settingOf(x.builder.label(name));
  checkOptions(options, known, refuse);
  expectReduction(options.reduction ?? "mean", refuse);
  return refuse;
}

/**
 * The mean of (x - target)²: f32 [...] twice → an f32 scalar. Gradients flow to both operands.
 * @param options `reduction`, "mean": "sum" gives the sum, and "none" the loss of each element
 * @param name the label of the operator; "mse-loss"
 * @throws {ShapeError} when the operands differ in shape, or one is not f32
 * @throws {GraphError} when they belong to two graphs, or an option is unknown or no reduction
 */
export function mseLoss(x: Value, target: Value, options: LossOptions = {}, name = "mse-loss"): Value {
  checked(x, target, options, ["reduction"], name);
  return differenceLoss(x, target, options, name, { loss: (d) => d.mul(d), slope: (d) => d.mul(2) });
}

const sign = (d: Float): Float => d.gt(0).select(1, d.lt(0).select(-1, 0));

/**
 * The mean of |x - target|: f32 [...] twice → an f32 scalar. Its slope at 0 is 0.
 * @param options `reduction`, "mean": "sum" gives the sum, and "none" the loss of each element
 * @param name the label of the operator; "l1-loss"
 * @throws as `mseLoss` does
 */
export function l1Loss(x: Value, target: Value, options: LossOptions = {}, name = "l1-loss"): Value {
  checked(x, target, options, ["reduction"], name);
  return differenceLoss(x, target, options, name, { loss: (d) => d.abs(), slope: sign });
}

/** The options of `huberLoss`. */
export interface HuberOptions extends LossOptions {
  /** The difference from which the loss is linear, above 0; 1. */
  delta?: number;
}

/**
 * The mean of d²/2 where |d| < delta and of delta · (|d| - delta/2) elsewhere, d = x - target: f32 [...]
 * twice → an f32 scalar.
 * @param options `delta`, 1, above 0; `reduction`, "mean": "sum" gives the sum, and "none" the loss of each
 *   element
 * @param name the label of the operator; "huber-loss"
 * @throws as `mseLoss` does, and {GraphError} when delta is not above 0
 */
export function huberLoss(x: Value, target: Value, options: HuberOptions = {}, name = "huber-loss"): Value {
  const refuse = checked(x, target, options, ["reduction", "delta"], name);
  const delta = floatSetting("delta", options.delta ?? 1, POSITIVE, refuse);
  return differenceLoss(x, target, options, name, {
    loss: (d) =>
      d
        .abs()
        .lt(delta)
        .select(
          d.mul(d).mul(0.5),
          d
            .abs()
            .sub(0.5 * delta)
            .mul(delta),
        ),
    slope: (d) => d.min(delta).max(-delta),
  });
}

/** The options of `smoothL1Loss`. */
export interface SmoothL1Options extends LossOptions {
  /** The difference from which the loss is linear, from 0; 1. */
  beta?: number;
}

/**
 * The mean of d²/(2·beta) where |d| < beta and of |d| - beta/2 elsewhere, d = x - target: f32 [...] twice →
 * an f32 scalar. With a beta of 0 it is `l1Loss`.
 * @param options `beta`, 1, from 0; `reduction`, "mean": "sum" gives the sum, and "none" the loss of each
 *   element
 * @param name the label of the operator; "smooth-l1-loss"
 * @throws as `mseLoss` does, and {GraphError} when beta is negative
 */
export function smoothL1Loss(x: Value, target: Value, options: SmoothL1Options = {}, name = "smooth-l1-loss"): Value {
  const refuse = checked(x, target, options, ["reduction", "beta"], name);
  const beta = floatSetting("beta", options.beta ?? 1, NOT_NEGATIVE, refuse);
  if (beta === 0) return l1Loss(x, target, { reduction: options.reduction ?? "mean" }, name);
  return differenceLoss(x, target, options, name, {
    loss: (d) =>
      d
        .abs()
        .lt(beta)
        .select(d.mul(d).mul(0.5).div(beta), d.abs().sub(0.5 * beta)),
    slope: (d) => d.div(beta).min(1).max(-1),
  });
}

/** A trial of a loss of differences beside its formula. */
const trial = (apply: Trial["apply"], of: (d: number) => number): Trial => ({
  operands: [
    { shape: [3, 5], from: -2, to: 2 },
    { shape: [3, 5], from: -2, to: 2 },
  ],
  apply,
  textbook: (_, x, target) => [x.reduce((total, value, i) => total + of(value - target[i]), 0) / x.length],
});

mseLoss.check = {
  number: 108,
  name: "mse loss",
  digests: {
    result: "0xd121eabcfd9e23d016fae6306cba1e0c71e837f17cef5a9e7819815e8b3b1f42",
    "gradient 0": "0xd6e5eb487d994c56bf2bbdc9cd4317f7626493ddd1be84589454222cde20f095",
    "gradient 1": "0x8df1b4413ad712c5cddd23a4a038423c16a9909ea26556101925d88c97950660",
  },
  vector: ({ x, g, floats }) => ({ y: mseLoss(x, g), gradient: floats(3114) }),
  gradient: [
    trial(
      (x, target) => mseLoss(x, target),
      (d) => d * d,
    ),
  ],
} satisfies Operator["check"];

l1Loss.check = {
  number: 109,
  name: "l1 loss",
  digests: {
    result: "0x29582f584218d7c1d7386eb891c6152cedcbc3504623fe36cd8e1faba9c0b68b",
    "gradient 0": "0xe843f215da23ab8dd3e3741a3538a04d9df6a6224f0a70da1f8d4695197b5064",
    "gradient 1": "0x4957249c86029ca5559ce7094c9e3945bae94383e4d4114f0a60dd2f3d6f3e41",
  },
  vector: ({ x, g, floats }) => ({ y: l1Loss(x, g), gradient: floats(3115) }),
  gradient: [trial((x, target) => l1Loss(x, target), Math.abs)],
} satisfies Operator["check"];

huberLoss.check = {
  number: 110,
  name: "huber loss",
  digests: {
    result: "0x14c049a8ad6f7975840deb6aee4625992837ca5e91ec7e499d8ad1567cf3f06e",
    "gradient 0": "0x1bcf1ec3711c8248830d30851e205340c4fa8a634c96656efa0bc8b75fb8ede7",
    "gradient 1": "0xba12f20616de4e782f18a3705237c443a3523841341b2c1b1a71ea3c7a10cab4",
  },
  vector: ({ x, g, floats }) => ({ y: huberLoss(x, g, { delta: 0.75 }), gradient: floats(3116) }),
  gradient: [
    trial(
      (x, target) => huberLoss(x, target, { delta: 0.75 }),
      (d) => (Math.abs(d) < 0.75 ? 0.5 * d * d : 0.75 * (Math.abs(d) - 0.375)),
    ),
  ],
} satisfies Operator["check"];

smoothL1Loss.check = {
  number: 111,
  name: "smooth l1 loss",
  digests: {
    result: "0xabb2a0c220e360bb1cbfc74a885ea2c9116b948bf066dd143a5af08ae2808144",
    "gradient 0": "0x58af7b43b24a185ed6b033c47df0c2cac1a6e1f2ad8552f7ba5c5feb058a854a",
    "gradient 1": "0x6b4835c82ea874f2463f7e70f4dab5142c1c2ab32d68d9040726b35a34333a73",
  },
  vector: ({ x, g, floats }) => ({ y: smoothL1Loss(x, g, { beta: 0.75 }), gradient: floats(3117) }),
  gradient: [
    trial(
      (x, target) => smoothL1Loss(x, target, { beta: 0.75 }),
      (d) => (Math.abs(d) < 0.75 ? (0.5 * d * d) / 0.75 : Math.abs(d) - 0.375),
    ),
  ],
} satisfies Operator["check"];
