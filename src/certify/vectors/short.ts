/** The vectors that run before a device's first job. */
import type { ConformanceCase } from "../../repops/conformance/case.ts";
import { conformanceCases } from "./all.ts";

/**
 * The vectors that devices are most likely to fail, every vector that a device is known to have failed, and
 * each kind of kernel and loop at least once. A test checks that no kind of the full form is missing.
 */
export const SHORT_FORM: readonly string[] = [
  "instruction fadd",
  "instruction fmul",
  "instruction fdiv",
  "instruction fsqrt",
  "instruction ffloor",
  "instruction fldexp",
  "instruction flt",
  "instruction imul",
  "instruction isar",
  "instruction isel",
  "instruction i2f",
  "instruction f2i",
  "instruction f2u",
  "function exp",
  "function sin",
  "function threefry0",
  "map a·b + c where a·b rounds to -c",
  "map zeros, and what they divide",
  "fold dot: A·B",
  "fold dot: Aᵀ·Bᵀ",
  "fold dot: batched A·Bᵀ",
  "fold dot: A·B, long",
  "fold dot: A·b",
  "fold dot: a·B",
  "fold dot: A·B, several tiles",
  "fold dot: A·B over nothing",
  "fold dot: A·B over one",
  "fold sum: rows",
  "fold sum: two axes, the first and the last",
  "fold maximum",
  "fold with canon in every step",
  "fold to an index",
  "fold ordered scatter-add",
  "fold dot: ends of the range",
  "fold sum: ends of the range",
  "fold dot: rows that cancel unless fused",
  "fold dot: A·Bᵀ that cancels on the diagonal unless fused",
  "fold sum: 2^18 times one value",
  "fold sum: one",
  "fold dot: a bounded window",
  "fold sum: backwards",
  "fold of integers",
  "fold of coordinates and the index",
  "fold maximum over nothing",
  "map through a transposing view",
  "map through a reversing view",
  "map through a broadcasting view",
  "map through a bounded view",
  "map with coordinates",
  "map integers through a bounded, reversing view",
  "map through a view that reads nothing",
  "map of eight axes",
  "map of a scalar",
  "map of a constant",
  "gather with any indices",
  "gather scalars",
  "gather integers",
  "gather from nothing",
];

/** The vectors with these names, each once. */
export async function casesNamed(names: readonly string[]): Promise<ConformanceCase[]> {
  const wanted = ({ outputs }: ConformanceCase): boolean => outputs.some(({ name }) => names.includes(name));
  const areKernels = names.every((name) => !name.startsWith("operator "));
  if (areKernels) return conformanceCases().filter(wanted);
  return (await import("./operators.ts")).everyCase().filter(wanted);
}
