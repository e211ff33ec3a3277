/** What a run has seen that its user should know: values beyond a range, and reads outside of a source. */
import type { Graph } from "../graph/graph.ts";
import { describeNoted, isDivergence, type NotedOperator, notedOperators, readsOutside } from "../graph/outside.ts";
import type { ExecuteReport } from "../repops/backends/backend.ts";
import { isSaturated } from "../repops/numbers/vf32.ts";

/** Something that an operator's steps have noted, and when (spec 4.7). */
export interface NotedInRun extends NotedOperator {
  /** The first training step, and the number of training steps so far. */
  step: number;
  steps: number;
}

/** The first sign that training has diverged. */
export interface Divergence {
  step: number;
  /** The label of an operator, or the name of a metric or of a tensor of the state. */
  at: string;
  /** What was found there, for people. */
  what: string;
}

/** What a run has seen, for its result. */
export interface Observed {
  /** Values that reached the end of the range. */
  saturated: { step: number; tensor: string }[];
  /** Reads of gathers outside their source, which gave the fill value. */
  outOfRange: { step: number; label: string; count: number }[];
  /** What operators have noted; absent where the backend can't see that. */
  noted?: NotedInRun[];
  /** The first sign that training has diverged. */
  diverged?: Divergence;
}

/** The first and the last of some training steps. */
type Span = [from: number, to: number];

/** What is kept for a run that is resumed (observed-file.ts). */
export interface KeptObservations extends Pick<Observed, "saturated" | "outOfRange"> {
  /** The backend can't see what steps note, or what it saw is lost. */
  blind: boolean;
  /** Tensors of a given initial state that were saturated from the beginning. */
  given: string[];
  operators: (NotedOperator & { spans: Span[] })[];
  divergence?: Divergence;
}

export class Observations {
  private saturated: Observed["saturated"] = [];
  private outOfRange: Observed["outOfRange"] = [];
  divergence: Divergence | undefined;
  private blind = false;
  private readonly byOperator = new Map<string, { found: NotedOperator; spans: Span[] }>();
  private readonly given = new Set<string>();

  /** What a run's result says of it. */
  result(): Observed {
    const { saturated, outOfRange, divergence, blind, byOperator } = this;
    const noted = [...byOperator.values()].map(({ found, spans }): NotedInRun => {
      const steps = spans.reduce((sum, [from, to]) => sum + to - from + 1, 0);
      return { step: spans[0][0], steps, ...found };
    });
    return { saturated, outOfRange, ...(!blind && { noted }), ...(divergence && { diverged: divergence }) };
  }

  /** What there is to keep; `undefined` where nothing was seen. */
  kept(): KeptObservations | undefined {
    const { saturated, outOfRange, divergence, blind, byOperator, given } = this;
    const operators = [...byOperator.values()].map(({ found, spans }) => ({ ...found, spans }));
    if (!blind && given.size + saturated.length + outOfRange.length + operators.length === 0) return undefined;
    return { blind, given: [...given], saturated, outOfRange, operators, ...(divergence && { divergence }) };
  }

  /**
   * Continues after a training step.
   * @param kept what was seen until then, and perhaps in later steps, which are executed again
   */
  resume(kept: KeptObservations | "lost" | undefined, step: number): void {
    if (kept === "lost") this.blind = true;
    if (kept === "lost" || kept === undefined) return;
    const isBefore = (seen: { step: number }): boolean => seen.step <= step;
    this.blind = kept.blind;
    for (const name of kept.given) this.given.add(name);
    this.saturated = kept.saturated.filter(isBefore);
    this.outOfRange = kept.outOfRange.filter(isBefore);
    if (kept.divergence && isBefore(kept.divergence)) this.divergence = kept.divergence;
    for (const { spans, ...found } of kept.operators) {
      const before = spans.filter(([from]) => from <= step).map(([from, to]): Span => [from, Math.min(to, step)]);
      if (before.length > 0) this.byOperator.set(keyOf(found), { found, spans: before });
    }
  }

  /**
   * Of the execution of a step.
   * @param isDrill labels outside of their classes are no error
   * @throws {ValueError} for a label that is no class
   */
  executed(step: number, { outOfRange, noted }: ExecuteReport, graph: Graph, isDrill: boolean): void {
    this.outOfRange.push(...readsOutside(graph, outOfRange, step, isDrill));
    if (!noted) this.blind = true;
    for (const found of notedOperators(graph, noted)) {
      this.count(step, found);
      if (isDivergence(found)) this.divergence ??= { step, at: found.label, what: describeNoted(found) };
    }
  }

  private count(step: number, found: NotedOperator): void {
    const known = this.byOperator.get(keyOf(found));
    const last = known?.spans.at(-1);
    if (!known || !last) this.byOperator.set(keyOf(found), { found, spans: [[step, step]] });
    // Several kernels may have one label.
    else if (last[1] >= step - 1) last[1] = step;
    else known.spans.push([step, step]);
  }

  /** Of the metrics after a training step. */
  measured(step: number, metrics: Readonly<Record<string, number>>): void {
    for (const [name, value] of Object.entries(metrics)) if (isSaturated(value)) this.reached(step, name);
  }

  /** Of the state after a training step, as far as it was read: the names of saturated tensors. */
  read(step: number, names: readonly string[]): void {
    for (const name of names) {
      if (step === 0) this.given.add(name);
      if (this.given.has(name)) this.saturated.push({ step, tensor: name });
      else this.reached(step, name);
    }
  }

  private reached(step: number, tensor: string): void {
    this.saturated.push({ step, tensor });
    this.divergence ??= { step, at: tensor, what: "reached 2^127" };
  }
}

const keyOf = ({ kind, label }: NotedOperator): string => `${kind} ${label}`;
