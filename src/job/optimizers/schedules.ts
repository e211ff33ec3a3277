/** PyTorch's schedules. The first training step has their rate at 0. Each keeps its last value for ever. */
import { describe } from "../../errors/arguments.ts";
import { exp } from "../../repops/functions/exponential.ts";
import { log } from "../../repops/functions/logarithm.ts";
import { cosOfHalfTurns } from "../../repops/functions/trigonometry.ts";
import { NOT_NEGATIVE, POSITIVE } from "../../repops/numbers/settings.ts";
import { float, type Float } from "../../repops/programs/expressions.ts";
import { countOf, expectOptions, floatOf, settingError } from "../settings.ts";
import { curve, type Schedule } from "./schedule.ts";

/** The rate that a schedule changes. */
interface Base {
  /** The rate by which the schedule multiplies. */
  learningRate: number;
}

function baseOf(of: string, options: Base, others: readonly string[]): number {
  expectOptions(of, options, ["learningRate", ...others]);
  return floatOf(of, "learningRate", options.learningRate, NOT_NEGATIVE);
}

/** γ^n within some ULP, for a float n that is a whole number. */
const power = (gamma: number, n: Float): Float => exp(log(float(gamma)).mul(n));

/**
 * learningRate · factor for `totalSteps` training steps, then learningRate.
 * @param options `factor`: default 1/3; `totalSteps`: default 5
 * @throws {JobError} for an unknown option, or a value that is out of its range
 */
export function constantLR(options: Base & { factor?: number; totalSteps?: number }): Schedule {
  const rate = baseOf("constantLR", options, ["factor", "totalSteps"]);
  const factor = floatOf("constantLR", "factor", options.factor ?? 1 / 3, NOT_NEGATIVE);
  const total = countOf("constantLR", "totalSteps", options.totalSteps ?? 5);
  return curve((t) => t.lt(total).select(rate * factor, rate));
}

/**
 * From learningRate · startFactor to learningRate · endFactor on a line, in `totalSteps` training steps.
 * @param options `startFactor`: default 1/3; `endFactor`: default 1; `totalSteps`: default 5
 * @throws {JobError} for an unknown option, or a value that is out of its range
 */
export function linearLR(options: Base & { startFactor?: number; endFactor?: number; totalSteps?: number }): Schedule {
  const rate = baseOf("linearLR", options, ["startFactor", "endFactor", "totalSteps"]);
  const start = floatOf("linearLR", "startFactor", options.startFactor ?? 1 / 3, NOT_NEGATIVE);
  const end = floatOf("linearLR", "endFactor", options.endFactor ?? 1, NOT_NEGATIVE);
  const total = countOf("linearLR", "totalSteps", options.totalSteps ?? 5);
  return curve((t) =>
    t.lt(total).select(
      t
        .div(total)
        .mul(rate * (end - start))
        .add(rate * start),
      rate * end,
    ),
  );
}

/**
 * learningRate · γ^⌊t / stepSize⌋ after t training steps.
 * @param options `stepSize`: a number of training steps; `gamma`: default 0.1
 * @throws {JobError} for an unknown option, or a value that is out of its range
 */
export function stepLR(options: Base & { stepSize: number; gamma?: number }): Schedule {
  const rate = baseOf("stepLR", options, ["stepSize", "gamma"]);
  const size = countOf("stepLR", "stepSize", options.stepSize);
  const gamma = floatOf("stepLR", "gamma", options.gamma ?? 0.1, NOT_NEGATIVE);
  return curve((t) => power(gamma, t.div(size).floor()).mul(rate));
}

/**
 * learningRate · γ^n, where n of the milestones are reached.
 * @param options `milestones`: numbers of training steps; `gamma`: default 0.1
 * @throws {JobError} for an unknown option, or a value that is out of its range
 */
export function multiStepLR(options: Base & { milestones: readonly number[]; gamma?: number }): Schedule {
  const rate = baseOf("multiStepLR", options, ["milestones", "gamma"]);
  const milestones = milestonesOf("multiStepLR", options.milestones);
  const gamma = floatOf("multiStepLR", "gamma", options.gamma ?? 0.1, NOT_NEGATIVE);
  return curve((t) => {
    const reached = milestones.map((milestone) => t.lt(milestone).select(0, 1));
    return power(
      gamma,
      reached.reduce((sum, one) => sum.add(one), float(0)),
    ).mul(rate);
  });
}

/**
 * learningRate · γ^t after t training steps.
 * @param options `gamma`: the factor of a training step
 * @throws {JobError} for an unknown option, or a value that is out of its range
 */
export function exponentialLR(options: Base & { gamma: number }): Schedule {
  const rate = baseOf("exponentialLR", options, ["gamma"]);
  const gamma = floatOf("exponentialLR", "gamma", options.gamma, POSITIVE);
  return curve((t) => power(gamma, t).mul(rate));
}

/** Half a cosine from `from` at 0 to `to` at 1. */
const halfCosine = (done: Float, from: number, to: number): Float =>
  cosOfHalfTurns(done)
    .add(1)
    .mul((from - to) / 2)
    .add(to);

/**
 * From learningRate to etaMin on half a cosine, in `tMax` training steps. PyTorch's rises again after them.
 * @param options `tMax`: a number of training steps; `etaMin`: the last rate, default 0
 * @throws {JobError} for an unknown option, or a value that is out of its range
 */
export function cosineAnnealingLR(options: Base & { tMax: number; etaMin?: number }): Schedule {
  const rate = baseOf("cosineAnnealingLR", options, ["tMax", "etaMin"]);
  const total = countOf("cosineAnnealingLR", "tMax", options.tMax);
  const least = floatOf("cosineAnnealingLR", "etaMin", options.etaMin ?? 0, NOT_NEGATIVE);
  return curve((t) => t.lt(total).select(halfCosine(t.div(total), rate, least), least));
}

/**
 * Half a cosine from learningRate to etaMin, again and again: the first takes `t0` training steps, and each
 * `tMult` times as many as the one before it.
 * @param options `t0`: a number of training steps; `tMult`: a whole number, default 1; `etaMin`: default 0
 * @throws {JobError} for an unknown option, or a value that is out of its range
 */
export function cosineAnnealingWarmRestarts(options: Base & { t0: number; tMult?: number; etaMin?: number }): Schedule {
  const of = "cosineAnnealingWarmRestarts";
  const rate = baseOf(of, options, ["t0", "tMult", "etaMin"]);
  const first = countOf(of, "t0", options.t0);
  const times = countOf(of, "tMult", options.tMult ?? 1);
  const least = floatOf(of, "etaMin", options.etaMin ?? 0, NOT_NEGATIVE);
  if (times === 1) return curve((t) => halfCosine(t.sub(t.div(first).floor().mul(first)).div(first), rate, least));
  return curve((t) => {
    let [start, length] = [float(0), float(first)];
    for (let end = first, next = first * times; end < 2 ** 31; end += next, next *= times) {
      const isOver = t.lt(end);
      [start, length] = [isOver.select(start, end), isOver.select(length, next)];
    }
    return halfCosine(t.sub(start).div(length), rate, least);
  });
}

/** @throws {JobError} when they are no rising list of counts */
export function milestonesOf(of: string, milestones: unknown): readonly number[] {
  if (!Array.isArray(milestones) || milestones.length === 0)
    throw settingError(of, `milestones is ${describe(milestones)}; pass a list of numbers of training steps`);
  const list: readonly unknown[] = milestones;
  return list.map((milestone, i) =>
    countOf(of, `milestone ${i}`, milestone, i === 0 ? 1 : (list[i - 1] as number) + 1),
  );
}
