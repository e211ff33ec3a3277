/**
 * The digests of conformance vectors as the reference computes them.
 *
 *     node bench/digests.ts exp softmax        # of operators, by their names in certificates
 *     node bench/digests.ts > src/certify/vectors/kernel-digests.ts
 */
import { conformanceCases } from "../src/certify/vectors/all.ts";
import { everyCase } from "../src/certify/vectors/operators.ts";
import { reference } from "../src/repops/backends/reference.ts";
import { digestOf, executeCase } from "../src/certify/certify.ts";

const operators = process.argv.slice(2);

/** The line that an operator's file has for an output: `result` or `gradient 0`. */
function lineOf(output: string, digest: string): string[] {
  const [, name, gradient] = /^operator (.*?)(?:, (gradient \d+|integers))?$/.exec(output) ?? [];
  if (!operators.includes(name)) return [];
  if (gradient === "integers") return [`    integers: "${digest}",`];
  return gradient ? [`    "${gradient}": "${digest}",`] : [`  // ${name}`, "  digests: {", `    result: "${digest}",`];
}

const lines: string[] = [];
for (const one of operators.length > 0 ? everyCase() : conformanceCases()) {
  if (operators.length > 0 && !one.outputs.some(({ name }) => name.startsWith("operator "))) continue;
  const tensors = await executeCase(reference, one);
  for (const [i, { name }] of one.outputs.entries()) {
    const digest = digestOf(tensors[i]);
    if (operators.length > 0) lines.push(...lineOf(name, digest));
    else lines.push(`  ${JSON.stringify(name)}: "${digest}",`);
  }
}
if (operators.length > 0) {
  const missing = operators.filter((name) => !lines.includes(`  // ${name}`));
  if (missing.length > 0)
    throw new Error(`no operator is called ${missing.join(" or ")}; src/graph/ops/index.ts lists them`);
  console.log(lines.join("\n").replaceAll(/\n(?= {2}\/\/)/g, "\n  },\n") + "\n  },");
} else
  console.log(`/** What the reference gives for each conformance vector of kernels: SHA-256 of the output. Made by bench/digests.ts. */
export const KERNEL_DIGESTS: Readonly<Record<string, string>> = {
${lines.join("\n")}
};`);
