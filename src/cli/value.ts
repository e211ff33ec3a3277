/** Bit patterns for people: the hexadecimal digits, and the number that they mean. */
import { type Bytes, toHex } from "../encoding/bytes.ts";
import type { DType } from "../encoding/tensor.ts";
import { fromBits } from "../repops/numbers/vf32.ts";

/**
 * `0x3f800000  1`, or only the digits if the value is not a number.
 * @param value four bytes, most significant first, of an element; a root otherwise
 */
export function formatValue(value: Bytes, dtype: DType | undefined): string {
  if (value.length !== 4 || dtype === undefined) return toHex(value);
  const bits = new DataView(value.buffer, value.byteOffset).getUint32(0);
  return `${toHex(value)}  ${TEXT[dtype](bits)}`;
}

const TEXT = {
  f32: (bits) => shortest(fromBits(bits)),
  i32: (bits) => String(bits | 0),
} as const satisfies Record<DType, (bits: number) => string>;

/** The shortest decimal text that reads back as this binary32. */
function shortest(value: number): string {
  for (let digits = 1; digits < 9; digits++) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === value) return String(Number(text));
  }
  return String(Number(value.toPrecision(9)));
}
