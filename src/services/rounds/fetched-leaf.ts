/** A leaf's file and its state, as somebody sends them that serves the record. */
import { decode } from "cborg";
import { z } from "zod";
import { type Bytes, bytesEqual, toHex } from "../../encoding/bytes.ts";
import { stateRoot } from "../../encoding/tensor.ts";
import { messageOf } from "../../errors/index.ts";
import { Blobs } from "../../rounds/blobs.ts";
import { statedFaultOf } from "../../rounds/fault.ts";
import type { LeafNote } from "../../rounds/leaf-note.ts";
import { type LeafPlace, type Plan, seatName } from "../../rounds/plan.ts";
import { stateAt } from "../../rounds/place.ts";
import type { RoundsRecord } from "../../rounds/record.ts";
import type { Statement } from "../../rounds/statement.ts";
import type { Correspondent } from "./correspondent.ts";
import type { Room } from "./room.ts";
import { mark, MOST_READ, roll, roots, statement } from "./messages.ts";

/** The most bytes of a leaf's file. */
const MOST_NOTE = 2 ** 26;

// Training may have diverged, so a metric need not be finite.
const metric = z.custom<number>((value) => typeof value === "number");
const NOTE = z.object({
  roots,
  metrics: z.array(z.record(z.string().max(200), metric)).max(2 ** 20),
  read: z.array(statement).max(MOST_READ).optional(),
  rolls: z.array(roll).max(MOST_READ).optional(),
  mark: mark.optional(),
  fault: z.unknown().optional(),
});

/**
 * Fetches what belongs to a leaf of a record, and is not there yet.
 * @param room of the folder
 * @throws {RoundsError} SERVER when it is not what the leaf's owner has signed; nothing of it is kept then
 */
export async function fetchLeaf(
  record: RoundsRecord,
  leaf: Statement,
  server: Correspondent,
  room: Room,
): Promise<void> {
  const { plan, blobs } = record;
  const { round, seat } = leaf;
  const name = `${seatName(plan, seat)} in round ${round}`;
  const bytes = await server.file((from) => ({ kind: "note", round, seat, from }), `the file of ${name}`, MOST_NOTE);
  const note = noteIn(bytes, plan, leaf, server);
  if (!bytesEqual(stateRoot(note.roots), leaf.end)) throw server.wrong(`sent other entries of ${name} than were signed`); // prettier-ignore
  const types = stateAt(plan, leaf);
  if (types.length !== note.roots.length) throw server.wrong(`has ${note.roots.length} entries of ${name}, and its turn has ${types.length}`); // prettier-ignore
  for (const [i, root] of note.roots.entries()) {
    if (await blobs.has([root], [types[i]])) continue;
    const size = Blobs.sizeOf(types[i]);
    await room.during(size, async () => {
      const tensor = await server.file((from) => ({ kind: "tensor", root, from }), `the tensor ${toHex(root)}`, size);
      if (!(await blobs.take(root, tensor))) throw server.wrong(`sent another tensor than ${toHex(root)}`);
    });
  }
  room.spend(bytes.length);
  await record.writeNote(leaf, note);
}

function noteIn(bytes: Bytes, plan: Plan, place: LeafPlace, server: Correspondent): LeafNote {
  let content: unknown;
  try {
    content = decode(bytes);
  } catch (cause) {
    throw server.wrong(`sent what is no file of a leaf: ${messageOf(cause)}`);
  }
  const read = NOTE.safeParse(content);
  if (!read.success) throw server.wrong(`sent what is no file of a leaf: ${messageOf(read.error.issues[0])}`);
  const { fault: stated, read: sources, rolls, mark: from, ...note } = read.data;
  const fault = statedFaultOf(plan, place, stated);
  return { ...note, ...(sources && { read: sources }), ...(rolls && { rolls }), ...(from && { mark: from }), ...(fault && { fault }) }; // prettier-ignore
}
