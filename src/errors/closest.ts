/** The word that somebody meant, for messages about unknown names. */

/** Unequal words are alike if at most this share of the longer one has to be changed. */
const ALIKE = 0.4;

/** Without what writers of names differ in: `clipNorm`, `clip-norm` and `clip_norm` are alike. */
const plain = (word: string): string => word.toLowerCase().replaceAll(/[-_\s]/g, "");

/**
 * The word that is most like the given one: that begins with it, or with the fewest letters that are missing,
 * added, replaced, or swapped with their neighbour.
 * @returns `undefined` if none is alike
 */
export function closest(word: string, words: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Infinity;
  // A long word is somebody's data, and like no name.
  if (word.length > 64) return undefined;
  const wanted = plain(word);
  for (const other of words) {
    if (other.length > 64) continue;
    const length = Math.max(wanted.length, plain(other).length);
    const begins = wanted.length >= 3 && plain(other).startsWith(wanted);
    const changes = begins ? 1 : distance(wanted, plain(other));
    if (changes < least && changes <= Math.max(1, Math.floor(length * ALIKE)) && changes < length)
      [best, least] = [other, changes];
  }
  return best;
}

function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = rows[i - 1][j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      row[j] = Math.min(rows[i - 1][j] + 1, row[j - 1] + 1, replaced);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwap) row[j] = Math.min(row[j], rows[i - 2][j - 2] + 1);
    }
    rows.push(row);
  }
  return rows[a.length][b.length];
}
