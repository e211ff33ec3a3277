/** Compares products of views on a backend with the reference's, bit for bit. */
import { expect } from "vitest";
import { hex32 } from "../../../src/encoding/bytes.ts";
import type { Tensor } from "../../../src/encoding/tensor.ts";
import { type Backend, type ExecuteReport, executeOnce } from "../../../src/repops/backends/backend.ts";
import { reference } from "../../../src/repops/backends/reference.ts";
import { kernelOf, PRODUCTS } from "./view-products.ts";

type One = ReturnType<typeof kernelOf>;
interface Found {
  words: Uint32Array;
  noted: ExecuteReport["noted"];
}

const wordsOf = ({ data }: Tensor): Uint32Array => new Uint32Array(data.buffer, data.byteOffset, data.length);
const cases = PRODUCTS.map((product, seed) => ({ product, one: kernelOf(product, seed) }));

async function found(backend: Backend, { list, inputs }: One): Promise<Found> {
  let noted: ExecuteReport["noted"];
  const [result] = await executeOnce(backend, list, inputs, [2], (report) => void ({ noted } = report));
  return { words: wordsOf(result), noted };
}

let wanted: Promise<Found[]> | undefined;
const expected = () => (wanted ??= Promise.all(cases.map(({ one }) => found(reference, one))));

/** @param every so many of them; default 1: all */
export async function expectViewProducts(backend: Backend, every = 1): Promise<void> {
  const all = await expected();
  // Some operands are above the range and some below it.
  for (const kind of ["above", "below"] as const) expect(all.some(({ noted }) => noted?.[0]?.[kind])).toBe(true);
  for (const [i, { product, one }] of cases.entries()) {
    if (i % every !== 0) continue;
    const { words, noted } = all[i];
    const actual = await found(backend, one);
    const at = words.findIndex((word, k) => word !== actual.words[k]);
    const name = `product ${i}, ${JSON.stringify(product)}`;
    if (at >= 0)
      expect.unreachable(`${name}, element ${at}: ${hex32(actual.words[at])} instead of ${hex32(words[at])}`);
    expect(actual.noted, name).toEqual(noted);
  }
}
