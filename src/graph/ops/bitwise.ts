/** Operations on the bits of integers. */
import { integerBinary, integerUnary } from "../integers.ts";

/**
 * The bits that both operands have: i32 [...] twice, which broadcast to one shape → i32 of that shape.
 * @throws {ShapeError} when the shapes do not broadcast, an operand is not i32, or both are numbers
 */
export const bitwiseAnd = integerBinary(
  "bitwiseAnd",
  71,
  "0xeb1f70ff413903270aa20ea3a599a81ee37592e3ac48c96d06a226e706d9c389",
  ({ a, b }) => a.and(b),
);

/**
 * The bits that one of the operands has: i32 [...] twice, which broadcast to one shape → i32 of that shape.
 * @throws {ShapeError} when the shapes do not broadcast, an operand is not i32, or both are numbers
 */
export const bitwiseOr = integerBinary(
  "bitwiseOr",
  72,
  "0x89b0bab4645fb9385aa49fae75d8172e39573ace46b8d9e5fd1a9c8f4fdd3313",
  ({ a, b }) => a.or(b),
);

/**
 * The bits in which the operands differ: i32 [...] twice, which broadcast to one shape → i32 of that shape.
 * @throws {ShapeError} when the shapes do not broadcast, an operand is not i32, or both are numbers
 */
export const bitwiseXor = integerBinary(
  "bitwiseXor",
  73,
  "0x26b4c8cbd7c8b70601dd8079ac3c7b91668240142b3f87e51e04ca478eddfbb1",
  ({ a, b }) => a.xor(b),
);

/**
 * The bits that x lacks: i32 [...] → i32 [...].
 * @throws {ShapeError} when x is not i32
 */
export const bitwiseNot = integerUnary(
  "bitwiseNot",
  74,
  "0x92b4fa8a1c2bca91aa87ca0202f2c400a2accbc3ae9a38d630f9c2edabe12a5d",
  ({ a }) => a.xor(-1),
);

/**
 * a shifted by b bits to the left, zeros from the right; b is taken modulo 32: i32 [...] twice, which
 * broadcast to one shape → i32 of that shape.
 * @throws {ShapeError} when the shapes do not broadcast, an operand is not i32, or both are numbers
 */
export const bitwiseLeftShift = integerBinary(
  "bitwiseLeftShift",
  75,
  "0xc4073874c4c32033c0c5ccf1c0bd032a69a12822a5913ab20272642883d196f3",
  ({ a, b }) => a.shl(b),
);

/**
 * a shifted by b bits to the right, its sign from the left, as in PyTorch; b is taken modulo 32: i32 [...]
 * twice, which broadcast to one shape → i32 of that shape.
 * @throws {ShapeError} when the shapes do not broadcast, an operand is not i32, or both are numbers
 */
export const bitwiseRightShift = integerBinary(
  "bitwiseRightShift",
  76,
  "0x89b5a128917bc7f45b80dd67de32e47a7775f9602781c191302d9ac138ca64bd",
  ({ a, b }) => a.sar(b),
);
