/** What a watch reads in calls: whatever their calldata has, nothing of it keeps other calls from being read. */
import { bytesToHex, encodeFunctionData, type Hex, parseEther, type PublicClient } from "viem";
import { expect, test } from "vitest";
import { addressOf } from "../../../src/claims/signature.ts";
import { sha256 } from "../../../src/encoding/hash.ts";
import type { StateRoot } from "../../../src/encoding/tensor.ts";
import { runOf } from "../../../src/rounds/statement.ts";
import { roundManagerAbi } from "../../../src/settlement/abi/round-manager.ts";
import { type LeafEvidence, PostedRecord } from "../../../src/settlement/rounds/evidence.ts";
import type { PerformanceEvents } from "../../../src/settlement/rounds/performance.ts";
import { ShownOnChain } from "../../../src/settlement/rounds/shown-on-chain.ts";
import { SignedLeaves } from "../../../src/settlement/rounds/signed-leaves.ts";
import { roundTermsOf } from "../../../src/settlement/rounds/terms.ts";
import { postedRounds } from "../../../src/settlement/rounds/terms-file.ts";
import { temporaryFolder } from "../../fixtures/folder.ts";
import { performedRecord, secretOf, stated } from "../../rounds/liars.ts";
import { smallPlan } from "../../rounds/small-plan.ts";

const path = temporaryFolder();
const plan = await smallPlan.close({ rounds: 1 });
const accountOf = (name: string): Hex => bytesToHex(addressOf(secretOf(name)));
const DAY = 86_400;
const posted = postedRounds(
  roundTermsOf(plan, {
    client: accountOf("client"),
    salt: `0x${"01".repeat(32)}`,
    participants: plan.participants.map(({ name }) => accountOf(name)),
    recorder: accountOf("recorder"),
    stake: parseEther("10"),
    bond: parseEther("5"),
    reward: parseEther("1"),
    price: parseEther("0.1"),
    periods: { toJoin: DAY, toRecord: DAY, toChallenge: DAY, toAnswer: DAY },
  }),
  { chainId: 1, manager: accountOf("manager") },
);
const record = await performedRecord(plan, path("record"), [], { instance: posted.instance });
const chain = new PostedRecord(record);
const LOCAL = { round: 1, seat: 1 };
const MERGE = { round: 1, seat: 3 };
const signatureOf = (place: typeof LOCAL): Hex => bytesToHex(record.at(place)!.signature);
/** Two leaves of one place: what `record` lists, and another one that its owner has signed. */
const second = stated(plan, posted.instance, LOCAL, { ...record.at(LOCAL)!, end: sha256(new Uint8Array(1)) as Uint8Array as StateRoot }); // prettier-ignore

const show = (evidence: LeafEvidence, signature: Hex): Hex =>
  encodeFunctionData({ abi: roundManagerAbi, functionName: "show", args: [posted.terms, evidence, signature, []] });

/** What is found when these calls were read, in their order. A call that is missing is one that a node lacks. */
async function foundIn(...inputs: (Hex | undefined)[]) {
  const leaves = new SignedLeaves(posted);
  leaves.add(LOCAL, bytesToHex(runOf(plan, second)), bytesToHex(second.signature));
  const hashes = inputs.map((_, i): Hex => `0x${String(i).padStart(64, "0")}`);
  const getTransaction = async ({ hash }: { hash: Hex }) => {
    const input = inputs[hashes.indexOf(hash)];
    if (input === undefined) throw new Error("there is no such transaction");
    return { input };
  };
  const events = { shown: hashes } as unknown as PerformanceEvents;
  const reading = new ShownOnChain({ getTransaction } as unknown as PublicClient, posted).addTo(leaves, events, bytesToHex(chain.root)); // prettier-ignore
  const problem = await reading.then(() => undefined, (error: Error) => error.message); // prettier-ignore
  return { problem, found: leaves.findings().map(({ kind, against }) => `${kind} ${against}`) };
}

const evidence = chain.evidence(MERGE);
const ordinary = show(chain.evidence(LOCAL), signatureOf(LOCAL));

test("a leaf with its signature is read", async () => {
  expect(await foundIn(ordinary)).toEqual({ problem: undefined, found: ["equivocate 1"] });
});

test.each<[string, Hex]>([
  ["a demanded leaf with more sources than it has", show({ ...evidence, sources: [...evidence.sources, ...evidence.sources] }, signatureOf(MERGE))],
  ["a leaf of a seat that there is not", show({ ...evidence, place: { round: 9, seat: 99 } }, signatureOf(MERGE))],
  ["a signature of another length", show(evidence, "0x1234")],
  ["an accusation with more sources than its template", encodeFunctionData({ abi: roundManagerAbi, functionName: "accuse", args: [posted.terms, { ...evidence, sources: [...evidence.sources, ...evidence.sources] }, "0x"] })],
  ["an answer with fewer signatures than sources", encodeFunctionData({ abi: roundManagerAbi, functionName: "answer", args: [posted.terms, evidence, { signatures: [], stood: [], rolls: [] }] })],
  ["an answer with rolls of no turn, of no round and of nobody", encodeFunctionData({ abi: roundManagerAbi, functionName: "answer", args: [posted.terms, evidence, { signatures: [], stood: [], rolls: [{ round: 1, turn: 9, present: 1n, signature: "0x" }, { round: 99, turn: 0, present: 1n, signature: "0x" }, { round: 1, turn: 0, present: 1n, signature: `0x${"00".repeat(65)}` }] }] })],
  ["a source of a turn that there is not", encodeFunctionData({ abi: roundManagerAbi, functionName: "accuse", args: [posted.terms, { ...evidence, template: { ...evidence.template, sources: [{ turn: 77, back: 5, member: 99 }] } }, "0x"] })],
  ["what is no call", "0x12345678"],
])("%s does not keep a later call from being read", async (_, input) => {
  expect(await foundIn(input, ordinary)).toEqual({ problem: undefined, found: ["equivocate 1"] });
}); // prettier-ignore

test("nor does a transaction that a node does not have, which is told", async () => {
  const { problem, found } = await foundIn(undefined, ordinary);
  expect(problem).toBe("there is no such transaction");
  expect(found).toEqual(["equivocate 1"]);
});
