/**
 * The most expensive jobs that the specification allows are disputed to the end, in the EVM, within the
 * limits of a transaction: 128 KiB and 2^24 gas. VERDE_SWEEP=1 tries many more.
 */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { type Hex, parseEventLogs } from "viem";
import { fromHex } from "../../src/encoding/bytes.ts";
import { sha256 } from "../../src/encoding/hash.ts";
import { hashLeaf } from "../../src/encoding/merkle.ts";
import { Tag } from "../../src/encoding/tags.ts";
import { chunkCount, encodeType, stateRootOf, tensorRootOf } from "../../src/encoding/tensor.ts";
import { encodeKernel } from "../../src/graph/codec.ts";
import type { JobId } from "../../src/job/closed.ts";
import { taskManagerAbi } from "../../src/settlement/abi/task-manager.ts";
import { hex } from "../../src/settlement/game/facts.ts";
import { runRootOfTree } from "../../src/trace/commitments.ts";
import type { Build } from "../../src/settlement/abilities.ts";
import { GAS_CAP, MOST_KERNEL_BYTES, proofBound, TRANSACTION_BYTES } from "../../src/settlement/game/proof-bound.ts";
import { type Chain, DAY, digest, openChain } from "./chain.ts";
import { deployGame, Duel, GAS_BOND, PACE } from "./duel.ts";
import { ImaginedDispute } from "./imagined.ts";
import { SparseTree } from "./sparse-tree.ts";
import { Play } from "./task.ts";
import { type Choice, choices, imaginedJob, KINDS, worstOf } from "./worst-jobs.ts";

const SWEEP = process.env.VERDE_SWEEP;
const SEED = { seed: 20261129, numRuns: SWEEP ? 150 : 2 };

/** The table of clause 9.1: bytes and gas of each call at the limits. */
const table = new Map(
  [
    ...readFileSync(new URL("../../docs/spec.md", import.meta.url), "utf8").matchAll(
      /^\| `(\w+)` \| .* \| ([\d,]+) \| ([\d,]+) \|$/gm,
    ),
  ].map(([, name, bytes, gas]) => [name, [bytes, gas].map((text) => Number(text.replaceAll(",", "")))] as const),
);
/** A move down two levels of a tree always has this length. */
const PLAIN_BYTES = 388;
const most = new Map<string, [bytes: number, gas: number]>();

let chain: Chain;
const games = {} as Record<Build, Hex>;
beforeAll(async () => {
  chain = await openChain(400n * BigInt(DAY));
  for (const build of ["osaka", "portable"] as const) games[build] = await deployGame(chain, PACE, GAS_BOND, build);
});

async function playOut(choice: Choice, build: Build): Promise<void> {
  const job = imaginedJob(choice);
  const dispute = new ImaginedDispute(job);
  const snapshot = await chain.client.snapshot();
  const duel = await Duel.about(chain, games[build], dispute.facts, dispute.roots);
  await duel.play(dispute.provers);
  expect(await duel.prove(dispute.witness), JSON.stringify(choice)).toEqual([1]);
  await chain.client.revert({ id: snapshot });
  for (const { name, gas, bytes } of [{ name: "open", ...duel.opened! }, ...duel.receipts]) {
    const call = name === "prove" || name === "open" ? name : bytes === PLAIN_BYTES ? "move" : "turn";
    expect(bytes, name).toBeLessThan(TRANSACTION_BYTES);
    expect(gas, name).toBeLessThan(GAS_CAP);
    const [mostBytes, mostGas] = most.get(call) ?? [0, 0];
    most.set(call, [Math.max(mostBytes, bytes), Math.max(mostGas, gas)]);
  }
  const proof = duel.receipts[duel.receipts.length - 1];

  const bound = proofBound(dispute.facts.facts, job.graph, job.operator, build);
  expect(proof.gas).toBeLessThanOrEqual(bound.gas);
  expect(proof.bytes).toBeLessThanOrEqual(bound.bytes);
}

describe.each(["osaka", "portable"] as const)("in the %s build", (build) => {
  test.each(KINDS)("the largest %s is played to its end", (kind) => playOut(worstOf(kind), build), 300_000);
});

test(
  "the largest operator of an init graph is played to its end",
  () => playOut(worstOf("map", true), "osaka"),
  60_000,
);

test(
  "so is any other",
  () => fc.assert(fc.asyncProperty(choices, fc.constantFrom<Build>("osaka", "portable"), playOut), SEED),
  SWEEP ? 7_200_000 : 120_000,
);

test("a chunk of the largest state is demanded and delivered", async () => {
  const type = { dtype: "f32", shape: [2 ** 31 - 1] } as const;
  const [tensors, steps, tensor, index] = [2 ** 20, 2 ** 31 - 1, 345_678, 2 ** 24 + 1];
  const job = hex(sha256(new Uint8Array(1)));
  const chunk = new Uint8Array(256).fill(7);
  const chunks = new SparseTree(chunkCount(type), hashLeaf(Tag.chunk, chunk));
  const entries = new SparseTree(tensors, hashLeaf(Tag.stateLeaf, tensorRootOf(type, chunks.root)));
  const segments = new SparseTree(steps + 1, hashLeaf(Tag.segmentLeaf, stateRootOf(tensors, entries.root)));
  const layout = new SparseTree(tensors, hashLeaf(Tag.layoutLeaf, encodeType(type)));
  const root = hex(runRootOfTree(fromHex(job, 32) as JobId, 1, segments.root));
  const play = await Play.of(chain, {
    salt: digest("the largest state"),
    job,
    steps,
    commitEvery: 1,
    tensors,
    maxDemands: 1,
    stateLayout: hex(layout.root),
  });
  await play.claims(root, root);
  const asked = await play.demand(tensor, index, hex(encodeType(type)), layout.prove(tensor).map(hex));
  const [{ args }] = parseEventLogs({ abi: taskManagerAbi, logs: asked.logs, eventName: "ChunkDemanded" });
  const delivered = await play.deliver(0, args.demand, {
    chunk: hex(chunk),
    chunkPath: chunks.prove(index).map(hex),
    statePath: entries.prove(tensor).map(hex),
    segmentPath: segments.prove(steps).map(hex),
  });
  for (const [name, { transactionHash: hash, gasUsed }] of Object.entries({ demand: asked, deliver: delivered })) {
    const { input } = await chain.client.getTransaction({ hash });
    most.set(name, [input.length / 2 - 1, Number(gasUsed)]);
  }
});

test("no operator is longer than the table says", () => {
  const lengths = KINDS.flatMap((kind) => imaginedJob(worstOf(kind)).kernel ?? []).map(
    (kernel) => encodeKernel(kernel).length,
  );
  expect(Math.max(...lengths)).toBe(MOST_KERNEL_BYTES);
});

test("the figures of the specification are what the largest jobs take", () => {
  expect([...most.keys()].sort()).toEqual([...table.keys()].sort());
  for (const [call, [bytes, gas]] of most) {
    const [mostBytes, mostGas] = table.get(call)!;
    expect(bytes, call).toBeLessThanOrEqual(mostBytes);
    expect(gas, call).toBeLessThanOrEqual(mostGas);
    // Nor are they far above.
    expect(bytes, call).toBeGreaterThan(0.6 * mostBytes);
    expect(gas, call).toBeGreaterThan(0.6 * mostGas);
  }
});
