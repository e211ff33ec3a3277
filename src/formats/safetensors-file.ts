/** Safetensors files on a disk. */
import { asBytes, type Bytes } from "../encoding/bytes.ts";
import { DTYPES } from "../encoding/dtypes.ts";
import { byteLength, type Tensor, type TensorType } from "../encoding/tensor.ts";
import { FormatError } from "../errors/index.ts";
import { quote } from "../errors/text.ts";
import { replaceFile } from "../files/replace.ts";
import type { NamedTensor } from "../job/closed.ts";
import { discard } from "../repops/backends/host.ts";
import { openFile } from "./file.ts";
import { METADATA } from "./safetensors-header.ts";
import { type ReadOptions, readTensors } from "./safetensors.ts";

/** A tensor that is read when its turn has come, and whose memory is free once it is written. */
export interface UnreadTensor extends TensorType {
  name: string;
  read(): Promise<Tensor>;
}

/**
 * Writes to a file next to `path` and renames it, so that a file of this name is always complete. A link of
 * this name is replaced.
 * @throws {FormatError} for two tensors with the same name
 * @throws {FileError} that names the file, when it can't be written
 */
export async function writeSafetensors(path: string, tensors: readonly (NamedTensor | UnreadTensor)[]): Promise<void> {
  const head = safetensorsHead(path, tensors);
  await replaceFile(path, async (file) => {
    await file.writeFile(head);
    for (const tensor of tensors) {
      if ("data" in tensor) await file.writeFile(asBytes(tensor.data));
      else {
        const made = await tensor.read();
        await file.writeFile(asBytes(made.data));
        discard(made);
      }
    }
  });
}

/**
 * What stands in a file before the content of the tensors.
 * @param path names the file, for errors
 * @throws {FormatError} for two tensors with the same name
 */
export function safetensorsHead(path: string, tensors: readonly (TensorType & { name: string })[]): Bytes {
  const names = new Set([METADATA]);
  let offset = 0;
  const entries = tensors.map(({ name, dtype, shape }) => {
    if (names.has(name))
      throw new FormatError(
        "DUPLICATE",
        `${path} can't hold another tensor called ${quote(name)}; rename one of the two`,
        { path, name },
      );
    names.add(name);
    const entry = {
      dtype: DTYPES[dtype].safetensors,
      shape: [...shape],
      data_offsets: [offset, (offset += byteLength({ dtype, shape }))],
    };
    // Not the keys of an object, because keys that are numbers would change the order.
    return `${JSON.stringify(name)}:${JSON.stringify(entry)}`;
  });
  const text = new TextEncoder().encode(`{${entries.join()}}`);
  const head = new Uint8Array(8 + 8 * Math.ceil(text.length / 8)).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(head.length - 8), true);
  head.set(text, 8);
  return head;
}

/**
 * The tensors of a file, as `readTensors` gives them.
 * @throws {FormatError} for a malformed file, {ValueError} for NaN and other values that vf32 does not hold
 */
export async function readSafetensors(path: string, options?: ReadOptions): Promise<NamedTensor[]> {
  const file = await openFile(path);
  try {
    return await readTensors(file, path, options);
  } finally {
    await file.close();
  }
}
