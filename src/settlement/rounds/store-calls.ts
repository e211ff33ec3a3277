/** What is shown of stores on a chain (spec 7.15): what they have signed, and chunks of what they hold. */
import { bytesToHex, type Hex } from "viem";
import { asBytes } from "../../encoding/bytes.ts";
import { proveLeaf, rootOf } from "../../encoding/merkle.ts";
import { chunkAt, chunkCount, chunkTree, encodeType, stateTree, type TensorRoot } from "../../encoding/tensor.ts";
import { RoundsError } from "../../errors/index.ts";
import { signedIn } from "../../rounds/blame-stores.ts";
import type { Blobs } from "../../rounds/blobs.ts";
import { type LeafPlace, type Plan, seatName } from "../../rounds/plan.ts";
import { isMissed, isStored, notesOf, participantOfStore, receiptsOf, secondSentences, type StoreSentence } from "../../rounds/receipt.ts"; // prettier-ignore
import type { RoundsRecord } from "../../rounds/record.ts";
import { isOwners, runOf, type Statement } from "../../rounds/statement.ts";
import { notesNeeded } from "../../rounds/storage.ts";
import { ZERO } from "../game/facts.ts";
import type { ContractCall } from "../transactions/caller.ts";
import { PostedRecord } from "./evidence.ts";
import type { RoundTerms } from "./terms.ts";

/** The contract's `CopyPlace`, flat: a chunk that a store is asked for. */
export interface CopyPlace extends LeafPlace {
  /** The leaf's final state, 32 bytes. */
  readonly end: Hex;
  /** The number of the store among the plan's stores. */
  readonly store: number;
  /** The number of the entry in the state. */
  readonly entry: number;
  /** The number of the chunk in that entry. */
  readonly chunk: number;
}

/** A call that shows that somebody is wrong by what stores have signed, and the number of that party. */
export interface StoreCall extends LeafPlace {
  readonly functionName: "storeTwice" | "accuseCensor";
  readonly against: number;
  readonly args: readonly unknown[];
}

const hex = (bytes: Uint8Array): Hex => bytesToHex(bytes);
const placeOf = ({ round, seat }: LeafPlace): LeafPlace => ({ round, seat });

/** The contract's `StoreSignature`. */
interface ShownSentence {
  readonly store: number;
  readonly signature: Hex;
}

/** Signatures of one kind as the contract is shown them: by different stores, in increasing order. */
const shownSentences = (sentences: readonly StoreSentence[]): ShownSentence[] =>
  [...sentences]
    .sort((a, b) => a.store - b.store)
    .map(({ store, signature }) => ({ store, signature: hex(signature) }));

/**
 * The call that shows two sentences of a store for one place.
 * @param sign gives the signature that is shown; default: that of the sentence
 */
export function twiceSigned(
  plan: Plan,
  terms: RoundTerms,
  both: readonly [StoreSentence, StoreSentence],
  sign = ({ signature }: StoreSentence): Hex => hex(signature),
): StoreCall {
  const [{ store, ...place }] = both;
  const runs = both.map(({ run }) => (run ? hex(run) : ZERO));
  const args = [terms, BigInt(store), placeOf(place), runs, both.map(sign)];
  return { functionName: "storeTwice", ...placeOf(place), against: participantOfStore(plan, store), args };
}

/**
 * Stores that have signed two sentences of one place, each shown once.
 * @param own leaves and receipts that somebody has kept itself
 */
export function storesTwice(record: RoundsRecord, terms: RoundTerms, own: readonly RoundsRecord[] = []): StoreCall[] {
  const { plan, instance } = record;
  const signed = signedIn([record, ...own]);
  return secondSentences(plan, instance, signed).map((both) => twiceSigned(plan, terms, both));
}

/**
 * Members that a posted record calls absent without enough notes, and whose signed leaves enough stores hold.
 * @param own leaves and receipts that somebody has kept itself
 */
export function censoredIn(record: RoundsRecord, terms: RoundTerms, own: readonly RoundsRecord[] = []): StoreCall[] {
  const { plan, instance } = record;
  if (!plan.storage) return [];
  const known = [record, ...own];
  const isCensored = (statement: Statement): boolean => {
    if (!record.isAbsent(statement) || !isOwners(plan, instance, statement)) return false;
    const all = signedIn(known, statement);
    return isStored(plan, instance, all, statement, runOf(plan, statement)) && !isMissed(plan, instance, all, statement); // prettier-ignore
  };
  const found = known.flatMap(({ all, second }) => [...all, ...second]).filter(isCensored);
  const posted = found.length > 0 ? new PostedRecord(record) : undefined;
  return found.map((statement) => {
    const run = runOf(plan, statement);
    const receipts = shownSentences(receiptsOf(plan, instance, signedIn(known, statement), statement, run));
    const args = [terms, placeOf(statement), posted!.leafAt(statement), hex(run), hex(statement.signature), receipts];
    return { functionName: "accuseCensor", ...placeOf(statement), against: terms.participants.length, args };
  });
}

/**
 * The places of a posted record whose leaf too few stores hold, or whose member is absent with too few notes.
 */
export function unheldIn(record: RoundsRecord): LeafPlace[] {
  const { plan, instance } = record;
  if (!plan.storage) return [];
  const rounds = Array.from({ length: plan.rounds + 1 }, (_, round) => plan.seats.map((__, seat) => ({ round, seat })));
  return rounds.flat().filter((place) => {
    const all = signedIn([record], place);
    if (record.isAbsent(place)) return !isMissed(plan, instance, all, place);
    const statement = record.at(place);
    return statement !== undefined && !isStored(plan, instance, all, place, runOf(plan, statement));
  });
}

/** The receipts of a leaf, as a recorder shows them. @returns nothing if there are too few */
export function shownReceipts(record: RoundsRecord, statement: Statement): ShownSentence[] | undefined {
  const { plan, instance } = record;
  const receipts = receiptsOf(plan, instance, signedIn([record], statement), statement, runOf(plan, statement));
  return receipts.length < (plan.storage?.copies ?? 0) ? undefined : shownSentences(receipts);
}

/**
 * The notes of a place whose member was absent, as a recorder shows them.
 * @returns nothing if there are too few
 */
export function shownNotes(record: RoundsRecord, place: LeafPlace): ShownSentence[] | undefined {
  const { plan, instance } = record;
  const notes = notesOf(plan, instance, signedIn([record], place), place);
  return notes.length < (plan.storage ? notesNeeded(plan.storage) : 0) ? undefined : shownSentences(notes);
}

/**
 * The answer of a recorder to the accusation that a member was not absent.
 * @returns nothing with too few notes
 */
export function notesCall(record: RoundsRecord, terms: RoundTerms, place: LeafPlace): ContractCall | undefined {
  const notes = shownNotes(record, place);
  return notes && { contract: "roundManager", functionName: "showNotes", args: [terms, placeOf(place), notes] };
}

/** The contract's `CopyPlace`. */
const shownCopy = ({ round, seat, end, store, entry, chunk }: CopyPlace) => ({ place: { round, seat }, end, store, entry, chunk }); // prettier-ignore

/**
 * The demand for a chunk of a leaf's final state.
 * @param record the posted one
 * @throws {RoundsError} when the record has no leaf at the place, or no receipt of the store for it
 */
export function demandCopyCall(
  record: RoundsRecord,
  terms: RoundTerms,
  { store, entry, chunk, ...place }: Omit<CopyPlace, "end">,
): ContractCall {
  const { plan, instance } = record;
  const statement = record.at(place);
  const run = statement && runOf(plan, statement);
  const receipt =
    run && receiptsOf(plan, instance, signedIn([record], place), place, run).find((each) => each.store === store);
  if (record.isAbsent(place))
    throw new RoundsError("UNAVAILABLE", `${seatName(plan, place.seat)} was absent in round ${place.round}, so no store holds a leaf of it; ask for the round in which it was there last`, { ...placeOf(place), store }); // prettier-ignore
  if (!receipt)
    throw new RoundsError("UNAVAILABLE", `${record.folder} has no receipt of store ${store} for ${seatName(plan, place.seat)} in round ${place.round}, so the store need not show it; ask one that has signed a receipt`, { ...placeOf(place), store }); // prettier-ignore
  const copy = shownCopy({ ...placeOf(place), end: hex(statement.end), store, entry, chunk });
  const leaf = new PostedRecord(record).leafAt(place);
  return { contract: "roundManager", functionName: "demandCopy", args: [terms, copy, leaf, hex(receipt.signature)] };
}

/** The answer to such a demand: the chunk, or that there is none. Other entries need not be there. */
async function copyCall(
  terms: RoundTerms,
  copy: CopyPlace,
  blobs: Blobs,
  roots: readonly TensorRoot[],
): Promise<ContractCall> {
  const { entry, chunk } = copy;
  const call = (functionName: string, proof: object): ContractCall => ({ contract: "roundManager", functionName, args: [terms, shownCopy(copy), { entries: roots.length, ...proof }] }); // prettier-ignore
  const state = stateTree(roots);
  if (entry >= roots.length) return call("showNoCopy", { tree: hex(rootOf(state)), tensorType: "0x", statePath: [] });
  const [tensor] = await blobs.get([roots[entry]]);
  const bytes = asBytes(tensor.data);
  const chunks = chunkTree(bytes);
  const shown = { tensorType: hex(encodeType(tensor)), statePath: proveLeaf(state, entry).map(hex) };
  if (chunk >= chunkCount(tensor)) return call("showNoCopy", { ...shown, tree: hex(rootOf(chunks)) });
  return call("showCopy", {
    ...shown,
    chunk: hex(chunkAt(bytes, chunk)),
    chunkPath: proveLeaf(chunks, chunk).map(hex),
  });
}

/**
 * The answer of a store, from a folder with the leaf's files.
 * @throws {RoundsError} when the folder does not have them
 */
export async function copyCallFrom(record: RoundsRecord, terms: RoundTerms, copy: CopyPlace): Promise<ContractCall> {
  const statement = [...record.all, ...record.second].find(({ round, seat, end }) => round === copy.round && seat === copy.seat && hex(end) === copy.end); // prettier-ignore
  if (statement) return copyCall(terms, copy, record.blobs, await record.entries(statement));
  throw new RoundsError("UNAVAILABLE", `${record.folder} has not the leaf of ${seatName(record.plan, copy.seat)} in round ${copy.round} that the demand is about; restore what is missing there`, { ...placeOf(copy) }); // prettier-ignore
}

/** Ends a demand for a copy that was not answered in time. */
export const lapseCopyCall = (terms: RoundTerms, copy: CopyPlace): ContractCall => ({ contract: "roundManager", functionName: "lapseCopy", args: [terms, shownCopy(copy)] }); // prettier-ignore
