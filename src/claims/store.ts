/**
 * The keys of this user, and which runs they claim. The keys are in the user's state folder and never beside
 * a trace: people hand folders with traces over, and a key would go along.
 */
import { type Bytes, bytesEqual, fromHex, toHex } from "../encoding/bytes.ts";
import { parseJson } from "../encoding/json.ts";
import { fs, path } from "../encoding/node.ts";
import { isMissing, KeyError, messageOf, UsageError } from "../errors/index.ts";
import { appendDurably } from "../files/append.ts";
import { makeFolder } from "../files/folder.ts";
import { waitForLock } from "../files/lock.ts";
import { stateFolder } from "../files/places.ts";
import { replaceFile, writeNewFile } from "../files/replace.ts";
import { formatAddress, parseAddress, type RunClaim } from "./claim.ts";
import { type Opening, openingDigest, openingKey } from "./opening.ts";
import { addressOf, newSecretKey, signDigest } from "./signature.ts";

/** Signs what a party says about its own run. */
export interface Speaker {
  /** 20 bytes. */
  readonly address: Bytes;
  /** The runs for which the key speaks: it is silent about others. Absent: it speaks for any. */
  readonly purpose?: Purpose;
  /**
   * 65 bytes. `undefined` when this key has already signed another root for the same tree: the two together
   * would convict it.
   */
  sign(opening: Opening): Promise<Bytes | undefined>;
}

/** Honest runs and drills have different keys: a drill signs what is wrong. */
export type Purpose = "own" | "drill";

/** A key that is at hand. */
export interface AvailableKey {
  readonly address: Bytes;
  /** 32 bytes. */
  readonly secret: Bytes;
}

/** @throws {KeyError} when this user has no folder for keys and claims */
function claimFolder(): string {
  const folder = stateFolder();
  if (folder !== undefined) return folder;
  throw new KeyError(
    "UNREADABLE",
    "this user has no home folder, in which keys and claims would be kept; name a folder with VERDE_STATE",
  );
}

/** The claims of one user, in a folder. It is made when the first key is. */
export class ClaimStore {
  readonly folder: string;
  /** Keys that are at hand beside those in the folder. */
  readonly extra: readonly AvailableKey[];

  /** @param extra keys that are at hand beside those in the folder, such as an opened keystore */
  constructor(folder: string = claimFolder(), extra: readonly AvailableKey[] = []) {
    this.folder = folder;
    this.extra = extra;
  }

  /** The address of the key for a purpose. The key is made at the first use. */
  async addressFor(purpose: Purpose): Promise<Bytes> {
    return (await this.keyFor(purpose)).address;
  }

  /** The key for a purpose. It is made at the first use. */
  async keyFor(purpose: Purpose): Promise<AvailableKey> {
    return keptKey(path.join(this.folder, "keys", `${purpose}.key`));
  }

  /** Records that a key claims a run. Without this, the key signs nothing about the run. */
  async record(run: Bytes, purpose: Purpose, address: Bytes): Promise<void> {
    const file = this.claimFile(run);
    await makeFolder(path.dirname(file), 0o700);
    const lock = await waitForLock(`${file}.lock`, file);
    try {
      const known = await this.claimants(run);
      const own = formatAddress(address);
      // The latest is the last one. Earlier claims stay: their keys have to answer, too.
      const next = { ...known, [purpose]: [...(known[purpose] ?? []).filter((other) => other !== own), own] };
      await replaceFile(file, `${JSON.stringify(next)}\n`);
    } finally {
      lock.release();
    }
  }

  /**
   * The claim of this user about a run: with the address of the key that claimed it, if one did. Of several,
   * one whose key was given to this store, or else the latest.
   */
  async claimOf(run: Bytes, purpose: Purpose): Promise<RunClaim> {
    const claimed = (await this.claimants(run))[purpose] ?? [];
    const addresses = claimed.map((text) => parseAddress(text, this.claimFile(run)));
    const isGiven = (address: Bytes): boolean => this.extra.some((key) => bytesEqual(key.address, address));
    const address = addresses.findLast(isGiven) ?? addresses.at(-1);
    return address ? { run, address } : { run };
  }

  /**
   * The key that claimed a run, if it is at hand.
   * @throws {KeyError} when a file of the store can't be used
   */
  async speakerFor(run: Bytes, purpose: Purpose): Promise<Speaker | undefined> {
    const { address } = await this.claimOf(run, purpose);
    if (!address) return undefined;
    const key = (await this.keysAtHand(purpose)).find((known) => bytesEqual(known.address, address));
    return (
      key &&
      new RunSpeaker(run, purpose, key, `${this.claimFile(run).replace(/\.json$/, "")}.${formatAddress(address)}`)
    );
  }

  private async keysAtHand(purpose: Purpose): Promise<AvailableKey[]> {
    const stored = await readKey(path.join(this.folder, "keys", `${purpose}.key`));
    return [...this.extra, ...(stored ? [stored] : [])];
  }

  private claimFile(run: Bytes): string {
    return path.join(this.folder, "claims", `${toHex(run)}.json`);
  }

  private async claimants(run: Bytes): Promise<Partial<Record<Purpose, string[]>>> {
    const file = this.claimFile(run);
    const text = await read(file, "the record of a claim");
    if (text === undefined) return {};
    const known = parseJson(text, file);
    const isList = (list: unknown): boolean => Array.isArray(list) && list.every((item) => typeof item === "string");
    if (typeof known === "object" && known !== null && Object.values(known).every(isList)) return known;
    throw new KeyError("MALFORMED", `${file} is not the record of a claim; claim the run again`, { file });
  }
}

/**
 * Signs openings of one run, and keeps what it has signed in a file. So it never signs a second root for a
 * tree, whatever happens to the trace.
 */
class RunSpeaker implements Speaker {
  readonly address: Bytes;
  readonly purpose: Purpose;
  private readonly run: Bytes;
  private readonly secret: Bytes;
  private readonly journal: string;

  constructor(run: Bytes, purpose: Purpose, { address, secret }: AvailableKey, journal: string) {
    this.run = run;
    this.purpose = purpose;
    this.address = address;
    this.secret = secret;
    this.journal = journal;
  }

  async sign(opening: Opening): Promise<Bytes | undefined> {
    if (!bytesEqual(opening.run, this.run)) return undefined;
    const place = `${openingKey(opening)} `;
    const line = place + toHex(opening.root);
    // A line that was cut when the machine stopped counts for nothing: no signature has left for it.
    const first = async (): Promise<string | undefined> =>
      (await this.signed()).split("\n").find((known) => known.startsWith(place) && known.length === line.length);
    let signed = await first();
    if (signed === undefined) {
      const lock = await waitForLock(`${this.journal}.lock`, this.journal);
      try {
        signed = await first();
        const cut = !/(^|\n)$/.test(await this.signed());
        if (signed === undefined) await appendDurably(this.journal, `${cut ? "\n" : ""}${line}\n`, 0o600);
        signed ??= line;
      } finally {
        lock.release();
      }
    }
    return signed === line ? signDigest(openingDigest(opening), this.secret) : undefined;
  }

  private async signed(): Promise<string> {
    return (await read(this.journal, "the journal of signed openings")) ?? "";
  }
}

async function readKey(file: string): Promise<AvailableKey | undefined> {
  const text = await read(file, "the key");
  if (text === undefined) return undefined;
  if (!/^0x[0-9a-f]{64}\n$/.test(text))
    throw new KeyError(
      "MALFORMED",
      `${file} is not a key of Verde's; restore it, or move it away: then a new one is made, and what the old one claimed can no longer be answered for`,
      { file },
    );
  const secret = fromHex(text.trim(), 32);
  return { address: addressOf(secret), secret };
}

/** The key in a file. It is made at the first use. */
export async function keptKey(file: string): Promise<AvailableKey> {
  return (await readKey(file)) ?? makeKey(file);
}

/** Two processes that make a key at once get the same one: the file appears whole, and only once. */
async function makeKey(file: string): Promise<AvailableKey> {
  await makeFolder(path.dirname(file), 0o700);
  await writeNewFile(file, `${toHex(newSecretKey())}\n`, { mode: 0o600 }).catch((error: unknown) => {
    if (!(error instanceof UsageError)) throw error;
  });
  return (await readKey(file))!;
}

async function read(file: string, what: string): Promise<string | undefined> {
  try {
    return await fs.readFile(file, "utf8");
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw new KeyError("UNREADABLE", `${what} ${file} can't be read: ${messageOf(cause)}; make it readable`, { file });
  }
}
