/** The tiles that products are cut into. */

/** A block's part of the output, and a thread's: `own` by `own`, in fours. */
export interface Tile {
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  readonly own: number;
  /** Blocks of a plain product that a processor is to hold at once: a limit of a thread's registers. */
  readonly blocks: number;
}

/** From the largest to the smallest. For none of them does a compiler move registers to memory (ptxas 13). */
export const TILES: readonly Tile[] = [
  { rows: 128, columns: 64, depth: 8, own: 8, blocks: 3 },
  { rows: 64, columns: 64, depth: 16, own: 4, blocks: 3 },
  { rows: 32, columns: 32, depth: 16, own: 4, blocks: 8 },
];

/** Threads of a block. */
export const threadsOf = ({ rows, columns, own }: Tile): number => (rows * columns) / (own * own);
