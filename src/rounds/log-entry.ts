/**
 * The entries of a record's log as bytes: a kind, and a content whose length follows from the kind and the
 * plan.
 */
import { type Bytes, Reader, Writer } from "../encoding/bytes.ts";
import type { StateRoot } from "../encoding/tensor.ts";
import type { JobId } from "../job/closed.ts";
import type { RunRoot } from "../trace/commitments.ts";
import { type BeaconValue, VALUE_BYTES } from "./beacon.ts";
import { mayMiss, type Plan, type PlanTurn } from "./plan.ts";
import type { StoreSentence } from "./receipt.ts";
import type { Roll } from "./roll.ts";
import type { Statement } from "./statement.ts";

const KIND = { leaf: 1, round: 2, roll: 3, beacon: 4, receipt: 5, absence: 6 } as const;
/** The bytes of an entry's content, by its kind. */
const BYTES = {
  [KIND.leaf]: 8 + 3 * 32 + 65,
  [KIND.round]: 4 + 32 + 65,
  [KIND.beacon]: 4 + VALUE_BYTES,
  [KIND.receipt]: 12 + 32 + 65,
  [KIND.absence]: 12 + 65,
} as const;
/** The bytes of a roll before its members, and in all. */
const ROLL_HEAD = 12;
const rollBytes = (members: number): number => ROLL_HEAD + members + 65;
/** The bytes of the hash after an entry's content. */
export const HASH = 32;

/** What the recorder signed after a round. */
export interface RecordMark {
  /** How many rounds the record had, with round 0. */
  readonly rounds: number;
  readonly root: Bytes;
  readonly signature: Bytes;
}

/** What an entry says. It has one of these. */
export interface EntryContent {
  readonly statement?: Statement;
  readonly roll?: Roll;
  readonly mark?: RecordMark;
  readonly beacon?: BeaconValue;
  readonly sentence?: StoreSentence;
}

/** An entry's kind and content. */
export interface EncodedEntry {
  readonly kind: number;
  readonly content: Bytes;
}

/** The most bytes of the entries of a round that has its leaves, rolls, beacon's value and mark once. */
export function roundBytes(plan: Pick<Plan, "turns" | "seats" | "beacon" | "storage">): number {
  const { turns, seats, beacon, storage } = plan;
  const whole = (content: number): number => 1 + content + HASH;
  const rolls = turns.reduce((sum, turn) => sum + (mayMiss(turn) ? whole(rollBytes(turn.members)) : 0), 0);
  const value = beacon ? whole(BYTES[KIND.beacon]) : 0;
  // A store that lies may have signed both.
  const stores = (storage?.members ?? 0) * (whole(BYTES[KIND.receipt]) + whole(BYTES[KIND.absence]));
  return seats.length * (whole(BYTES[KIND.leaf]) + stores) + rolls + value + whole(BYTES[KIND.round]);
}

/**
 * The bytes of the content of the entry at a place; infinitely many where it is cut before they are known.
 */
export function lengthAt(bytes: Bytes, at: number, turns: readonly PlanTurn[]): number | undefined {
  const kind = bytes[at];
  if (kind !== KIND.roll) return BYTES[kind as keyof typeof BYTES];
  if (bytes.length < at + 1 + ROLL_HEAD) return Infinity;
  const head = new Reader(bytes.subarray(at + 1, at + 1 + ROLL_HEAD), "a roll");
  head.u32();
  const [turn, members] = [head.u32(), head.u32()];
  return turns[turn]?.members === members ? rollBytes(members) : undefined;
}

/** Reads an entry of the right length. @returns nothing for one that nobody writes */
export function decodeEntry(kind: number, content: Bytes): EntryContent | undefined {
  const reader = new Reader(content, "an entry of a record");
  if (kind === KIND.leaf) return { statement: statementIn(reader) };
  if (kind === KIND.round) return { mark: markIn(reader) };
  if (kind === KIND.beacon) return { beacon: { round: reader.u32(), signature: reader.bytes(VALUE_BYTES).slice() } };
  if (kind === KIND.receipt || kind === KIND.absence) return { sentence: sentenceIn(reader, kind === KIND.receipt) };
  const roll = rollIn(reader);
  return roll && { roll };
}

function statementIn(reader: Reader): Statement {
  const [round, seat] = [reader.u32(), reader.u32()];
  const [job, start, end] = [reader.bytes(32), reader.bytes(32), reader.bytes(32)].map((each) => each.slice());
  return {
    round,
    seat,
    job: job as JobId,
    start: start as StateRoot,
    end: end as StateRoot,
    signature: reader.bytes(65).slice(),
  };
}

function markIn(reader: Reader): RecordMark {
  return { rounds: reader.u32(), root: reader.bytes(32).slice(), signature: reader.bytes(65).slice() };
}

function sentenceIn(reader: Reader, isReceipt: boolean): StoreSentence {
  const [store, round, seat] = [reader.u32(), reader.u32(), reader.u32()];
  const run = isReceipt && { run: reader.bytes(32).slice() as Bytes as RunRoot };
  return { store, round, seat, ...run, signature: reader.bytes(65).slice() };
}

/** A roll, if each of its members is a 0 or a 1. */
function rollIn(reader: Reader): Roll | undefined {
  const [round, turn] = [reader.u32(), reader.u32()];
  const members = Array.from(reader.bytes(reader.u32()));
  if (members.some((each) => each > 1)) return undefined;
  return { round, turn, present: members.map((each) => each === 1), signature: reader.bytes(65).slice() };
}

/** A leaf's statement as an entry. */
export function statementEntry({ round, seat, job, start, end, signature }: Statement): EncodedEntry {
  const content = new Writer().u32(round).u32(seat).bytes(job).bytes(start).bytes(end).bytes(signature);
  return { kind: KIND.leaf, content: content.finish() };
}

/** What the recorder has signed of a round, as an entry. */
export function markEntry({ rounds, root, signature }: RecordMark): EncodedEntry {
  return { kind: KIND.round, content: new Writer().u32(rounds).bytes(root).bytes(signature).finish() };
}

/** A roll as an entry. */
export function rollEntry({ round, turn, present, signature }: Roll): EncodedEntry {
  const members = Uint8Array.from(present, Number);
  const content = new Writer().u32(round).u32(turn).u32(members.length).bytes(members).bytes(signature);
  return { kind: KIND.roll, content: content.finish() };
}

/** A beacon's value as an entry. */
export function beaconEntry({ round, signature }: BeaconValue): EncodedEntry {
  return { kind: KIND.beacon, content: new Writer().u32(round).bytes(signature).finish() };
}

/** A receipt or a note of absence as an entry. */
export function sentenceEntry({ store, round, seat, run, signature }: StoreSentence): EncodedEntry {
  const content = new Writer().u32(store).u32(round).u32(seat);
  if (run) content.bytes(run);
  return { kind: run ? KIND.receipt : KIND.absence, content: content.bytes(signature).finish() };
}
