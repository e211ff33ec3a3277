/** Moves of tensors, all as they were before the first one. */

/** A copy of memory by addresses. */
export interface Copy {
  readonly from: number;
  readonly to: number;
  readonly bytes: number;
}

/** The copies whose source is overwritten, each source once. */
function saves(copies: readonly Copy[]): Copy[] {
  const targets = new Set(copies.map(({ to }) => to));
  const sources = new Map(copies.filter(({ from }) => targets.has(from)).map((copy) => [copy.from, copy]));
  return [...sources.values()];
}

/** The bytes that are needed for sources that are overwritten. */
export const savedBytes = (copies: readonly Copy[]): number => saves(copies).reduce((sum, { bytes }) => sum + bytes, 0);

/** The copies that move all tensors, one after the other: sources that are overwritten are saved first. */
export function copiesInOrder(copies: readonly Copy[], spare: number): Copy[] {
  const places = new Map<number, number>();
  let next = spare;
  const saved = saves(copies).map(({ from, bytes }) => {
    places.set(from, next);
    next += bytes;
    return { from, to: next - bytes, bytes };
  });
  const moved = copies.map((copy) => ({ ...copy, from: places.get(copy.from) ?? copy.from }));
  return [...saved, ...moved].filter(({ bytes }) => bytes > 0);
}
