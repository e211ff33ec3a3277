/** What AMD's instructions say about fusing: a text of compiled shaders, counted by part. */

/** The shaders of one part: a conformance vector, a graph, a planted product. */
export interface Part {
  name: string;
  shaders: number;
  /** Multiplications, and additions or subtractions, of binary32. */
  products: number;
  sums: number;
  /** Instructions on floats that multiply and add in one, as written in the text. */
  fused: readonly string[];
}

/**
 * fma, mac, mad in all their forms (with constants, accumulating, packed, dual, mixed, scalar), the steps of
 * a native division, dot products and matrix instructions; on floats only. Addresses are computed with
 * v_mad_u32_u24 and similar instructions.
 */
const FUSED =
  /\b[vs]_(?:dual_|pk_)?(?:fma|fmac|fmaak|fmamk|mac|mad|madak|madmk|div_fmas|dot\d+\w*?|mfma|s?wmma\w*?)(?:_legacy|_mix(?:lo|hi)?)?_f(?:16|32|64)\w*/g;
const PRODUCT = /\b[vs]_(?:dual_|pk_)?mul_f32/g;
const SUM = /\b[vs]_(?:dual_|pk_)?(?:add|sub|subrev)_f32/g;
/** The last instruction of every shader. */
const END = /\bs_endpgm\b/g;
/** The line before each shader, with the name of its part. */
const HEAD = /^@@ (.*)$/gm;

/**
 * @throws {Error} if the text announces a shader without its instructions: then the driver does not write
 * them
 */
export function partsOf(text: string): Part[] {
  const parts = new Map<string, Part>();
  const [, ...pieces] = text.split(HEAD);
  for (let i = 0; i < pieces.length; i += 2) {
    const [name, code] = [pieces[i], pieces[i + 1]];
    const count = (pattern: RegExp): number => code.match(pattern)?.length ?? 0;
    if (count(END) === 0) throw new Error(`a shader of "${name}" was compiled, and its instructions are missing`);
    const { shaders, products, sums, fused } = parts.get(name) ?? { shaders: 0, products: 0, sums: 0, fused: [] };
    parts.set(name, {
      name,
      shaders: shaders + 1,
      products: products + count(PRODUCT),
      sums: sums + count(SUM),
      fused: [...fused, ...(code.match(FUSED) ?? [])],
    });
  }
  return [...parts.values()];
}
