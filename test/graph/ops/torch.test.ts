/**
 * Operators beside PyTorch: values and gradients against the vectors of test/vectors/torch/, which
 * scripts/torch-vectors/ records. PyTorch computed them in float64. Each case states its tolerance, relative to the
 * largest magnitude of the tensor; integers have to be equal.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Tensor } from "../../../src/encoding/tensor.ts";
import * as graph from "../../../src/graph/index.ts";
import { Value } from "../../../src/graph/value.ts";
import { reference } from "../../../src/repops/backends/reference.ts";
import { generator, randomTensor } from "../numeric.ts";

type Recorded = { shape: number[]; floats: number[] } | { shape: number[]; ints: number[] };
type Input = Recorded | { shape: number[]; seed: number; from: number; to: number };

interface Case {
  operator: string;
  title?: string;
  args: unknown[];
  inputs: Input[];
  outputs: Recorded[];
  gradients: (number[] | null)[];
  tolerance?: number;
}

const FOLDER = new URL("../../vectors/torch/", import.meta.url);
const TOLERANCE = 1e-5;
/** The seed of the weights of output 0; the next output has the next seed. */
const WEIGHTS = 9000;
const MAX_BYTES = 300_000;

function tensorOf(input: Input): Tensor {
  if ("ints" in input) return graph.intTensor(input.shape, input.ints);
  if ("floats" in input) return graph.tensor(input.shape, input.floats);
  return randomTensor(input.shape, generator(input.seed), input.from, input.to);
}

/** Arguments with values for `$0`, `$1` and so on. */
function withValues(argument: unknown, values: readonly Value[]): unknown {
  if (typeof argument === "string" && /^\$\d+$/.test(argument)) return values[Number(argument.slice(1))];
  if (Array.isArray(argument)) return argument.map((one) => withValues(one, values));
  // PyTorch's None: the operand is left out.
  if (argument === null) return undefined;
  if (typeof argument !== "object") return argument;
  return Object.fromEntries(Object.entries(argument).map(([name, one]) => [name, withValues(one, values)]));
}

/** The results of an operator as a list. */
function apply({ operator, args }: Case, values: readonly Value[]): Value[] {
  const known: Readonly<Record<string, unknown>> = { ...graph };
  const call = known[operator];
  if (typeof call !== "function") throw new Error(`src/graph/index.ts exports no operator ${operator}`);
  const result: unknown = call(...(withValues(args, values) as unknown[]));
  return result instanceof Value ? [result] : (Object.values(result as object) as Value[]);
}

function expectNear(actual: Tensor, wanted: readonly number[], tolerance: number, what: string): void {
  expect(actual.data.length, what).toBe(wanted.length);
  const scale = Math.max(1e-6, ...wanted.map(Math.abs));
  for (const [i, value] of wanted.entries())
    expect(
      Math.abs(actual.data[i] - value) / scale,
      `${what}, element ${i}: ${actual.data[i]} for ${value}`,
    ).toBeLessThan(tolerance);
}

async function attempt(one: Case): Promise<void> {
  const names = one.inputs.map((_, i) => `input ${i}`);
  const inputs = Object.fromEntries(one.inputs.map((input, i) => [names[i], tensorOf(input)]));
  const weights = Object.fromEntries(
    one.outputs.flatMap((output, i) =>
      "floats" in output ? [[`weights ${i}`, randomTensor(output.shape, generator(WEIGHTS + i))]] : [],
    ),
  );
  const body = (values: Record<string, Value>): Record<string, Value> => {
    const operands = names.map((name) => values[name]);
    const outputs = apply(one, operands);
    expect(outputs.length, "the number of results").toBe(one.outputs.length);
    const named = Object.fromEntries(outputs.map((value, i) => [`output ${i}`, value]));
    if (one.gradients.every((gradient) => gradient === null)) return named;
    const terms = outputs.flatMap((value, i) =>
      value.dtype === "f32" ? [graph.sum(graph.mul(value, values[`weights ${i}`]))] : [],
    );
    const loss = terms.reduce((left, right) => graph.add(left, right));
    const wanted = operands.flatMap((value, i) => (one.gradients[i] ? [{ value, i }] : []));
    const slopes = graph.gradients(
      loss,
      wanted.map(({ value }) => value),
    );
    return { ...named, ...Object.fromEntries(wanted.map(({ i }, j) => [`gradient ${i}`, slopes[j]])) };
  };
  const results = await graph.evaluate(body, { ...inputs, ...weights }, { backend: reference });
  const tolerance = one.tolerance ?? TOLERANCE;
  for (const [i, output] of one.outputs.entries()) {
    const actual = results[`output ${i}`];
    expect(actual.shape, `the shape of output ${i}`).toEqual(output.shape);
    if ("ints" in output) expect([...actual.data], `output ${i}`).toEqual(output.ints);
    else expectNear(actual, output.floats, tolerance, `output ${i}`);
  }
  for (const [i, gradient] of one.gradients.entries())
    if (gradient) expectNear(results[`gradient ${i}`], gradient, tolerance, `the gradient of input ${i}`);
}

const files = readdirSync(FOLDER).filter((file) => file.endsWith(".json"));

for (const file of files)
  describe(`PyTorch's ${file.replace(".json", "")}`, () => {
    const { cases } = JSON.parse(readFileSync(new URL(file, FOLDER), "utf8")) as { cases: Case[] };
    for (const [i, one] of cases.entries())
      test(`${i}: ${one.operator} ${one.title ?? one.inputs.map(({ shape }) => `[${shape.join(", ")}]`).join(" ")}`, () =>
        attempt(one));
  });

test("the vectors stay small", () => {
  const bytes = files.map((file) => statSync(new URL(file, FOLDER)).size);
  expect(bytes.reduce((total, size) => total + size, 0)).toBeLessThan(MAX_BYTES);
});

test("a wrong value and a wrong gradient are seen", async () => {
  const right: Case = {
    operator: "square",
    args: ["$0"],
    inputs: [{ shape: [2], floats: [1, 2] }],
    outputs: [{ shape: [2], floats: [1, 4] }],
    gradients: [null],
  };
  await attempt(right);
  await expect(attempt({ ...right, outputs: [{ shape: [2], floats: [1, 4.001] }] })).rejects.toThrow(
    "output 0, element 1",
  );
  await expect(attempt({ ...right, gradients: [[1, 1]] })).rejects.toThrow("the gradient of input 0");
});
