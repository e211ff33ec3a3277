import { describe, expect, test } from "vitest";
import { type DType, dtypeFromCode, DTYPES, elementsIn, zeroElements } from "../../src/encoding/dtypes.ts";
import { byteLength, elementBits, encodeType, zeros } from "../../src/encoding/tensor.ts";
import { elementOf, isElement, patternOf } from "../../src/repops/numbers/elements.ts";

const every = Object.keys(DTYPES) as DType[];

describe("the table of element types", () => {
  test("has the codes and names of the specification", () => {
    expect(every.map((dtype) => [dtype, DTYPES[dtype].code, DTYPES[dtype].safetensors])).toEqual([
      ["f32", 1, "F32"],
      ["i32", 2, "I32"],
    ]);
    expect([0, 1, 2, 3].map(dtypeFromCode)).toEqual([undefined, "f32", "i32", undefined]);
    expect([...encodeType({ dtype: "i32", shape: [3] })]).toEqual([2, 1, 0, 0, 0, 3]);
  });

  test.each(every)("gives arrays of %s", (dtype) => {
    const buffer = new Uint32Array([7, 0x3f800000, 9]).buffer;
    expect(zeroElements(dtype, 3)).toEqual(new DTYPES[dtype].array(3));
    expect(elementsIn(dtype, buffer)).toHaveLength(3);
    const [only] = elementsIn(dtype, buffer, 4, 1);
    expect(only).toBe(dtype === "f32" ? 1 : 0x3f800000);
    expect(patternOf(dtype, only)).toBe(0x3f800000);
    expect(byteLength({ dtype, shape: [2, 3] })).toBe(zeros({ dtype, shape: [2, 3] }).data.byteLength);
  });

  test.each(every)("takes elements of %s to patterns and back", (dtype) => {
    for (const bits of [0, 1, 0x3f800000, 0x7f000000, 0xbf800000, 0xffffffff, 0x80000000, 0x7fc00000]) {
      if (!isElement(dtype, bits)) continue;
      const value = elementOf(dtype, bits);
      expect(patternOf(dtype, value)).toBe(bits);
      const tensor = zeros({ dtype, shape: [1] });
      tensor.data[0] = value;
      expect(elementBits(tensor, 0)).toBe(bits);
    }
    expect([0x80000000, 0x7fc00000, 1].map((bits) => isElement(dtype, bits))).toEqual(
      dtype === "f32" ? [false, false, false] : [true, true, true],
    );
  });
});
