/** The recorder's side of a plan whose participants are on a network. */
import { type Bytes, bytesEqual } from "../../encoding/bytes.ts";
import { stateRoot } from "../../encoding/tensor.ts";
import { RoundsError } from "../../errors/index.ts";
import type { Crew, Muster } from "../../rounds/crew.ts";
import { type LeafFault, statedFaultOf } from "../../rounds/fault.ts";
import { type LeafPlace, type Plan, seatName } from "../../rounds/plan.ts";
import { stateAt } from "../../rounds/place.ts";
import type { RoundsRecord } from "../../rounds/record.ts";
import type { Roll } from "../../rounds/roll.ts";
import { storeName } from "../../rounds/receipt.ts";
import { seedPartsOf } from "../../rounds/seeds.ts";
import type { Signer } from "../../rounds/signer.ts";
import type { Store } from "../../rounds/store.ts";
import type { Ending, Transport } from "../transport/transport.ts";
import { NetworkStore } from "./asked-stores.ts";
import { Correspondent } from "./correspondent.ts";
import { type AskedOfParticipant, messages, recorderSubject, type Reply, sentInstance } from "./messages.ts";
import { pieceOf, reasonOf } from "./replies.ts";

export interface MusterOptions {
  readonly transport: Transport;
  readonly plan: Plan;
  /** Whether participants stop when training has diverged. Default: true. */
  readonly stop?: boolean;
  /** Milliseconds for which a participant may be away. Default: a minute. */
  readonly patience?: number;
  /** Ends the waiting for participants. */
  readonly signal?: AbortSignal;
  /** Told of each participant that is there. */
  onPresent?(participant: string, address: Bytes): void;
}

/**
 * Waits until all participants of a plan are on the network. Their addresses are those that they name
 * themselves: who they are, the network has to know.
 * @throws {RoundsError} PARTICIPANT when one stays away
 */
export async function musterOn(options: MusterOptions): Promise<Muster> {
  const { transport, plan, patience, signal, stop = true, onPresent } = options;
  const asked = plan.participants.map(({ name }) => Correspondent.of(plan, name, { transport, patience, signal }));
  const owners = await Promise.all(
    asked.map(async (one) => {
      const { address } = await one.ask({ kind: "hello" }, "here");
      onPresent?.(one.name, address);
      return address;
    }),
  );
  const again = (name: string, waiting?: AbortSignal): Correspondent => {
    const signals = [signal, waiting].filter((each) => each !== undefined);
    return Correspondent.of(plan, name, { transport, patience, signal: AbortSignal.any(signals) });
  };
  return { owners, crew: (record, recorder) => NetworkCrew.open(transport, record, { asked: again, stop, recorder }) };
}

/** Opens a correspondence with a participant. A signal ends the waiting for it. */
type Asking = (participant: string, waiting?: AbortSignal) => Correspondent;

interface CrewMeans {
  readonly asked: Asking;
  readonly stop: boolean;
  readonly recorder: Signer;
}

class NetworkCrew implements Crew {
  readonly together = true;
  readonly stores: readonly Store[];
  private readonly record: RoundsRecord;
  private readonly asked: Asking;
  private readonly stop: boolean;
  private end: Ending = async () => {};

  private constructor(record: RoundsRecord, { asked, stop, recorder }: CrewMeans) {
    this.record = record;
    this.asked = asked;
    this.stop = stop;
    const { plan, instance } = record;
    const request = (place: LeafPlace): Bytes => recorder.request(instance, place);
    this.stores = Array.from({ length: plan.storage?.members ?? 0 }, (_, store) => new NetworkStore(record, asked(storeName(plan, store)), request)); // prettier-ignore
  }

  static async open(transport: Transport, record: RoundsRecord, means: CrewMeans): Promise<NetworkCrew> {
    const crew = new NetworkCrew(record, means);
    crew.end = await transport.answer(recorderSubject(record.instance.id), (message) => crew.answer(message));
    return crew;
  }

  async perform(place: LeafPlace, _fault?: LeafFault, waiting?: AbortSignal) {
    const { record } = this;
    const { plan } = record;
    const instance = sentInstance(record.instance);
    const own = plan.seats[place.seat];
    const participant = this.asked(plan.participants[own.participant].name, waiting);
    for (;;) {
      const { round, seat } = place;
      const reply = await participant.ask({ kind: "perform", instance, round, seat, stop: this.stop }, "performed", "working"); // prettier-ignore
      if (waiting?.aborted)
        throw new RoundsError("LATE", `${participant.name} delivered ${seatName(plan, seat)} in round ${round} after its turn was closed; it is refused`, { round, seat }); // prettier-ignore
      if (reply.kind === "working") continue;
      const { statement, roots, metrics, read, receipts } = reply;
      if (!bytesEqual(stateRoot(roots), statement.end))
        throw new RoundsError("PARTICIPANT", `${participant.name} sent other entries of ${seatName(plan, seat)} in round ${round} than it has signed; nothing of it is taken`, { round, seat }); // prettier-ignore
      await participant.fetch(record.blobs, roots, stateAt(plan, place));
      const fault = statedFaultOf(plan, place, reply.fault);
      await record.writeNote(place, { roots, metrics, read, ...(fault && { fault }) });
      return { statement, metrics: metrics.at(-1) ?? {}, ...(receipts && { receipts }) };
    }
  }

  /** Who is not there does not hear it. It learns it when it has to read the turn. */
  closed(roll: Roll): void {
    const { plan } = this.record;
    const { present, ...at } = roll;
    const told = AbortSignal.abort();
    for (const [member, isThere] of present.entries()) {
      const seat = plan.seats.findIndex((each) => each.turn === at.turn && each.member === member);
      const { name } = plan.participants[plan.seats[seat].participant];
      if (isThere) continue;
      const message: AskedOfParticipant = {
        kind: "closed",
        instance: sentInstance(this.record.instance),
        roll: { ...at, present: [...present] },
      };
      this.asked(name, told).ask(message, "noted").catch(() => undefined); // prettier-ignore
    }
  }

  close(): Promise<void> {
    return this.end();
  }

  /** What participants read: leaves of the record, rolls, and blobs. */
  private async answer(message: Bytes): Promise<Bytes> {
    const reply = async (): Promise<Reply> => {
      const question = messages.askedOfRecorder(message);
      if (question.kind === "blob") return pieceOf(this.record, question);
      if (question.kind === "roll") {
        const { present, ...roll } = this.record.roll(question);
        return { kind: "roll", roll: { ...roll, present: [...present] } };
      }
      if (question.kind === "mark") {
        const { rounds } = question;
        const { marks, beacon } = seedPartsOf(this.record, rounds);
        if (marks[0]) return { kind: "mark", mark: marks[0], ...(beacon && { beacon: beacon.signature }) };
        throw new RoundsError("UNAVAILABLE", `the recorder has not signed ${rounds} rounds yet`, { rounds });
      }
      const { round, seat } = question;
      const [statement] = this.record.statements([{ round, seat }]);
      const { roots } = await this.record.note(statement);
      return { kind: "leaf", statement, roots: [...roots] };
    };
    return messages.reply(await reply().catch(reasonOf));
  }
}
