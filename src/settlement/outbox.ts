/**
 * The journal of signed transactions: each is on the disk before it is sent, so that what a command that was killed had sent is
 * found again, and not done twice. Lines of JSON, only ever added to; without secrets, since a signed transaction is public.
 */
import { mkdir, open, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Address, Hex } from "viem";
import { FormatError } from "../errors.ts";

export interface Signed {
  chainId: number;
  from: Address;
  functionName: string;
  nonce: number;
  hash: Hex;
  /** As it was signed. */
  raw: Hex;
}

type Line = ({ signed: Signed } | { settled: Hex }) & { time: string };

/** Of every line. */
const BEGINNING = '{"time":"';

export class Outbox {
  private readonly file: string;
  private readonly open: Map<Hex, Signed>;

  private constructor(file: string, unsettled: Map<Hex, Signed>) {
    this.file = file;
    this.open = unsettled;
  }

  /** @throws {FormatError} for a file that is no journal; a last line that was cut is nothing that was ever sent */
  static async load(file: string): Promise<Outbox> {
    const text = await readFile(file, "utf8").catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === "ENOENT") return "";
      throw new FormatError(`the journal ${file} can't be read: ${cause.message}; name another one with --journal`, {
        file,
      });
    });
    const unsettled = new Map<Hex, Signed>();
    const lines = text.split("\n");
    for (const [i, line] of lines.entries()) {
      const entry = parse(line, `${file}, line ${i + 1}`);
      if (entry && "signed" in entry) unsettled.set(entry.signed.hash, entry.signed);
      else if (entry) unsettled.delete(entry.settled);
    }
    const outbox = new Outbox(file, unsettled);
    // What follows must not be joined to a line that was cut.
    if (lines.at(-1) !== "") await outbox.append("\n");
    return outbox;
  }

  /** Of this account, in the order of their nonces; nobody knows what became of them. */
  unsettled(chainId: number, from: Address): Signed[] {
    const own = [...this.open.values()].filter((signed) => signed.chainId === chainId && signed.from === from);
    return own.sort((a, b) => a.nonce - b.nonce);
  }

  /** To be called before it is sent. */
  async add(signed: Signed): Promise<void> {
    this.open.set(signed.hash, signed);
    await this.write({ time: new Date().toISOString(), signed });
  }

  /** It is in a block, or never will be. */
  async settle(hash: Hex): Promise<void> {
    this.open.delete(hash);
    await this.write({ time: new Date().toISOString(), settled: hash });
  }

  private write(line: Line): Promise<void> {
    return this.append(`${JSON.stringify(line)}\n`);
  }

  private async append(text: string): Promise<void> {
    await mkdir(dirname(this.file), { recursive: true });
    const file = await open(this.file, "a", 0o600);
    try {
      await file.write(text);
      await file.sync();
    } finally {
      await file.close();
    }
  }
}

/** `undefined` for a line that was cut, wherever: it was never whole on the disk, so what it was about was never sent. */
function parse(line: string, what: string): Line | undefined {
  try {
    const entry = JSON.parse(line) as Line;
    if ("settled" in entry || typeof entry.signed.raw === "string") return entry;
  } catch {
    if (BEGINNING.startsWith(line.slice(0, BEGINNING.length))) return undefined;
  }
  throw new FormatError(`${what}: this is no journal of transactions; name another one with --journal`, { what });
}
