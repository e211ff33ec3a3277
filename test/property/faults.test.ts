import fc from "fast-check";
import { expect, test } from "vitest";
import { type Fault, formatFault, parseFault } from "../../src/trace/fault.ts";
import { SEED } from "./seed.ts";

test("the text of a fault is read as it was written", () => {
  const whole = fc.nat(2 ** 31 - 1);
  const from = fc.integer({ min: 1, max: 2 ** 31 - 1 });
  const factor = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value || 0);
  const faults: fc.Arbitrary<Fault> = fc.oneof(
    fc.record({ kind: fc.constant("flip" as const), step: whole, operator: whole, element: whole, bit: fc.nat(31) }),
    fc.record({ kind: fc.constant("lr" as const), from, factor }),
    fc.record({ kind: fc.constant("data" as const), from }),
    fc.record({ kind: fc.constant("skip" as const), step: from }),
  );
  fc.assert(
    fc.property(faults, (fault) => {
      expect(parseFault(formatFault(fault))).toEqual(fault);
    }),
    { seed: SEED, numRuns: 300 },
  );
});
