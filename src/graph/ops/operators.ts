/**
 * The element-wise operators (spec 5.2). An operator is declared once: the function of a (and b), and the gradient of each
 * as a function of g (the gradient of the result), a, b and y (the result). From this the map kernels of both directions
 * are made.
 */
import { cos, sin } from "../../repops/functions/trigonometry.ts";
import { exp, sigmoid } from "../../repops/functions/exponential.ts";
import { gelu, geluDerivative, silu, siluDerivative } from "../../repops/functions/gelu.ts";
import { log } from "../../repops/functions/logarithm.ts";
import { rsqrt } from "../../repops/functions/roots.ts";
import { tanh } from "../../repops/functions/hyperbolic.ts";
import { float, type Float } from "../../repops/programs/expressions.ts";

export type Name = "a" | "b" | "g" | "y";
export type Environment = Readonly<Record<Name, Float>>;

export interface Elementwise {
  forward(e: Environment): Float;
  /** Absent: no gradient flows to that operand. */
  gradient: { a?: (e: Environment) => Float; b?: (e: Environment) => Float };
}

export const ELEMENTWISE = {
  add: { forward: ({ a, b }) => a.add(b), gradient: { a: ({ g }) => g, b: ({ g }) => g } },
  sub: { forward: ({ a, b }) => a.sub(b), gradient: { a: ({ g }) => g, b: ({ g }) => g.neg() } },
  mul: { forward: ({ a, b }) => a.mul(b), gradient: { a: ({ g, b }) => g.mul(b), b: ({ g, a }) => g.mul(a) } },
  div: {
    forward: ({ a, b }) => a.div(b),
    gradient: { a: ({ g, b }) => g.div(b), b: ({ g, y, b }) => g.mul(y).div(b).neg() },
  },
  /** Where both are equal the gradient goes to a. */
  maximum: {
    forward: ({ a, b }) => a.max(b),
    gradient: { a: ({ g, a, b }) => a.lt(b).select(0, g), b: ({ g, a, b }) => a.lt(b).select(g, 0) },
  },
  minimum: {
    forward: ({ a, b }) => a.min(b),
    gradient: { a: ({ g, a, b }) => b.lt(a).select(0, g), b: ({ g, a, b }) => b.lt(a).select(g, 0) },
  },
  neg: { forward: ({ a }) => a.neg(), gradient: { a: ({ g }) => g.neg() } },
  abs: { forward: ({ a }) => a.abs(), gradient: { a: ({ g, a }) => a.lt(0).select(g.neg(), g) } },
  square: { forward: ({ a }) => a.mul(a), gradient: { a: ({ g, a }) => g.mul(a).mul(2) } },
  sqrt: { forward: ({ a }) => a.sqrt(), gradient: { a: ({ g, y }) => g.mul(0.5).div(y) } },
  rsqrt: { forward: ({ a }) => rsqrt(a), gradient: { a: ({ g, y }) => g.mul(-0.5).mul(y.mul(y).mul(y)) } },
  exp: { forward: ({ a }) => exp(a), gradient: { a: ({ g, y }) => g.mul(y) } },
  log: { forward: ({ a }) => log(a), gradient: { a: ({ g, a }) => g.div(a) } },
  sin: { forward: ({ a }) => sin(a), gradient: { a: ({ g, a }) => g.mul(cos(a)) } },
  cos: { forward: ({ a }) => cos(a), gradient: { a: ({ g, a }) => g.mul(sin(a)).neg() } },
  tanh: { forward: ({ a }) => tanh(a), gradient: { a: ({ g, y }) => g.mul(float(1).sub(y.mul(y))) } },
  sigmoid: { forward: ({ a }) => sigmoid(a), gradient: { a: ({ g, y }) => g.mul(y.mul(float(1).sub(y))) } },
  relu: { forward: ({ a }) => a.max(0), gradient: { a: ({ g, a }) => float(0).lt(a).select(g, 0) } },
  gelu: { forward: ({ a }) => gelu(a), gradient: { a: ({ g, a }) => g.mul(geluDerivative(a)) } },
  silu: { forward: ({ a }) => silu(a), gradient: { a: ({ g, a }) => g.mul(siluDerivative(a)) } },
} as const satisfies Record<string, Elementwise>;

export type ElementwiseName = keyof typeof ELEMENTWISE;
