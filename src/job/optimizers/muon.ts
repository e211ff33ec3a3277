/** Muon: the momentum of a matrix is made orthogonal before it is a step. */
import { describe } from "../../errors/arguments.ts";
import { map } from "../../graph/emit.ts";
import { matmul } from "../../graph/ops/matmul.ts";
import { transpose } from "../../graph/ops/transpose.ts";
import { broadcastTo } from "../../graph/ops/sum.ts";
import type { Value } from "../../graph/value.ts";
import { NOT_NEGATIVE, POSITIVE, SHARE } from "../../repops/numbers/settings.ts";
import { defineProgram, float } from "../../repops/programs/expressions.ts";
import { countOf, expectOptions, floatOf, settingError } from "../settings.ts";
import { ADAM_OPTIONS, adamRule, type AdamSettings } from "./adam.ts";
import { expectMatch, type Match, matches } from "./groups.ts";
import { globalNorm } from "./norm.ts";
import type { Optimizer } from "./optimizer.ts";
import { type CommonOptions, optimizerOf, type RateOption, type Rule } from "./rule.ts";
import { schedule } from "./schedule.ts";
import type { Update } from "./update.ts";

/** What `muon` has of its own, and groups can set. */
interface MuonSettings {
  /** The share of the mean of the gradients that each training step keeps; default 0.95. */
  momentum?: number;
  /** Whether the step is along a mean of gradient and momentum; default true. */
  nesterov?: boolean;
  /** The share of a parameter, times the rate, that each training step takes off; default 0.1. */
  weightDecay?: number;
  /** The number of iterations of Newton and Schulz; default 5. */
  iterations?: number;
  /** The least norm by which a momentum is divided; default 1e-7. */
  epsilon?: number;
  /**
   * By what the rate is multiplied: `original`: sqrt(max(1, outputs/inputs)); `match-rms-adamw`:
   * 0.2 · sqrt(max(outputs, inputs)), with which a rate for AdamW fits. Default `original`.
   */
  adjust?: "original" | "match-rms-adamw";
  /**
   * The parameters of two axes that Muon updates; default all. Embeddings and the last layer are better left
   * to AdamW.
   */
  matrices?: Match;
  /** The options of `adamW` for the other parameters. */
  others?: AdamSettings & RateOption;
}

/** The options of `muon`. */
export interface MuonOptions extends CommonOptions<MuonSettings>, MuonSettings {}

const OWN = ["momentum", "nesterov", "weightDecay", "iterations", "epsilon", "adjust", "matrices", "others"] as const;
/** The coefficients that Jordan and others publish: a·X + (b·A + c·A²)·X for A = X·Xᵀ. */
const [A, B, C] = [3.4445, -4.775, 2.0315];

const NORMAL = (epsilon: number) => defineProgram("ff", (x, norm) => x.div(norm.max(epsilon)));
const SQUARED = defineProgram("ff", (gram, square) => gram.mul(B).add(square.mul(C)));
const NEXT = defineProgram("ff", (x, more) => x.mul(A).add(more));

/**
 * Muon (Jordan and others) as PyTorch's, with its defaults, of which the learning rate is 1e-3: matrices step
 * along their momentum with all singular values brought near 1, and other parameters by AdamW. The products
 * have f32 operands; PyTorch's have bf16. Weights are [inputs, outputs] here and [outputs, inputs] there.
 *
 *     optimizer: () =>
 *       muon({ learningRate: 0.02, matrices: /^blocks\..*weight$/, others: { learningRate: 3e-4 } })
 *
 * Metrics: `learning-rate`, and `gradient-norm` with clipping by norm.
 * @throws {JobError} for an unknown option, for a value that is out of its range once it is rounded, and for
 *   a parameter that is no matrix where `others` is not given
 */
export function muon(options: MuonOptions): Optimizer {
  return optimizerOf<MuonSettings>("muon", options, OWN, muonRule);
}

function muonRule(of: string, options: MuonSettings): Rule {
  const momentum = floatOf(of, "momentum", options.momentum ?? 0.95, SHARE);
  const decay = floatOf(of, "weightDecay", options.weightDecay ?? 0.1, NOT_NEGATIVE);
  const iterations = countOf(of, "iterations", options.iterations ?? 5);
  const epsilon = floatOf(of, "epsilon", options.epsilon ?? 1e-7, POSITIVE);
  const { nesterov = true, adjust = "original", matrices = () => true } = options;
  if (typeof nesterov !== "boolean") throw settingError(of, `nesterov is ${describe(nesterov)}; take true or false`);
  if (!["original", "match-rms-adamw"].includes(adjust))
    throw settingError(of, `adjust is ${describe(adjust)}; take original or match-rms-adamw`);
  expectMatch(of, matrices, "matrices");
  const other = options.others === undefined ? undefined : othersOf(of, options.others);
  const follow = defineProgram("fff", (m, gradient, scale) =>
    m.add(
      gradient
        .mul(scale)
        .sub(m)
        .mul(1 - momentum),
    ),
  );
  const ahead = defineProgram("fff", (m, gradient, scale) => {
    const g = gradient.mul(scale);
    return g.add(m.sub(g).mul(momentum));
  });
  const matrix = (update: Update): Value => {
    const { value, gradient, scale, rate } = update;
    const m = update.state("momentum");
    const next = update.advance(m, follow, [m, gradient, scale], "momentum");
    const along = nesterov ? update.map(ahead, [next, gradient, scale], "direction") : next;
    const step = orthogonal(along, iterations, epsilon);
    const [inputs, outputs] = value.shape;
    const weight = defineProgram("fff", (w, direction, lr) => {
      const longer = Math.max(inputs, outputs);
      const factor =
        adjust === "original" ? float(Math.max(1, outputs / inputs)).sqrt() : float(longer).sqrt().mul(0.2);
      return (decay === 0 ? w : w.sub(w.mul(lr.mul(decay)))).sub(direction.mul(lr.mul(factor)));
    });
    return update.map(weight, [value, step, rate], "weight");
  };
  return (update) => {
    const { value, parameter } = update;
    if (value.rank === 2 && matches(matrices, { name: parameter.name, shape: value.shape })) return matrix(update);
    if (!other)
      throw settingError(
        of,
        `${parameter.name} of shape [${value.shape.join(", ")}] is no matrix for Muon; add others: { learningRate: … }`,
        { name: parameter.name },
      );
    return other(update);
  };
}

function othersOf(of: string, options: AdamSettings & RateOption): Rule {
  const what = `${of}: others`;
  expectOptions(what, options, ["learningRate", ...ADAM_OPTIONS]);
  const rate = schedule(what, options.learningRate);
  const rule = adamRule(what, options, 0.01, true);
  return (update) => rule(update.at(update.shared.rate(rate)));
}

/** x with its singular values near 1, by the iteration of Newton and Schulz: f32 [m, n] → [m, n]. */
function orthogonal(x: Value, iterations: number, epsilon: number): Value {
  const turned = x.shape[0] > x.shape[1];
  const operands = [x, broadcastTo(globalNorm([x]), x.shape)];
  const normal = map(NORMAL(epsilon), operands, { name: "normal", shape: x.shape });
  let y = turned ? transpose(normal) : normal;
  for (let i = 0; i < iterations; i++) {
    const gram = matmul(y, transpose(y), `gram-${i}`);
    const square = matmul(gram, gram, `square-${i}`);
    const factor = map(SQUARED, [gram, square], { name: `factor-${i}`, shape: gram.shape });
    y = map(NEXT, [y, matmul(factor, y, `product-${i}`)], { name: `next-${i}`, shape: y.shape });
  }
  return turned ? transpose(y) : y;
}
