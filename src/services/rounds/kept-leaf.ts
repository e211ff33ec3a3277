/** How a store keeps a leaf: its entries, by their roots, and its statement, before anything is signed. */
import { bytesEqual } from "../../encoding/bytes.ts";
import { fs } from "../../encoding/node.ts";
import { stateRoot, type TensorRoot, type TensorType } from "../../encoding/tensor.ts";
import { RoundsError } from "../../errors/index.ts";
import { syncFolder } from "../../files/replace.ts";
import { syncFile } from "../../files/sync.ts";
import { Blobs } from "../../rounds/blobs.ts";
import { contradict } from "../../rounds/judge.ts";
import type { LeafPlace, Plan } from "../../rounds/plan.ts";
import { placeWords, stateAt } from "../../rounds/place.ts";
import type { RoundsRecord } from "../../rounds/record.ts";
import { isOwners, runOf, type Statement } from "../../rounds/statement.ts";
import type { RunRoot } from "../../trace/commitments.ts";
import type { Correspondent } from "./correspondent.ts";
import type { Room } from "./room.ts";

/** The bytes of a leaf beside its entries: its statement, its receipt, and its file without the roots. */
const HEAD = 2 ** 10;

/** A leaf that a store was asked to keep. */
export interface OfferedLeaf {
  readonly statement: Statement;
  /** The roots of its final state's entries. */
  readonly roots: readonly TensorRoot[];
}

/** @throws {RoundsError} FOREIGN for a place that the plan does not have */
export function expectPlace({ rounds, seats }: Plan, { round, seat }: LeafPlace): LeafPlace {
  if (round <= rounds && seat < seats.length) return { round, seat };
  throw new RoundsError("FOREIGN", `seat ${seat} in round ${round} is no place of the plan`, { round, seat });
}

/**
 * What is checked of a leaf before anything of it is fetched.
 * @returns its run root
 * @throws {RoundsError} FOREIGN for no place of the plan; PARTICIPANT when its owner has not signed it, or
 *   the roots are others than it has signed; SIGNED when another leaf of the place is kept
 */
export function expectOffered(record: RoundsRecord, { statement, roots }: OfferedLeaf): RunRoot {
  const { plan, instance } = record;
  const place = expectPlace(plan, statement);
  const name = placeWords(plan, place);
  if (!isOwners(plan, instance, statement))
    throw new RoundsError("PARTICIPANT", `the leaf of ${name} is not signed by its owner for this instance, so it is not kept`, { ...place }); // prettier-ignore
  if (roots.length !== stateAt(plan, place).length || !bytesEqual(stateRoot(roots), statement.end))
    throw new RoundsError("PARTICIPANT", `the entries of ${name} are others than its owner has signed, so they are not kept`, { ...place }); // prettier-ignore
  const known = record.at(place);
  if (known && contradict(plan, known, statement))
    throw new RoundsError("SIGNED", `another leaf of ${name} is kept, which its owner has signed too; no second one is kept`, { ...place }); // prettier-ignore
  return runOf(plan, statement);
}

/** Has leaves on the disk, within the room of a store. */
export class Keeper {
  private readonly room: Room;
  private checking: Promise<unknown> = Promise.resolve();

  constructor(room: Room) {
    this.room = room;
  }

  /**
   * Has the entries of a leaf, and its file, on the disk. What is there already is checked by its root.
   * @param owner has the entries
   * @throws {RoundsError} LIMIT when there is no room; with the code of the owner's side when it is away, or
   *   sends something else. What was fetched stays, and is not fetched again
   */
  async entries(record: RoundsRecord, { statement, roots }: OfferedLeaf, owner: Correspondent): Promise<void> {
    const { blobs, plan } = record;
    const { round, seat } = statement;
    const types = stateAt(plan, statement);
    for (const [i, root] of roots.entries()) {
      // One after the other: otherwise one could delete what another has just fetched anew.
      const check = this.checking.then(() => isWhole(blobs, root, types[i]));
      this.checking = check.catch(() => undefined);
      if (!(await check)) await this.fetch(blobs, owner, root, types[i]);
      await syncFile(blobs.fileOf(root));
    }
    await syncFolder(blobs.folder);
    this.room.spend(HEAD + 32 * roots.length);
    await record.writeNote({ round, seat }, { roots, metrics: [] });
  }

  private async fetch(blobs: Blobs, owner: Correspondent, root: TensorRoot, type: TensorType): Promise<void> {
    await this.room.during(Blobs.sizeOf(type), () => owner.fetch(blobs, [root], [type]));
  }
}

/**
 * Whether the file of an entry is there. One that was cut when the machine stopped may have the right length
 * and other bytes: it is deleted.
 */
async function isWhole(blobs: Blobs, root: TensorRoot, type: TensorType): Promise<boolean> {
  if (!(await blobs.has([root], [type]))) return false;
  try {
    await blobs.get([root]);
    return true;
  } catch (error) {
    if (!(error instanceof RoundsError)) throw error;
    await fs.rm(blobs.fileOf(root), { force: true });
    return false;
  }
}
