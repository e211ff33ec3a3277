/** An independent check of values and gradients: float64 arithmetic and central differences. */
import type { Tensor } from "../../src/encoding/tensor.ts";
import { evaluate, gradients, mul, sum, tensor, type Value } from "../../src/graph/index.ts";
import { reference } from "../../src/repops/backends/reference.ts";

/** A small generator with a fixed seed (mulberry32); numbers in [0, 1). */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function randomTensor(shape: readonly number[], random: () => number, low = -1, high = 1): Tensor {
  const count = shape.reduce((product, extent) => product * extent, 1);
  return tensor(
    shape,
    Array.from({ length: count }, () => low + (high - low) * random()),
  );
}

type Body = (inputs: Record<string, Value>) => Value;

/** The gradients of Σ weights·body(inputs), as the graph computes them. */
export async function graphGradients(
  body: Body,
  inputs: Record<string, Tensor>,
  weights: Tensor,
): Promise<Record<string, Tensor>> {
  const names = Object.keys(inputs).filter((name) => inputs[name].dtype === "f32");
  return evaluate(
    ({ weights: w, ...values }: Record<string, Value>) => {
      const loss = sum(mul(body(values), w));
      const slopes = gradients(
        loss,
        names.map((name) => values[name]),
      );
      return Object.fromEntries(names.map((name, i) => [name, slopes[i]]));
    },
    { ...inputs, weights },
    { backend: reference },
  ) as Promise<Record<string, Tensor>>;
}

/** Central differences of Σ weights·f(inputs) in float64. */
export function numericGradients(
  f: (inputs: Record<string, number[]>) => number[],
  inputs: Record<string, Tensor>,
  weights: Tensor,
): Record<string, number[]> {
  const values = Object.fromEntries(Object.entries(inputs).map(([name, { data }]) => [name, [...data]]));
  const loss = (): number => f(values).reduce((total, y, i) => total + y * weights.data[i], 0);
  const out: Record<string, number[]> = {};
  for (const [name, { dtype }] of Object.entries(inputs)) {
    if (dtype !== "f32") continue;
    out[name] = values[name].map((x, i) => {
      const h = 1e-5 * Math.max(1, Math.abs(x));
      values[name][i] = x + h;
      const above = loss();
      values[name][i] = x - h;
      const below = loss();
      values[name][i] = x;
      return (above - below) / (2 * h);
    });
  }
  return out;
}
