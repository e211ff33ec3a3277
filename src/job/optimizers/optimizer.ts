/** What an optimizer is: the update of every parameter as nodes of the step graph. */
import type { Value } from "../../graph/value.ts";
import type { Context, Parameter } from "../context.ts";

/**
 * Calls `context.update` once for every parameter. What it keeps from one training step to the next is
 * `context.state`, by names that begin with `optimizer/`.
 * @param gradients one a parameter, of its shape, in the order of the parameters
 */
export type Optimizer = (context: Context, parameters: readonly Parameter[], gradients: readonly Value[]) => void;
