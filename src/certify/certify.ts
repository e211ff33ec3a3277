/**
 * Tests whether a backend on this machine has the bits of the specification: runs the vectors and compares
 * the results.
 */
import { asBytes, hex32, toHex } from "../encoding/bytes.ts";
import { sha256 } from "../encoding/hash.ts";
import { elementBits, firstDifference, type Tensor } from "../encoding/tensor.ts";
import { type Backend, executeOnce } from "../repops/backends/backend.ts";
import { reference } from "../repops/backends/reference.ts";
import type { ConformanceCase } from "../repops/conformance/case.ts";
import { conformanceCases } from "./vectors/all.ts";
import { DIGESTS } from "./digests.ts";

/** The result of a backend for one output of a conformance vector. */
export interface CaseResult {
  name: string;
  /** SHA-256 of the output's little-endian bytes. */
  digest: string;
  conforms: boolean;
  /** The first element that differs from the reference's output. */
  difference?: { element: number; actual: string; expected: string };
}

/** The outputs of a case, in their order. */
export async function executeCase(backend: Backend, { list, inputs, outputs }: ConformanceCase): Promise<Tensor[]> {
  return executeOnce(
    backend,
    list,
    inputs,
    outputs.map(({ tensor }) => tensor),
  );
}

export function digestOf(output: Tensor): string {
  return toHex(sha256(asBytes(output.data)));
}

/**
 * Runs vectors. Their digests are constants, so the reference itself is tested too. If a result differs, it
 * is compared with the reference's result to find the first element that differs.
 */
export async function certify(
  backend: Backend,
  cases: readonly ConformanceCase[] = conformanceCases(),
  onResult?: (result: CaseResult) => void,
): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  await backend.warmUp?.(cases.map(({ list, outputs }) => ({ list, keep: outputs.map(({ tensor }) => tensor) })));
  for (const one of cases) {
    const actual = await executeCase(backend, one);
    const digests = actual.map(digestOf);
    const conforming = one.outputs.map(({ name }, i) => digests[i] === DIGESTS[name]);
    const expected = conforming.every(Boolean) ? undefined : await executeCase(reference, one);
    for (const [i, { name }] of one.outputs.entries()) {
      const difference = conforming[i] || !expected ? undefined : differenceOf(actual[i], expected[i]);
      const result = { name, digest: digests[i], conforms: conforming[i], ...(difference && { difference }) };
      results.push(result);
      onResult?.(result);
    }
  }
  return results;
}

function differenceOf(actual: Tensor, expected: Tensor): CaseResult["difference"] {
  const element = firstDifference(actual, expected);
  if (element === undefined) return undefined;
  return { element, actual: hex32(elementBits(actual, element)), expected: hex32(elementBits(expected, element)) };
}
