/**
 * Fetches the record of a performance from somebody that serves it. Everything is checked as it arrives, and
 * a round is kept when it is whole, so it can be interrupted at any time and continued.
 */
import { type Bytes, bytesEqual } from "../../encoding/bytes.ts";
import { path } from "../../encoding/node.ts";
import { messageOf, RoundsError } from "../../errors/index.ts";
import { makeFolder } from "../../files/folder.ts";
import { type FileLock, takeLock } from "../../files/lock.ts";
import { exists } from "../../files/regular.ts";
import { Blobs } from "../../rounds/blobs.ts";
import { evidenceFile } from "../../rounds/evidence-log.ts";
import { LOG_BEGIN, type LogEntry, type LogPosition, LogWriter, MAGIC, readLog } from "../../rounds/log.ts";
import { roundBytes } from "../../rounds/log-entry.ts";
import { seatName } from "../../rounds/plan.ts";
import { beginRecord, openEmpty } from "../../rounds/begin-record.ts";
import { blobFolder, logFile, RoundsRecord } from "../../rounds/record.ts";
import type { Statement } from "../../rounds/statement.ts";
import { Correspondent, isAway } from "./correspondent.ts";
import type { Fetched, FetchOptions, Lacking } from "./fetch-options.ts";
import { fetchLeaf } from "./fetched-leaf.ts";
import { fetchInstance, fetchPlan } from "./fetched-plan.ts";
import { fetchHeld } from "./held-leaf.ts";
import { entriesOf, readAll, settleHistory } from "./histories.ts";
import { recordSubject } from "./messages.ts";
import { OfferedRounds, unsignedIn } from "./offered-rounds.ts";
import { MOST_FILE, Room } from "./room.ts";

/** What is in the folder. */
interface State {
  readonly record: RoundsRecord;
  readonly log: LogWriter;
  readonly offered: OfferedRounds;
  /** The place after its last round. */
  at: LogPosition;
  readonly lacking: Map<Statement, Lacking>;
}

export class RecordFetch {
  private readonly options: FetchOptions;
  private readonly server: Correspondent;
  private readonly lock: FileLock;
  private state: State | undefined;
  private readonly room: Room;

  private constructor(options: FetchOptions, lock: FileLock) {
    const { transport, instance, patience, signal } = options;
    this.options = options;
    this.lock = lock;
    this.room = new Room(options.out, options.limit, "fetch with a higher --limit, if the plan is the one that you mean"); // prettier-ignore
    this.server = new Correspondent(transport, recordSubject(instance), { name: "the server of the record", patience, signal, isServer: true }); // prettier-ignore
  }

  /** @throws {FileError} LOCKED when another process writes to the folder */
  static async open(options: FetchOptions): Promise<RecordFetch> {
    const { out } = options;
    await makeFolder(out);
    return new RecordFetch(options, takeLock(path.join(out, "record.lock"), out));
  }

  close(): void {
    this.lock.release();
  }

  /**
   * Fetches what is there now and is not in the folder yet.
   * @throws {RoundsError} SERVER when the server is away, or sends what nobody has signed; HISTORY when its
   *   record is cut, or another one than that of the folder; LIMIT when the folder would get too large;
   *   FOREIGN when the folder has something else
   */
  async pass(): Promise<Fetched> {
    try {
      this.state ??= await this.opened();
      if (await this.advance(this.state)) return await this.summary(this.state);
      this.state = await this.opened();
      await this.advance(this.state);
      return await this.summary(this.state);
    } catch (error) {
      // The record in memory may have what was refused.
      this.state = undefined;
      throw error;
    }
  }

  private readonly spend = (bytes: number): void => this.room.spend(bytes);

  private async opened(): Promise<State> {
    const { out, instance } = this.options;
    const isOther = (await exists(path.join(out, "plan.cbor"))) && !(await exists(evidenceFile(out)));
    if (isOther)
      throw new RoundsError("FOREIGN", `${out} has a record that was not fetched; fetch into a folder of its own`, { out }); // prettier-ignore
    await this.room.measure();
    if (!(await exists(logFile(out)))) await this.begin();
    const { plan, instance: own } = await openEmpty(out);
    if (!bytesEqual(own.id, instance))
      throw new RoundsError("FOREIGN", `${out} has the record of another instance; fetch into a folder of its own`, { out }); // prettier-ignore
    // A round of which a part was written is fetched again.
    const known = await readLog(logFile(out), plan.turns);
    const at = known.end > 0 ? known.marked : LOG_BEGIN;
    const log = await LogWriter.open(logFile(out), known.end > 0 ? at : undefined);
    const record = await RoundsRecord.open(out);
    const lacking = new Map<Statement, Lacking>();
    for (const leaf of record.all)
      if (!record.isAbsent(leaf) && !(await record.isAtHand(leaf))) this.miss(lacking, record, leaf, "its files are not there"); // prettier-ignore
    return { record, log, at, lacking, offered: new OfferedRounds(record, known.marks.length, this.server) };
  }

  /** Writes the plan and an empty log. The file for evidence says that the folder is a fetched record. */
  private async begin(): Promise<void> {
    const { out, instance: id } = this.options;
    const { server, spend } = this;
    // Where the log was removed to have another history, what shows that there are two stays.
    if (!(await exists(evidenceFile(out)))) await LogWriter.open(evidenceFile(out));
    const instance = await fetchInstance(server, id);
    const mostTensor = Math.min(MOST_FILE, this.room.limit);
    const plan = await fetchPlan(instance, { server, blobs: new Blobs(blobFolder(out)), spend, mostTensor });
    await beginRecord(out, plan, instance);
    await LogWriter.open(logFile(out));
  }

  /** @returns whether the folder's log is the beginning of the server's; else a better one has replaced it */
  private async advance(state: State): Promise<boolean> {
    const { server } = this;
    const { record } = state;
    for (const leaf of state.lacking.keys()) await this.leaf(state, leaf);
    const back = state.at.end === LOG_BEGIN.end ? MAGIC : state.at.hash;
    const begin = state.at.end - back.length;
    const first = await server.ask({ kind: "log", from: begin }, "part");
    const fits = first.size >= state.at.end && bytesEqual(first.bytes.subarray(0, back.length), back);
    if (!fits) {
      await settleHistory({ record, server, end: state.at.end, rounds: state.offered.count });
      return false;
    }
    const most = roundBytes(record.plan);
    let left: Bytes = new Uint8Array();
    for await (const bytes of readAll(server, first, begin)) {
      // What was compared is the end of the own log.
      const fresh =
        left.length === 0 && bytes === first.bytes
          ? bytes.subarray(back.length)
          : new Uint8Array(Buffer.concat([left, bytes]));
      left = await this.rounds(state, fresh);
      if (left.length > most) throw server.wrong(`sent ${left.length} bytes of a round, and it has no more than ${most}`); // prettier-ignore
      if (state.offered.isWhole) break;
    }
    return true;
  }

  /** Keeps the rounds that are whole. @returns what is left after the last one */
  private async rounds(state: State, bytes: Bytes): Promise<Bytes> {
    const { record, offered, log } = state;
    const { plan } = record;
    const base = state.at;
    let entries: LogEntry[] = [];
    for (const entry of entriesOf(bytes, plan.turns, this.server, base)) {
      const { mark } = entry;
      if (!mark) {
        entries.push(entry);
        continue;
      }
      if (offered.isWhole) break;
      const round = offered.count;
      offered.add(entries, mark);
      for (const { statement } of entries) if (statement && !record.isAbsent(statement)) await this.leaf(state, statement); // prettier-ignore
      const own = bytes.slice(state.at.end - base.end, entry.end - base.end);
      this.spend(own.length);
      await log.entries(own, entry.hash);
      state.at = { end: entry.end, hash: entry.hash };
      const unsigned = unsignedIn(record, round).map(({ seat }) => seatName(plan, seat));
      this.options.onRound?.(round, plan.rounds, unsigned);
      entries = [];
    }
    return bytes.slice(state.at.end - base.end);
  }

  /**
   * A leaf's files. What the server does not have, or has in another form, the stores are asked for that have
   * signed it. What they do not give is lacking: the next pass asks again.
   */
  private async leaf({ record, lacking }: State, leaf: Statement): Promise<void> {
    try {
      if (!(await record.isAtHand(leaf))) await fetchLeaf(record, leaf, this.server, this.room);
      lacking.delete(leaf);
    } catch (error) {
      if (!(error instanceof RoundsError) || error.code !== "VERDE_ROUNDS_SERVER" || isAway(error)) throw error;
      const left = record.plan.storage ? await fetchHeld(record, leaf, this.options, this.room) : "";
      if (left === undefined) lacking.delete(leaf);
      else this.miss(lacking, record, leaf, [messageOf(error), left].filter((each) => each !== "").join("; "));
    }
  }

  private miss(lacking: Map<Statement, Lacking>, { plan }: RoundsRecord, leaf: Statement, why: string): void {
    const { round, seat } = leaf;
    lacking.set(leaf, { round, seat, name: seatName(plan, seat), why });
  }

  private async summary({ record, offered, lacking }: State): Promise<Fetched> {
    return { record, rounds: offered.count, isWhole: offered.isWhole, lacking: [...lacking.values()], bytes: this.room.bytes }; // prettier-ignore
  }
}
