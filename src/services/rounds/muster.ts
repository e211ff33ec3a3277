/** The recorder's side of a plan whose participants are on a network. */
import { type Bytes, bytesEqual } from "../../encoding/bytes.ts";
import { stateRoot } from "../../encoding/tensor.ts";
import { RoundsError } from "../../errors/index.ts";
import type { Crew, Muster } from "../../rounds/crew.ts";
import type { LeafFault } from "../../rounds/fault.ts";
import { type LeafPlace, type Plan, seatName } from "../../rounds/plan.ts";
import type { RoundsRecord } from "../../rounds/record.ts";
import { stateOf } from "../../rounds/template.ts";
import type { Ending, Transport } from "../transport/transport.ts";
import { Correspondent } from "./correspondent.ts";
import { messages, recorderSubject, type Reply, subjectOf } from "./messages.ts";
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
  const asked = plan.participants.map(
    ({ name }) => new Correspondent(transport, subjectOf(plan.id, name), { name, patience, signal }),
  );
  const owners = await Promise.all(
    asked.map(async (one) => {
      const { address } = await one.ask({ kind: "hello" }, "here");
      onPresent?.(one.name, address);
      return address;
    }),
  );
  return { owners, crew: (record) => NetworkCrew.open(transport, record, asked, stop) };
}

class NetworkCrew implements Crew {
  readonly together = true;
  private readonly record: RoundsRecord;
  private readonly asked: readonly Correspondent[];
  private readonly stop: boolean;
  private end: Ending = async () => {};

  private constructor(record: RoundsRecord, asked: readonly Correspondent[], stop: boolean) {
    this.record = record;
    this.asked = asked;
    this.stop = stop;
  }

  static async open(
    transport: Transport,
    record: RoundsRecord,
    asked: readonly Correspondent[],
    stop: boolean,
  ): Promise<NetworkCrew> {
    const crew = new NetworkCrew(record, asked, stop);
    crew.end = await transport.answer(recorderSubject(record.instance.id), (message) => crew.answer(message));
    return crew;
  }

  async perform(place: LeafPlace) {
    const { record } = this;
    const { plan } = record;
    const { plan: id, salt, owners, recorder } = record.instance;
    const instance = { plan: id, salt, owners: [...owners], recorder };
    const own = plan.seats[place.seat];
    const participant = this.asked[own.participant];
    for (;;) {
      const { round, seat } = place;
      const reply = await participant.ask({ kind: "perform", instance, round, seat, stop: this.stop }, "performed", "working"); // prettier-ignore
      if (reply.kind === "working") continue;
      const { statement, roots, metrics } = reply;
      if (!bytesEqual(stateRoot(roots), statement.end))
        throw new RoundsError("PARTICIPANT", `${participant.name} sent other entries of ${seatName(plan, seat)} in round ${round} than it has signed; nothing of it is taken`, { round, seat }); // prettier-ignore
      await participant.fetch(record.blobs, roots, stateOf(plan.templates[own.template]));
      const fault = reply.fault as LeafFault | undefined;
      await record.writeNote(place, { roots, metrics, ...(fault && { fault }) });
      return { statement, metrics: metrics.at(-1) ?? {} };
    }
  }

  close(): Promise<void> {
    return this.end();
  }

  /** What participants read: leaves of the record, and blobs. */
  private async answer(message: Bytes): Promise<Bytes> {
    const reply = async (): Promise<Reply> => {
      const question = messages.askedOfRecorder(message);
      if (question.kind === "blob") return pieceOf(this.record, question);
      const { round, seat } = question;
      const [statement] = this.record.statements([{ round, seat }]);
      const { roots } = await this.record.note(statement);
      return { kind: "leaf", statement, roots: [...roots] };
    };
    return messages.reply(await reply().catch(reasonOf));
  }
}
