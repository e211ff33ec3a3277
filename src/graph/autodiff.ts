/**
 * Reverse-mode differentiation while the graph is built. Gradients are ordinary operators, so they are traced
 * and can be disputed (spec 5.2).
 */
import { GraphError } from "../errors/index.ts";
import { add } from "./ops/add.ts";
import { fill } from "./fill.ts";
import type { Value } from "./value.ts";

/**
 * The gradients of a scalar with respect to `parameters`: each is f32 of its parameter's shape, with zeros
 * where no gradient flows. If a value is used several times, its gradients are added in the reverse order of
 * use. Only first derivatives are supported: no gradient flows through a gradient.
 * @throws {GraphError} when `loss` is not an f32 scalar, or a parameter is not f32
 */
export function gradients(loss: Value, parameters: readonly Value[]): Value[] {
  const { builder } = loss;
  if (loss.dtype !== "f32" || loss.rank !== 0)
    throw new GraphError(
      "GRADIENT",
      `only a scalar of type f32 can be differentiated, and this is ${loss}; take its mean or sum`,
    );
  for (const parameter of parameters)
    if (parameter.dtype !== "f32")
      throw new GraphError("GRADIENT", `a parameter of type ${parameter} has no gradient; only f32 has one`);
  const needed = dependents(loss, parameters);
  const flowing = new Map<Value, Value>([[loss, fill(builder, [], 1, "gradient")]]);
  for (const value of [...needed].sort((a, b) => b.order - a.order)) {
    const gradient = flowing.get(value);
    if (!gradient || !value.origin) continue;
    value.origin.backward(gradient).forEach((contribution, i) => {
      const input = value.origin!.inputs[i];
      if (!contribution || !needed.has(input)) return;
      if (contribution.shape.join() !== input.shape.join())
        throw new GraphError(
          "GRADIENT",
          `the gradient of ${input} is ${contribution}; an operator's gradient has to have the shape of its operand`,
          { expected: input.shape, found: contribution.shape },
        );
      const known = flowing.get(input);
      flowing.set(input, known ? add(known, contribution) : contribution);
    });
  }
  return parameters.map((parameter) => flowing.get(parameter) ?? fill(builder, parameter.shape, 0, "no-gradient"));
}

/** The values between the parameters and the loss. */
function dependents(loss: Value, parameters: readonly Value[]): Set<Value> {
  const reaches = new Map<Value, boolean>(parameters.map((parameter) => [parameter, true]));
  const order: Value[] = [];
  const seen = new Set<Value>();
  const pending = [loss];
  for (let value = pending.pop(); value; value = pending.pop()) {
    if (seen.has(value)) continue;
    seen.add(value);
    order.push(value);
    pending.push(...(value.origin?.inputs ?? []));
  }
  order.sort((a, b) => a.order - b.order);
  for (const value of order)
    if (!reaches.get(value)) reaches.set(value, value.origin?.inputs.some((input) => reaches.get(input)) ?? false);
  return new Set(order.filter((value) => reaches.get(value)));
}

/** The same values, through which no gradient flows: any [...] → the same [...]. Adds no operator. */
export function stopGradient(x: Value): Value {
  return x.withOrigin([], () => []);
}
