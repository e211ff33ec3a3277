/** Computes roots of tensors on the device that holds them: all leaves at once, then level by level. */
import { chunkCount, elementCount, type TensorRoot, type TensorType } from "../../../encoding/tensor.ts";
import { DIGEST_WORDS, rootFromWords } from "../device-roots.ts";
import { type Command, Commands } from "./commands.ts";
import type { CudaDevice } from "./device.ts";
import { ENTRY_WORDS, type Level, planForest } from "./forest.ts";
import { moduleText } from "./ptx.ts";
import { HASH_BLOCK, leafEntry, nodeEntry } from "./sha256.ts";

export const DIGEST_BYTES = 4 * DIGEST_WORDS;
const ENTRY_BYTES = 4 * ENTRY_WORDS;

/** A tensor in the device's memory. */
export interface Placed {
  readonly type: TensorType;
  readonly address: number;
}

let text: string | undefined;

/** Computes the roots of a fixed set of tensors, any number of times. */
export class Hasher {
  private readonly device: CudaDevice;
  private readonly tensors: readonly Placed[];
  /** Those with elements: the others' roots are known. */
  private readonly filled: readonly Placed[];
  private readonly commands: Commands;
  private readonly tables: number;
  /** The roots' digests, in the order of the tensors that have elements, and room for all others. */
  readonly digests: number;
  private readonly isOwn: boolean;

  /**
   * @param digests room for `digestBytes` of these tensors; absent: the hasher takes its own
   * @throws {BackendError} when the device has no room for the digests
   */
  constructor(device: CudaDevice, tensors: readonly Placed[], digests?: number) {
    this.device = device;
    this.tensors = tensors;
    this.filled = tensors.filter(({ type }) => chunkCount(type) > 0);
    const forest = planForest(this.filled.map(({ type }) => chunkCount(type)));
    const levels = [forest.leaves, ...forest.levels];
    const count = this.filled.length;
    // The addresses of tensors, their numbers of elements, and a table for each level.
    const rows = levels.reduce((sum, level) => sum + level.rows.length, 0);
    const places = 8 * count + 8 * Math.ceil(count / 2);
    const aligned = Math.ceil(places / ENTRY_BYTES) * ENTRY_BYTES;
    const bytes = new ArrayBuffer(aligned + ENTRY_BYTES * rows);
    new BigUint64Array(bytes, 0, count).set(this.filled.map(({ address }) => BigInt(address)));
    new Uint32Array(bytes, 8 * count, count).set(this.filled.map(({ type }) => elementCount(type.shape)));
    new Uint32Array(bytes, aligned).set(levels.flatMap((level) => level.rows.flat()));
    this.isOwn = digests === undefined;
    this.tables = device.allocate(bytes.byteLength);
    this.digests = digests ?? device.allocate(DIGEST_BYTES * forest.size);
    device.upload(this.tables, new Uint8Array(bytes));
    text ??= moduleText([leafEntry(), nodeEntry()]);
    const [leaf, node] = device.compile(text, 2);
    let table = this.tables + aligned;
    const commandOf = (level: Level, i: number): Command => {
      const own = table;
      table += ENTRY_BYTES * level.rows.length;
      const facts = i === 0 ? [this.tables, this.tables + 8 * count] : [];
      return {
        code: i === 0 ? leaf : node,
        blocks: Math.ceil(level.threads / HASH_BLOCK),
        threads: HASH_BLOCK,
        values: [own, ...facts, this.digests, level.rows.length, level.threads],
      };
    };
    this.commands = new Commands(device, count === 0 ? [] : levels.map(commandOf));
  }

  /** The bytes of all digests of one tensor's tree. */
  static digestBytes(type: TensorType): number {
    return DIGEST_BYTES * planForest([Math.max(chunkCount(type), 1)]).size;
  }

  /** The bytes of the roots' digests. */
  get bytes(): number {
    return DIGEST_BYTES * this.filled.length;
  }

  /** Tells the device to hash the tensors as they are now. */
  tell(): void {
    this.commands.tellAll();
  }

  /** @param digests what the device has left at `digests` */
  roots(digests: ArrayBuffer): TensorRoot[] {
    let slot = 0;
    return this.tensors.map(({ type }) =>
      rootFromWords(
        type,
        chunkCount(type) === 0 ? new DataView(digests) : new DataView(digests, DIGEST_BYTES * slot++, DIGEST_BYTES),
      ),
    );
  }

  close(): void {
    this.device.free(this.tables);
    if (this.isOwn) this.device.free(this.digests);
  }
}
