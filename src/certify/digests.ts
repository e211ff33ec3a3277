/**
 * The digest of the reference's result for each conformance vector, by name: SHA-256 of the output's
 * little-endian bytes.
 */
import { OPERATORS } from "../graph/operators.ts";
import { KERNEL_DIGESTS } from "./vectors/kernel-digests.ts";

/** The digests of operators are declared with the operators, in graph/ops/. */
const OPERATOR_DIGESTS = OPERATORS.flatMap(({ check: { name, digests } }) =>
  Object.entries(digests).map(([output, digest]): [string, string] => [
    output === "result" ? `operator ${name}` : `operator ${name}, ${output}`,
    digest,
  ]),
);

/** The digests that a conforming backend has, in the order of the vectors. */
export const DIGESTS: Readonly<Record<string, string>> = { ...KERNEL_DIGESTS, ...Object.fromEntries(OPERATOR_DIGESTS) };
