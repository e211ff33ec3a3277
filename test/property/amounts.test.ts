import fc from "fast-check";
import { expect, test } from "vitest";
import { formatAmount, parseAmount } from "../../src/settlement/amount.ts";
import { SEED } from "./seed.ts";

test("an amount is read as it was written", () => {
  const amounts = fc.bigInt({ min: 0n, max: 2n ** 88n - 1n });
  fc.assert(
    fc.property(amounts, fc.integer({ min: 0, max: 18 }), (amount, decimals) => {
      const token = { symbol: "T", decimals };
      expect(parseAmount(formatAmount(amount, token).replace(/,| T/g, ""), token)).toBe(amount);
    }),
    { seed: SEED },
  );
});
