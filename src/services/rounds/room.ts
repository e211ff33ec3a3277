/** The room of a folder: how many bytes it may have, and how many it has. */
import { RoundsError } from "../../errors/index.ts";
import { bytesIn } from "../../files/size.ts";

/** 64 GiB. */
const DEFAULT_LIMIT = 2 ** 36;
/** The longest file that is carried. */
export const MOST_FILE = 2 ** 32 - 1;

export class Room {
  /** The most bytes. */
  readonly limit: number;
  private readonly folder: string;
  private readonly remedy: string;
  private taken = 0;

  /**
   * @param limit the most bytes. Default: 64 GiB
   * @param remedy what to do when it is full
   */
  constructor(folder: string, limit: number | undefined, remedy: string) {
    this.folder = folder;
    this.limit = limit ?? DEFAULT_LIMIT;
    this.remedy = remedy;
  }

  /** The bytes that the folder has, as far as they were counted. */
  get bytes(): number {
    return this.taken;
  }

  /** Counts what the folder has now. */
  async measure(): Promise<void> {
    this.taken = await bytesIn(this.folder);
  }

  /** Counts the bytes of a file before it is written. @throws {RoundsError} LIMIT when it has no room */
  spend(bytes: number): void {
    const { folder, limit, taken } = this;
    if (taken + bytes > limit || bytes > MOST_FILE)
      throw new RoundsError("LIMIT", `${folder} would have ${taken + bytes} bytes, and it may have ${limit}; ${this.remedy}`, { limit, found: taken + bytes }); // prettier-ignore
    this.taken += bytes;
  }

  /** Counts the bytes of a file while it is fetched. One that fails is not kept, and takes no room. */
  async during<T>(bytes: number, fetch: () => Promise<T>): Promise<T> {
    this.spend(bytes);
    try {
      return await fetch();
    } catch (error) {
      this.taken -= bytes;
      throw error;
    }
  }
}
