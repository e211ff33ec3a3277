/** What an execution reports of operators: reads outside of a source, and what their steps have noted. */
import { ValueError } from "../errors/index.ts";
import type { ExecuteReport } from "../repops/backends/backend.ts";
import { RANGE_EXPONENT, stopsOutside } from "../repops/kernels/kernel.ts";
import type { Graph } from "./graph.ts";

/** Reads of one operator that were outside of its source and gave its fill. */
export interface OutsideReads {
  /** The operator's label. */
  label: string;
  /** How many reads. */
  count: number;
}

/**
 * The reads outside that are only reported.
 * @param graph whose kernels the report counts
 * @param step the training step
 * @param isFaulty whether a fault was planted, which may have made a label wrong
 * @throws {ValueError} when a label is neither a class nor ignored
 */
export function readsOutside(
  graph: Graph,
  found: ExecuteReport["outOfRange"],
  step = 0,
  isFaulty = false,
): (OutsideReads & { step: number })[] {
  return found.map(({ kernel, count }) => {
    const label = graph.labels[kernel];
    if (!isFaulty && stopsOutside(graph.kernels[kernel]))
      throw new ValueError(
        "LABEL",
        `${label}: ${count} ${count === 1 ? "label is" : "labels are"} no class` +
          `${step > 0 ? ` at training step ${step}` : ""}; ` +
          "repair the labels, or name the one that does not count with ignoreIndex",
        { operator: label, count, step },
      );
    return { step, label, count };
  });
}

/** Something that an operator's steps have noted (spec 4.7). */
export interface NotedOperator {
  /** The operator's label. */
  label: string;
  /**
   * `above`: magnitudes beyond a clamp range were made smaller, so the result is not that of the operands.
   * `below`: magnitudes counted as 0, because their products might have been too small. `saturated`: a result
   * reached 2^127. `domain`: a function had operands outside of its domain, such as a logarithm of 0.
   */
  kind: "above" | "below" | "saturated" | "domain";
  /**
   * The end of the range that was passed, as a power of two: 51 or -51 in products, 102 or -102 in sums, 127
   * where a result was saturated. Absent for a domain.
   */
  exponent?: number;
}

/**
 * What the operators' steps have noted.
 * @param graph whose kernels the report counts
 */
export function notedOperators(graph: Graph, found: ExecuteReport["noted"] = []): NotedOperator[] {
  return found.flatMap(({ kernel, above, below, saturated, domain }): NotedOperator[] => {
    const label = graph.labels[kernel];
    const exponent = exponentOf(graph, kernel);
    return [
      ...(above ? [{ label, kind: "above" as const, exponent }] : []),
      ...(below ? [{ label, kind: "below" as const, exponent: -exponent }] : []),
      ...(saturated ? [{ label, kind: "saturated" as const, exponent: SATURATED }] : []),
      ...(domain ? [{ label, kind: "domain" as const }] : []),
    ];
  });
}

/** The exponent of the largest vf32. */
const SATURATED = 127;

/** Whether it is a sign that training has diverged. */
export const isDivergence = ({ kind }: Pick<NotedOperator, "kind">): boolean =>
  kind === "above" || kind === "saturated";

/** What an operator did, for people: a verb and its object. */
export function describeNoted({ kind, exponent }: Pick<NotedOperator, "kind" | "exponent">): string {
  if (kind === "saturated") return `reached 2^${SATURATED}`;
  if (kind === "domain") return "had operands outside of its domain";
  const verb = Math.abs(exponent!) === RANGE_EXPONENT.dot ? "multiplied" : "added";
  return `${verb} magnitudes ${kind} 2^${exponent}`;
}

/** The exponent of the range of a fold's operands. */
function exponentOf({ kernels }: Graph, kernel: number): number {
  const found = kernels[kernel];
  const ranges =
    found.kind === "gather" ? [] : found.args.map((arg) => (arg.kind === "operand" ? arg.clampRange : "none"));
  return ranges.includes("dot") ? RANGE_EXPONENT.dot : RANGE_EXPONENT.sum;
}
