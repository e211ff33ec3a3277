/**
 * The trees over several tensors' chunks (spec 6.4), level by level for all at once: where each digest lies,
 * and the tables that say so to the device.
 */

/** Words of an entry of a table. */
export const ENTRY_WORDS = 4;

/** One launch: a thread for each leaf, or for each pair of nodes. */
export interface Level {
  /** A row for each tree that takes part: the number of its first thread, then what the kernel needs. */
  readonly rows: readonly (readonly number[])[];
  readonly threads: number;
}

/** The digest of tree t's root is at place t. */
export interface Forest {
  /** Rows: first thread, tree, chunks, place of the first leaf. */
  readonly leaves: Level;
  /** Rows: first thread, place of the first child, place of the first parent, children. */
  readonly levels: readonly Level[];
  /** Digests in all. */
  readonly size: number;
}

interface Tree {
  readonly tree: number;
  readonly count: number;
  /** The place of its first node on the present level. */
  readonly place: number;
}

/** The trees of a level: those of one node are at the place of their roots, the others from `from` on. */
function placed(counts: readonly { tree: number; count: number }[], from: number): Tree[] {
  let next = from;
  return counts.map(({ tree, count }) => {
    const place = count === 1 ? tree : next;
    if (count > 1) next += count;
    return { tree, count, place };
  });
}

function levelOf(
  trees: readonly Tree[],
  threadsOf: (tree: Tree) => number,
  rowOf: (tree: Tree, i: number) => number[],
): Level {
  let threads = 0;
  const rows = trees.map((tree, i) => {
    const first = threads;
    threads += threadsOf(tree);
    return [first, ...rowOf(tree, i)];
  });
  return { rows, threads };
}

/** @param chunks of each tree, at least 1 */
export function planForest(chunks: readonly number[]): Forest {
  const trees = chunks.map((count, tree) => ({ tree, count }));
  const many = trees.filter(({ count }) => count > 1);
  const sum = (counts: readonly { count: number }[]): number => counts.reduce((all, { count }) => all + count, 0);
  // Two stretches in turn: a level is not needed any more when the one above it is there.
  const starts = [trees.length, trees.length + sum(many)];
  const size = starts[1] + sum(many.map(({ count }) => ({ count: Math.ceil(count / 2) })));
  let level = placed(trees, starts[0]);
  const leaves = levelOf(
    level,
    ({ count }) => count,
    ({ tree, count, place }) => [tree, count, place],
  );
  const levels: Level[] = [];
  while (level.some(({ count }) => count > 1)) {
    const below = level.filter(({ count }) => count > 1);
    const above = placed(
      below.map(({ tree, count }) => ({ tree, count: Math.ceil(count / 2) })),
      starts[(levels.length + 1) % 2],
    );
    levels.push(
      levelOf(
        below,
        ({ count }) => Math.ceil(count / 2),
        ({ count, place }, i) => [place, above[i].place, count],
      ),
    );
    level = above;
  }
  return { leaves, levels, size };
}
