/**
 * States of one segment, kept in memory while it is replayed, so that later questions about it do not start
 * from its beginning again.
 */
import { byteLength } from "../encoding/tensor.ts";
import { type NamedTensor, stateTypes } from "../job/closed.ts";
import type { Graph } from "../graph/graph.ts";

/** The most bytes of states that are kept. One state is kept, however large. */
const MOST_BYTES = 2 ** 28;

export class KeptStates {
  private readonly most: number;
  private states = new Map<number, NamedTensor[]>();
  private first = 0;
  private spacing = 1;

  /** @param mostBytes the most bytes of states; one state is kept even so */
  constructor(job: { step: Graph }, mostBytes = MOST_BYTES) {
    const bytes = stateTypes(job).reduce((sum, type) => sum + byteLength(type), 0);
    this.most = Math.max(Math.floor(mostBytes / Math.max(bytes, 1)), 1);
  }

  /**
   * Drops all states, and begins with those of another stretch. Of n states √n are kept, or as many as fit.
   * So each of the n is at most √n steps after a kept one.
   * @param first the step of the first state that can be kept
   * @param last the step of the last one
   */
  begin(first: number, last: number): void {
    const count = last - first + 1;
    let kept = 1;
    while (kept * kept < count && kept < this.most) kept++;
    this.states = new Map();
    this.first = first;
    this.spacing = Math.ceil(count / kept);
  }

  /** Whether the state after a step is one to keep. */
  wants(step: number): boolean {
    return (step - this.first) % this.spacing === 0;
  }

  keep(step: number, state: NamedTensor[]): void {
    this.states.set(step, state);
  }

  /** The last kept state that is not after a step. */
  before(step: number): { step: number; state: readonly NamedTensor[] } | undefined {
    let best: number | undefined;
    for (const candidate of this.states.keys())
      if (candidate <= step && (best === undefined || candidate > best)) best = candidate;
    return best === undefined ? undefined : { step: best, state: this.states.get(best)! };
  }
}
