/** The stores of a plan as owners and the recorder ask them over a network (spec 6.10). */
import { type Bytes, bytesEqual } from "../../encoding/bytes.ts";
import { stateRoot, type TensorRoot } from "../../encoding/tensor.ts";
import { messageOf, RoundsError } from "../../errors/index.ts";
import type { LeafPlace, Plan } from "../../rounds/plan.ts";
import { placeWords, stateAt } from "../../rounds/place.ts";
import { receiptsOf, storeName, type StoreSentence } from "../../rounds/receipt.ts";
import type { RoundsRecord } from "../../rounds/record.ts";
import { runOf, type Statement } from "../../rounds/statement.ts";
import type { HeldLeaf, SilentStore, Store } from "../../rounds/store.ts";
import type { Transport } from "../transport/transport.ts";
import { Correspondent } from "./correspondent.ts";
import { type AskedOfStore, sentInstance } from "./messages.ts";

/** Asks until the store is no longer at work. */
async function signedBy(store: Correspondent, question: AskedOfStore, signal?: AbortSignal): Promise<StoreSentence> {
  for (;;) {
    const reply = await store.ask(question, "sentence", "working");
    if (reply.kind === "sentence") return reply.sentence;
    if (signal?.aborted) throw store.wrong("was still at work when its answer was no longer wanted");
  }
}

/** What a store is asked to keep. */
async function keepQuestion(record: RoundsRecord, statement: Statement): Promise<AskedOfStore> {
  const { roots } = await record.note(statement);
  return { kind: "keep", instance: sentInstance(record.instance), statement, roots: [...roots] };
}

/** A store on a network, as the recorder asks it. */
export class NetworkStore implements Store {
  private readonly record: RoundsRecord;
  private readonly store: Correspondent;
  private readonly request: (place: LeafPlace) => Bytes;
  private readonly roots = new Map<string, readonly TensorRoot[]>();

  /** @param request the recorder's signature by which it asks for a note of absence */
  constructor(record: RoundsRecord, store: Correspondent, request: (place: LeafPlace) => Bytes) {
    this.record = record;
    this.store = store;
    this.request = request;
  }

  async receipt(statement: Statement): Promise<StoreSentence> {
    return signedBy(this.store, await keepQuestion(this.record, statement));
  }

  absence({ round, seat }: LeafPlace): Promise<StoreSentence> {
    const instance = sentInstance(this.record.instance);
    return signedBy(this.store, { kind: "absence", instance, round, seat, signature: this.request({ round, seat }) });
  }

  async held({ round, seat }: LeafPlace): Promise<HeldLeaf | undefined> {
    const question = { kind: "held", instance: sentInstance(this.record.instance), round, seat } as const;
    const reply = await this.store.ask(question, "held").catch((error: unknown) => {
      if (error instanceof RoundsError && error.evidence.code === "VERDE_ROUNDS_UNAVAILABLE") return undefined;
      throw error;
    });
    if (!reply) return undefined;
    const { statement, roots, sentence } = reply;
    if (!bytesEqual(stateRoot(roots), statement.end)) throw this.store.wrong(`sent other entries of ${placeWords(this.record.plan, { round, seat })} than were signed`); // prettier-ignore
    this.roots.clear();
    this.roots.set(`${round}/${seat}`, roots);
    return { statement, receipt: sentence };
  }

  async bring({ round, seat }: Statement): Promise<void> {
    const { blobs, plan } = this.record;
    const roots = this.roots.get(`${round}/${seat}`) ?? [];
    await this.store.fetch(blobs, roots, stateAt(plan, { round, seat }));
    await this.record.writeNote({ round, seat }, { roots, metrics: [] });
  }
}

/** How an owner asks the stores. */
export interface AskStores {
  readonly transport: Transport;
  /** Milliseconds for which a store may be away. Default: a minute. */
  readonly patience?: number | undefined;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
  /** Keeps a receipt, also one that comes after the return. */
  keep(receipt: StoreSentence): Promise<void>;
  /** Told of each store that signs nothing. */
  onSilent?(silent: SilentStore & { readonly name: string }): void;
}

/**
 * Has the stores of a plan keep a leaf, for its owner. They are all asked at once. It returns when as many
 * have signed as the plan asks for, or nobody is left who may; the others are waited for beside.
 * @param record has the leaf with its files
 * @returns the receipts so far. In a plan without storage there are none
 */
export async function haveKept(
  record: RoundsRecord,
  statement: Statement,
  asking: AskStores,
): Promise<StoreSentence[]> {
  const { plan, instance } = record;
  const { members = 0, copies = 0 } = plan.storage ?? {};
  if (members === 0) return [];
  const question = await keepQuestion(record, statement);
  const { round, seat } = statement;
  const found: StoreSentence[] = [];
  const one = async (store: number): Promise<void> => {
    const name = storeName(plan, store);
    const why = await signedFor(plan, name, question, asking).then(
      async (sentence) => {
        const isReceipt = sentence.store === store && receiptsOf(plan, instance, [sentence], statement, runOf(plan, statement)).length > 0; // prettier-ignore
        if (!isReceipt) return "it sent what it has not signed";
        await asking.keep(sentence);
        found.push(sentence);
        return undefined;
      },
      (error: unknown) => {
        if (error instanceof RoundsError) return messageOf(error);
        throw error;
      },
    );
    if (why !== undefined && !asking.signal.aborted) asking.onSilent?.({ round, seat, store, why, name });
  };
  await new Promise<void>((resolve, reject) => {
    let left = members;
    for (let store = 0; store < members; store++)
      one(store).then(() => {
        left--;
        if (found.length >= copies || left === 0) resolve();
      }, reject);
  });
  return [...found];
}

function signedFor(plan: Plan, name: string, question: AskedOfStore, asking: AskStores): Promise<StoreSentence> {
  const { transport, patience, signal } = asking;
  return signedBy(Correspondent.of(plan, name, { transport, patience, signal }), question, signal);
}

/**
 * Has the recorder asked for entries, and the stores of the plan after it, until one has given them.
 * @param fetch takes entries by their roots, so it does not matter who gives them
 * @throws {RoundsError} what the recorder's failure was, when no store has them either
 */
export async function fetchAnywhere(
  plan: Plan,
  recorder: Correspondent,
  link: Pick<AskStores, "transport" | "patience" | "signal">,
  fetch: (from: Correspondent) => Promise<void>,
): Promise<void> {
  try {
    return await fetch(recorder);
  } catch (error) {
    if (!(error instanceof RoundsError)) throw error;
    for (let store = 0; store < (plan.storage?.members ?? 0); store++)
      try {
        return await fetch(Correspondent.of(plan, storeName(plan, store), link));
      } catch (other) {
        if (!(other instanceof RoundsError)) throw other;
      }
    throw error;
  }
}
