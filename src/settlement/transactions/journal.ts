/**
 * What an account has signed and what became of it, on disk before any of it is sent: a file of lines that only grows. Each
 * line carries a hash over the one before and itself, so that a line that is cut, altered or from elsewhere is seen. A last
 * line that was cut by a crash is dropped: what it said was not acted on yet.
 */
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import type { Address, Hex } from "viem";
import { asBytes, toHex } from "../../encoding/bytes.ts";
import { sha256 } from "../../encoding/hash.ts";
import { ChainError, FormatError, messageOf } from "../../errors/index.ts";

/** A transaction that was signed; several of one nonce replace each other. */
export interface Signed {
  kind: "signed";
  action: string;
  nonce: number;
  hash: Hex;
  raw: Hex;
  /** The most that it may take. */
  gas: string;
  /** In wei. */
  maxFeePerGas: string;
  maxPriorityFeePerGas: string;
}

export type JournalRecord =
  | { kind: "journal"; version: 1; chainId: number; account: Address }
  /** Something that is to have effect once. A value is in wei. */
  | { kind: "action"; action: string; what: string; to: Address; data: Hex; value?: string }
  | Signed
  /** Carried out, in a block that has as many on top of it as were asked for. */
  | { kind: "mined"; action: string; hash: Hex; block: number; blockHash: Hex }
  /** In such a block too, but without effect. */
  | { kind: "reverted"; action: string; hash: Hex; block: number; blockHash: Hex }
  /** The block of a transaction is no longer in the chain. */
  | { kind: "reorganized"; action: string; hash: Hex }
  /** Another transaction of the account has the nonce, so none of ours with it can be carried out any more. */
  | { kind: "void"; action: string; nonce: number }
  /** Nothing more is done about it, and who asked for it has been told. */
  | { kind: "closed"; action: string };

/** Records in their order, and where they go. */
export interface Log {
  readonly records: readonly JournalRecord[];
  append(record: JournalRecord): void;
  close(): void;
}

/** For what need not outlive its process. */
export function shortLivedLog(): Log {
  const records: JournalRecord[] = [];
  return { records, append: (record) => void records.push(record), close: () => undefined };
}

interface Line {
  record: JournalRecord;
  hash: string;
}

const START = "0x";

/** @throws {FormatError | ChainError} when the file is damaged, of another account, or in use */
export class Journal implements Log {
  readonly path: string;
  readonly records: JournalRecord[] = [];
  private readonly lock: string;
  private file: number;
  private last = START;

  private constructor(path: string, lock: string) {
    this.path = path;
    this.lock = lock;
    this.file = openSync(path, "a", 0o600);
  }

  static open(path: string, chainId: number, account: Address): Journal {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const lock = takeLock(`${path}.lock`);
    try {
      const journal = new Journal(path, lock);
      journal.read();
      const [head] = journal.records;
      if (!head) journal.append({ kind: "journal", version: 1, chainId, account });
      else if (head.kind !== "journal" || head.version !== 1)
        throw new FormatError(
          "VERSION",
          `${path} is no journal of this version; move it away, and look on the chain for what was sent`,
          { path },
        );
      else if (head.chainId !== chainId || head.account !== account)
        throw new FormatError(
          "FOREIGN",
          `the journal ${path} is of ${head.account} on chain ${head.chainId}, and not of ${account} on chain ${chainId}; move it away`,
          { path, expected: [account, chainId], found: [head.account, head.chainId] },
        );
      return journal;
    } catch (error) {
      rmSync(lock, { force: true });
      throw error;
    }
  }

  /** On the disk when this returns. */
  append(record: JournalRecord): void {
    const hash = lineHash(this.last, record);
    writeSync(this.file, `${JSON.stringify({ record, hash } satisfies Line)}\n`);
    fsyncSync(this.file);
    this.last = hash;
    this.records.push(record);
  }

  close(): void {
    closeSync(this.file);
    rmSync(this.lock, { force: true });
  }

  private read(): void {
    const text = readFileSync(this.path, "utf8");
    const end = text.lastIndexOf("\n") + 1;
    for (const [i, line] of text.slice(0, end).split("\n").slice(0, -1).entries()) {
      const parsed = parseLine(line);
      if (!parsed || parsed.hash !== lineHash(this.last, parsed.record))
        throw new FormatError(
          "ALTERED",
          `line ${i + 1} of the journal ${this.path} is damaged; what was sent is on the chain, so move the file away and look there before you repeat anything`,
          { path: this.path, line: i + 1 },
        );
      this.last = parsed.hash;
      this.records.push(parsed.record);
    }
    if (end < text.length) truncateSync(this.path, Buffer.byteLength(text.slice(0, end)));
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

/** One process writes at a time; the lock of one that is gone does not count. */
function takeLock(path: string): string {
  const own = `${path}.${process.pid}`;
  writeFileSync(own, String(process.pid));
  try {
    for (let attempt = 0; ; attempt++)
      try {
        // A link appears with its content, unlike a file that is created and then written.
        linkSync(own, path);
        return path;
      } catch (cause) {
        const owner = ownerOf(path);
        if (attempt > 3 || (owner !== undefined && isAlive(owner)))
          throw new ChainError(
            "BUSY",
            `another process${owner === undefined ? "" : ` (${owner})`} sends transactions of this account; wait for it, or remove ${path} if there is none (${messageOf(cause)})`,
            { path },
          );
        rmSync(path, { force: true });
      }
  } finally {
    rmSync(own, { force: true });
  }
}

function ownerOf(path: string): number | undefined {
  try {
    return Number(readFileSync(path, "utf8")) || undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
