/** A file that is read in parts. */
export interface ByteSource {
  /** The length of the file, in bytes. */
  readonly size: number;
  /** Gives fewer bytes than requested where the file ends. */
  read(from: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * The whole file as memory that the system fills when it is read; `undefined` where that can't be done, or
   * is not worth it. It stays valid when the file is closed.
   */
  map?(): Promise<ArrayBuffer | undefined>;
  close(): Promise<void>;
}
