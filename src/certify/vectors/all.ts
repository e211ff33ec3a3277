/** The conformance vectors: every instruction, every function, and every kind of kernel, on adversarial operands. */
import type { ConformanceCase } from "../../repops/conformance/case.ts";
import { foldCases } from "./folds.ts";
import { mapCases } from "./maps.ts";
import { readCases } from "./reads.ts";

/** All vectors of kernels, in a fixed order. */
export function conformanceCases(): ConformanceCase[] {
  return [...mapCases(), ...foldCases(), ...readCases()];
}

/** What a device gets wrong first, in as few shaders as show it: the short form, before a device's first job. */
export const SHORT_FORM: readonly string[] = [
  "instruction fadd",
  "instruction fmul",
  "instruction fdiv",
  "instruction fsqrt",
  "instruction ffloor",
  "instruction fldexp",
  "instruction i2f",
  "instruction f2u",
  "function exp",
  "map a·b + c where a·b rounds to -c",
  "map zeros, and what they divide",
  "fold dot: A·B",
  "fold dot: A·B, several tiles",
  "fold dot: rows that cancel unless fused",
  "fold sum: ends of the range",
  "fold with canon in every step",
  "fold to an index",
  "map through a bounded view",
  "gather with any indices",
];

export function shortCases(): ConformanceCase[] {
  return conformanceCases().filter(({ outputs }) => outputs.some(({ name }) => SHORT_FORM.includes(name)));
}
