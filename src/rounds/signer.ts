/** The keys of participants, and a journal for each: a place is never signed twice with different roots. */
import { keptKey } from "../claims/store.ts";
import { signDigest } from "../claims/signature.ts";
import { formatAddress } from "../claims/claim.ts";
import { type Bytes, bytesEqual, fromHex, toHex } from "../encoding/bytes.ts";
import { fs, path } from "../encoding/node.ts";
import { isMissing, RoundsError, unreadable } from "../errors/index.ts";
import { appendDurably } from "../files/append.ts";
import { makeFolder } from "../files/folder.ts";
import { waitForLock } from "../files/lock.ts";
import type { RunRoot } from "../trace/commitments.ts";
import { requestDigest } from "./note-request.ts";
import type { LeafPlace } from "./plan.ts";
import { missingDigest, storedDigest } from "./receipt.ts";
import { presentWord, type Roll, rollDigest, type TurnPlace } from "./roll.ts";
import { type Instance, leafDigest, recordDigest } from "./statement.ts";

/**
 * The line of a journal about a place. One that was cut when the machine stopped counts for nothing: no
 * signature has left for it.
 */
const signedLine = (journal: string, place: string): string | undefined =>
  journal.split("\n").find((line) => line.startsWith(`${place} `) && line.length === place.length + 1 + 2 + 64);

/** What a journal has for a place of which a store has signed that it has no leaf. No run root is zero. */
const NO_RUN = new Uint8Array(32);
const storePlace = ({ round, seat }: LeafPlace): string => `store ${round} ${seat}`;

/** Signs for one participant or for the recorder, in one instance. */
export class Signer {
  /** 20 bytes. */
  readonly address: Bytes;
  private readonly secret: Bytes;
  private readonly folder: string;

  private constructor({ address, secret }: { address: Bytes; secret: Bytes }, folder: string) {
    this.address = address;
    this.secret = secret;
    this.folder = folder;
  }

  /**
   * The signer of a participant. Its key is made at the first use.
   * @param state the user's folder for keys
   * @param name of the participant; a drill has a key of its own, because it signs what is wrong
   * @param noted where it notes what it signs; default `state`. In another folder it signs a second time
   */
  static async open(state: string, name: string, drill = false, noted = state): Promise<Signer> {
    const key = await keptKey(path.join(state, "keys", "rounds", `${name}${drill ? ".drill" : ""}.key`));
    return new Signer(key, path.join(noted, "rounds"));
  }

  /**
   * The signer of an account, such as one with a stake on a chain.
   * @param state where what it signs is noted
   */
  static of(state: string, key: { readonly address: Bytes; readonly secret: Bytes }): Signer {
    return new Signer(key, path.join(state, "rounds"));
  }

  /**
   * Signs a leaf. It returns when the disk has noted what is signed.
   * @throws {RoundsError} when another root was signed for the place
   * @throws {FormatError} when the journal of what was signed can't be read
   */
  async leaf(instance: Instance, { round, seat }: LeafPlace, run: RunRoot): Promise<Bytes> {
    await this.note(instance, `leaf ${round} ${seat}`, run);
    return signDigest(leafDigest(instance, { round, seat }, run), this.secret);
  }

  /** Signs the record after a round. @throws {RoundsError} when another root was signed for so many rounds */
  async record(instance: Instance, rounds: number, root: Bytes): Promise<Bytes> {
    await this.note(instance, `record ${rounds}`, root);
    return signDigest(recordDigest(instance, rounds, root), this.secret);
  }

  /** Signs a roll. @throws {RoundsError} when another roll was signed for the turn */
  async roll(instance: Instance, { round, turn, present }: Omit<Roll, "signature">): Promise<Bytes> {
    await this.note(instance, `roll ${round} ${turn}`, presentWord(present));
    return signDigest(rollDigest(instance, { round, turn }, present), this.secret);
  }

  /**
   * Signs as a store that it holds a leaf.
   * @throws {RoundsError} when it has signed for the place that it holds another one, or none
   */
  async receipt(instance: Instance, place: LeafPlace, run: RunRoot): Promise<Bytes> {
    await this.note(instance, storePlace(place), run);
    return signDigest(storedDigest(instance, place, run), this.secret);
  }

  /**
   * Signs as a store that it holds no leaf of a place, and will sign no receipt for it.
   * @throws {RoundsError} when it has signed a receipt for the place
   */
  async absence(instance: Instance, place: LeafPlace): Promise<Bytes> {
    await this.note(instance, storePlace(place), NO_RUN);
    return signDigest(missingDigest(instance, place), this.secret);
  }

  /** Signs as the recorder that it asks a store for a note of absence. That says nothing of the place. */
  request(instance: Instance, place: LeafPlace): Bytes {
    return signDigest(requestDigest(instance, place), this.secret);
  }

  /** What was signed as a store for a place: the run root of a receipt, `"absence"`, or nothing yet. */
  async signedSentence(instance: Instance, place: LeafPlace): Promise<RunRoot | "absence" | undefined> {
    const word = await this.signed(instance, storePlace(place));
    return word && bytesEqual(word, NO_RUN) ? "absence" : (word as RunRoot | undefined);
  }

  /** The word of the roll that was signed for a turn, if one was. */
  signedRoll(instance: Instance, { round, turn }: TurnPlace): Promise<Bytes | undefined> {
    return this.signed(instance, `roll ${round} ${turn}`);
  }

  private async signed(instance: Instance, place: string): Promise<Bytes | undefined> {
    const line = signedLine(await this.journal(instance), place);
    return line === undefined ? undefined : fromHex(line.slice(place.length + 1), 32);
  }

  private fileOf({ id }: Instance): string {
    return path.join(this.folder, `${toHex(id)}.${formatAddress(this.address)}`);
  }

  private journal(instance: Instance): Promise<string> {
    const file = this.fileOf(instance);
    // Only a file that is missing says that nothing was signed. One that can't be read says nothing.
    return fs.readFile(file, "utf8").catch((cause: unknown) => {
      if (isMissing(cause)) return "";
      throw unreadable("the journal of what was signed", file, cause, "nothing is signed without it; make it readable, and try again"); // prettier-ignore
    });
  }

  private async note(instance: Instance, place: string, root: Bytes): Promise<void> {
    const file = this.fileOf(instance);
    const line = `${place} ${toHex(root)}`;
    await makeFolder(this.folder, 0o700);
    const lock = await waitForLock(`${file}.lock`, file);
    try {
      const text = await this.journal(instance);
      const known = signedLine(text, place);
      if (known === line) return;
      if (known !== undefined)
        throw new RoundsError(
          "SIGNED",
          `${formatAddress(this.address)} has signed another root for ${place} of the instance ${toHex(instance.id)}, and signs no second one; ` +
            "find out which machine uses the key beside this one, or computes other bits",
          { place, signed: known.slice(place.length + 1), refused: toHex(root) },
        );
      await appendDurably(file, `${/(^|\n)$/.test(text) ? "" : "\n"}${line}\n`, 0o600);
    } finally {
      lock.release();
    }
  }
}
