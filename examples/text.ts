/** The project's prose as the examples read it: bytes as tokens, with an end that is held back. */
import { fileURLToPath } from "node:url";
import { byteTokens, intTensor } from "@verde-ml/verde/job";

export const PROSE = fileURLToPath(new URL("data/verde.txt", import.meta.url));

/** The share of a text that is held back. */
const HELD = 0.1;

/** In so many training steps all rows that are held back are evaluated. */
export const ROUND = 50;

/**
 * The beginning of a text as tokens i32 [n], and rows of its end, i32 [rows, length + 1]: in each row a
 * window of tokens and the token after them.
 */
export async function heldOut(path: string, length: number) {
  const { data } = await byteTokens(path);
  const from = Math.floor((1 - HELD) * data.length);
  let count = Math.floor((data.length - from - 1) / length);
  if (count < 1) throw new Error(`${path} has ${data.length} bytes; a tenth of them has to hold ${length + 1}`);
  // A mean of means is the mean of all rows only if each step evaluates equally many.
  while (count % Math.ceil(count / ROUND) > 0) count--;
  const rows = Array.from({ length: count }, (_, row) =>
    Array.from(data.slice(from + row * length, from + (row + 1) * length + 1)),
  );
  return { text: intTensor([from], data.slice(0, from)), held: intTensor([count, length + 1], rows.flat()) };
}
