/**
 * Fetches a blob from several places, tried in turn. It continues where an earlier fetch has ended, and
 * believes nobody: the whole has to have the digest that names it.
 */
import { MOST_ANSWER } from "../formats/http-ranges.ts";
import { FormatError, messageOf } from "../errors/index.ts";
import { formatBlobId, type BlobId } from "./id.ts";
import type { PartFile } from "./part-file.ts";
import type { BlobSource } from "./source.ts";

/** What is told while a blob is fetched. */
export interface FetchEvents {
  /** A place has failed, or has sent wrong bytes. */
  onTrouble?(sentence: string): void;
  /** So many bytes of so many are there. */
  onProgress?(done: number, size: number): void;
}

/** What went wrong, for the error when nothing is left to try. */
export class Troubles {
  private readonly said: string[] = [];
  private readonly events: FetchEvents;

  constructor(events: FetchEvents) {
    this.events = events;
  }

  add(sentence: string): void {
    if (this.said.includes(sentence)) return;
    this.said.push(sentence);
    this.events.onTrouble?.(sentence);
  }

  /** @returns the error for a blob that no place gives */
  none(id: BlobId): FormatError {
    const why = this.said.length === 0 ? "none of the places has it" : this.said.join("; ");
    return new FormatError(this.said.length === 0 ? "MISSING" : "UNREADABLE", `${formatBlobId(id)} can't be fetched: ${why}; name another place that has it`, { id }); // prettier-ignore
  }
}

/**
 * Fetches what is missing of a blob. A digest binds all bytes together, so a wrong byte is found when all are
 * there: then each place is asked alone for the whole.
 * @throws {FormatError} when no place gives the blob
 */
export async function fetchBlob(
  id: BlobId,
  sources: readonly BlobSource[],
  part: PartFile,
  events: FetchEvents = {},
): Promise<void> {
  const troubles = new Troubles(events);
  const begun = part.size > 0;
  const gave = new Set<BlobSource>();
  for (const source of sources) {
    if (!(await continueFrom(id, source, part, events, troubles, gave))) continue;
    if ((await part.digest()) === id) return;
    if (!begun && gave.size === 1) troubles.add(lie(source, id));
    else troubles.add(`the bytes from ${[...gave].map(({ name }) => name).join(", ")}${begun ? " and an earlier fetch" : ""} have another digest together; each place is asked alone`); // prettier-ignore
    return alone(id, sources, part, events, troubles, !begun && gave.size === 1 ? gave : new Set());
  }
  throw troubles.none(id);
}

async function alone(
  id: BlobId,
  sources: readonly BlobSource[],
  part: PartFile,
  events: FetchEvents,
  troubles: Troubles,
  liars: ReadonlySet<BlobSource>,
): Promise<void> {
  for (const source of sources) {
    if (liars.has(source)) continue;
    await part.cut(0);
    if (!(await continueFrom(id, source, part, events, troubles, new Set()))) continue;
    if ((await part.digest()) === id) return;
    troubles.add(lie(source, id));
  }
  await part.cut(0);
  throw troubles.none(id);
}

const lie = ({ name }: BlobSource, id: BlobId): string => `${name} sent bytes that are not ${formatBlobId(id)}`;

/** @returns whether all bytes are there that this place says there are */
async function continueFrom(
  id: BlobId,
  source: BlobSource,
  part: PartFile,
  { onProgress }: FetchEvents,
  troubles: Troubles,
  gave: Set<BlobSource>,
): Promise<boolean> {
  try {
    const size = await source.sizeOf(id);
    if (size === undefined) return false;
    if (part.size > size) await part.cut(0);
    if (part.size === size && size === 0) gave.add(source);
    while (part.size < size) {
      const bytes = await source.read(id, part.size, Math.min(size - part.size, MOST_ANSWER));
      gave.add(source);
      await part.append(bytes);
      onProgress?.(part.size, size);
    }
    return true;
  } catch (error) {
    // Only what the place does is its fault: a full disk here is no reason to ask another one.
    if (!(error instanceof FormatError)) throw error;
    troubles.add(messageOf(error));
    return false;
  }
}
