/** Truth values: 0 is false, and any other integer is true. Results are 1 or 0. */
import { integerBinary, integerUnary } from "../integers.ts";

/**
 * 1 where both operands are true, else 0: i32 [...] twice, which broadcast to one shape → i32 of that shape.
 * @throws {ShapeError} when the shapes do not broadcast, an operand is not i32, or both are numbers
 */
export const logicalAnd = integerBinary(
  "logicalAnd",
  68,
  "0x0e40fe2ff1717ed64e13ccd75fb6c5ae70d997917244fb6ca84c3205436c4b07",
  ({ a, b }) => a.eq(0).or(b.eq(0)).selectInt(0, 1),
);

/**
 * 1 where one of the operands is true, else 0: i32 [...] twice, which broadcast to one shape → i32 of that
 * shape.
 * @throws {ShapeError} when the shapes do not broadcast, an operand is not i32, or both are numbers
 */
export const logicalOr = integerBinary(
  "logicalOr",
  69,
  "0x7ea64550affb0419a6e97d3d75bd41a0b968d7dd5586228a39370c41765c3967",
  ({ a, b }) => a.or(b).eq(0).selectInt(0, 1),
);

/**
 * 1 where x is false, else 0: i32 [...] → i32 [...].
 * @throws {ShapeError} when x is not i32
 */
export const logicalNot = integerUnary(
  "logicalNot",
  70,
  "0x28202f68282c4636f61459fc14b827d4ba0ef02d99020b238996c9ad31e83f7e",
  ({ a }) => a.eq(0).selectInt(1, 0),
);
