/**
 * Reverse-mode differentiation while the graph is built. Gradients are ordinary operators, so they are traced
 * and can be disputed (spec 5.2).
 */
import { GraphError } from "../errors/index.ts";
import { add } from "./ops/add.ts";
import { fill } from "./fill.ts";
import { argumentError, builderOf, expectValue, type Value } from "./value.ts";

/**
 * The gradients of a scalar with respect to `parameters`: each is f32 of its parameter's shape, with zeros
 * where no gradient flows. If a value is used several times, its gradients are added in the reverse order of
 * use. Only first derivatives are supported: a loss that is made of gradients is refused.
 * @throws {GraphError} when `loss` is not an f32 scalar, a parameter is not f32, or the loss depends on a
 *   gradient of a parameter
 */
export function gradients(loss: Value, parameters: readonly Value[]): Value[] {
  return differentiate(loss, parameters).map(
    (flow, i) => flow.gradient ?? fill(loss.builder, parameters[i].shape, 0, "no-gradient"),
  );
}

/** The gradient of one parameter, or why there is none. */
export type Flow =
  | { readonly gradient: Value }
  | {
      readonly gradient?: undefined;
      /** `unused`: the loss does not depend on it. `stopped`: by `stopGradient`. `cut`: by an operator. */
      readonly why: "unused" | "stopped" | "cut";
      /** The label of an operator at which the path from the loss to the parameter ends. */
      readonly at?: string;
    };

/**
 * The gradients of a scalar, as `gradients` gives them, with a reason where no gradient flows.
 * @throws {GraphError} as `gradients` does
 */
export function differentiate(loss: Value, parameters: readonly Value[]): Flow[] {
  expectValue(loss, "gradients", "loss");
  const { builder } = loss;
  if (loss.dtype !== "f32" || loss.rank !== 0)
    throw new GraphError(
      "GRADIENT",
      `only a scalar of type f32 can be differentiated, and this is ${loss}; take its mean or sum`,
    );
  if (!Array.isArray(parameters)) throw argumentError("gradients", "parameters", parameters, "a list of values");
  for (const parameter of parameters as readonly Value[]) {
    builderOf("gradients", { loss, "a parameter": parameter });
    if (parameter.dtype !== "f32")
      throw new GraphError("GRADIENT", `a parameter of type ${parameter} has no gradient; only f32 has one`);
  }
  const ancestors = ancestorsOf(loss);
  expectFirst(ancestors, parameters);
  const needed = dependents(ancestors, parameters);
  const { flowing, cut } = flowBack(loss, fill(builder, [], 1, "gradient"), needed);
  return parameters.map((parameter): Flow => {
    const gradient = flowing.get(parameter);
    if (!gradient) return missing(loss, parameter, ancestors, cut);
    // Marked, because operators of a gradient would pass on only some of its own gradients.
    return { gradient: gradient.withOrigin([gradient], () => [], { isGradient: true }) };
  });
}

/**
 * Carries a gradient of a value back to the values that it depends on.
 * @param needed those of the value's ancestors that a gradient is wanted of, or has to pass
 * @returns `cut`: values through which no gradient flows to an operand that is one of `needed`
 */
function flowBack(y: Value, gradient: Value, needed: ReadonlySet<Value>) {
  const flowing = new Map<Value, Value>([[y, gradient]]);
  const cut: Value[] = [];
  for (const value of [...needed].sort((a, b) => b.order - a.order)) {
    const own = flowing.get(value);
    if (!own || !value.origin) continue;
    const { inputs } = value.origin;
    value.origin.backward(own).forEach((contribution, i) => {
      const input = inputs[i];
      if (!needed.has(input)) return;
      if (!contribution) return void cut.push(value);
      builderOf("a gradient", { "a value": y, "what an operator gives as its gradient": contribution });
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
  return { flowing, cut };
}

/**
 * An operator that is made of others as one operator: y, whose gradient flows to `operands` in one piece.
 * @param operands values that y depends on
 */
export function composed(y: Value, operands: readonly Value[]): Value {
  return y.withOrigin(operands, (gradient) => {
    const needed = dependents(ancestorsOf(y), operands);
    const { flowing } = flowBack(y, gradient, needed);
    return operands.map((operand) => flowing.get(operand));
  });
}

/** Why no gradient flows from a loss to a parameter. */
function missing(loss: Value, parameter: Value, ancestors: readonly Value[], cut: readonly Value[]): Flow {
  const { builder } = loss;
  const readers = builder.readersOf([parameter.source]);
  if (!readers.has(loss.source)) return { why: "unused" };
  if (builder.stopped.some((source) => readers.has(source))) return { why: "stopped" };
  // A path from the loss ends where no recorded operand depends on the parameter, though the operator does.
  const ends = ancestors.filter(
    (value) =>
      value.source !== parameter.source &&
      readers.has(value.source) &&
      !value.origin?.inputs.some(({ source }) => readers.has(source)),
  );
  const last = [...ends, ...cut.filter(({ source }) => readers.has(source))].sort((a, b) => b.order - a.order).at(-1);
  return { why: "cut", ...(last && { at: builder.labelOf(last.source) }) };
}

/** @throws {GraphError} when a loss is made of gradients of these parameters */
function expectFirst(ancestors: readonly Value[], parameters: readonly Value[]): void {
  const slopes = ancestors.filter(({ origin }) => origin?.isGradient);
  if (slopes.length === 0) return;
  const readers = slopes[0].builder.readersOf(parameters.map(({ source }) => source));
  const slope = slopes.find(({ source }) => readers.has(source));
  if (slope)
    throw new GraphError(
      "GRADIENT",
      `the loss depends on the gradient ${slope} (${slope.builder.labelOf(slope.source)}), and gradients of ` +
        "gradients are not supported; wrap it in stopGradient to treat it as a constant",
    );
}

/** The values that a value was made of, as far as gradients flow. */
function ancestorsOf(loss: Value): Value[] {
  const seen = new Set<Value>();
  const pending = [loss];
  for (let value = pending.pop(); value; value = pending.pop()) {
    if (seen.has(value)) continue;
    seen.add(value);
    pending.push(...(value.origin?.inputs ?? []));
  }
  return [...seen].sort((a, b) => a.order - b.order);
}

/** Those among the ancestors of a loss that are parameters, or depend on one. */
function dependents(ancestors: readonly Value[], parameters: readonly Value[]): Set<Value> {
  const reaches = new Map<Value, boolean>(parameters.map((parameter) => [parameter, true]));
  for (const value of ancestors)
    if (!reaches.get(value)) reaches.set(value, value.origin?.inputs.some((input) => reaches.get(input)) ?? false);
  return new Set(ancestors.filter((value) => reaches.get(value)));
}

/**
 * The same values, through which no gradient flows: any [...] → the same [...]. Adds no operator. A job's
 * parameter that has no other path to the loss is not an error then.
 * @throws {GraphError} when x is no value
 */
export function stopGradient(x: Value): Value {
  expectValue(x, "stopGradient", "x");
  x.builder.stopped.push(x.source);
  return x.withOrigin([], () => []);
}
