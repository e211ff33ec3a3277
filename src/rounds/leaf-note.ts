/** The file of a leaf: what it holds beside the statement in the record. */
import { decode, encode } from "cborg";
import { fs, path } from "../encoding/node.ts";
import type { TensorRoot } from "../encoding/tensor.ts";
import { messageOf, RoundsError } from "../errors/index.ts";
import { makeFolder } from "../files/folder.ts";
import { replaceFile } from "../files/replace.ts";
import type { LeafFault } from "./fault.ts";
import type { RecordMark } from "./log-entry.ts";
import { type LeafPlace, type Plan, seatName } from "./plan.ts";
import type { Roll } from "./roll.ts";
import type { Statement } from "./statement.ts";

/** What a leaf's file holds beside its statement. Its run root binds the entries; the rest is a note. */
export interface LeafNote {
  /** The roots of the final state's entries. */
  readonly roots: readonly TensorRoot[];
  readonly metrics: readonly Record<string, number>[];
  /** The fault of a drill, so that its prover can execute the leaf again. */
  readonly fault?: LeafFault;
  /** The signed statements that the leaf was computed from, as its owner was shown them. */
  readonly read?: readonly Statement[];
  /** The rolls by which it chose them, where they are others than the record's. */
  readonly rolls?: readonly Roll[];
  /** The recorder's signature from which its seeds follow, where that is another than the record's. */
  readonly mark?: RecordMark;
}

/** What an owner shows of it: what its leaf was computed from. */
export type ShownNote = Pick<LeafNote, "read" | "rolls" | "mark">;

/** A file about a leaf in a record's folder: `rounds/0003/local-2` with an ending. */
export const fileOf = (folder: string, plan: Plan, { round, seat }: LeafPlace, ending: string): string =>
  path.join(folder, "rounds", String(round).padStart(4, "0"), `${seatName(plan, seat)}${ending}`);

/** @throws {RoundsError} when the leaf's file is missing, or is none */
export async function readNote(folder: string, plan: Plan, place: LeafPlace): Promise<LeafNote> {
  const file = fileOf(folder, plan, place, ".leaf");
  try {
    const note: unknown = decode(new Uint8Array(await fs.readFile(file)));
    if (typeof note !== "object" || note === null) throw new Error("it is no file of a leaf");
    return note as LeafNote;
  } catch (cause) {
    throw new RoundsError("UNAVAILABLE", `${file} can't be used: ${messageOf(cause)}; restore it`, { file });
  }
}

/** Writes the file of a leaf. One that is there is replaced. */
export async function writeNote(
  folder: string,
  plan: Plan,
  place: LeafPlace,
  { roots, ...note }: LeafNote,
): Promise<void> {
  const file = fileOf(folder, plan, place, ".leaf");
  await makeFolder(path.dirname(file));
  await replaceFile(file, encode(plain({ ...note, roots })));
}

/** Byte arrays of Node's own class would be encoded in another way. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, each]) => (each === undefined ? [] : [[name, plain(each)]])),
  );
}
