/** Powers. */
import { log } from "../../repops/functions/logarithm.ts";
import { pow as power } from "../../repops/functions/power.ts";
import { binary } from "../elementwise.ts";

/**
 * a^b within 2 ULP: f32 [...] twice, which broadcast to one shape → f32 of that shape. A number becomes a
 * constant. A negative a has powers with a whole b; others are 0, where PyTorch's are NaN. a^0 = 1; 0^b is 0
 * for b > 0, and 2^127 for b < 0. The gradient of b is 0 where a ≤ 0.
 * @throws {ShapeError} when the shapes do not broadcast, an operand is not f32, or both are numbers
 */
export const pow = binary("pow", {
  number: 50,
  forward: ({ a, b }) => power(a, b),
  gradient: {
    a: ({ g, a, b }) => b.eq(0).select(0, power(a, b.sub(1)).mul(b).mul(g)),
    b: ({ g, a, y }) => a.gt(0).select(y.mul(log(a)).mul(g), 0),
  },
  textbook: (m, a, b) => m.exp(b * m.log(a)),
  from: 0.25,
  digests: {
    result: "0xd07ace2c98767427e401ca69194c3d03b9804631bf082143904804cbc2c65de4",
    "gradient 0": "0xa7a59faa7fda4f7415bf5a1d3c2964fd31ad131720a2256bb5df70e36ba5e308",
    "gradient 1": "0xf4a981895fa974ab6fff0931225660ac46d859f66eac400cafa6f51cea76a511",
  },
});
