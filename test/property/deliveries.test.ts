import fc from "fast-check";
import { expect, test } from "vitest";
import { placeOf, proofOf, rootOf, vectors } from "../settlement/delivery-vectors.ts";
import { SEED } from "./seed.ts";

test("a chunk of the final state leads nowhere from another place (spec 6.8)", () => {
  // The number of steps is bound by the job's id.
  const fields = ["commitEvery", "tensors", "tensor", "chunk"] as const;
  const moved = fc.record({
    vector: fc.constantFrom(...vectors),
    field: fc.constantFrom(...fields),
    by: fc.constantFrom(-1, 1),
  });
  fc.assert(
    fc.property(moved, ({ vector, field, by }) => {
      const place = placeOf(vector);
      const elsewhere = { ...place, [field]: place[field] + by };
      fc.pre(elsewhere.commitEvery > 0);
      expect(rootOf(elsewhere, vector.type, proofOf(vector))).not.toBe(vector.root);
    }),
    { seed: SEED, numRuns: 500 },
  );
});
