/** A leaf's state from stores that have signed that they hold it, where the server of a record lacks it. */
import { bytesEqual } from "../../encoding/bytes.ts";
import { stateRoot } from "../../encoding/tensor.ts";
import { messageOf, RoundsError } from "../../errors/index.ts";
import { Blobs } from "../../rounds/blobs.ts";
import { seatName } from "../../rounds/plan.ts";
import { receiptsOf, storeName } from "../../rounds/receipt.ts";
import type { RoundsRecord } from "../../rounds/record.ts";
import { runOf, type Statement } from "../../rounds/statement.ts";
import { stateOf } from "../../rounds/template.ts";
import { Correspondent } from "./correspondent.ts";
import type { FetchOptions } from "./fetch-options.ts";
import { sentInstance, subjectOf } from "./messages.ts";

/**
 * Fetches the entries of a leaf from a store, and writes its file without what its owner has noted beside.
 * @param spend counts bytes before they are kept. @throws {RoundsError} LIMIT when there are too many
 * @returns nothing when the state is there; else which stores have signed for it, and why none gave it
 */
export async function fetchHeld(
  record: RoundsRecord,
  leaf: Statement,
  { transport, patience, signal }: Pick<FetchOptions, "transport" | "patience" | "signal">,
  spend: (bytes: number) => void,
): Promise<string | undefined> {
  const { plan, instance, sentences } = record;
  const signed = receiptsOf(plan, instance, sentences.at(leaf), leaf, runOf(plan, leaf));
  const lacked: string[] = [];
  for (const { store } of signed) {
    const name = storeName(plan, store);
    try {
      await fetchFrom(record, leaf, new Correspondent(transport, subjectOf(plan.id, name), { name, patience, signal, isServer: true }), spend); // prettier-ignore
      return undefined;
    } catch (error) {
      const isTheirs = error instanceof RoundsError && error.code === "VERDE_ROUNDS_SERVER";
      if (!isTheirs) throw error;
      lacked.push(messageOf(error));
    }
  }
  return signed.length === 0 ? "no store has signed that it holds it" : `signed by stores that do not give it: ${lacked.join("; ")}`; // prettier-ignore
}

async function fetchFrom(
  record: RoundsRecord,
  leaf: Statement,
  store: Correspondent,
  spend: (bytes: number) => void,
): Promise<void> {
  const { plan, instance, blobs } = record;
  const { round, seat } = leaf;
  const { roots } = await store.ask({ kind: "held", instance: sentInstance(instance), round, seat }, "held");
  const types = stateOf(plan.templates[plan.seats[seat].template]);
  if (roots.length !== types.length || !bytesEqual(stateRoot(roots), leaf.end)) throw store.wrong(`sent other entries of ${seatName(plan, seat)} in round ${round} than were signed`); // prettier-ignore
  for (const [i, root] of roots.entries()) {
    if (await blobs.has([root], [types[i]])) continue;
    spend(Blobs.sizeOf(types[i]));
    await store.fetch(blobs, [root], [types[i]]);
  }
  await record.writeNote({ round, seat }, { roots, metrics: [] });
}
