/** Negation. */
import { int } from "../../repops/programs/expressions.ts";
import { unary } from "../elementwise.ts";

/**
 * -x: f32 [...] → f32 [...]. There is one zero, so -0 is 0.
 * @throws {ShapeError} when x is not f32
 */
export const neg = unary("neg", {
  number: 7,
  forward: ({ a }) => a.neg(),
  integers: ({ a }) => int(0).sub(a),
  gradient: { a: ({ g }) => g.neg() },
  textbook: (_, a) => -a,
  digests: {
    result: "0x5cb404b872125f52d6cd52aafc11198315c3f77758ea397cc69df19ba625acfb",
    "gradient 0": "0xc703611f56575fcd6ba5e5fc517158c5a26ef605c88277f50d91965274b8dd9d",
    integers: "0x9d2acc36464b748ca3beb3507ba773b10a9494c75871aba9e97bd62f001fbee3",
  },
});
