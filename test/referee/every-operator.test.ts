/**
 * A fault in each operator of the table, judged by the referee, which names it. A seeded sample of the operators
 * runs in the gate, one kernel of each; with VERDE_SWEEP=1 all kernels of all operators.
 */
import { expect, test } from "vitest";
import { OPERATORS } from "../../src/graph/operators.ts";
import { generator } from "../graph/numeric.ts";
import { disputeKernel, operatorJob } from "./operator-job.ts";

const SEED = 20261129;
const SWEEP = process.env.VERDE_SWEEP !== undefined;
/** How many operators the gate runs. */
const SAMPLE = 10;

/**
 * Disputes kernels of an operator: those that make the state, where a fault must be found, or all.
 * @returns how many were disputed, and how many faults reached the state
 */
async function drill(operator: (typeof OPERATORS)[number], random: () => number) {
  const job = operatorJob(operator);
  const { kernels, labels, outputs } = job.step;
  const from = job.step.inputs.length;
  // What makes an entry of the state always reaches it.
  const last = [...new Set(outputs.flatMap(({ tensor }) => (tensor >= from ? [tensor - from] : [])))];
  const chosen = SWEEP ? [...kernels.keys()] : last.slice(0, 1);
  let reached = 0;
  for (const kernel of chosen) {
    const what = `${operator.check.name}, kernel ${kernel}, ${labels[kernel]}, seed ${SEED}`;
    const found = await disputeKernel(job, kernel, random);
    // What changes no bit of the state can't be disputed, such as a place that no one reads.
    if (!found) {
      expect(last, what).not.toContain(kernel);
      continue;
    }
    reached++;
    const at = found.decision.path.find(({ level }) => level.name === "operator");
    expect(at?.index, what).toBe(kernel);
    expect(found.decision.losers, what).toEqual([1]);
    expect(found.location.operator?.label, what).toBe(labels[kernel]);
  }
  return { kernels: chosen.length, reached };
}

const random = generator(SEED);
const order = OPERATORS.map((operator) => ({ operator, key: random() })).sort((a, b) => a.key - b.key);
const chosen = SWEEP ? OPERATORS : order.slice(0, SAMPLE).map(({ operator }) => operator);

test.each(chosen.map((operator): [string, typeof operator] => [operator.check.name, operator]))(
  "a fault in %s is found and named",
  async (name, operator) => {
    const { kernels, reached } = await drill(operator, random);
    if (SWEEP) console.log(`${name}: ${kernels} kernels, ${reached} of their faults reached the state`);
    expect(reached).toBeGreaterThan(0);
  },
);
