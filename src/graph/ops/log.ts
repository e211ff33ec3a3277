/** The natural logarithm. */
import { log as logarithm } from "../../repops/functions/logarithm.ts";
import { unary } from "../elementwise.ts";

/**
 * ln x within 0.87 ULP: f32 [...] → f32 [...]. -2^127 for x ≤ 0.
 * @throws {ShapeError} when x is not f32
 */
export const log = unary("log", {
  number: 13,
  forward: ({ a }) => logarithm(a),
  gradient: { a: ({ g, a }) => g.div(a) },
  textbook: (m, a) => m.log(a),
  from: 0.3,
  digests: {
    result: "0x73103e9c3f2b96169cc02708a9fb83832dfdbebb3a9bfb3ba3744c212860dbb0",
    "gradient 0": "0x331c7e84f3aaddbc4a71bf1146d891aca85c437b43050125bfdb8b7e76b42e33",
  },
});
