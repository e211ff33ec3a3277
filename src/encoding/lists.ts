/**
 * A dataset that is a list of lists (spec 6.5): what a job reads of others keeps the root that it already
 * has, so a job's id follows from those roots, however many tensors they stand for.
 */
import { FormatError } from "../errors/index.ts";
import { type Bytes, Writer } from "./bytes.ts";
import { taggedHash } from "./hash.ts";
import {
  buildLevels,
  type ClimbLeaf,
  hashLeaf,
  leavesProofLength,
  type Levels,
  type Proof,
  proveLeaf,
  rootOf,
} from "./merkle.ts";
import { Tag } from "./tags.ts";
import { type StateRoot, stateRoot, stateRootOf, stateTree, type TensorRoot } from "./tensor.ts";

/** A list of tensors by its root. */
export interface ListRoot {
  /** How many tensors it has. */
  length: number;
  root: StateRoot;
}

/** The list that has tensor `index` of all lists in a row, and its place there. */
export function placeInLists(
  lengths: readonly number[],
  index: number,
): { list: number; place: number; first: number } {
  let first = 0;
  for (const [list, length] of lengths.entries()) {
    if (index < first + length) return { list, place: index - first, first };
    first += length;
  }
  throw new FormatError("INDEX", `there is no tensor ${index} in lists of ${first} tensors; they are counted from 0`, {
    index,
    count: first,
  });
}

/** A leaf binds the number of the list's first tensor, so that one leaf says which inputs the list is. */
const leafOf = (first: number, root: Bytes): Bytes =>
  new Writer().u32(first, "the number of a list's first tensor").bytes(root).finish();

function treeOf(lists: readonly ListRoot[]): Levels {
  let first = 0;
  return buildLevels(
    lists.map(({ length, root }) => {
      const leaf = hashLeaf(Tag.listLeaf, leafOf(first, root));
      first += length;
      return leaf;
    }),
  );
}

const rootOfTree = (count: number, tree: Bytes): StateRoot =>
  taggedHash(Tag.lists, new Writer().u32(count, "the number of lists").finish(), tree);

/** The root of a dataset of several lists. */
export function listsRoot(lists: readonly ListRoot[]): StateRoot {
  return rootOfTree(lists.length, rootOf(treeOf(lists)));
}

/** Cuts the roots of all tensors into lists of these lengths. */
function cut(roots: readonly TensorRoot[], lengths: readonly number[]): TensorRoot[][] {
  let at = 0;
  return lengths.map((length) => roots.slice(at, (at += length)));
}

/** The root of a dataset: of one list, or with `lengths` of several (spec 6.5). */
export function datasetRoot(roots: readonly TensorRoot[], lengths?: readonly number[]): StateRoot {
  if (!lengths) return stateRoot(roots);
  return listsRoot(cut(roots, lengths).map((list) => ({ length: list.length, root: stateRoot(list) })));
}

/** The proof of a tensor of a dataset: in its list, and then that of the list among all. */
export function proveInDataset(
  roots: readonly TensorRoot[],
  lengths: readonly number[] | undefined,
  index: number,
): Proof {
  if (!lengths) return proveLeaf(stateTree(roots), index);
  const { list, place } = placeInLists(lengths, index);
  const lists = cut(roots, lengths);
  const outer = treeOf(lists.map((own) => ({ length: own.length, root: stateRoot(own) })));
  return [...proveLeaf(stateTree(lists[list]), place), ...proveLeaf(outer, list)];
}

/**
 * The root of the dataset to which a tensor's proof leads.
 * @param count the tensors of all lists
 * @returns `undefined` when the proof has the wrong length for the place
 */
export function climbDataset(
  root: TensorRoot,
  { count, lengths, index }: { count: number; lengths: readonly number[] | undefined; index: number },
  proof: Proof,
  climb: ClimbLeaf,
): StateRoot | undefined {
  if (!lengths) {
    const tree = climb(Tag.stateLeaf, root, count, index, proof);
    return tree && stateRootOf(count, tree);
  }
  const { list, place, first } = placeInLists(lengths, index);
  const inner = leavesProofLength(lengths[list], [place]);
  const own = climb(Tag.stateLeaf, root, lengths[list], place, proof.slice(0, inner));
  const leaf = own && leafOf(first, stateRootOf(lengths[list], own));
  const tree = leaf && climb(Tag.listLeaf, leaf, lengths.length, list, proof.slice(inner));
  return tree && rootOfTree(lengths.length, tree);
}
