/**
 * Every operator that src/graph/ops/index.ts lists, tried on what its file declares: no operator is named
 * here.
 */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { elementCount, type Tensor } from "../../../src/encoding/tensor.ts";
import { evaluate } from "../../../src/graph/evaluate.ts";
import type { Trial, Uniform } from "../../../src/graph/operator.ts";
import { OPERATORS } from "../../../src/graph/operators.ts";
import type { Value } from "../../../src/graph/value.ts";
import type { Backend } from "../../../src/repops/backends/backend.ts";
import { reference } from "../../../src/repops/backends/reference.ts";
import { wasm } from "../../../src/repops/backends/wasm/backend.ts";
import { generator, graphGradients, numericGradients, randomTensor } from "../numeric.ts";

const SEED = 20261120;
type Tensors = Record<string, Tensor>;

/** `a`, `b` and so on: the operands of a trial by their names in a graph. */
function operandsOf({ operands }: Trial): Tensors {
  const random = generator(SEED);
  const made = (operand: Uniform | Tensor): Tensor =>
    "data" in operand ? operand : randomTensor(operand.shape, random, operand.from, operand.to);
  return Object.fromEntries(operands.map((operand, i) => [String.fromCharCode(97 + i), made(operand)]));
}

/**
 * Differences are taken of the largest of the numbers wanted, so that sums whose terms cancel are not held to
 * more.
 */
function expectClose(actual: ArrayLike<number>, wanted: readonly number[], tolerance: number, what: string): void {
  expect(actual.length, what).toBe(wanted.length);
  const scale = Math.max(1e-3, ...wanted.map(Math.abs));
  for (const [i, value] of wanted.entries())
    expect(Math.abs(actual[i] - value) / scale, `${what}, element ${i}`).toBeLessThan(tolerance);
}

/**
 * Central differences of Σ weights·y of the operator's own results, for one operand. They have 24 bits, so
 * the step is wide.
 */
async function ownDifferences(body: (inputs: Record<string, Value>) => Value, inputs: Tensors, weights: Tensor) {
  const step = 2 ** -6;
  const lossOf = async (changed: Tensors): Promise<number> => {
    const { data } = await evaluate(body, changed, { backend: reference });
    return [...data].reduce((total, y, i) => total + y * weights.data[i], 0);
  };
  const slopes: Record<string, number[]> = {};
  for (const [name, tensor] of Object.entries(inputs)) {
    if (tensor.dtype !== "f32") continue;
    slopes[name] = [];
    for (let i = 0; i < elementCount(tensor.shape); i++) {
      const moved = (by: number): Tensors => {
        const data = Float32Array.from(tensor.data);
        data[i] += by;
        return { ...inputs, [name]: { ...tensor, data } };
      };
      slopes[name].push(((await lossOf(moved(step))) - (await lossOf(moved(-step)))) / (2 * step));
    }
  }
  return slopes;
}

async function attempt(trial: Trial): Promise<void> {
  const inputs = operandsOf(trial);
  const names = Object.keys(inputs);
  const body = (values: Record<string, Value>): Value => trial.apply(...names.map((name) => values[name]));
  const evaluated = (backend: Backend): Promise<Tensor> => evaluate(body, inputs, { backend });
  const value = await evaluated(reference);
  expect((await evaluated(wasm)).data, "the bits of wasm").toEqual(value.data);
  const weights = randomTensor(value.shape, generator(SEED + 1));
  const actual = await graphGradients(body, inputs, weights);
  const { textbook } = trial;
  const twin =
    textbook && ((numbers: Record<string, number[]>) => textbook(Math, ...names.map((name) => numbers[name])));
  if (twin) {
    const numbers = Object.fromEntries(names.map((name) => [name, [...inputs[name].data]]));
    expectClose(value.data, twin(numbers), 1e-5, "the result");
  }
  const wanted = twin ? numericGradients(twin, inputs, weights) : await ownDifferences(body, inputs, weights);
  for (const name of Object.keys(actual))
    expectClose(actual[name].data, wanted[name], twin ? 2e-4 : 2e-3, `the gradient of operand ${name}`);
}

for (const { check } of OPERATORS)
  describe(check.name, () => {
    if (check.gradient === "none")
      test("has no gradient to certify", () =>
        expect(Object.keys(check.digests).filter((key) => key !== "integers")).toEqual(["result"]));
    else
      for (const trial of check.gradient)
        test(`has the values and gradients of float64${trial.title ? `: ${trial.title}` : ""}`, () => attempt(trial));
  });

describe("the declarations", () => {
  test("have numbers from 1, each once", () => {
    const numbers = OPERATORS.map(({ check }) => check.number);
    expect(new Set(numbers).size).toBe(numbers.length);
    for (const number of numbers) expect(Number.isInteger(number) && number >= 1).toBe(true);
  });

  test("name the operators, each once", () =>
    expect(new Set(OPERATORS.map(({ check }) => check.name)).size).toBe(OPERATORS.length));

  test("stand in files that the index lists", () => {
    const folder = new URL("../../../src/graph/ops/", import.meta.url);
    const index = readFileSync(new URL("index.ts", folder), "utf8");
    for (const file of readdirSync(folder)) if (file !== "index.ts") expect(index).toContain(`"./${file}"`);
  });

  test("are believed by no test: a wrong gradient is seen", async () => {
    const wrong: Trial = {
      operands: [{ shape: [3] }],
      apply: (x) => x.withOrigin([x], (gradient) => [gradient]),
      textbook: (_, x) => x.map((value) => 2 * value),
    };
    await expect(attempt(wrong)).rejects.toThrow("the result, element 0");
    const slope = { ...wrong, textbook: undefined, apply: (x: Value) => x.withOrigin([x], () => [undefined]) };
    await expect(attempt(slope)).rejects.toThrow("the gradient of operand a, element 0");
  });
});
