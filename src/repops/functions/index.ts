/** The named scalar programs: what conformance of a backend is tested on, and what certificates are made of. */
import type { Program } from "../program.ts";
import { defineProgram } from "../scalar.ts";
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
  sin: defineProgram("f", sin),
  cos: defineProgram("f", cos),
  rsqrt: defineProgram("f", rsqrt),
  pow: defineProgram("ff", pow),
  /** Of key words 0 and 1, counter words 0 and 1. */
  threefryFirst: defineProgram("iiii", (k0, k1, c0, c1) => threefry2x32([k0, k1], [c0, c1], 0)),
  threefrySecond: defineProgram("iiii", (k0, k1, c0, c1) => threefry2x32([k0, k1], [c0, c1], 1)),
  uniform01: defineProgram("i", uniform01),
  mulHigh: defineProgram("ii", mulHigh),
  normal: defineProgram("ii", normal),
} as const satisfies Record<string, Program>;

export type ProgramName = keyof typeof PROGRAMS;
