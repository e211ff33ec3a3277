/** The type of an optimizer: it adds the update of each parameter to the step graph. */
import type { Value } from "../../graph/value.ts";
import type { Context, Parameter } from "../context.ts";

/**
 * Calls `context.update` once for each parameter; the job is refused if it leaves one out. What it keeps
 * from one training step to the next is made with `context.state`, with names that begin with `optimizer/`.
 * @param gradients one for each parameter, with its shape, in the order of the parameters
 */
export type Optimizer = (context: Context, parameters: readonly Parameter[], gradients: readonly Value[]) => void;
