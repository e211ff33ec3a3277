/** Which entries of a closed job's state are parameters. */
import { elementCount } from "../encoding/tensor.ts";
import type { NamedType } from "../graph/graph.ts";
import {
  AVERAGE_PREFIX,
  type ClosedJob,
  EVALUATION_PREFIX,
  METRIC_PREFIX,
  OPTIMIZER_PREFIX,
  SEED_NAME,
  stateTypes,
} from "./closed.ts";

/** The names, as PyTorch's, of statistics that a layer keeps: they are moved, and not trained. */
const STATISTICS = /(?:^|\.)running_(?:mean|var)$/;
/** The prefixes of entries of the state that are no parameters. */
const OTHER_PREFIXES = [METRIC_PREFIX, OPTIMIZER_PREFIX, AVERAGE_PREFIX, EVALUATION_PREFIX];

/** A parameter, and whether a training step leaves it as it is. */
export interface ParameterType extends NamedType {
  frozen: boolean;
}

/** Whether an entry holds the statistics of a layer, such as those of a batch norm. */
export const isStatistic = (name: string): boolean => STATISTICS.test(name);

/**
 * The parameters of a job. In a job of `defineJob` they are the entries of the state before `rng/seed`. In a
 * graph that was made otherwise they are the f32 entries that are neither the optimizer's own, nor averages,
 * sums, metrics or a layer's statistics.
 */
export function parametersOf({ step }: Pick<ClosedJob, "step">): ParameterType[] {
  const state = stateTypes({ step });
  const count = state.findIndex(({ name, dtype }) => name === SEED_NAME && dtype === "i32");
  return state.flatMap((type, entry) => {
    const { name, dtype } = type;
    const own =
      count >= 0
        ? entry < count
        : dtype === "f32" && !isStatistic(name) && !OTHER_PREFIXES.some((prefix) => name.startsWith(prefix));
    // The inputs of the step graph begin with the entries, in the same order.
    return own ? [{ ...type, frozen: step.outputs[entry].tensor === entry }] : [];
  });
}

/** How many numbers a job's training steps change, and how many they leave as they are. */
export interface ParameterCount {
  trained: number;
  frozen: number;
}

/** Counts the elements of all parameters, by whether a training step changes them. */
export function countByTraining(job: Pick<ClosedJob, "step">): ParameterCount {
  const count = { trained: 0, frozen: 0 };
  for (const { shape, frozen } of parametersOf(job)) count[frozen ? "frozen" : "trained"] += elementCount(shape);
  return count;
}

/** Counts the elements of all parameters, trained or not. */
export function countParameters(job: Pick<ClosedJob, "step">): number {
  const { trained, frozen } = countByTraining(job);
  return trained + frozen;
}
