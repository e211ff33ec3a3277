/**
 * The conformance vectors: every instruction, every function, and every kind of kernel, on adversarial
 * operands.
 */
import type { ConformanceCase } from "../../repops/conformance/case.ts";
import { foldCases } from "./folds.ts";
import { mapCases } from "./maps.ts";
import { readCases } from "./reads.ts";

/** All vectors of kernels, in a fixed order. */
export function conformanceCases(): ConformanceCase[] {
  return [...mapCases(), ...foldCases(), ...readCases()];
}
