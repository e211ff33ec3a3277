/** The Gaussian error linear unit, exact and in its tanh form. */
import { geluTanhDerivative, geluTanh as tanhUnit } from "../../repops/functions/gelu.ts";
import { geluDerivative, gelu as unit } from "../../repops/functions/normal.ts";
import { unary } from "../elementwise.ts";
import type { Textbook } from "../operator.ts";
import { argumentError, type Value } from "../value.ts";
import { erfOf } from "./erf.ts";

/**
 * GELU in its tanh form, x/2 · (1 + tanh(sqrt(2/π) · (x + 0.044715·x³))), as in GPT-2, within 2 ULP: f32
 * [...] → f32 [...].
 * @throws {ShapeError} when x is not f32
 */
export const geluTanh = unary("geluTanh", {
  number: 19,
  forward: ({ a }) => tanhUnit(a),
  gradient: { a: ({ g, a }) => g.mul(geluTanhDerivative(a)) },
  textbook: (m, a) => 0.5 * a * (1 + m.tanh(m.sqrt(2 / Math.PI) * (a + 0.044715 * a * a * a))),
  digests: {
    result: "0x5f0278ed1794bef42bed04cab8cbf28b618421398b9057044b0295eeff64c045",
    "gradient 0": "0x92d67380748265c32712e976d077322abcdd791c458650cd1258db97d237e462",
  },
});

const exact = unary("gelu", {
  number: 41,
  forward: ({ a }) => unit(a),
  gradient: { a: ({ g, a }) => g.mul(geluDerivative(a)) },
  textbook: (m: Textbook, a) => 0.5 * a * (1 + erfOf(m, a * Math.SQRT1_2)),
  digests: {
    result: "0xac3221982a674b224ca467a377727034b39280af7e86697e0d8715d997120520",
    "gradient 0": "0xb2a90a2ed57c194b91aa9b1a6bd911b1742d8f50ca3df1cbd84ae04a819939cc",
  },
});

/**
 * GELU, x · Φ(x), where Φ is the normal distribution's share below x, within 2 ULP: f32 [...] → f32 [...].
 * @param options `approximate`: "none" (the default, as in PyTorch), or "tanh" for the form that GPT-2 has,
 *   which takes fewer instructions: `geluTanh`
 * @throws {ShapeError} when x is not f32, {GraphError} for another form
 */
export const gelu = Object.assign(
  (x: Value, options: { approximate?: "none" | "tanh" } = {}): Value => {
    const { approximate = "none" } = options;
    if (approximate !== "none" && approximate !== "tanh")
      throw argumentError("gelu", "approximate", approximate, '"none" or "tanh"');
    return approximate === "tanh" ? geluTanh(x) : exact(x);
  },
  { operands: exact.operands, elementwise: exact.elementwise, check: exact.check },
);
