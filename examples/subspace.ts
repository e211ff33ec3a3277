/** Fixed random tables that everybody makes to the same bit: sums, products and square roots alone. */

/** Uniform numbers from 0 to 1 of a linear congruential generator. */
function uniforms(seed: number): () => number {
  let state = BigInt(seed);
  return () => {
    state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn;
    return Number(state >> 32n) / 2 ** 32;
  };
}

/** Numbers of mean 0 and variance 1 that are nearly normal: sums of twelve uniform ones. */
export function randomRows(rows: number, columns: number, seed = 1): Float64Array {
  const next = uniforms(seed);
  return Float64Array.from({ length: rows * columns }, () => {
    let total = -6;
    for (let i = 0; i < 12; i++) total += next();
    return total;
  });
}

/** An orthonormal basis of a random subspace as columns: [dim, k], by Gram and Schmidt's method. */
export function randomBasis(dim: number, k: number, seed = 2): Float64Array {
  const columns: number[][] = [];
  const drawn = randomRows(k, dim, seed);
  for (let column = 0; column < k; column++) {
    const x = Array.from(drawn.subarray(column * dim, (column + 1) * dim));
    // Twice, because the first pass leaves rounding.
    for (const other of [...columns, ...columns]) {
      const along = x.reduce((total, value, i) => total + value * other[i], 0);
      for (let i = 0; i < dim; i++) x[i] -= along * other[i];
    }
    const norm = Math.sqrt(x.reduce((total, value) => total + value * value, 0));
    columns.push(x.map((value) => value / norm));
  }
  return Float64Array.from({ length: dim * k }, (_, at) => columns[at % k][Math.floor(at / k)]);
}
