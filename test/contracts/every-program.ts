/**
 * Every scalar program: those of the functions, of the conformance vectors, and of a small GPT and its
 * training.
 */
import { fileURLToPath } from "node:url";
import { everyCase } from "../../src/certify/vectors/operators.ts";
import { loadJob } from "../../src/job/load.ts";
import { interpret } from "../../src/repops/programs/interpret.ts";
import { PROGRAMS } from "../../src/repops/functions/index.ts";
import type { Kernel } from "../../src/repops/kernels/kernel.ts";
import { outputType, type Program, programKey } from "../../src/repops/programs/program.ts";
import { bitsOf, fromBits } from "../../src/repops/numbers/vf32.ts";
import { generator } from "../graph/numeric.ts";
import { floatBits, integers } from "../repops/inputs.ts";

export interface NamedKernel {
  name: string;
  kernel: Kernel;
}

/** The kernels of the conformance vectors, named by their names in certificates and their number. */
export function conformanceKernels(): NamedKernel[] {
  return everyCase().flatMap(({ list, outputs }) =>
    list.kernels.map((kernel, i) => ({ name: `${outputs[0].name}, kernel ${i}`, kernel })),
  );
}

/** The kernels of a training step of a small GPT, and of its initial state. */
export async function gptKernels(): Promise<NamedKernel[]> {
  const example = fileURLToPath(new URL("../../examples/char-gpt.ts", import.meta.url));
  const job = await loadJob(example, { layers: 1, heads: 2, dim: 16, context: 8, batch: 2, dropout: "0.1" });
  const graphs = job.init.kind === "graph" ? [job.step, job.init.graph] : [job.step];
  return graphs.flatMap(({ kernels, labels }) =>
    kernels.map((kernel, i) => ({ name: `char-gpt, kernel ${i} ${labels[i]}`, kernel })),
  );
}

/** Each distinct program once, with the name of its first use. */
export async function everyProgram(): Promise<{ name: string; program: Program }[]> {
  const programs = new Map<string, { name: string; program: Program }>();
  const put = (name: string, program: Program): void => {
    const key = programKey(program);
    if (!programs.has(key)) programs.set(key, { name, program });
  };
  for (const [name, program] of Object.entries(PROGRAMS)) put(name, program);
  for (const { name, kernel } of [...conformanceKernels(), ...(await gptKernels())])
    if (kernel.kind !== "gather") put(name, kernel.program);
  return [...programs.values()];
}

/** Endless patterns for the inputs of a program: adversarial ones; one float of eight is any 32 bits. */
export function patterns(seed: number): (type: "f" | "i") => number {
  const [float, int, random] = [floatBits(seed), integers(seed + 1), generator(seed + 2)];
  return (type) => (type === "i" || random() < 1 / 8 ? int() >>> 0 : float());
}

/** The pattern that the definition computes from patterns. */
export function outputBits(program: Program, inputs: readonly number[]): number {
  const values = program.inputs.map((type, i) => (type === "f" ? fromBits(inputs[i]) : inputs[i] | 0));
  const output = interpret(program, values);
  return outputType(program) === "f" ? bitsOf(output) : output >>> 0;
}
