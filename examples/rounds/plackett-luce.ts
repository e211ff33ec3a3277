/** Ratings of players by the model of Plackett and Luce, as openskill.py computes them, in float32. */
import * as job from "@verde-ml/verde/job";
import { type Value } from "@verde-ml/verde/job";

const { add, div, mul, square, sub, sum } = job;
/** Templar's settings: how much a match depends on luck, what a deviation gains before it, and what it keeps. */
const [BETA, TAU, KAPPA] = [7, 0.1, 1e-4];

/** A match of PlackettLuce, as OpenSkill rates it, of players alone; a higher score is better: f32 [n] each. */
export function rate(mu: Value, deviation: Value, score: Value): { mu: Value; sigma: Value } {
  const [n] = mu.shape;
  const sigma = job.sqrt(add(square(deviation), TAU * TAU));
  const c = job.sqrt(sum(add(square(sigma), BETA * BETA)));
  const power = job.reshape(job.exp(div(mu, c)), [n, 1]);
  // Rows are the players i that are rated, columns the players q who are ranked.
  const [row, column] = [job.reshape(score, [n, 1]), job.reshape(score, [1, n])];
  const isBehind = job.toFloat(job.ge(column, row));
  const ties = sum(job.toFloat(job.eq(column, row)), [0], { keepdim: true });
  const p = div(power, sum(mul(isBehind, power), [0], { keepdim: true }));
  const share = div(isBehind, ties);
  const omega = sum(mul(share, sub(job.eye(mu.builder, n), p)), [1]);
  const delta = sum(mul(share, mul(p, sub(1, p))), [1]);
  const relative = div(sigma, c);
  const kept = job.sqrt(job.maximum(sub(1, mul(delta, mul(square(relative), relative))), KAPPA));
  return { mu: add(mu, mul(omega, mul(sigma, relative))), sigma: mul(sigma, kept) };
}
