/** Whether a backend on this machine has the bits of the specification: the vectors, executed and compared. */
import { asBytes, hex32, toHex } from "../../encoding/bytes.ts";
import { sha256 } from "../../encoding/hash.ts";
import type { Tensor } from "../../encoding/tensor.ts";
import type { Backend } from "../backend.ts";
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
  const output = list.inputs.length;
  const session = await backend.prepare(list, { keep: [output] });
  try {
    for (const [i, tensor] of inputs.entries()) await session.write(i, tensor);
    await session.execute();
    return await session.read(output);
  } finally {
    await session.close();
  }
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
    const difference = conforms ? undefined : firstDifference(output, await executeCase(reference, one));
    const result = { name: one.name, digest, conforms, ...(difference && { difference }) };
    results.push(result);
    onCase?.(result);
  }
  return results;
}

function firstDifference(actual: Tensor, expected: Tensor): CaseResult["difference"] {
  const words = ({ data }: Tensor): Uint32Array => new Uint32Array(data.buffer, data.byteOffset, data.length);
  const [a, b] = [words(actual), words(expected)];
  const element = b.findIndex((word, i) => word !== a[i]);
  return element < 0 ? undefined : { element, actual: hex32(a[element]), expected: hex32(b[element]) };
}
