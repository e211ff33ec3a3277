/** The digests of the conformance vectors as the reference gives them: `node bench/digests.ts > src/certify/digests.ts` */
import { everyCase } from "../src/certify/vectors/operators.ts";
import { reference } from "../src/repops/backends/reference.ts";
import { digestOf, executeCase } from "../src/certify/certify.ts";

const lines: string[] = [];
for (const one of everyCase()) {
  const tensors = await executeCase(reference, one);
  one.outputs.forEach(({ name }, i) => lines.push(`  ${JSON.stringify(name)}: "${digestOf(tensors[i])}",`));
}
console.log(`/** What the reference gives for each conformance vector: SHA-256 of the output. Made by bench/digests.ts. */
export const DIGESTS: Readonly<Record<string, string>> = {
${lines.join("\n")}
};`);
