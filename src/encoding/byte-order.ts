/**
 * The byte order of this machine. Tensors are hashed and written as they lie in memory, and the specification
 * (6.1) says that this is little-endian. Every machine with a browser or a GPU is; on another one every root
 * would silently be wrong.
 */
import { BackendError } from "../errors/index.ts";

/** The first byte of the number 1 in memory. */
const firstByte = (): number => new Uint8Array(Uint32Array.of(1).buffer)[0];

/**
 * @param first the first byte in memory of a 32-bit 1; default: as this machine has it
 * @throws {BackendError} BYTE_ORDER on a big-endian machine
 */
export function checkByteOrder(first: number = firstByte()): void {
  if (first !== 1)
    throw new BackendError(
      "BYTE_ORDER",
      "this machine stores numbers with their highest byte first, and Verde hashes memory as it lies; use a little-endian machine",
    );
}
