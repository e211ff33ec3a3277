/** Whether a backend on this machine has the bits of the specification: the vectors, executed and compared. */
import { asBytes, hex32, toHex } from "../../encoding/bytes.ts";
import { sha256 } from "../../encoding/hash.ts";
import { elementBits, firstDifference, type Tensor } from "../../encoding/tensor.ts";
import { type Backend, executeOnce } from "../backend.ts";
import { reference } from "../backends/reference.ts";
import { conformanceCases, type ConformanceCase } from "./cases.ts";
import { DIGESTS } from "./digests.ts";

export interface CaseResult {
  name: string;
  /** SHA-256 of the output's little-endian bytes. */
  digest: string;
  conforms: boolean;
  /** Where the output first differs from the reference's. */
  difference?: { element: number; actual: string; expected: string };
}

/** The output of a case's kernel. */
export async function executeCase(backend: Backend, { list, inputs }: ConformanceCase): Promise<Tensor> {
  const [output] = await executeOnce(backend, list, inputs, [list.inputs.length]);
  return output;
}

export function digestOf(output: Tensor): string {
  return toHex(sha256(asBytes(output.data)));
}

/**
 * Runs every vector. The digests are constants, so that the reference itself is held to them; where a result differs the
 * reference says where.
 */
export async function certify(backend: Backend, onCase?: (result: CaseResult) => void): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  for (const one of conformanceCases()) {
    const output = await executeCase(backend, one);
    const digest = digestOf(output);
    const conforms = digest === DIGESTS[one.name];
    const difference = conforms ? undefined : differenceOf(output, await executeCase(reference, one));
    const result = { name: one.name, digest, conforms, ...(difference && { difference }) };
    results.push(result);
    onCase?.(result);
  }
  return results;
}

function differenceOf(actual: Tensor, expected: Tensor): CaseResult["difference"] {
  const element = firstDifference(actual, expected);
  if (element === undefined) return undefined;
  return { element, actual: hex32(elementBits(actual, element)), expected: hex32(elementBits(expected, element)) };
}
