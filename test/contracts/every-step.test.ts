/**
 * One step of each kind of program of the table's operators, judged by the contract: `Judge` has the result
 * of the referee. A seeded sample runs in the gate, and all of them with VERDE_SWEEP=1.
 */
import { type Hex, parseAbi } from "viem";
import { expect, test } from "vitest";
import { OPERATORS } from "../../src/graph/operators.ts";
import type { ClosedJob } from "../../src/job/closed.ts";
import { outlineOf } from "../../src/job/closed.ts";
import { programKey } from "../../src/repops/programs/program.ts";
import { judgeBytecode } from "../../src/settlement/abi/bytecode.ts";
import { GameFacts, ZERO } from "../../src/settlement/game/facts.ts";
import { contextOf, LEVELS } from "../../src/settlement/game/state.ts";
import { WitnessWriter } from "../../src/settlement/game/witness.ts";
import { generator } from "../graph/numeric.ts";
import { disputeKernel, operatorJob } from "../referee/operator-job.ts";
import { openBytecode } from "./open-contract.ts";

const SEED = 20261129;
const SWEEP = process.env.VERDE_SWEEP !== undefined;
/** How many kinds the gate judges. */
const SAMPLE = 12;
const NOBODY: Hex = `0x${"00".repeat(20)}`;

const ABI = parseAbi([
  "struct Context { bytes32 players; address[2] owners; bytes32 job; bytes32 graph; bytes32 kernel; uint256 place; uint256 sizes; bytes32 past; bytes32[2] claims; bytes32 root; }",
  "function judge(uint8 level, Context context, bytes witness) view returns (bytes32)",
]);

interface Kind {
  job: ClosedJob;
  kernel: number;
  label: string;
}

/** The first kernel of each kind of program; of gathers, of which there is one kind, the first. */
function kinds(): Kind[] {
  const found = new Map<string, Kind>();
  for (const operator of OPERATORS) {
    const job = operatorJob(operator);
    const made = new Set(job.step.outputs.map(({ tensor }) => tensor - job.step.inputs.length));
    for (const [kernel, own] of job.step.kernels.entries()) {
      const key = `${own.kind} ${own.kind === "gather" ? "" : programKey(own.program)}`;
      const label = `${operator.check.name}, kernel ${kernel}, ${job.step.labels[kernel]}`;
      // One that makes an entry of the state, if there is one: a fault of it always reaches the state.
      if (!found.has(key) || made.has(kernel)) found.set(key, { job, kernel, label });
    }
  }
  return [...found.values()];
}

/** @returns whether the fault reached the state */
async function judged(
  ask: Awaited<ReturnType<typeof openBytecode>>,
  { job, kernel, label }: Kind,
  random: () => number,
) {
  const found = await disputeKernel(job, kernel, random);
  if (!found) return false;
  const { decision } = found;
  const facts = new GameFacts(outlineOf(job), 1);
  const context = contextOf(facts, { pair: ZERO, owners: [NOBODY, NOBODY] }, { phase: "bottom", path: decision.path });
  const level = LEVELS.indexOf(decision.path.at(-1)!.level.name as (typeof LEVELS)[number]);
  const witness = new WitnessWriter(facts, decision.path, decision.witness!).write();
  const right = await ask<Hex>("judge", [level, context, witness]);
  const what = `${label}, seed ${SEED}`;
  expect(right, what).toBe(context.claims[0]);
  expect(right, what).not.toBe(context.claims[1]);
  return true;
}

test("the contract judges a step of each kind of program as the referee does", { timeout: 3_600_000 }, async () => {
  const ask = await openBytecode(ABI, judgeBytecode);
  const random = generator(SEED);
  const all = kinds();
  const order = all.map((kind) => ({ kind, key: random() })).sort((a, b) => a.key - b.key);
  const chosen = SWEEP ? all : order.slice(0, SAMPLE).map(({ kind }) => kind);
  let reached = 0;
  for (const kind of chosen) if (await judged(ask, kind, random)) reached++;
  if (SWEEP) console.log(`${all.length} kinds of programs, ${reached} judged`);
  expect(reached).toBeGreaterThan(chosen.length / 2);
});
