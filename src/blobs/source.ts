/** Where blobs are fetched from: stores, and servers. Nothing that they say is believed. */
import type { Bytes } from "../encoding/bytes.ts";
import { FormatError } from "../errors/index.ts";
import type { ByteSource } from "../formats/byte-source.ts";
import { readRemote, type RemoteFile, remoteSize } from "../formats/http-ranges.ts";
import { ask, bodyOf, serverAt, type TokenFor } from "../formats/http.ts";
import { type BlobId, formatBlobId } from "./id.ts";
import type { BlobReader } from "./store.ts";
import { TensorTrees } from "./tensor-trees.ts";

/** The most nodes of one answer. */
export const MOST_NODES = 2 ** 15;
/** The most tensors of a file: a graph has no more outputs (spec 9). */
const MOST_TENSORS = 2 ** 20;
/** The path of blobs below a server's address. */
export const BLOB_PATH = "blob/sha256";

export interface BlobSource {
  /** For messages. */
  readonly name: string;
  /** The bytes that it says the blob has. `undefined` if it has none. */
  sizeOf(id: BlobId): Promise<number | undefined>;
  /** So many bytes. @throws {FormatError} when it does not give them */
  read(id: BlobId, from: number, count: number): Promise<Bytes>;
  /** The roots of the blob's tensors. @throws {FormatError} when it can't give them */
  roots(id: BlobId): Promise<Bytes[]>;
  /** Nodes of the tree of a tensor. @throws {FormatError} when it can't give them */
  row(id: BlobId, tensor: number, height: number, from: number, to: number): Promise<Bytes[]>;
  close(): Promise<void>;
}

/** The path of a row of nodes below that of a blob. */
const rowPath = (tensor: number, height: number, from: number, to: number): string =>
  `tree/${tensor}/${height}/${from}-${to}`;

/** Blobs of a store, one of them at a time. */
export class StoreSource implements BlobSource {
  readonly name: string;
  private readonly store: BlobReader;
  private file: { id: BlobId; source: Promise<ByteSource> } | undefined;
  private trees: { id: BlobId; made: Promise<TensorTrees> } | undefined;

  constructor(store: BlobReader) {
    this.store = store;
    this.name = store.name;
  }

  sizeOf(id: BlobId): Promise<number | undefined> {
    return this.store.sizeOf(id);
  }

  async read(id: BlobId, from: number, count: number): Promise<Bytes> {
    if (this.file?.id !== id) {
      await this.closeFile();
      this.file = { id, source: this.store.open(id) };
    }
    const bytes = await (await this.file.source).read(from, count);
    if (bytes.length === count) return bytes;
    throw new FormatError("UNREADABLE", `${this.name} has ${bytes.length} bytes of ${formatBlobId(id)}, not the ${count} that were requested`, { found: bytes.length, expected: count }); // prettier-ignore
  }

  async roots(id: BlobId): Promise<Bytes[]> {
    return (await this.treesOf(id)).roots();
  }

  async row(id: BlobId, tensor: number, height: number, from: number, to: number): Promise<Bytes[]> {
    return (await this.treesOf(id)).row(tensor, height, from, to);
  }

  async close(): Promise<void> {
    await this.closeFile();
    await this.trees?.made.then((trees) => trees.close()).catch(() => undefined);
    this.trees = undefined;
  }

  private async treesOf(id: BlobId): Promise<TensorTrees> {
    if (this.trees?.id !== id) {
      await this.trees?.made.then((trees) => trees.close()).catch(() => undefined);
      this.trees = { id, made: this.store.open(id).then((file) => TensorTrees.over(file, formatBlobId(id))) };
    }
    return this.trees.made;
  }

  private async closeFile(): Promise<void> {
    await this.file?.source.then((source) => source.close()).catch(() => undefined);
    this.file = undefined;
  }
}

/** Blobs of a server, as `verde blob serve`, `verde prove` and `verde serve` offer them. */
export class ServerSource implements BlobSource {
  readonly name: string;
  private readonly base: string;
  private readonly headers: Readonly<Record<string, string>>;

  /** @param url the address that the server prints */
  constructor(url: string, tokenFor?: TokenFor) {
    const { base, headers } = serverAt(url, tokenFor);
    this.name = url;
    this.base = `${base}${BLOB_PATH}/`;
    this.headers = headers;
  }

  async sizeOf(id: BlobId): Promise<number | undefined> {
    try {
      return await remoteSize(this.fileOf(id));
    } catch (error) {
      if (error instanceof FormatError && error.code === "VERDE_FORMAT_MISSING") return undefined;
      throw error;
    }
  }

  read(id: BlobId, from: number, count: number): Promise<Bytes> {
    return readRemote(this.fileOf(id), from, count);
  }

  roots(id: BlobId): Promise<Bytes[]> {
    return this.nodes(id, "roots", MOST_TENSORS);
  }

  row(id: BlobId, tensor: number, height: number, from: number, to: number): Promise<Bytes[]> {
    return this.nodes(id, rowPath(tensor, height, from, to), MOST_NODES);
  }

  async close(): Promise<void> {}

  private async nodes(id: BlobId, path: string, most: number): Promise<Bytes[]> {
    const what = `${this.what(id)}/${path}`;
    const answer = await ask(`${this.base}${id}/${path}`, { headers: this.headers, what });
    const bytes = await bodyOf(answer, what, 32 * most);
    if (bytes.length % 32 !== 0)
      throw new FormatError("UNREADABLE", `${what} can't be read: its server sent ${bytes.length} bytes, and not whole hashes`); // prettier-ignore
    return Array.from({ length: bytes.length / 32 }, (_, i) => bytes.subarray(32 * i, 32 * i + 32));
  }

  private fileOf(id: BlobId): RemoteFile {
    return { url: `${this.base}${id}`, what: this.what(id), headers: this.headers };
  }

  private what(id: BlobId): string {
    return `${this.name}: ${formatBlobId(id)}`;
  }
}
