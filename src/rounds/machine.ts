/** Two records as a game (spec 6.10): the round, then the seat, at which they first differ. */
import type { Bytes } from "../encoding/bytes.ts";
import { Tag } from "../encoding/tags.ts";
import type { Machine } from "../game/bisection.ts";
import { bothSides, type Level } from "../game/level.ts";
import { type Claim, ClaimProver } from "../game/prover.ts";
import type { LeafPlace, Plan } from "./plan.ts";
import type { RoundsRecord } from "./record.ts";
import { absentWord, recordRootOf, recordRootOfTree, roundRootOf, runOf } from "./statement.ts";

const digests = { payloadBytes: () => 32, partBytes: 32 } as const;

/** The levels of a record with so many rounds, round 0 included. Its bottom is a leaf. */
export function planMachine({ id, seats }: Plan, rounds: number): Machine {
  const round: Level = {
    name: "round",
    tag: Tag.roundLeaf,
    count: rounds,
    binding: { kind: "preimage", commit: (root) => recordRootOfTree(id, rounds, root) },
    ...digests,
  };
  const turn: Level = {
    name: "turn",
    tag: Tag.turnLeaf,
    count: seats.length,
    // A round's root is that of its tree.
    binding: { kind: "preimage", commit: (root) => root },
    ...digests,
  };
  return {
    under: (at) => [round, turn][at.length],
    claims: (_, path) => bothSides((side) => path[path.length - 1].payloads[side]),
  };
}

/** The word of a place in its round's tree (spec 6.10). */
export function wordOf(record: RoundsRecord, place: LeafPlace): Bytes {
  const standing = record.standing(place);
  const run = runOf(record.plan, record.statements([standing])[0]);
  return standing.round === place.round ? run : absentWord(run);
}

const wordsIn = (record: RoundsRecord, round: number): Bytes[] =>
  record.plan.seats.map((_, seat) => wordOf(record, { round, seat }));

/** The root of a round of a record that has all its leaves. */
export const roundRootIn = (record: RoundsRecord, round: number): Bytes => roundRootOf(wordsIn(record, round));

/** The roots of a record's rounds. @param rounds how many, each with all its leaves */
function roundRootsOf(record: RoundsRecord, rounds: number): Bytes[] {
  return Array.from({ length: rounds }, (_, round) => roundRootIn(record, round));
}

/** What a record claims with so many rounds. */
export const recordClaim = (record: RoundsRecord, rounds: number): Bytes =>
  recordRootOf(record.plan.id, roundRootsOf(record, rounds));

/** Answers for a record. */
export function recordProver(record: RoundsRecord, rounds: number): ClaimProver<never> {
  const claim: Claim<never> = {
    payloads: async (at) => (at.length === 0 ? roundRootsOf(record, rounds) : wordsIn(record, at[0].index)),
    witness: async () => undefined,
  };
  return new ClaimProver(planMachine(record.plan, rounds), claim);
}
