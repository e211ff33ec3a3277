/**
 * The keys of this user, and which runs they claim. The keys are in the user's state folder and never beside
 * a trace: people hand folders with traces over, and a key would go along.
 */
import { type Bytes, bytesEqual, fromHex, toHex } from "../encoding/bytes.ts";
import { parseJson } from "../encoding/json.ts";
import { fs, os, path } from "../encoding/node.ts";
import { isMissing, KeyError, messageOf } from "../errors/index.ts";
import { formatAddress, parseAddress, type RunClaim } from "./claim.ts";
import { type Opening, openingDigest, openingKey } from "./opening.ts";
import { addressOf, newSecretKey, signDigest } from "./signature.ts";

/** Signs what a party says about its own run. */
export interface Speaker {
  /** 20 bytes. */
  readonly address: Bytes;
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

/** The folder of keys and claims: in `VERDE_STATE`, or in the state folder of the user. */
function stateFolder(): string {
  const { VERDE_STATE, XDG_STATE_HOME } = process.env;
  return VERDE_STATE || path.join(XDG_STATE_HOME || path.join(os.homedir(), ".local", "state"), "verde");
}

/** The claims of one user, in a folder. It is made when the first key is. */
export class ClaimStore {
  readonly folder: string;
  /** Keys that are at hand beside those in the folder. */
  readonly extra: readonly AvailableKey[];

  /** @param extra keys that are at hand beside those in the folder, such as an opened keystore */
  constructor(folder: string = stateFolder(), extra: readonly AvailableKey[] = []) {
    this.folder = folder;
    this.extra = extra;
  }

  /** The address of the key for a purpose. The key is made at the first use. */
  async addressFor(purpose: Purpose): Promise<Bytes> {
    return (await this.keyFor(purpose)).address;
  }

  /** The key for a purpose. It is made at the first use. */
  async keyFor(purpose: Purpose): Promise<AvailableKey> {
    const file = path.join(this.folder, "keys", `${purpose}.key`);
    return (await readKey(file)) ?? makeKey(file);
  }

  /** Records that a key claims a run. Without this, the key signs nothing about the run. */
  async record(run: Bytes, purpose: Purpose, address: Bytes): Promise<void> {
    const file = this.claimFile(run);
    await fs.mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    const known = await this.claimants(run);
    const next = { ...known, [purpose]: formatAddress(address) };
    const temporary = `${file}.${process.pid}.new`;
    await fs.writeFile(temporary, `${JSON.stringify(next)}\n`);
    await fs.rename(temporary, file);
  }

  /** The claim of this user about a run: with the address of the key that claimed it, if one did. */
  async claimOf(run: Bytes, purpose: Purpose): Promise<RunClaim> {
    const address = (await this.claimants(run))[purpose];
    return address === undefined ? { run } : { run, address: parseAddress(address, this.claimFile(run)) };
  }

  /**
   * The key that claimed a run, if it is at hand.
   * @throws {KeyError} when a file of the store can't be used
   */
  async speakerFor(run: Bytes, purpose: Purpose): Promise<Speaker | undefined> {
    const { address } = await this.claimOf(run, purpose);
    if (!address) return undefined;
    const stored = await readKey(path.join(this.folder, "keys", `${purpose}.key`));
    const key = [...this.extra, ...(stored ? [stored] : [])].find((known) => bytesEqual(known.address, address));
    return key && new RunSpeaker(run, key, `${this.claimFile(run).replace(/\.json$/, "")}.${formatAddress(address)}`);
  }

  private claimFile(run: Bytes): string {
    return path.join(this.folder, "claims", `${toHex(run)}.json`);
  }

  private async claimants(run: Bytes): Promise<Partial<Record<Purpose, string>>> {
    const file = this.claimFile(run);
    const text = await read(file, "the record of a claim");
    return text === undefined ? {} : (parseJson(text, file) as Partial<Record<Purpose, string>>);
  }
}

/**
 * Signs openings of one run, and keeps what it has signed in a file. So it never signs a second root for a
 * tree, whatever happens to the trace.
 */
class RunSpeaker implements Speaker {
  readonly address: Bytes;
  private readonly run: Bytes;
  private readonly secret: Bytes;
  private readonly journal: string;

  constructor(run: Bytes, { address, secret }: AvailableKey, journal: string) {
    this.run = run;
    this.address = address;
    this.secret = secret;
    this.journal = journal;
  }

  async sign(opening: Opening): Promise<Bytes | undefined> {
    if (!bytesEqual(opening.run, this.run)) return undefined;
    const place = `${openingKey(opening)} `;
    const line = place + toHex(opening.root);
    if ((await this.firstSigned(place)) === undefined) await append(this.journal, `${line}\n`);
    // Two processes may both have added a line. The first one counts.
    return (await this.firstSigned(place)) === line ? signDigest(openingDigest(opening), this.secret) : undefined;
  }

  private async firstSigned(place: string): Promise<string | undefined> {
    const text = (await read(this.journal, "the journal of signed openings")) ?? "";
    return text.split("\n").find((line) => line.startsWith(place));
  }
}

/** Returns when the disk has the line: a signature must not leave before that. */
async function append(file: string, line: string): Promise<void> {
  const handle = await fs.open(file, "a", 0o600);
  try {
    await handle.appendFile(line);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function readKey(file: string): Promise<AvailableKey | undefined> {
  const text = await read(file, "the key");
  if (text === undefined) return undefined;
  if (!/^0x[0-9a-f]{64}\n$/.test(text))
    throw new KeyError("MALFORMED", `${file} is not a key of Verde's; move it away, and a new one is made`, { file });
  const secret = fromHex(text.trim(), 32);
  return { address: addressOf(secret), secret };
}

/** Two processes that make a key at once get the same one: the file appears whole, and only once. */
async function makeKey(file: string): Promise<AvailableKey> {
  await fs.mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${process.pid}.new`;
  await fs.writeFile(temporary, `${toHex(newSecretKey())}\n`, { mode: 0o600 });
  try {
    await fs.link(temporary, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    await fs.rm(temporary, { force: true });
  }
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
