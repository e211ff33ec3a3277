/** The records that a participant on a network keeps for itself: a folder for each instance. */
import { type Bytes, bytesEqual, toHex } from "../../encoding/bytes.ts";
import { makeFolder } from "../../files/folder.ts";
import { type FileLock, takeLock } from "../../files/lock.ts";
import { fs, path } from "../../encoding/node.ts";
import { isMissing, messageOf, RoundsError, unreadable } from "../../errors/index.ts";
import { exists } from "../../files/regular.ts";
import { ReceiptLog } from "../../rounds/evidence-log.ts";
import { LogWriter, readLog } from "../../rounds/log.ts";
import type { Plan } from "../../rounds/plan.ts";
import { beginRecord } from "../../rounds/begin-record.ts";
import { readInstance } from "../../rounds/instance-file.ts";
import type { StoreSentence } from "../../rounds/receipt.ts";
import { logFile, RoundsRecord } from "../../rounds/record.ts";
import { type Instance, instanceOf, isOwners, type Statement } from "../../rounds/statement.ts";

/** What the records are of, and where they are. */
interface Place {
  readonly plan: Plan;
  readonly out: string;
  /** On a chain: the one instance for which the participant signs. */
  readonly staked?: { readonly instance: Instance };
}

/** The name of a record's folder. */
const nameOf = ({ id }: Instance): string => toHex(id).slice(2, 18);

export class OwnRecords {
  private readonly place: Place;
  private readonly number: number;
  private readonly address: Bytes;
  private readonly records = new Map<string, Promise<RoundsRecord>>();
  private readonly logs = new Map<RoundsRecord, LogWriter>();
  private readonly receipts = new Map<RoundsRecord, ReceiptLog>();
  private held: FileLock | undefined;
  private writing: Promise<unknown> = Promise.resolve();

  /**
   * @param number the participant's, in the plan
   * @param address of its key, 20 bytes
   */
  constructor(place: Place, number: number, address: Bytes) {
    this.place = place;
    this.number = number;
    this.address = address;
  }

  /**
   * Has the folder to itself until `release`: two participants would spoil each other's log, by which they
   * answer accusations. The lock stands beside the folder.
   * @throws {FileError} LOCKED when another participant has it
   */
  async lock(): Promise<void> {
    const { out } = this.place;
    const file = `${path.resolve(out)}.lock`;
    await makeFolder(path.dirname(file));
    this.held = takeLock(file, `${out}, where another participant keeps what it computes,`);
  }

  /** When all is written, lets others have the folder. */
  async release(): Promise<void> {
    await this.writing;
    this.held?.release();
  }

  /** Those that are open. */
  all(): Promise<RoundsRecord[]> {
    return Promise.all(this.records.values());
  }

  /**
   * The record of an instance.
   * @throws {RoundsError} FOREIGN when that is of another plan, or names another key for the participant, or
   *   is not the one for which it has a stake
   */
  of(named: Omit<Instance, "id">): Promise<RoundsRecord> {
    const { plan, out } = this.place;
    const instance = this.instanceFor(named);
    const isOwn = bytesEqual(instance.plan, plan.id) && bytesEqual(instance.owners[this.number] ?? new Uint8Array(), this.address); // prettier-ignore
    if (!isOwn || instance.owners.length !== plan.participants.length)
      throw new RoundsError("FOREIGN", "the instance is of another plan, or names another key for this participant");
    const name = nameOf(instance);
    const opening = this.records.get(name) ?? this.open(path.join(out, name), instance);
    this.records.set(name, opening);
    opening.catch(() => this.records.delete(name));
    return opening;
  }

  /** Keeps a statement, so that the folder is a record of what was read and computed. */
  async keep(record: RoundsRecord, statement: Statement): Promise<void> {
    const isNew = record.at(statement) === undefined;
    record.admit(statement);
    if (isNew && isOwners(record.plan, record.instance, statement)) await this.write(record, (log) => log.statement(statement)); // prettier-ignore
  }

  /** Keeps what a store has signed. @returns whether it was not kept yet */
  async keepSentence(record: RoundsRecord, sentence: StoreSentence): Promise<boolean> {
    const isNew = record.sentences.admit(sentence);
    if (isNew) await this.write(record, (log) => log.sentence(sentence));
    return isNew;
  }

  /** Keeps a receipt of an own leaf, by which its owner shows it. */
  keepReceipt(record: RoundsRecord, statement: Statement, receipt: StoreSentence): Promise<void> {
    return this.next(async () => {
      const log = this.receipts.get(record) ?? (await ReceiptLog.open(record.folder, record.plan.turns));
      this.receipts.set(record, log);
      await log.keep(statement, [receipt]);
    });
  }

  private write(record: RoundsRecord, entry: (log: LogWriter) => Promise<void>): Promise<void> {
    return this.next(() => entry(this.logs.get(record)!));
  }

  /** Each entry follows from the one before it, so they are written one after the other. */
  private next(write: () => Promise<void>): Promise<void> {
    const written = this.writing.then(write);
    this.writing = written.catch(() => undefined);
    return written;
  }

  /** How many are open. */
  get count(): number {
    return this.records.size;
  }

  /** Whether the record of an instance is open. */
  has(named: Omit<Instance, "id">): boolean {
    return this.records.has(nameOf(this.instanceFor(named)));
  }

  /**
   * Opens the records that are in the folder, so that what they hold is served before somebody names them.
   * @param onSkipped is told of a folder that has something else, such as a record of another plan
   */
  async reopen(onSkipped?: (folder: string, why: string) => void): Promise<void> {
    const { plan, out } = this.place;
    const names = await fs.readdir(out).catch((error: unknown) => {
      if (isMissing(error)) return [];
      throw unreadable("the folder of records", out, error, "make it readable, or name another one with --out");
    });
    for (const name of names.sort()) {
      const folder = path.join(out, name);
      if (!(await exists(path.join(folder, "instance.json")))) continue;
      try {
        await this.of(await readInstance(folder, plan));
      } catch (error) {
        if (!(error instanceof RoundsError)) throw error;
        onSkipped?.(folder, messageOf(error));
      }
    }
  }

  private instanceFor(named: Omit<Instance, "id">): Instance {
    const own = this.place.staked?.instance;
    if (!own) return instanceOf(named);
    // The salt is the hash of the terms, so the chain and the contract follow from its own.
    const { chain } = own;
    if (bytesEqual(instanceOf({ ...named, ...(chain && { chain }) }).id, own.id)) return own;
    throw new RoundsError("FOREIGN", "the instance is not the one for which this participant has a stake");
  }

  private async open(folder: string, instance: Instance): Promise<RoundsRecord> {
    const isThere = await exists(path.join(folder, "instance.json"));
    const file = logFile(folder);
    const known = isThere && (await exists(file)) ? await readLog(file, this.place.plan.turns) : undefined;
    const log = isThere ? await LogWriter.open(file, known) : undefined;
    const record = isThere ? await RoundsRecord.open(folder) : await beginRecord(folder, this.place.plan, instance);
    this.logs.set(record, log ?? (await LogWriter.open(file)));
    return record;
  }
}
