/** What a file of tensors has to consist of, from a header and hashes that lead to a known root. */
import { type Bytes, bytesEqual } from "../encoding/bytes.ts";
import { type StateRoot, stateRoot, type TensorRoot } from "../encoding/tensor.ts";
import { FormatError, messageOf } from "../errors/index.ts";
import { formatBlobId, type BlobId } from "./id.ts";
import type { Troubles } from "./fetch.ts";
import { type BlobSource, MOST_NODES } from "./source.ts";
import { BLOCK_HEIGHT, blockCount, emptyTree, type PlacedTensor, rootOfBlocks, tensorFileOf } from "./tensor-trees.ts";

/** A tensor with the roots of its blocks, which lead to the known root. */
export interface PlannedTensor extends PlacedTensor {
  blocks: readonly Bytes[];
}

export interface BlobPlan {
  /** The bytes before the first tensor. The types in it are bound by the root, the names are not. */
  header: Bytes;
  /** The bytes of the whole file. */
  size: number;
  tensors: readonly PlannedTensor[];
  /** Who sent the header. */
  from: string;
}

/**
 * The plans that fit the root: one for each header that a place sends. A place that knows no trees can still
 * give the header and the bytes.
 */
export async function* plansOf(
  id: BlobId,
  root: StateRoot,
  sources: readonly BlobSource[],
  troubles: Troubles,
): AsyncGenerator<BlobPlan> {
  const headers: Bytes[] = [];
  for (const source of sources) {
    const head = await tried(troubles, () => headOf(id, source));
    if (!head || headers.some((known) => bytesEqual(known, head.header))) continue;
    headers.push(head.header);
    for (const trees of sources) {
      const tensors = await tried(troubles, () => blocksOf(id, root, trees, head.tensors));
      if (!tensors) continue;
      yield { ...head, tensors, from: source.name };
      break;
    }
  }
}

async function tried<T>(troubles: Troubles, make: () => Promise<T>): Promise<T | undefined> {
  try {
    return await make();
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    troubles.add(messageOf(error));
    return undefined;
  }
}

type Head = Omit<BlobPlan, "tensors" | "from"> & { tensors: readonly PlacedTensor[] };

async function headOf(id: BlobId, source: BlobSource): Promise<Head | undefined> {
  const size = await source.sizeOf(id);
  if (size === undefined) return undefined;
  const read = async (from: number, length: number): Promise<Uint8Array<ArrayBuffer>> =>
    new Uint8Array(await source.read(id, from, Math.max(Math.min(length, size - from), 0)));
  const file = { size, read, close: async () => undefined };
  const { start, tensors } = await tensorFileOf(file, `${source.name}: ${formatBlobId(id)}`);
  return { header: await read(0, start), size, tensors };
}

/** The roots of all blocks, if they lead to the root of the list. */
async function blocksOf(
  id: BlobId,
  root: StateRoot,
  source: BlobSource,
  tensors: readonly PlacedTensor[],
): Promise<PlannedTensor[]> {
  const wrong = (what: string): FormatError =>
    new FormatError("ALTERED", `${source.name} sent ${what} of ${formatBlobId(id)} that do not lead to the root`, { id }); // prettier-ignore
  const roots = await source.roots(id);
  if (roots.length !== tensors.length || roots.some(({ length }) => length !== 32) || !bytesEqual(stateRoot(roots as TensorRoot[]), root)) throw wrong("roots of tensors"); // prettier-ignore
  const planned: PlannedTensor[] = [];
  for (const [i, tensor] of tensors.entries()) {
    const count = blockCount(tensor);
    const blocks: Bytes[] = [];
    while (blocks.length < count) {
      const row = await source.row(id, i, BLOCK_HEIGHT, blocks.length, Math.min(count, blocks.length + MOST_NODES));
      if (row.length === 0) throw wrong("too few nodes");
      blocks.push(...row);
    }
    if (!bytesEqual(rootOfBlocks(tensor, count === 0 ? [emptyTree()] : blocks), roots[i])) throw wrong("nodes");
    planned.push({ ...tensor, blocks });
  }
  return planned;
}
