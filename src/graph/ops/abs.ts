/** Magnitudes. */
import { int } from "../../repops/programs/expressions.ts";
import { unary } from "../elementwise.ts";

/**
 * |x|: f32 [...] → f32 [...]. The gradient at 0 is that of x.
 * @throws {ShapeError} when x is not f32
 */
export const abs = unary("abs", {
  number: 8,
  forward: ({ a }) => a.abs(),
  integers: ({ a }) => a.lt(0).selectInt(int(0).sub(a), a),
  gradient: { a: ({ g, a }) => a.lt(0).select(g.neg(), g) },
  textbook: (m, a) => m.abs(a),
  digests: {
    result: "0x072aaf3aa5a5a7203cda63bf2aeca2d0c20dc7e89e999621c2c71ba39184ad44",
    "gradient 0": "0x43c9aee7b7293caa4b1033ac36266aeda7865e68de833a2ac3738b8127106554",
    integers: "0xa8e7f7114d77e35db4e923efce00471ad88ce0e967082b34284a826b9295c212",
  },
});
