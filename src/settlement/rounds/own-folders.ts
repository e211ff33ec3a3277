/**
 * What an account has kept of a performance itself. Others have written the record's folder, and may have
 * left out of it what the account needs for its answers.
 */
import type { Address, Hex } from "viem";
import { admitReceipts } from "../../rounds/evidence-log.ts";
import type { RoundsRecord } from "../../rounds/record.ts";
import type { Lanes } from "../game/lanes.ts";
import { type Copy, openCopy, stampOf } from "./copy.ts";
import type { SignedLeaves } from "./signed-leaves.ts";
import type { PostedRounds } from "./terms-file.ts";

/** Folders as `Joined` writes them. */
export class OwnFolders {
  private readonly folders: readonly string[];
  private readonly posted: PostedRounds;
  private readonly account: Address;
  private readonly open = new Map<string, Copy>();

  constructor(folders: readonly string[], posted: PostedRounds, account: Address) {
    this.folders = folders;
    this.posted = posted;
    this.account = account;
  }

  /**
   * Opens each folder, and again when its logs have changed. What can't be opened is tried again at the next
   * look.
   * @param root of the posted record
   * @param leaves gets the leaves in them that are signed
   */
  async read(root: Hex, lanes: Lanes, leaves: SignedLeaves): Promise<void> {
    for (const folder of this.folders)
      await lanes.apart(`what is kept in ${folder}`, async () => {
        if (this.open.get(folder)?.stamp === (await stampOf(folder))) return;
        const copy = await openCopy(folder, root, this.posted, this.account);
        await admitReceipts(copy.record, folder);
        this.open.set(folder, copy);
        leaves.addRecord(copy.record);
      });
  }

  /** The folders that are open, before the record's. */
  before(record?: Copy): Copy[] {
    return [...this.open.values(), ...(record ? [record] : [])];
  }

  /** The records in them. */
  records(of?: Copy): RoundsRecord[] {
    return this.before(of).map(({ record }) => record);
  }
}

/**
 * What the first of several folders or records gives that has it.
 * @param from one or more
 * @throws the error of the first one, when none has it
 */
export async function firstOf<From, T>(from: readonly From[], make: (one: From) => Promise<T>): Promise<T> {
  const [first, ...others] = from;
  try {
    return await make(first);
  } catch (error) {
    for (const one of others) {
      const made = await make(one).catch(() => undefined);
      if (made !== undefined) return made;
    }
    throw error;
  }
}
