/** Sentences for errors of the contracts that are about leaves, rolls and stores alone. */
import type { Hex } from "viem";

type Unused = unknown;

export const ROUND_SENTENCES = {
  MayMiss: (_: Unused, members: bigint) =>
    `the plan may miss ${members} members of the turn; show more that are absent`,
  WrongForm: () => "the leaf has another number of steps than its template says",
  WrongRoll: (_: Unused, round: number, turn: number) =>
    `the roll of turn ${turn} in round ${round} is missing, or says something else of the member`,
  OtherAccusation: () => "the accusation is about another leaf, or has named other rounds; show those of its event",
  NoSuchStore: (_: Unused, store: bigint) =>
    `the plan has no store ${store}, or what stores have signed is not in the increasing order of their numbers`,
  TooFewStores: (_: Unused, least: bigint) =>
    least === 0n ? "the plan has no stores" : `what at least ${least} different stores have signed is needed`,
  WrongCopy: (_: Unused, state: Hex) => `this is of the state ${state}, which is not the one that the demand is about`,
  ChunkExists: (_: Unused, chunks: bigint) => `the entry has ${chunks} chunks, so show the one that was asked for`,
} as const;
