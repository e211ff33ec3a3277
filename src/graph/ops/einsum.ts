/** Einstein's summation: any product of two tensors whose axes have letters. */
import { DOT_STEP } from "../../repops/kernels/kernel.ts";
import { describe } from "../../errors/arguments.ts";
import { fold } from "../emit.ts";
import type { Operator } from "../operator.ts";
import { argumentError, builderOf, expectFloat, shapeError, type Value } from "../value.ts";
import { viewOf } from "../view.ts";
import { diagonal } from "./diagonal.ts";
import { reshape } from "./reshape.ts";
import { broadcastTo } from "./sum.ts";

/** An operand whose axes have one letter each, no letter twice. */
interface Lettered {
  value: Value;
  letters: readonly string[];
}

type Fail = (problem: string) => never;

/**
 * The letters of the axes of one term; the axes of an ellipsis are `.1` for the last, `.2` for the one
 * before.
 */
function lettersOf(term: string, rank: number, fail: Fail): string[] {
  const [before, after, more] = term.split("...");
  if (more !== undefined || /[^A-Za-z]/.test(before + (after ?? "")))
    fail(`the term ${describe(term)} is not of letters, with at most one ellipsis`);
  const named = before.length + (after?.length ?? 0);
  if (named > rank || (after === undefined && named < rank))
    fail(`the term ${describe(term)} does not have one letter for each of ${rank} axes`);
  const between = Array.from({ length: rank - named }, (_, i) => `.${rank - named - i}`);
  return [...before, ...between, ...(after ?? "")];
}

/** Axes with the same letter become their diagonal. */
function withoutRepeats(value: Value, letters: readonly string[], fail: Fail): Lettered {
  const second = letters.findIndex((letter, axis) => letters.indexOf(letter) < axis);
  if (second < 0) return { value, letters };
  const first = letters.indexOf(letters[second]);
  if (value.shape[first] !== value.shape[second])
    fail(`the axes ${letters[second]} of ${value} have the extents ${value.shape[first]} and ${value.shape[second]}`);
  const others = letters.filter((_, axis) => axis !== first && axis !== second);
  return withoutRepeats(diagonal(value, 0, first, second), [...others, letters[second]], fail);
}

/** Σ over the letters that are not in `out`, in the order in which a, then b, has them. */
function contract(a: Lettered, b: Lettered, out: readonly string[], name: string): Value {
  const extents = new Map<string, number>();
  for (const { value, letters } of [a, b]) letters.forEach((letter, axis) => extents.set(letter, value.shape[axis]));
  const summed = [...extents.keys()].filter((letter) => !out.includes(letter));
  const extentsOf = (letters: readonly string[]): number[] => letters.map((letter) => extents.get(letter) ?? 1);
  const space = [...out, ...summed];
  const read = ({ value, letters }: Lettered): Value => {
    const strides = space.map((letter) => (letters.includes(letter) ? value.strides[letters.indexOf(letter)] : 0));
    return viewOf(value, extentsOf(space), strides, value.offset, (gradient) => gradient);
  };
  const shape = extentsOf(out);
  const options = { name, shape, reduce: extentsOf(summed), start: 0, clampRange: "dot" } as const;
  const y = fold(DOT_STEP, [read(a), read(b)], options);
  const back = (own: Lettered, other: Lettered, gradient: Value): Value => {
    // A letter that only this operand has, and that is summed, gets the same gradient everywhere.
    const known = own.letters.filter((letter) => other.letters.includes(letter) || out.includes(letter));
    const found = contract({ value: gradient, letters: out }, other, known, `${name}-gradient`);
    const wide = own.letters.map((letter) => (known.includes(letter) ? (extents.get(letter) ?? 1) : 1));
    return broadcastTo(reshape(found, wide), own.value.shape);
  };
  return y.withOrigin([a.value, b.value], (gradient) => [back(a, b, gradient), back(b, a, gradient)]);
}

/** The axes of an ellipsis have one extent in both operands. */
function broadcastEllipses(operands: readonly Lettered[], fail: Fail): Lettered[] {
  const extents = new Map<string, number>();
  for (const { value, letters } of operands)
    letters.forEach((letter, axis) => {
      const extent = value.shape[axis];
      const known = extents.get(letter) ?? extent;
      if (known !== extent && !(letter.startsWith(".") && (known === 1 || extent === 1)))
        fail(`the axis ${letter.startsWith(".") ? "of the ellipsis" : letter} has the extents ${known} and ${extent}`);
      extents.set(letter, known === 1 ? extent : known);
    });
  return operands.map(({ value, letters }) => ({
    letters,
    value: broadcastTo(
      value,
      letters.map((letter) => extents.get(letter) ?? 1),
    ),
  }));
}

/**
 * The product of two tensors whose axes have letters, summed over the letters that the result lacks. One
 * fold: each element is Σ a·b from +0, with its operands clamped to the dot range (spec 4.3). The letters of
 * a come first in its order, then those that only b has; the last letter runs fastest. So `"ij,jk->ik"` has
 * the bits of `matmul`, and its speed.
 *
 *     einsum("bqhd,bkhd->bhqk", queries, keys, "scores");
 *
 * It is as fast as a matrix product where the result's last letter is that of one operand alone, and the
 * summed letters follow one another in both. Else it is a loop.
 * @param equation letters for the axes of a, those of b, and after `->` those of the result. A letter that
 *   stands twice for one operand is its diagonal. Without `->` the result has the letters that stand once, in
 *   the order of the alphabet. `...` stands for axes that broadcast, and come first in a result without `->`
 * @param name the label of the operator; "einsum"
 * @throws {ShapeError} when the equation does not fit the operands, an extent differs, an operand is not f32,
 *   or more than 2^22 products are added
 * @throws {GraphError} when the operands belong to two graphs
 */
export function einsum(equation: string, a: Value, b: Value, name = "einsum"): Value {
  if (typeof equation !== "string") throw argumentError(name, "equation", equation, 'a text, such as "ij,jk->ik"');
  const builder = builderOf(name, { a, b });
  for (const operand of [a, b]) expectFloat(operand, name);
  const fail: Fail = (problem) => {
    throw shapeError("OPERANDS", builder, name, `${describe(equation)} of ${a} and ${b}: ${problem}`);
  };
  const [terms, result, rest] = equation.replaceAll(" ", "").split("->");
  const sides = terms.split(",");
  if (sides.length !== 2 || rest !== undefined) fail('it needs two terms and at most one result, as in "ij,jk->ik"');
  const named = [a, b].map((value, i) => ({ value, letters: lettersOf(sides[i], value.rank, fail) }));
  const all = named.flatMap(({ letters }) => letters);
  const open = [...new Set(all)]
    .filter((letter) => letter.startsWith("."))
    .sort()
    .reverse();
  const once = all.filter((letter) => !letter.startsWith(".") && all.indexOf(letter) === all.lastIndexOf(letter));
  const width = result?.includes("...") ? open.length : 0;
  const out =
    result === undefined
      ? [...open, ...once.sort()]
      : lettersOf(result, result.replace("...", "").length + width, fail);
  for (const [i, letter] of out.entries()) {
    if (!all.includes(letter)) fail(`no operand has the letter ${letter} of the result`);
    if (out.indexOf(letter) !== i) fail(`the result has the letter ${letter} twice`);
  }
  const single = named.map(({ value, letters }) => withoutRepeats(value, letters, fail));
  const [left, right] = broadcastEllipses(single, fail);
  return contract(left, right, out, name);
}

einsum.check = {
  number: 176,
  name: "einsum",
  digests: {
    result: "0x4a493c565ca98e18045d34a001ca0d4bbaae1c4278a3cf0653e48e64225015ba",
    "gradient 0": "0x5b3671903bd2b65611a3c218e866d3aab4af00f4c330a98236353e2e1234a24a",
    "gradient 1": "0x9304d8f22d859ee64f6bb98cbac636ad56192538d6535f8d31cc01fe961a9145",
  },
  vector: ({ floats }) => ({
    y: einsum("bqhd,bkhd->bhqk", floats(3126, 2, 5, 3, 7), floats(3127, 2, 6, 3, 7)),
    gradient: floats(3128, 2, 3, 5, 6),
  }),
  gradient: [
    {
      operands: [{ shape: [2, 3] }, { shape: [3, 2] }],
      apply: (a, b) => einsum("ij,jk", a, b),
      textbook: (_, a, b) =>
        [0, 1].flatMap((i) => [0, 1].map((k) => [0, 1, 2].reduce((sum, j) => sum + a[3 * i + j] * b[2 * j + k], 0))),
    },
    {
      title: "of a diagonal and a letter that one operand has alone",
      operands: [{ shape: [3, 3] }, { shape: [3, 2] }],
      apply: (a, b) => einsum("ii,ik->i", a, b),
      textbook: (_, a, b) => [0, 1, 2].map((i) => a[4 * i] * (b[2 * i] + b[2 * i + 1])),
    },
    {
      title: "of axes that broadcast",
      operands: [{ shape: [2, 1, 2] }, { shape: [3, 2] }],
      apply: (a, b) => einsum("...d,...d->...", a, b),
      textbook: (_, a, b) =>
        [0, 1].flatMap((i) => [0, 1, 2].map((j) => a[2 * i] * b[2 * j] + a[2 * i + 1] * b[2 * j + 1])),
    },
  ],
} satisfies Operator["check"];
