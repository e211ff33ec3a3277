/**
 * Fetches a file of tensors, and checks each chunk when it arrives: against the trees that lead to the root
 * of the list of tensors, as a trace commits to it (spec 6.4, 6.5). Of a place that sends a wrong chunk only
 * this chunk is fetched again, from another place.
 */
import { type Bytes, bytesEqual, toHex } from "../encoding/bytes.ts";
import { buildLevels, hashLeaf, rootOf } from "../encoding/merkle.ts";
import { Tag } from "../encoding/tags.ts";
import { CHUNK_BYTES, type StateRoot } from "../encoding/tensor.ts";
import { FormatError, messageOf } from "../errors/index.ts";
import { quote } from "../errors/text.ts";
import { type FetchEvents, Troubles } from "./fetch.ts";
import { type BlobId, formatBlobId } from "./id.ts";
import type { PartFile } from "./part-file.ts";
import { type BlobPlan, plansOf } from "./plan.ts";
import type { BlobSource } from "./source.ts";
import { BLOCK_BYTES, BLOCK_HEIGHT, chunksIn } from "./tensor-trees.ts";

/** Blocks that are asked for at once: 2 MiB. */
const BLOCKS_AT_ONCE = 8;

/** A wrong chunk, and who sent it. */
export interface BadChunk {
  source: string;
  tensor: string;
  /** The first wrong chunk of the block, counted in its tensor. */
  chunk: number;
  /** Its first byte in the file. */
  offset: number;
}

export interface TensorEvents extends FetchEvents {
  onBadChunk?(bad: BadChunk): void;
}

/**
 * @param root of the list of tensors: the root of a state, or of a dataset
 * @throws {FormatError} when no place gives the file, or what all give is not what the root commits to
 */
export async function fetchTensors(
  id: BlobId,
  root: StateRoot,
  sources: readonly BlobSource[],
  part: PartFile,
  events: TensorEvents = {},
): Promise<void> {
  const troubles = new Troubles(events);
  let planned = false;
  for await (const plan of plansOf(id, root, sources, troubles)) {
    planned = true;
    await new Fetch(id, plan, sources, part, events, troubles).run();
    if ((await part.digest()) === id) return;
    // The root does not bind the names of the tensors. So the header is another one.
    troubles.add(`${plan.from} sent a header that is not that of ${formatBlobId(id)}`);
  }
  if (planned && sources.length === 1)
    throw new FormatError("INCONSISTENT", `the tensors of ${toHex(root)} are no file ${formatBlobId(id)}: every chunk is right, and the digest is another one; check the name and the root`, { id }); // prettier-ignore
  throw troubles.none(id);
}

/** A stretch of one tensor: whole blocks, but for the last one. */
interface Stretch {
  tensor: number;
  /** The number of the first block. */
  block: number;
  /** Its first byte in the file. */
  at: number;
  length: number;
}

class Fetch {
  private readonly id: BlobId;
  private readonly plan: BlobPlan;
  private readonly part: PartFile;
  private readonly events: TensorEvents;
  private readonly troubles: Troubles;
  /** The place that has not lied yet is first. */
  private order: BlobSource[];

  constructor(
    id: BlobId,
    plan: BlobPlan,
    sources: readonly BlobSource[],
    part: PartFile,
    events: TensorEvents,
    troubles: Troubles,
  ) {
    this.id = id;
    this.plan = plan;
    this.part = part;
    this.events = events;
    this.troubles = troubles;
    this.order = [...sources];
  }

  async run(): Promise<void> {
    const { part, plan } = this;
    const { header, size } = plan;
    if (!bytesEqual(await part.read(0, header.length), header)) {
      // With a header of another length every byte stands elsewhere.
      if (part.size < header.length) await part.cut(0);
      if (part.size === 0) await part.append(header);
      else await part.replace(0, header);
    }
    for (const stretch of this.stretches()) {
      await this.bring(stretch);
      this.events.onProgress?.(stretch.at + stretch.length, size);
    }
    if (part.size > size) await part.cut(size);
  }

  private *stretches(): Generator<Stretch> {
    const most = BLOCKS_AT_ONCE * BLOCK_BYTES;
    for (const [tensor, { start, length }] of this.plan.tensors.entries())
      for (let from = 0; from < length; from += most)
        yield { tensor, block: from / BLOCK_BYTES, at: start + from, length: Math.min(most, length - from) };
  }

  /** Checks what is there of a stretch, and fetches the rest. */
  private async bring(stretch: Stretch): Promise<void> {
    const { part } = this;
    const there = await part.read(stretch.at, stretch.length);
    const good = this.wrongBlocks(stretch, there);
    if (there.length === stretch.length && good.length === 0) return;
    const bytes = await this.fetched(stretch, there, good);
    if (part.size > stretch.at) await part.replace(stretch.at, bytes.subarray(0, part.size - stretch.at));
    await part.append(bytes.subarray(part.size - stretch.at));
  }

  /** The blocks of a stretch whose bytes are missing or wrong, counted in the stretch. */
  private wrongBlocks({ tensor, block, length }: Stretch, bytes: Bytes): number[] {
    const { blocks } = this.plan.tensors[tensor];
    const wrong: number[] = [];
    for (let i = 0; i * BLOCK_BYTES < length; i++) {
      const end = Math.min((i + 1) * BLOCK_BYTES, length);
      const isWhole = bytes.length >= end;
      if (!isWhole || !bytesEqual(blockRoot(bytes.subarray(i * BLOCK_BYTES, end)), blocks[block + i])) wrong.push(i);
    }
    return wrong;
  }

  private async fetched(stretch: Stretch, there: Bytes, missing: readonly number[]): Promise<Bytes> {
    const bytes = new Uint8Array(stretch.length);
    bytes.set(there);
    let wrong = [...missing];
    for (const source of this.order) {
      // From the first missing block to the last one: of a fetch that was cut these are all that follow.
      const [from, to] = [wrong[0] * BLOCK_BYTES, Math.min((wrong.at(-1)! + 1) * BLOCK_BYTES, stretch.length)];
      try {
        const got = await source.read(this.id, stretch.at + from, to - from);
        for (const i of wrong) bytes.set(got.subarray(i * BLOCK_BYTES - from, (i + 1) * BLOCK_BYTES - from), i * BLOCK_BYTES); // prettier-ignore
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        this.troubles.add(messageOf(error));
        continue;
      }
      wrong = this.wrongBlocks(stretch, bytes);
      if (wrong.length === 0) return bytes;
      this.order = [...this.order.filter((other) => other !== source), source];
      for (const i of wrong) await this.mend(stretch, i, bytes, source);
      wrong = this.wrongBlocks(stretch, bytes);
      if (wrong.length === 0) return bytes;
    }
    throw this.troubles.none(this.id);
  }

  /** Finds the wrong chunks of a block, and fetches them again from other places. */
  private async mend(stretch: Stretch, block: number, bytes: Bytes, liar: BlobSource): Promise<void> {
    const { name } = this.plan.tensors[stretch.tensor];
    const from = block * BLOCK_BYTES;
    const own = bytes.subarray(from, Math.min(from + BLOCK_BYTES, stretch.length));
    const first = (stretch.block + block) * 2 ** BLOCK_HEIGHT;
    const leaves = await this.leavesOf(stretch, stretch.block + block, chunksIn(own).length);
    if (!leaves) return void this.troubles.add(`${liar.name} sent a wrong block of tensor ${quote(name)}, chunks ${first} to ${first + chunksIn(own).length - 1}`); // prettier-ignore
    const isBad = (i: number): boolean => !bytesEqual(hashLeaf(Tag.chunk, own.subarray(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES)), leaves[i]); // prettier-ignore
    const bad = leaves.flatMap((_, i) => (isBad(i) ? [i] : []));
    const offset = stretch.at + from + bad[0] * CHUNK_BYTES;
    this.events.onBadChunk?.({ source: liar.name, tensor: name, chunk: first + bad[0], offset });
    this.troubles.add(`${liar.name} sent a wrong chunk ${first + bad[0]} of tensor ${quote(name)}, at byte ${offset}`);
    for (const [start, end] of rows(bad))
      for (const source of this.order) {
        if (source === liar) continue;
        const [at, to] = [start * CHUNK_BYTES, Math.min(end * CHUNK_BYTES, own.length)];
        try {
          own.set(await source.read(this.id, stretch.at + from + at, to - at), at);
        } catch (error) {
          if (!(error instanceof FormatError)) throw error;
          this.troubles.add(messageOf(error));
          continue;
        }
        if (!Array.from({ length: end - start }, (_, i) => start + i).some(isBad)) break;
        this.troubles.add(`${source.name} sent a wrong chunk of tensor ${quote(name)}, too, at byte ${stretch.at + from + at} or after it`); // prettier-ignore
      }
  }

  /** The leaves of a block, from whoever gives those that its root commits to. */
  private async leavesOf({ tensor }: Stretch, block: number, count: number): Promise<Bytes[] | undefined> {
    const from = block * 2 ** BLOCK_HEIGHT;
    for (const source of this.order)
      try {
        const leaves = await source.row(this.id, tensor, 0, from, from + count);
        const isRight = bytesEqual(rootOf(buildLevels(leaves)), this.plan.tensors[tensor].blocks[block]);
        if (leaves.length === count && isRight) return leaves;
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
      }
    return undefined;
  }
}

const blockRoot = (bytes: Bytes): Bytes =>
  rootOf(buildLevels(chunksIn(bytes).map((chunk) => hashLeaf(Tag.chunk, chunk))));

/** Ascending numbers as stretches without gaps, each with the number after its last one. */
function rows(numbers: readonly number[]): [number, number][] {
  const found: [number, number][] = [];
  for (const n of numbers) {
    const last = found.at(-1);
    if (last?.[1] === n) last[1] = n + 1;
    else found.push([n, n + 1]);
  }
  return found;
}
