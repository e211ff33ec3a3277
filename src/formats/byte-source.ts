/** A file that is read in parts. */
export interface ByteSource {
  /** In bytes. */
  readonly size: number;
  /** Fewer bytes than asked for where the file ends. */
  read(from: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  close(): Promise<void>;
}
