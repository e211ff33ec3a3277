/** Quotients of elements. */
import { binary } from "../elementwise.ts";

/**
 * a / b, correctly rounded: f32 [...] twice, which broadcast to one shape → f32 of that shape. A number
 * becomes a constant. x/0 is ±2^127, 0/0 is 0.
 * @throws {ShapeError} when the shapes do not broadcast, an operand is not f32, or both are numbers
 */
export const div = binary("div", {
  number: 4,
  forward: ({ a, b }) => a.div(b),
  gradient: { a: ({ g, b }) => g.div(b), b: ({ g, y, b }) => g.mul(y).div(b).neg() },
  textbook: (_, a, b) => a / b,
  from: 0.3,
  digests: {
    result: "0x77ae8aff16ab3be87b5828a5e8415e9e2f7efcd6edbd50853f501760ac8370e1",
    "gradient 0": "0x225546c21418ca7cab5513d2392b3b30729d5fab346da4d32b93621570f08d2c",
    "gradient 1": "0xad8dd541aea1b87cfbc27db7a45aa24a88623175fc99c32b81564c4e1ae1dd94",
  },
});
