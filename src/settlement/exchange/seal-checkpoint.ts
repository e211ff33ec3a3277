/** The seller's side: the final checkpoint of a trace becomes a sealed file. */
import type { FileHandle } from "node:fs/promises";
import { dtypeFromSafetensors } from "../../encoding/dtypes.ts";
import { type Bytes, bytesEqual, fromHex, toHex } from "../../encoding/bytes.ts";
import { buildLevels, GrowingTree, hashLeaf, proveLeaf, type TreeRoot } from "../../encoding/merkle.ts";
import { Tag } from "../../encoding/tags.ts";
import { CHUNK_BYTES, chunkAt } from "../../encoding/tensor.ts";
import { FormatError } from "../../errors/index.ts";
import { quote } from "../../errors/text.ts";
import { replaceFile } from "../../files/replace.ts";
import { mostHeaderBytes } from "../../formats/safetensors.ts";
import { type Entry, failIn, readAt, readHeader } from "../../formats/safetensors-header.ts";
import { checkSameTypes, type NamedType } from "../../graph/graph.ts";
import { stateTypes } from "../../job/closed.ts";
import { checkpointFile, dataFolder } from "../../trace/source.ts";
import type { Trace } from "../../trace/trace.ts";
import { StateTrees } from "./run-tree.ts";
import { keyHashOf, sealedLeaf, withKeystream } from "./seal.ts";
import { chunksIn, encodeHeader, LEAF_BYTES, placesOf } from "./sealed-file.ts";

/** What a seller offers. */
export interface Seal {
  /** The root over the ciphertext. */
  readonly root: TreeRoot;
  /** The number of chunks. */
  readonly chunks: number;
  /** The hash of the key. */
  readonly keyHash: Bytes;
}

/**
 * Seals the final checkpoint of a trace, in pieces.
 * @param trace a finished trace
 * @param sale the sale's id, `0x…`
 * @param key 32 bytes, for this sale alone
 * @param path of the file to be written
 * @throws {FormatError} when the checkpoint is missing, or is not the one that the trace commits to; then
 *   nothing is written
 */
export async function sealCheckpoint(trace: Trace, sale: string, key: Bytes, path: string): Promise<Seal> {
  const { outline } = trace.manifest;
  const entries = stateTypes(outline);
  const segments = await trace.segmentRoots.slice(0, trace.segmentRoots.length);
  const leaves = segments.map((root) => hashLeaf(Tag.segmentLeaf, root));
  const segmentPath = proveLeaf(buildLevels(leaves), leaves.length - 1);
  const head = encodeHeader({ sale, entries, segmentPath });
  const chunks = chunksIn(entries);
  let root: TreeRoot | undefined;
  await replaceFile(path, async (out) => {
    await out.write(head, 0, head.length, 0);
    const places = { leaves: head.length, content: head.length + LEAF_BYTES * chunks };
    const sealed = await encrypt(trace, entries, key, out, places);
    if (!bytesEqual(sealed.state, segments[segments.length - 1])) throw altered(trace);
    ({ root } = sealed);
  });
  return { root: root!, chunks, keyHash: keyHashOf(fromHex(sale, 32), key) };
}

/** @param places where the leaves and the ciphertext begin in the file */
async function encrypt(
  trace: Trace,
  entries: readonly NamedType[],
  key: Bytes,
  out: FileHandle,
  places: { leaves: number; content: number },
): Promise<{ root: TreeRoot; state: Bytes }> {
  const name = checkpointFile(trace.manifest.outline.steps);
  const path = `${dataFolder(trace.path)}/${name}`;
  const file = await trace.source.open(name);
  try {
    const header = await readHeader(file, path, mostHeaderBytes(entries));
    checkSameTypes(typesOf(header.entries, path), entries, `${path} and the job's state`);
    const [trees, tree] = [new StateTrees(entries), new GrowingTree()];
    for (const { entry, first, chunks, from, length } of placesOf(entries)) {
      const plain = await readAt(file, header.start + from, length, failIn(path));
      const leaves = new Uint8Array(LEAF_BYTES * chunks);
      const ciphertext = new Uint8Array(length);
      for (let i = 0; i < chunks; i++) {
        const chunk = chunkAt(plain, i);
        const leaf = hashLeaf(Tag.chunk, chunk);
        const sealed = withKeystream(key, first + i, chunk);
        trees.add(entry, leaf);
        tree.add(sealedLeaf(first + i, leaf, sealed));
        leaves.set(leaf, LEAF_BYTES * i);
        ciphertext.set(sealed, CHUNK_BYTES * i);
      }
      await out.write(leaves, 0, leaves.length, places.leaves + LEAF_BYTES * first);
      await out.write(ciphertext, 0, length, places.content + from);
    }
    return { root: tree.root(), state: trees.root() };
  } finally {
    await file.close();
  }
}

/** The tensors of a file that has only types whose bytes are what a run commits to. */
function typesOf(entries: readonly Entry[], path: string): NamedType[] {
  return entries.map(({ name, type, shape }) => {
    return {
      name,
      dtype: dtypeFromSafetensors(type) ?? failIn(path)("MALFORMED", `it has a tensor of type ${quote(type)}`),
      shape,
    };
  });
}

function altered(trace: Trace): FormatError {
  const { steps } = trace.manifest.outline;
  const file = `${dataFolder(trace.path)}/${checkpointFile(steps)}`;
  return new FormatError(
    "ALTERED",
    `${file} is not the state after step ${steps} that ${trace.path} commits to; restore it`,
    { file, step: steps, expected: toHex(trace.runRoot ?? new Uint8Array()) },
  );
}
