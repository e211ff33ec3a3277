/** The conformance vectors: every instruction, every function, and every kind of kernel, on adversarial operands. */
import type { ConformanceCase } from "./case.ts";
import { foldCases } from "./fold-cases.ts";
import { mapCases } from "./map-cases.ts";
import { readCases } from "./read-cases.ts";

/** All vectors of kernels, in a fixed order. */
export function conformanceCases(): ConformanceCase[] {
  return [...mapCases(), ...foldCases(), ...readCases()];
}
