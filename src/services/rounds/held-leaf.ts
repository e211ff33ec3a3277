/** A leaf's state from stores that have signed that they hold it, where the server of a record lacks it. */
import { bytesEqual } from "../../encoding/bytes.ts";
import { stateRoot } from "../../encoding/tensor.ts";
import { messageOf, RoundsError } from "../../errors/index.ts";
import { Blobs } from "../../rounds/blobs.ts";
import { placeWords, stateAt } from "../../rounds/place.ts";
import { receiptsOf, storeName } from "../../rounds/receipt.ts";
import type { RoundsRecord } from "../../rounds/record.ts";
import { runOf, type Statement } from "../../rounds/statement.ts";
import { Correspondent } from "./correspondent.ts";
import type { FetchOptions } from "./fetch-options.ts";
import { sentInstance } from "./messages.ts";
import type { Room } from "./room.ts";

/**
 * Fetches the entries of a leaf from a store, and writes its file without what its owner has noted beside.
 * @param room of the folder
 * @throws {RoundsError} LIMIT when it has no room
 * @returns nothing when the state is there; else which stores have signed for it, and why none gave it
 */
export async function fetchHeld(
  record: RoundsRecord,
  leaf: Statement,
  link: Pick<FetchOptions, "transport" | "patience" | "signal">,
  room: Room,
): Promise<string | undefined> {
  const { plan, instance, sentences } = record;
  const signed = receiptsOf(plan, instance, sentences.at(leaf), leaf, runOf(plan, leaf));
  const lacked: string[] = [];
  for (const { store } of signed) {
    try {
      await fetchFrom(record, leaf, Correspondent.of(plan, storeName(plan, store), { ...link, isServer: true }), room);
      return undefined;
    } catch (error) {
      const isTheirs = error instanceof RoundsError && error.code === "VERDE_ROUNDS_SERVER";
      if (!isTheirs) throw error;
      lacked.push(messageOf(error));
    }
  }
  return signed.length === 0 ? "no store has signed that it holds it" : `signed by stores that do not give it: ${lacked.join("; ")}`; // prettier-ignore
}

async function fetchFrom(record: RoundsRecord, leaf: Statement, store: Correspondent, room: Room): Promise<void> {
  const { plan, instance, blobs } = record;
  const { round, seat } = leaf;
  const { roots } = await store.ask({ kind: "held", instance: sentInstance(instance), round, seat }, "held");
  const types = stateAt(plan, leaf);
  if (roots.length !== types.length || !bytesEqual(stateRoot(roots), leaf.end)) throw store.wrong(`sent other entries of ${placeWords(plan, leaf)} than were signed`); // prettier-ignore
  for (const [i, root] of roots.entries()) {
    if (await blobs.has([root], [types[i]])) continue;
    await room.during(Blobs.sizeOf(types[i]), () => store.fetch(blobs, [root], [types[i]]));
  }
  await record.writeNote({ round, seat }, { roots, metrics: [] });
}
