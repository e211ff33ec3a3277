/** The run root that the leaves of all chunks of a final state lead to (spec 6.4 to 6.7). */
import type { Bytes } from "../../encoding/bytes.ts";
import { climb, GrowingTree, hashLeaf, type Proof } from "../../encoding/merkle.ts";
import { Tag } from "../../encoding/tags.ts";
import { stateRoot, type StateRoot, tensorRootOf, type TensorType } from "../../encoding/tensor.ts";
import type { JobId } from "../../job/closed.ts";
import { type RunRoot, runRootOfTree, segmentCount } from "../../trace/commitments.ts";

/** What a run root binds, apart from the states. */
export interface RunPlace {
  readonly job: JobId;
  readonly steps: number;
  readonly commitEvery: number;
}

/** The trees of a state's entries, from their leaves in order. */
export class StateTrees {
  private readonly types: readonly TensorType[];
  private readonly trees: readonly GrowingTree[];

  constructor(types: readonly TensorType[]) {
    this.types = types;
    this.trees = types.map(() => new GrowingTree());
  }

  /** Adds the next leaf of an entry. */
  add(entry: number, leaf: Bytes): void {
    this.trees[entry].add(leaf);
  }

  root(): StateRoot {
    return stateRoot(this.types.map((type, i) => tensorRootOf(type, this.trees[i].root())));
  }

  /** The run root, or `undefined` if the path does not fit the run. */
  runRoot({ job, steps, commitEvery }: RunPlace, segmentPath: Proof): RunRoot | undefined {
    const segments = segmentCount(steps, commitEvery);
    const tree = climb(hashLeaf(Tag.segmentLeaf, this.root()), segments, segments - 1, segmentPath);
    return tree && runRootOfTree(job, commitEvery, tree);
  }
}
