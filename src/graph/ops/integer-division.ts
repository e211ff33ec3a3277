/** Division of integers. */
import { floorDivide as divide } from "../../repops/functions/division.ts";
import { integerBinary } from "../integers.ts";

/**
 * The greatest integer not above a/b: i32 [...] twice, which broadcast to one shape → i32 of that shape. 0
 * where b is 0; -2^31 / -1 wraps to -2^31.
 * @throws {ShapeError} when the shapes do not broadcast, an operand is not i32, or both are numbers
 */
export const floorDivide = integerBinary(
  "floorDivide",
  77,
  "0x863cd1a6c4a299c1361a909d4aad7ef8846ee295e1d57929b1cf05f7ae98721a",
  ({ a, b }) => divide(a, b).quotient,
);

/**
 * a - b·floorDivide(a, b), which has the sign of b or is 0: i32 [...] twice, which broadcast to one shape →
 * i32 of that shape. a where b is 0.
 * @throws {ShapeError} when the shapes do not broadcast, an operand is not i32, or both are numbers
 */
export const remainder = integerBinary(
  "remainder",
  78,
  "0x1833e804ab8ce637b4c4f05847e1309ea4cb6f5f1d9a6a9dc3b5b5334cab87fa",
  ({ a, b }) => divide(a, b).remainder,
);
