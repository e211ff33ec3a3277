/**
 * The named scalar programs. Conformance of a backend is tested on them, and accuracy is measured on them.
 */
import type { Program } from "../programs/program.ts";
import { defineProgram } from "../programs/expressions.ts";
import { atan } from "./arctangent.ts";
import { erf } from "./error-function.ts";
import { exp, exp2, expm1 } from "./exponential.ts";
import { geluTanh, geluTanhDerivative } from "./gelu.ts";
import { tanh } from "./hyperbolic.ts";
import { log, log1p } from "./logarithm.ts";
import { gelu, geluDerivative } from "./normal.ts";
import { log2, pow } from "./power.ts";
import { rsqrt } from "./roots.ts";
import { sigmoid, softplus } from "./sigmoid.ts";
import { silu, siluDerivative } from "./silu.ts";
import { normal, threefry2x32, uniform01 } from "./threefry.ts";
import { cos, sin } from "./trigonometry.ts";
import { mulHigh } from "./wide.ts";

export const PROGRAMS = {
  exp: defineProgram("f", exp),
  log: defineProgram("f", log),
  tanh: defineProgram("f", tanh),
  sigmoid: defineProgram("f", sigmoid),
  erf: defineProgram("f", erf),
  geluTanh: defineProgram("f", geluTanh),
  geluTanhDerivative: defineProgram("f", geluTanhDerivative),
  silu: defineProgram("f", silu),
  siluDerivative: defineProgram("f", siluDerivative),
  rsqrt: defineProgram("f", rsqrt),
  sin: defineProgram("f", sin),
  cos: defineProgram("f", cos),
  pow: defineProgram("ff", pow),
  /** The first and the second random word, from two key words and two counter words. */
  threefry0: defineProgram("iiii", (k0, k1, c0, c1) => threefry2x32([k0, k1], [c0, c1], 0)),
  threefry1: defineProgram("iiii", (k0, k1, c0, c1) => threefry2x32([k0, k1], [c0, c1], 1)),
  uniform01: defineProgram("i", uniform01),
  normal: defineProgram("ii", normal),
  mulHigh: defineProgram("ii", mulHigh),
  // A new function stands last, so that the conformance vectors of the others keep their operands.
  gelu: defineProgram("f", gelu),
  geluDerivative: defineProgram("f", geluDerivative),
  expm1: defineProgram("f", expm1),
  exp2: defineProgram("f", exp2),
  log1p: defineProgram("f", log1p),
  log2: defineProgram("f", log2),
  softplus: defineProgram("f", softplus),
  atan: defineProgram("f", atan),
} as const satisfies Record<string, Program>;

export type ProgramName = keyof typeof PROGRAMS;
