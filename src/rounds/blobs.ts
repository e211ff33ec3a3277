/** Tensors by their roots, in a folder. What is read is checked, so it does not matter who has written it. */
import { asBytes, type Bytes, bytesEqual, Reader, toHex, Writer } from "../encoding/bytes.ts";
import { DTYPES, zeroElements } from "../encoding/dtypes.ts";
import { fs, path } from "../encoding/node.ts";
import {
  byteLength,
  elementCount,
  encodeType,
  type Tensor,
  tensorRoot,
  type TensorRoot,
  type TensorType,
} from "../encoding/tensor.ts";
import { isMissing, messageOf, RoundsError, unwritable } from "../errors/index.ts";
import { makeFolder } from "../files/folder.ts";
import { readPart } from "../files/part.ts";

/** The most bytes of tensors that are kept in memory. */
const MOST_KEPT = 2 ** 28;

/** The blobs of a record. Each file has a tensor's type and its elements. */
export class Blobs {
  readonly folder: string;
  private readonly kept = new Map<string, Tensor>();
  private readonly written = new Set<string>();
  private bytes = 0;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Keeps tensors under their roots. A file that exists is not written again. */
  async put(tensors: readonly Tensor[], roots: readonly TensorRoot[]): Promise<void> {
    await makeFolder(this.folder);
    for (const [i, tensor] of tensors.entries()) {
      const name = toHex(roots[i]).slice(2);
      if (!this.kept.has(name)) this.keep(name, tensor);
      if (this.written.has(name)) continue;
      await this.write(name, tensor);
      this.written.add(name);
    }
  }

  /**
   * The tensors of these roots.
   * @throws {RoundsError} when a file is missing, or is not that of the root
   */
  async get(roots: readonly TensorRoot[]): Promise<Tensor[]> {
    const tensors: Tensor[] = [];
    for (const root of roots) tensors.push(await this.one(root));
    return tensors;
  }

  /** The bytes of a tensor's file. */
  static sizeOf(type: TensorType): number {
    return encodeType(type).length + byteLength(type);
  }

  /** Whether the files of these tensors are there, with their types and whole lengths. */
  async has(roots: readonly TensorRoot[], types: readonly TensorType[]): Promise<boolean> {
    if (roots.length !== types.length) return false;
    for (const [i, type] of types.entries()) if (!(await isWhole(this.fileOf(roots[i]), type))) return false;
    return true;
  }

  /** A part of a tensor's file as it is; nothing if there is no file. Who receives it has to check it. */
  async part(root: TensorRoot, from: number, count: number): Promise<Bytes | undefined> {
    return (await readPart(this.fileOf(root), from, count))?.bytes;
  }

  /** Where a tensor is. */
  fileOf(root: TensorRoot): string {
    return path.join(this.folder, toHex(root).slice(2));
  }

  /** Keeps a file that somebody has sent. @returns whether it is the root's tensor; else it is not kept */
  async take(root: TensorRoot, file: Bytes): Promise<boolean> {
    const tensor = decode(file);
    if (!tensor || !bytesEqual(tensorRoot(tensor), root)) return false;
    await this.put([tensor], [root]);
    return true;
  }

  private async one(root: TensorRoot): Promise<Tensor> {
    const name = toHex(root).slice(2);
    const known = this.kept.get(name);
    if (known) return known;
    const file = path.join(this.folder, name);
    const bytes = await fs.readFile(file).catch((cause: unknown) => {
      const why = isMissing(cause) ? "is missing" : `can't be read: ${messageOf(cause)}`;
      throw new RoundsError("UNAVAILABLE", `the blob ${file} ${why}; restore it`, { file });
    });
    const tensor = decode(bytes);
    if (!tensor || !bytesEqual(tensorRoot(tensor), root))
      throw new RoundsError("UNAVAILABLE", `the blob ${file} is not the tensor of its name; restore it, or delete it`, {
        file,
      });
    this.keep(name, tensor);
    return tensor;
  }

  private keep(name: string, tensor: Tensor): void {
    this.kept.set(name, tensor);
    this.bytes += tensor.data.byteLength;
    for (const [oldest, { data }] of this.kept) {
      if (this.bytes <= MOST_KEPT || oldest === name) break;
      this.kept.delete(oldest);
      this.bytes -= data.byteLength;
    }
  }

  private async write(name: string, tensor: Tensor): Promise<void> {
    const file = path.join(this.folder, name);
    // The disk need not have it: a run that is continued computes leaves again whose blobs were lost.
    const draft = `${file}.${crypto.randomUUID().slice(0, 8)}.new`;
    try {
      if (await isWhole(file, tensor)) return;
      await fs.writeFile(draft, new Writer().bytes(encodeType(tensor)).bytes(asBytes(tensor.data)).finish());
      await fs.rename(draft, file);
    } catch (cause) {
      await fs.rm(draft, { force: true }).catch(() => undefined);
      throw unwritable(file, cause);
    }
  }
}

/** Whether a file has a tensor's type and whole length. Elements are not read. */
async function isWhole(file: string, type: TensorType): Promise<boolean> {
  const head = encodeType(type);
  const there = await readPart(file, 0, head.length).catch(() => undefined);
  return there?.size === Blobs.sizeOf(type) && bytesEqual(there.bytes, head);
}

function decode(bytes: Bytes): Tensor | undefined {
  try {
    const reader = new Reader(bytes, "a blob");
    const code = reader.u8();
    const dtype = (Object.keys(DTYPES) as (keyof typeof DTYPES)[]).find((each) => DTYPES[each].code === code);
    const shape = Array.from({ length: reader.u8() }, () => reader.u32());
    if (!dtype || elementCount(shape) * DTYPES[dtype].bytes !== bytes.length - 2 - 4 * shape.length) return undefined;
    const data = zeroElements(dtype, elementCount(shape));
    asBytes(data).set(reader.bytes(data.byteLength));
    reader.end();
    return { dtype, shape, data };
  } catch {
    return undefined;
  }
}
