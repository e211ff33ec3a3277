/** The sign. */
import { sign as signum } from "../../repops/functions/rounding.ts";
import { unary } from "../elementwise.ts";

/**
 * -1, 0 or 1: f32 [...] → f32 [...], or i32 [...] → i32 [...]. No gradient flows; PyTorch's is 0.
 * @throws {ShapeError} when x is neither f32 nor i32
 */
export const sign = unary("sign", {
  number: 55,
  forward: ({ a }) => signum(a),
  gradient: {},
  integers: ({ a }) => a.sar(31).or(a.eq(0).selectInt(0, 1)),
  digests: {
    result: "0x1134d15f6d27dea03e82469ddcd00de55ae5c2cabe0a8705232d25c96cbfa0c5",
    integers: "0xa0ebe65d65c8f0812fe0b909f30953d5c7bec3541cf3297dcb2f3fd441959ea1",
  },
});
