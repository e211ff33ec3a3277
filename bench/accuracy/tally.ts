/** What is counted while a function is measured, and how counts of several runs of inputs are joined. */
import { compileJavaScript } from "../../src/repops/programs/javascript.ts";
import type { Program } from "../../src/repops/programs/program.ts";
import { fromBits } from "../../src/repops/numbers/vf32.ts";
import { bitsAt, errorInUlp, FIRST_NEGATIVE } from "./inputs.ts";
import type { Results } from "./outputs.ts";
import type { Claim } from "./references.ts";

/** The errors of a function on some inputs. */
export interface Tally {
  inputs: number;
  /** In ULP, where the claim is one in ULP, and the input's number. */
  largest: number;
  at: number;
  /** The sum of all errors in ULP, and how many they are. */
  total: number;
  counted: number;
  /** The largest absolute error elsewhere, and the input's number. */
  absolute: number;
  absoluteAt: number;
  /** Pairs of neighbours whose results are in the wrong order. */
  disorders: number;
}

export const emptyTally = (): Tally => ({
  inputs: 0,
  largest: 0,
  at: 0,
  total: 0,
  counted: 0,
  absolute: 0,
  absoluteAt: 0,
  disorders: 0,
});

/** The tally of two runs of inputs, the earlier one first. */
export function join(a: Tally, b: Tally): Tally {
  const [ulp, absolute] = [b.largest > a.largest ? b : a, b.absolute > a.absolute ? b : a];
  return {
    inputs: a.inputs + b.inputs,
    largest: ulp.largest,
    at: ulp.at,
    total: a.total + b.total,
    counted: a.counted + b.counted,
    absolute: absolute.absolute,
    absoluteAt: absolute.absoluteAt,
    disorders: a.disorders + b.disorders,
  };
}

/**
 * The tally of consecutive canonical inputs.
 * @param first the number of the first input
 */
export function tallyOf(program: Program, claim: Claim, first: number, { inputs, results }: Results): Tally {
  const { reference, from = -Infinity, monotonic } = claim;
  const tally = emptyTally();
  const sign = monotonic === undefined ? 0 : monotonic === "rising" ? 1 : -1;
  const run = compileJavaScript(program);
  const zero = run(0);
  let before = first === 0 ? zero : run(fromBits(bitsAt(first - 1)));
  for (let i = 0; i < results.length; i++) {
    const index = first + i;
    const x = inputs[i];
    const y = results[i];
    if (index === FIRST_NEGATIVE) before = zero;
    // The magnitude grows, so negative inputs fall.
    if ((index < FIRST_NEGATIVE ? y - before : before - y) * sign < 0) tally.disorders++;
    before = y;
    const exact = reference(x);
    if (x >= from) {
      const error = errorInUlp(y, exact);
      tally.total += error;
      tally.counted++;
      if (error > tally.largest) {
        tally.largest = error;
        tally.at = index;
      }
    } else {
      const error = Math.abs(y - exact);
      if (error > tally.absolute) {
        tally.absolute = error;
        tally.absoluteAt = index;
      }
    }
  }
  tally.inputs = results.length;
  return tally;
}
