/** A mixture of experts: each position is computed by the few experts that a router chooses for it. */
import { describe } from "../../errors/arguments.ts";
import { fold, map } from "../../graph/emit.ts";
import { div } from "../../graph/ops/div.ts";
import { gelu } from "../../graph/ops/gelu.ts";
import { matmul } from "../../graph/ops/matmul.ts";
import { mean } from "../../graph/ops/mean.ts";
import { mul } from "../../graph/ops/mul.ts";
import { reshape } from "../../graph/ops/reshape.ts";
import { softmax } from "../../graph/ops/softmax.ts";
import { broadcastTo, sum } from "../../graph/ops/sum.ts";
import { transpose } from "../../graph/ops/transpose.ts";
import type { Value } from "../../graph/value.ts";
import { defineProgram } from "../../repops/programs/expressions.ts";
import type { Context } from "../context.ts";
import { normal } from "../initializers.ts";
import { countOf, expectOptions, settingError } from "../settings.ts";
import { expectLayer } from "./arguments.ts";

/** The size of a mixture of experts. */
export interface ExpertsOptions {
  /** The number of experts. */
  experts: number;
  /** How many experts compute a position; default 2. */
  top?: number;
  /** The width inside of an expert; default four times that of x. */
  hidden?: number;
}

const DEVIATION = 0.02;
/** Counts the experts with a greater share, or an equal one and a lower number. */
const RANK = defineProgram("fffii", (rank, other, own, index, expert) =>
  rank.add(
    own
      .lt(other)
      .or(own.eq(other).and(index.lt(expert)))
      .select(1, 0),
  ),
);

/**
 * Two layers with a GELU between them, of which each position has its own: f32 [..., n] → [..., n]. A router
 * gives every expert a share of each position, and the `top` experts with the largest shares compute it;
 * among equal shares the expert with the lowest number comes first. Their results are weighted by their
 * shares, which are scaled to a sum of 1 unless `top` is 1.
 *
 * A graph can't depend on values, so all experts compute all positions, and what the router has not chosen
 * counts 0: the time is that of `experts` layers.
 *
 * @param name the scope of its parameters `router` [n, experts], `in` [experts, n, hidden] and `out`
 *   [experts, hidden, n]
 * @returns `y`, and `balance`: an f32 scalar to add to the loss with a small factor, such as 0.01. It is 1
 *   where all experts are chosen equally often, and more otherwise
 * @throws {JobError} when x is a scalar, an option is unknown or out of its range, or the name is taken
 */
export function experts(
  context: Context,
  name: string,
  x: Value,
  options: ExpertsOptions,
): { y: Value; balance: Value } {
  const path = expectLayer("experts", context, name, x);
  expectOptions(path, options, ["experts", "top", "hidden"]);
  if (x.rank === 0) throw settingError(path, "experts take at least one axis, not a scalar; give it an axis");
  const width = countOf(path, "the width, the last extent of x,", x.shape[x.rank - 1]);
  const count = countOf(path, "the number of experts", options.experts);
  const top = countOf(path, "top", options.top ?? 2);
  const hidden = countOf(path, "hidden", options.hidden ?? 4 * width);
  if (top > count)
    throw settingError(path, `top is ${describe(top)}, and there are ${count} experts; take at most ${count}`);
  return context.scope(name, () => {
    const rows = reshape(x, [-1, width]);
    const [positions] = rows.shape;
    const shares = softmax(matmul(rows, context.parameter("router", [width, count], normal(DEVIATION)), "router"));
    const chosen = topOf(shares, top);
    const kept = mul(shares, chosen);
    const weights = top === 1 ? kept : div(kept, reshape(sum(kept, [1]), [positions, 1]));
    const up = context.parameter("in", [count, width, hidden], normal(DEVIATION));
    const down = context.parameter("out", [count, hidden, width], normal(DEVIATION));
    const results = matmul(gelu(matmul(rows, up, "in")), down, "out");
    const weighted = mul(results, reshape(transpose(weights), [count, positions, 1]));
    const often = mul(mean(chosen, [0]), count / top);
    return {
      y: reshape(sum(weighted, [0]), x.shape),
      balance: sum(mul(often, mean(shares, [0]))),
    };
  });
}

/**
 * 1 for the `top` largest elements of each row and 0 for the others: f32 [m, n] → [m, n]. No gradient flows.
 */
function topOf(x: Value, top: number): Value {
  const [m, n] = x.shape;
  const space = [m, n, n];
  const others = broadcastTo(reshape(x, [m, 1, n]), space);
  const own = broadcastTo(reshape(x, [m, n, 1]), space);
  const rank = fold(RANK, [others, own, "index", { coordinate: 1 }], {
    name: "rank",
    shape: [m, n],
    reduce: [n],
    start: 0,
    clampRange: "none",
  });
  const chosen = defineProgram("f", (place) => place.lt(top).select(1, 0));
  return map(chosen, [rank], { name: "chosen", shape: [m, n] });
}
