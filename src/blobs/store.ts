/** Places that keep blobs. */
import type { ByteSource } from "../formats/byte-source.ts";
import type { BlobId } from "./id.ts";
import type { PartFile } from "./part-file.ts";

/** A blob that a store has. */
export interface BlobInfo {
  id: BlobId;
  /** In bytes. */
  size: number;
}

/** What blobs can be read from. */
export interface BlobReader {
  /** For messages. */
  readonly name: string;
  /** The bytes of a blob. `undefined` if it is not there. */
  sizeOf(id: BlobId): Promise<number | undefined>;
  /** @throws {FormatError} MISSING when it is not there, UNREADABLE when it can't be read */
  open(id: BlobId): Promise<ByteSource>;
  list(): AsyncIterable<BlobInfo>;
}

export interface BlobStore extends BlobReader {
  /**
   * Begins to write a blob, or continues where an earlier upload has ended.
   * @param size the bytes of the whole blob
   * @throws {FileError} FULL when there is no room for it, LOCKED when another upload writes it
   */
  write(id: BlobId, size: number): Promise<Upload>;
  /** The bytes of an upload that has ended early. `undefined` if there is none. */
  partOf(id: BlobId): Promise<number | undefined>;
  /** @returns whether it was there */
  delete(id: BlobId): Promise<boolean>;
}

/** A blob that is being written. Until `finish` nobody can read it. */
export interface Upload {
  /** The bytes that are there, on this machine's disk. */
  readonly part: PartFile;
  /**
   * Keeps the blob if its bytes have its digest. After another failure the upload can be continued.
   * @throws {FormatError} ALTERED when they have another one; then they are dropped
   * @throws {FileError} when it can't be kept
   */
  finish(): Promise<void>;
  /** Ends the upload. What is there is kept, for whoever continues it. */
  close(): Promise<void>;
}
