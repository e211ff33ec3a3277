/** Events on the disk, so that a command need not read again what an earlier one has read. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Hex } from "viem";
import { toHex } from "../../encoding/bytes.ts";
import { sha256 } from "../../encoding/hash.ts";
import { makeFolder } from "../../files/folder.ts";
import { replaceFile } from "../../files/replace.ts";
import { checkedLogs, type LogFilter, type MinedLog } from "./check.ts";

/** Events up to a block that the chain does not drop any more. */
export interface Settled {
  readonly block: bigint;
  /** Its hash. A chain with another block there is another chain. */
  readonly hash: Hex;
  readonly logs: readonly MinedLog[];
}

/** Keeps settled events. */
export interface LogStore {
  load(filter: LogFilter): Promise<Settled | undefined>;
  save(filter: LogFilter, settled: Settled): Promise<void>;
}

interface Content {
  version: 1;
  block: number;
  hash: Hex;
  logs: MinedLog[];
}

/** Keeps events in files of a folder. A file that is missing or damaged is as good as none. */
export class LogFolder implements LogStore {
  private readonly folder: string;
  private readonly origin: readonly string[];

  /**
   * @param origin what the events depend on: the chain, and the nodes that gave them. Another node has files
   *   of its own, so events that one hides do not stay hidden
   */
  constructor(folder: string, origin: readonly string[]) {
    this.folder = folder;
    this.origin = origin;
  }

  async load(filter: LogFilter): Promise<Settled | undefined> {
    try {
      const { version, block, hash, logs } = JSON.parse(await readFile(this.fileOf(filter), "utf8")) as Content;
      if (version !== 1 || !/^0x[0-9a-f]{64}$/.test(hash)) return undefined;
      return { block: BigInt(block), hash, logs: checkedLogs(logs, filter, filter.from, BigInt(block)) };
    } catch {
      return undefined;
    }
  }

  async save(filter: LogFilter, { block, hash, logs }: Settled): Promise<void> {
    const content: Content = { version: 1, block: Number(block), hash, logs: [...logs] };
    try {
      await makeFolder(this.folder, 0o700);
      await replaceFile(this.fileOf(filter), JSON.stringify(content), { mode: 0o600 });
    } catch {
      // A disk that is full costs time, and no command.
    }
  }

  private fileOf({ address, topics, from }: LogFilter): string {
    const name = JSON.stringify([...this.origin, address.toLowerCase(), topics, `${from}`]);
    return join(this.folder, `${toHex(sha256(new TextEncoder().encode(name))).slice(2, 42)}.json`);
  }
}
