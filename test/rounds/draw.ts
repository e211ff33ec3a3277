/** Numbers for tests, drawn from a seed. */

/** Numbers below a bound, by a multiplicative generator. */
export function drawing(seed: number) {
  let state = (seed * 2654435761) >>> 0 || 1;
  return (below: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state = (state ^ (state << 5)) >>> 0;
    return state % below;
  };
}
