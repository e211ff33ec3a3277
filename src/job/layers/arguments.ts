/** Checks of the first arguments of layers, models and samplers: the context, the name and the values. */
import { describe } from "../../errors/arguments.ts";
import { Value } from "../../graph/value.ts";
import { Context } from "../context.ts";
import { settingError } from "../settings.ts";

/**
 * @param call the function's name, for messages
 * @throws {JobError} when `context` is not a job's context
 */
export function expectContext(call: string, context: unknown): asserts context is Context {
  if (!(context instanceof Context))
    throw settingError(call, `the first argument is ${describe(context)}; pass the context of the job's loss`);
}

/**
 * Checks the arguments that all layers have.
 * @param call the function's name, for messages
 * @returns the path of the layer, for messages
 * @throws {JobError} when one is of another kind, or x is a value of another graph
 */
export function expectLayer(call: string, context: Context, name: string, x: Value): string {
  expectContext(call, context);
  if (typeof name !== "string" || name === "")
    throw settingError(call, `the name of the layer is ${describe(name)}; pass a text as the second argument`);
  const path = context.builder.label(name);
  expectOwn(path, context, "x", x);
  return path;
}

/** @throws {JobError} when an argument is not a value of the context's graph */
export function expectOwn(of: string, context: Context, name: string, x: unknown): asserts x is Value {
  if (!(x instanceof Value)) throw settingError(of, `${name} is ${describe(x)}; pass a value of the job's graph`);
  if (x.builder !== context.builder)
    throw settingError(of, `${name} is a value of another graph; build both with one context`);
}
