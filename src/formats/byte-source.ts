/** A file that is read in parts. */
export interface ByteSource {
  /** The length of the file, in bytes. */
  readonly size: number;
  /** Gives fewer bytes than requested where the file ends. */
  read(from: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  close(): Promise<void>;
}
