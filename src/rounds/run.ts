/** Runs a plan: the recorder has each leaf performed by its owner, and keeps what they sign. */
import { ClaimStore } from "../claims/store.ts";
import { type Bytes, bytesEqual, toHex } from "../encoding/bytes.ts";
import { fs, path } from "../encoding/node.ts";
import { RoundsError, RunError, UsageError } from "../errors/index.ts";
import { makeFolder } from "../files/folder.ts";
import { takeLock } from "../files/lock.ts";
import { exists } from "../files/regular.ts";
import type { Backend } from "../repops/backends/backend.ts";
import { type Crew, crewFor, type Muster } from "./crew.ts";
import type { PlantedFault } from "./fault.ts";
import { sameClaim } from "./leaf.ts";
import { LogWriter, readLog } from "./log.ts";
import type { Performed } from "./participant.ts";
import { type LeafPlace, type Plan, seatName } from "./plan.ts";
import { beginRecord, logFile, RoundsRecord } from "./record.ts";
import { Signer } from "./signer.ts";
import { type Instance, instanceOf, isOwners, recordRootOf, roundRootOf, runOf } from "./statement.ts";

/** How a plan is run. */
export interface RunRoundsOptions {
  /** The folder of the record. */
  out: string;
  /** Where participants compute: in this process (default), in one of their own for each, or elsewhere. */
  participants?: "local" | "processes" | Muster;
  /** A backend, or its name; default `wasm`. Processes take names alone. */
  backend?: Backend | string;
  /** What participants do wrong, for drills. They sign with other keys then. */
  faults?: readonly PlantedFault[];
  /** The folder of the user's keys; default that of the claims. */
  state?: string;
  /** 32 bytes that make this performance another than earlier ones; default random ones. */
  salt?: Bytes;
  /** Continue a record that was stopped. */
  resume?: boolean;
  /** Overwrite a record. */
  force?: boolean;
  /** Stops after the leaves that are being computed. The record can be continued. */
  signal?: AbortSignal;
  /** Called after each leaf. */
  onLeaf?(leaf: LeafInfo): void;
}

/** What is reported of a leaf. */
export interface LeafInfo extends LeafPlace {
  readonly rounds: number;
  /** `local-2` */
  readonly name: string;
  readonly participant: string;
  /** The metrics of its last step; empty for a turn without steps. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** Where a record's own files are. What else is in its folder stays. */
const OWN_FILES = ["plan.cbor", "instance.json", "record.log", "templates", "blobs", "rounds"];

/**
 * Runs all rounds of a plan.
 * @returns the whole record
 * @throws {UsageError} when the folder exists, without `resume` and `force`
 * @throws {RoundsError} when the record to continue is of another plan, or a participant fails
 * @throws {RunError} when `signal` stopped it, or training has diverged without a fault
 */
export async function runRounds(plan: Plan, options: RunRoundsOptions): Promise<RoundsRecord> {
  const { out, state = new ClaimStore().folder } = options;
  await makeFolder(out);
  const lock = takeLock(path.join(out, "record.lock"), out);
  try {
    const isDrill = (participant: number): boolean =>
      options.faults?.some(({ seat }) => plan.seats[seat].participant === participant) ?? false;
    const { participants = "local" } = options;
    const signers: Signer[] = [];
    if (typeof participants === "string")
      for (const [i, { name }] of plan.participants.entries()) signers.push(await Signer.open(state, name, isDrill(i)));
    const owners = typeof participants === "string" ? signers.map(({ address }) => address) : participants.owners;
    const recorder = await Signer.open(state, "recorder");
    const record = await recordFor(plan, options, owners, recorder);
    const crew =
      typeof participants === "string"
        ? await crewFor(record, { ...options, participants, state }, signers, isDrill)
        : await participants.crew(record);
    try {
      await new Recorder(record, crew, recorder, options).run();
      return record;
    } finally {
      await crew.close();
    }
  } finally {
    lock.release();
  }
}

async function recordFor(
  plan: Plan,
  { out, resume = false, force = false, salt }: RunRoundsOptions,
  owners: readonly Bytes[],
  recorder: Signer,
): Promise<RoundsRecord> {
  const there = await exists(path.join(out, "plan.cbor"));
  if (there && !resume && !force)
    throw new UsageError("EXISTS", `${out} holds a record; choose another folder, --resume it, or overwrite it with --force`, { out }); // prettier-ignore
  if (there && resume && (await exists(path.join(out, "instance.json")))) {
    // A log is made when the record is whole, so its absence says that the beginning was cut.
    if (await exists(logFile(out))) return continued(plan, out, owners, recorder);
  }
  for (const name of OWN_FILES) await fs.rm(path.join(out, name), { recursive: true, force: true });
  const own = salt ?? crypto.getRandomValues(new Uint8Array(32));
  const instance: Instance = instanceOf({ plan: plan.id, salt: own, owners, recorder: recorder.address });
  const record = await beginRecord(out, plan, instance);
  await LogWriter.open(logFile(out));
  return record;
}

async function continued(plan: Plan, out: string, owners: readonly Bytes[], recorder: Signer): Promise<RoundsRecord> {
  const record = await RoundsRecord.open(out);
  const { instance } = record;
  if (!bytesEqual(record.plan.id, plan.id))
    throw new RoundsError("FOREIGN", `${out} is a record of the plan ${toHex(record.plan.id)}, not of ${toHex(plan.id)}; give the same module and options`, { out }); // prettier-ignore
  const other = owners.findIndex((owner, i) => !bytesEqual(owner, instance.owners[i]));
  if (other >= 0 || !bytesEqual(recorder.address, instance.recorder))
    throw new RoundsError("FOREIGN", `${out} was begun with another key of ${plan.participants[other]?.name ?? "the recorder"}; continue it with the same keys and faults`, { out }); // prettier-ignore
  return record;
}

/** Admits what the participants have performed, in the order of the seats. */
class Recorder {
  private readonly record: RoundsRecord;
  private readonly crew: Crew;
  private readonly signer: Signer;
  private readonly options: RunRoundsOptions;
  private readonly rounds: Bytes[] = [];

  constructor(record: RoundsRecord, crew: Crew, signer: Signer, options: RunRoundsOptions) {
    this.record = record;
    this.crew = crew;
    this.signer = signer;
    this.options = options;
  }

  async run(): Promise<void> {
    const { record } = this;
    const { plan, instance, folder } = record;
    const log = await LogWriter.open(logFile(folder), await readLog(logFile(folder)));
    for (let round = 0; round <= plan.rounds; round++) {
      for (const turn of plan.turns.keys()) await this.turn(log, round, turn);
      this.rounds.push(roundRootOf(plan.seats.map((_, seat) => runOf(plan, record.at({ round, seat })!))));
      const root = recordRootOf(plan.id, this.rounds);
      if (record.marks.some((mark) => mark.rounds === round + 1 && bytesEqual(mark.root, root))) continue;
      const mark = { rounds: round + 1, root, signature: await this.signer.record(instance, round + 1, root) };
      await log.mark(mark);
      record.marks.push(mark);
    }
  }

  private async turn(log: LogWriter, round: number, turn: number): Promise<void> {
    const { record, crew, options } = this;
    const { seats } = record.plan;
    const places: LeafPlace[] = [];
    for (const [seat, each] of seats.entries()) {
      const known = record.at({ round, seat });
      if (each.turn === turn && !(known && (await record.isAtHand(known)))) places.push({ round, seat });
    }
    const faultOf = ({ seat }: LeafPlace) =>
      options.faults?.find((planted) => planted.round === round && planted.seat === seat)?.fault;
    const started = crew.together ? places.map((place) => crew.perform(place, faultOf(place))) : [];
    await Promise.allSettled(started);
    for (const [i, place] of places.entries()) {
      const performed = await (started[i] ?? crew.perform(place, faultOf(place)));
      await this.admit(log, place, performed);
      if (options.signal?.aborted) throw this.stopped(place);
    }
  }

  /** A leaf is admitted if its owner has signed it. Whether it is right is for those who dispute it. */
  private async admit(log: LogWriter, place: LeafPlace, { statement, metrics }: Performed): Promise<void> {
    const { plan, instance } = this.record;
    const { round, seat } = place;
    const { participant } = plan.seats[seat];
    const name = seatName(plan, seat);
    if (statement.round !== round || statement.seat !== seat || !isOwners(plan, instance, statement))
      throw new RoundsError("PARTICIPANT", `${plan.participants[participant].name} sent a statement of ${name} in round ${round} that it has not signed; it is not admitted`, { round, seat }); // prettier-ignore
    const known = this.record.at(place);
    if (known && !sameClaim(plan, place, known, statement))
      throw new RoundsError("PARTICIPANT", `${plan.participants[participant].name} computed other bits of ${name} in round ${round} than it has signed, so what was lost of it can't be made again`, { round, seat }); // prettier-ignore
    if (!known) await log.statement(statement);
    this.record.admit(statement);
    this.options.onLeaf?.({
      round,
      seat,
      rounds: plan.rounds,
      name,
      participant: plan.participants[participant].name,
      metrics,
    });
  }

  private stopped({ round, seat }: LeafPlace): RunError {
    const { plan, folder } = this.record;
    const message = `the rounds were stopped after ${seatName(plan, seat)} in round ${round} of ${plan.rounds}; ${folder} is kept: continue it with --resume`;
    const error = new RunError("STOPPED", message, { round, seat, out: folder });
    error.cause = this.options.signal?.reason;
    return error;
  }
}
