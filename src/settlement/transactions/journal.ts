/**
 * The journal of an account: what it has signed, and the outcomes. A transaction is on disk before it is
 * sent. The file only grows. Each line has a hash over the line before and itself, so a line that is cut off,
 * altered or from another file is detected. If a crash has cut off the last line, it is dropped: nothing has
 * been done because of it yet.
 */
import {
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import type { Address, Hex } from "viem";
import { asBytes, toHex } from "../../encoding/bytes.ts";
import { sha256 } from "../../encoding/hash.ts";
import { ChainError, FormatError, messageOf, unwritable } from "../../errors/index.ts";
import { type FileLock, isLocked, takeLock } from "../../files/lock.ts";

/** A transaction that was signed. Several with the same nonce replace each other. */
export interface Signed {
  kind: "signed";
  action: string;
  nonce: number;
  hash: Hex;
  raw: Hex;
  /** The most gas that it may use. */
  gas: string;
  /** In wei for each unit of gas. */
  maxFeePerGas: string;
  maxPriorityFeePerGas: string;
}

export type JournalRecord =
  | { kind: "journal"; version: 1; chainId: number; account: Address }
  /** A call that should take effect once. A value is in wei. Without `to` it creates a contract. */
  | { kind: "action"; action: string; what: string; to?: Address; data: Hex; value?: string }
  | Signed
  /** The transaction is in a block that has enough confirmations. */
  | { kind: "mined"; action: string; hash: Hex; block: number; blockHash: Hex }
  /** It is in such a block too, but it reverted. */
  | { kind: "reverted"; action: string; hash: Hex; block: number; blockHash: Hex }
  /** The block of a transaction is no longer in the chain. */
  | { kind: "reorganized"; action: string; hash: Hex }
  /**
   * Another transaction of the account has the nonce, so none of ours with that nonce can take effect any
   * more.
   */
  | { kind: "void"; action: string; nonce: number }
  /** Nothing more is done about it, and the command that asked for it knows the outcome. */
  | { kind: "closed"; action: string };

/** A list of records that can be extended. */
export interface Log {
  readonly records: readonly JournalRecord[];
  append(record: JournalRecord): void;
  close(): void;
}

/** A log in memory, for calls that need not outlive the process. */
export function shortLivedLog(): Log {
  const records: JournalRecord[] = [];
  return { records, append: (record) => void records.push(record), close: () => undefined };
}

interface Line {
  record: JournalRecord;
  hash: string;
}

const START = "0x";

/** @throws {FormatError | ChainError} when the file is damaged, belongs to another account, or is in use */
export class Journal implements Log {
  readonly path: string;
  readonly records: JournalRecord[] = [];
  private readonly lock: FileLock;
  private readonly file: number;
  private last = START;

  private constructor(path: string, lock: FileLock) {
    this.path = path;
    this.lock = lock;
    this.file = opened(path);
  }

  static open(path: string, chainId: number, account: Address): Journal {
    const lock = lockFor(path);
    try {
      const journal = new Journal(path, lock);
      journal.read();
      const [head] = journal.records;
      if (!head) journal.append({ kind: "journal", version: 1, chainId, account });
      else if (head.kind !== "journal" || head.version !== 1)
        throw new FormatError(
          "VERSION",
          `${path} is not a journal of this version; move it away, and check on the chain what was sent`,
          { path },
        );
      else if (head.chainId !== chainId || head.account !== account)
        throw new FormatError(
          "FOREIGN",
          `the journal ${path} belongs to ${head.account} on chain ${head.chainId}, not to ${account} on chain ${chainId}; move it away`,
          { path, expected: [account, chainId], found: [head.account, head.chainId] },
        );
      return journal;
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /**
   * Adds a record, which is on the disk when this returns.
   * @throws {FileError} when it can't be written; then no line of it is left
   */
  append(record: JournalRecord): void {
    const hash = lineHash(this.last, record);
    const { size } = fstatSync(this.file);
    try {
      writeFileSync(this.file, `${JSON.stringify({ record, hash } satisfies Line)}\n`);
      fsyncSync(this.file);
    } catch (cause) {
      // The next line must not follow half of this one.
      ftruncateSync(this.file, size);
      throw unwritable(this.path, cause);
    }
    this.last = hash;
    this.records.push(record);
  }

  close(): void {
    closeSync(this.file);
    this.lock.release();
  }

  private read(): void {
    const text = readFileSync(this.path, "utf8");
    const end = text.lastIndexOf("\n") + 1;
    for (const [i, line] of text.slice(0, end).split("\n").slice(0, -1).entries()) {
      const parsed = parseLine(line);
      if (!parsed || parsed.hash !== lineHash(this.last, parsed.record))
        throw new FormatError(
          "ALTERED",
          `line ${i + 1} of the journal ${this.path} is damaged; move the file away, and check on the chain what was sent before you repeat anything`,
          { path: this.path, line: i + 1 },
        );
      this.last = parsed.hash;
      this.records.push(parsed.record);
    }
    if (end < text.length) ftruncateSync(this.file, Buffer.byteLength(text.slice(0, end)));
  }
}

function parseLine(line: string): Line | undefined {
  try {
    const { record, hash } = JSON.parse(line) as Line;
    return typeof record?.kind === "string" && typeof hash === "string" ? { record, hash } : undefined;
  } catch {
    return undefined;
  }
}

function lineHash(before: string, record: JournalRecord): string {
  return toHex(sha256(asBytes(new TextEncoder().encode(before + JSON.stringify(record)))));
}

/** Only one process sends for an account at a time. */
function lockFor(path: string): FileLock {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    return takeLock(`${path}.lock`, path);
  } catch (error) {
    if (!isLocked(error)) throw unwritable(path, error);
    throw new ChainError("BUSY", `another command is sending transactions of this account: ${messageOf(error)}`, {
      path,
      lock: `${path}.lock`,
    });
  }
}

function opened(path: string): number {
  try {
    return openSync(path, "a", 0o600);
  } catch (cause) {
    throw unwritable(path, cause);
  }
}
