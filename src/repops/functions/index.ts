/**
 * The named scalar programs. Conformance of a backend is tested on them, and accuracy is measured on them.
 */
import type { Program } from "../programs/program.ts";
import { defineProgram } from "../programs/expressions.ts";
import { erf } from "./error-function.ts";
import { exp, sigmoid } from "./exponential.ts";
import { gelu, geluDerivative, silu, siluDerivative } from "./gelu.ts";
import { tanh } from "./hyperbolic.ts";
import { log } from "./logarithm.ts";
import { pow } from "./power.ts";
import { rsqrt } from "./roots.ts";
import { mulHigh, normal, threefry2x32, uniform01 } from "./threefry.ts";
import { cos, sin } from "./trigonometry.ts";

export const PROGRAMS = {
  exp: defineProgram("f", exp),
  log: defineProgram("f", log),
  tanh: defineProgram("f", tanh),
  sigmoid: defineProgram("f", sigmoid),
  erf: defineProgram("f", erf),
  gelu: defineProgram("f", gelu),
  geluDerivative: defineProgram("f", geluDerivative),
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
} as const satisfies Record<string, Program>;

export type ProgramName = keyof typeof PROGRAMS;
