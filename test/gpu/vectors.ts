/**
 * The conformance vectors that a device in software runs: those of kernels, and a share of the operators'.
 */
import { everyCase } from "../../src/certify/vectors/operators.ts";
import type { ConformanceCase } from "../../src/repops/conformance/case.ts";

/** Without `VERDE_SWEEP=1`, every twelfth operator: all of them take a device in software many minutes. */
export const SHARE = 12;

/** @param share every so many operators' vectors; 1: all */
export function vectorsFor(share: number): ConformanceCase[] {
  const all = everyCase();
  const isOperator = ({ outputs }: ConformanceCase): boolean => outputs[0].name.startsWith("operator ");
  const operators = all.filter(isOperator);
  return [...all.filter((one) => !isOperator(one)), ...operators.filter((_, i) => i % share === 0)];
}
