/** Stores on a network, asked by tests as their owners and the recorder ask them. */
import { addressOf, signDigest } from "../../../src/claims/signature.ts";
import { requestDigest } from "../../../src/rounds/note-request.ts";
import type { LeafPlace, Plan } from "../../../src/rounds/plan.ts";
import type { RoundsRecord } from "../../../src/rounds/record.ts";
import { Signer } from "../../../src/rounds/signer.ts";
import type { Instance, Statement } from "../../../src/rounds/statement.ts";
import { JoinedStore } from "../../../src/services/rounds/joined-store.ts";
import {
  type Asked,
  type AskedOfStore,
  messages,
  MOST_REPLY,
  type Reply,
  sentInstance,
  subjectOf,
} from "../../../src/services/rounds/messages.ts";
import { pieceOf, reasonOf } from "../../../src/services/rounds/replies.ts";
import type { JoinStoreOptions } from "../../../src/services/rounds/store-options.ts";
import type { Ending, Transport } from "../../../src/services/transport/transport.ts";
import { secretOf } from "../../rounds/liars.ts";

/** The key of a party of `testInstance`. @param state where it notes what it signs */
export const signerOf = (state: string, name: string): Signer =>
  Signer.of(state, { address: addressOf(secretOf(name)), secret: secretOf(name) });

/** A store of `testInstance`. */
export const joinedStore = (
  options: Pick<JoinStoreOptions, "transport" | "plan" | "participant" | "out" | "state"> & Partial<JoinStoreOptions>,
  instance: Instance,
): Promise<JoinedStore> =>
  JoinedStore.open({
    patience: 500,
    notice: 0,
    staked: { instance, signer: signerOf(options.state, options.participant) },
    ...options,
  });

/** Has owners of a record answer for the blobs of their leaves. @param before is told of each that is asked */
export async function serveOwners(
  network: Transport,
  record: RoundsRecord,
  owners: readonly string[],
  before: (asked: number, reply: Reply) => Reply | Promise<Reply> = (_, reply) => reply,
): Promise<Ending[]> {
  let asked = 0;
  return Promise.all(
    owners.map((name) =>
      network.answer(subjectOf(record.plan.id, name), async (message) => {
        const question = messages.askedOfParticipant(message);
        if (question.kind !== "blob") throw new Error(`it was asked for "${question.kind}"`);
        return messages.reply(await before(asked++, await pieceOf(record, question).catch(reasonOf)));
      }),
    ),
  );
}

/** Asks somebody of a plan. */
export async function askOf(
  network: Transport,
  plan: Plan,
  name: string,
  question: Asked,
  timeout = 60_000,
): Promise<Reply> {
  const options = { message: messages.ask(question), most: MOST_REPLY, timeout };
  return messages.replied(await network.ask(subjectOf(plan.id, name), options));
}

/** What an owner sends to have its leaf kept. */
export async function keepOf(
  record: RoundsRecord,
  place: LeafPlace,
  statement?: Statement,
): Promise<Extract<AskedOfStore, { kind: "keep" }>> {
  const { roots } = await record.note(place);
  return {
    kind: "keep",
    instance: sentInstance(record.instance),
    statement: statement ?? record.at(place)!,
    roots: [...roots],
  };
}

/** What the recorder sends for a note of absence. */
export const absenceOf = (instance: Instance, place: LeafPlace, by = "recorder") =>
  ({
    kind: "absence",
    instance: sentInstance(instance),
    ...place,
    signature: signDigest(requestDigest(instance, place), secretOf(by)),
  }) as const;
