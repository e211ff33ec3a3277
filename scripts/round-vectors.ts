/**
 * The text of `test/vectors/rounds.json`: records of rounds, with the jobs of their leaves and the ids of
 * plan and instance. TypeScript derives them (src/rounds/plan.ts, src/settlement/rounds/terms.ts); the
 * contracts derive them again (test/solidity/RoundHashes.t.sol).
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AbiParameter, bytesToHex, encodeAbiParameters, getAbiItem, getAddress, type Hex } from "viem";
import { deriveJob, type LeafPlace, type Plan, sourcesOf } from "../src/rounds/plan.ts";
import { roundManagerAbi } from "../src/settlement/abi/round-manager.ts";
import { PostedRecord } from "../src/settlement/rounds/evidence.ts";
import { instanceOfTerms, roundTermsOf, shownPlan } from "../src/settlement/rounds/terms.ts";
import { performedRecord } from "../test/rounds/liars.ts";
import { membershipPlan } from "../test/rounds/membership-plan.ts";

const CHAIN = 31_337;
const address = (byte: string) => getAddress(`0x${byte.repeat(20)}`);

const [terms, evidence] = getAbiItem({ abi: roundManagerAbi, name: "accuse" }).inputs as readonly AbiParameter[];
const stores = getAbiItem({ abi: roundManagerAbi, name: "post" }).inputs[3] as AbiParameter;
/** The struct that the Solidity tests decode. */
const ENCODED: readonly AbiParameter[] = [
  {
    type: "tuple",
    components: [
      { name: "chain", type: "uint256" },
      { name: "manager", type: "address" },
      { ...terms, name: "terms" },
      { name: "name", type: "bytes" },
      { name: "turns", type: "bytes32" },
      { ...stores, name: "stores" },
      { name: "instance", type: "bytes32" },
      { name: "record", type: "bytes32" },
      { ...evidence, name: "leaves", type: "tuple[]" },
      { name: "jobs", type: "bytes32[]" },
    ],
  } as AbiParameter,
];

/** @param leaves those that are shown; of each the plan derives the job from what the record has */
async function vectorOf(plan: Plan, away: (place: LeafPlace) => boolean, leaves: (place: LeafPlace) => boolean) {
  const folder = mkdtempSync(join(tmpdir(), "verde-round-vectors-"));
  try {
    const record = await performedRecord(plan, join(folder, "record"), [], { away });
    const posted = new PostedRecord(record);
    const places = Array.from({ length: plan.rounds + 1 }, (_, round) =>
      plan.seats.map((__, seat) => ({ round, seat })),
    )
      .flat()
      .filter((place) => !record.isAbsent(place) && leaves(place));
    const jobs = places.map((place) => {
      const read = sourcesOf(plan, place).map((source) => record.standing(source));
      const present = read.map(({ round }, i) => (round === sourcesOf(plan, place)[i].round ? 1 : 0));
      return bytesToHex(deriveJob(plan, place, record.statements(read).map(({ end }) => end), present)); // prettier-ignore
    });
    const [manager, client, recorder] = ["a1", "b2", "c3"].map(address);
    const participants = plan.participants.map((_, i) => address((i + 16).toString(16)));
    const periods = { toJoin: 3600, toRecord: 7200, toChallenge: 10_800, toAnswer: 14_400 };
    const salt: Hex = `0x${"5a".repeat(32)}`;
    const choice = { client, salt, participants, recorder, stake: 11n, bond: 7n, reward: 5n, price: 3n, periods };
    const chosen = roundTermsOf(plan, choice);
    const instance = bytesToHex(instanceOfTerms(chosen, { chainId: CHAIN, manager }).id);
    const [name, turns, part] = shownPlan(plan);
    const shown = places.map((place) => posted.evidence(place));
    return encodeAbiParameters(ENCODED, [{ chain: BigInt(CHAIN), manager, terms: chosen, name, turns, stores: part, instance, record: bytesToHex(posted.root), leaves: shown, jobs }]); // prettier-ignore
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export async function roundVectors(): Promise<string> {
  const all = (): boolean => true;
  const small = [0, 3].map(async (stores) =>
    vectorOf(
      await membershipPlan.close({ rounds: 3, stores, copies: 2 }),
      ({ round, seat }) => round === 2 && seat === 1,
      all,
    ),
  );
  // A presence of more than 64 sources has two chunks, and one of 64 has one that is full.
  const wide = [64, 70].map(async (clients) =>
    vectorOf(
      await membershipPlan.close({ rounds: 1, clients }),
      ({ round, seat }) => round === 1 && [3, 62, 66, 69].includes(seat),
      ({ seat }) => seat === clients,
    ),
  );
  return `${JSON.stringify({ encoded: await Promise.all([...small, ...wide]) }, null, 1)}\n`;
}
