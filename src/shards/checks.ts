/** Which results of workers are computed again, and what is found when one of them differs. */
import { getRandomValues } from "node:crypto";
import { bytesEqual, toHex } from "../encoding/bytes.ts";
import { asBytes } from "../encoding/bytes.ts";
import { tensorRoot } from "../encoding/tensor.ts";
import { stopsOutside } from "../repops/kernels/kernel.ts";
import type { Computed } from "./executor.ts";
import type { ShardPlan } from "./plan.ts";

/** A worker's result that is not that of the job. Roots are in hexadecimal. */
export interface Lie {
  worker: string;
  step: number;
  shard: number;
  /** The first operator whose output differs, and its number in the step graph. */
  operator: number;
  label: string;
  /** The roots of its output: as it was computed again, and as the worker states it. */
  expected: string;
  found: string;
  /** How many of the worker's earlier results were not computed again. */
  unchecked: number;
}

/** A number from 0 up to, not including, 1, that no worker can foresee. */
export function draw(): number {
  return getRandomValues(new Uint32Array(1))[0] / 2 ** 32;
}

/** Whether a worker's result has the bits of another one, as far as a shard goes. */
export function hasSameBits(plan: ShardPlan, shard: number, a: Computed, b: Computed): boolean {
  return plan.outputs[shard].every((tensor) =>
    bytesEqual(asBytes(a.outputs.get(tensor)!.data), asBytes(b.outputs.get(tensor)!.data)),
  );
}

/**
 * Whether a result says what would stop a run: a label that is no class, or numbers that have diverged.
 * Then it is computed again, so that a worker can't stop a run by its word.
 */
export function wouldStop({ job }: ShardPlan, { outOfRange, noted = [] }: Computed): boolean {
  return (
    outOfRange.some(({ kernel }) => stopsOutside(job.step.kernels[kernel])) ||
    noted.some(({ above, saturated }) => above || saturated)
  );
}

/**
 * The first operator of a shard whose output differs. The roots of all of them are compared in their
 * order: they take 32 bytes each, and one exchange.
 * @param claimed what the worker says of its operators when it is asked again; absent if it does not
 *   answer
 */
export function firstDifference(
  plan: ShardPlan,
  shard: number,
  { own, sent, claimed }: { own: Computed; sent: Computed; claimed?: Computed | undefined },
): Pick<Lie, "operator" | "label" | "expected" | "found"> {
  const { inputs, labels } = plan.job.step;
  const describe = (operator: number, expected: Uint8Array, found: Uint8Array) => ({
    operator,
    label: labels[operator],
    expected: toHex(expected),
    found: toHex(found),
  });
  if (claimed)
    for (const [operator, found] of claimed.roots) {
      const expected = own.roots.get(operator)!;
      if (!bytesEqual(expected, found)) return describe(operator, expected, found);
    }
  // It does not stand by what it sent: then that alone is what it said.
  for (const tensor of plan.outputs[shard]) {
    const [right, wrong] = [own, sent].map(({ outputs }) => tensorRoot(outputs.get(tensor)!));
    if (!bytesEqual(right, wrong)) return describe(tensor - inputs.length, right, wrong);
  }
  throw new Error(`shard ${shard} has the same bits`);
}
