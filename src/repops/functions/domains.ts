/** Functions that are defined for some operands only, and where the others lie (spec 3.6). */
import type { Program } from "../programs/program.ts";
import { programKey } from "../programs/program.ts";
import { type Bool, defineProgram, float, type Float, type Int } from "../programs/expressions.ts";
import { fromBits } from "../numbers/vf32.ts";
import { floorDivide } from "./division.ts";
import { PROGRAMS } from "./index.ts";
import { pow } from "./power.ts";

/** Whether operands are outside of a domain: expressions over the inputs of a program. */
export type Outside = (...inputs: never[]) => Bool;

const isPositive = (x: Float): Bool => x.gt(0);
const notPositive = (x: Float): Bool => isPositive(x).not();
/** A negative base with an exponent that is not whole, and 0 with a negative one. */
const outsideOfPow = (x: Float, y: Float): Bool =>
  x
    .lt(0)
    .and(y.floor().eq(y).not())
    .or(x.eq(0).and(y.lt(0)));
const byZero = (_: Int, b: Int): Bool => b.eq(0);

const DOMAINS: ReadonlyMap<string, Outside> = new Map(
  (
    [
      [PROGRAMS.log, notPositive],
      [PROGRAMS.log2, notPositive],
      [PROGRAMS.rsqrt, notPositive],
      [PROGRAMS.log1p, (x: Float) => x.gt(-1).not()],
      [PROGRAMS.pow, outsideOfPow],
      [defineProgram("ii", (a, b) => floorDivide(a, b).quotient), byZero],
      [defineProgram("ii", (a, b) => floorDivide(a, b).remainder), byZero],
    ] as const
  ).map(([program, outside]) => [programKey(program), outside as Outside]),
);

/** The function of a program that is one of them. */
export function domainOf(program: Program): Outside | undefined {
  return DOMAINS.get(programKey(program)) ?? powerDomain(program);
}

/** pow of a base and an exponent of which one is a constant. */
function powerDomain(program: Program): Outside | undefined {
  const { inputs, floats, steps } = program;
  if (inputs.join() !== "f" || steps.length < PROGRAMS.pow.steps.length - 1) return undefined;
  const key = programKey(program);
  for (const bits of floats) {
    const constant = float(fromBits(bits));
    if (key === programKey(defineProgram("f", (x) => pow(x, constant))))
      return ((x: Float) => outsideOfPow(x, constant)) as Outside;
    if (key === programKey(defineProgram("f", (y) => pow(constant, y))))
      return ((y: Float) => outsideOfPow(constant, y)) as Outside;
  }
  return undefined;
}
