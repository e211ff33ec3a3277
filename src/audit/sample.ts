/**
 * Which segments of a run a sampled audit executes again (spec 7.11). They follow from the run root and from
 * a beacon: random bytes that became public after the run was claimed. So the provider can't know them before
 * it commits, and the auditor can't choose them.
 */
import { type Bytes, Writer } from "../encoding/bytes.ts";
import { sha256 } from "../encoding/hash.ts";
import { UsageError } from "../errors/index.ts";

/** How many values a word of 64 bits has. */
const WORDS = 1n << 64n;
/** What keeps this hash apart from all others. */
const DOMAIN = new TextEncoder().encode("Verde audit sample 1");
/** The fewest bytes of a beacon: a shorter one could be guessed, or tried out. */
export const LEAST_BEACON = 16;
/** The most bytes of a beacon. */
export const MOST_BEACON = 1024;
/** The most segments that are drawn. An audit that needs more executes all of them. */
const MOST_DRAWN = 2 ** 20;

/**
 * Draws leaves of the segment tree without replacement, each with the same chance.
 * @param run the run root, 32 bytes
 * @param beacon public random bytes, 16 to 1024
 * @param leaves the number of leaves: one for the initial state, and one for each segment
 * @param count how many are drawn, 1 to `leaves`, and at most 2^20
 * @returns their numbers in order; 0 is the initial state
 * @throws {UsageError} for a count or a beacon that is out of range
 */
export function sampledSegments(run: Bytes, beacon: Bytes, leaves: number, count: number): number[] {
  const most = Math.min(leaves, MOST_DRAWN);
  if (!Number.isInteger(count) || count < 1 || count > most)
    throw new UsageError("VALUE", `${count} of ${leaves} segments can't be drawn; draw 1 to ${most}`, {
      count,
      leaves,
    });
  if (beacon.length < LEAST_BEACON || beacon.length > MOST_BEACON)
    throw new UsageError(
      "VALUE",
      `the beacon has ${beacon.length} bytes; give ${LEAST_BEACON} to ${MOST_BEACON} random ones that became public after the run was claimed`,
      { found: beacon.length },
    );
  const draw = new Draw(sha256(new Writer().bytes(DOMAIN).bytes(run).bytes(beacon).finish()));
  // A shuffle of which only the places that were exchanged are stored.
  const moved = new Map<number, number>();
  const drawn: number[] = [];
  for (let i = 0; i < count; i++) {
    const j = i + draw.below(leaves - i);
    drawn.push(moved.get(j) ?? j);
    moved.set(j, moved.get(i) ?? i);
  }
  return drawn.sort((a, b) => a - b);
}

/** Uniform whole numbers from SHA-256 in counter mode. */
class Draw {
  private readonly key: Bytes;
  private counter = 0;

  constructor(key: Bytes) {
    this.key = key;
  }

  /** A number from 0 to `limit` - 1. */
  below(limit: number): number {
    const n = BigInt(limit);
    // The last, incomplete stretch of 64-bit words would favour small numbers.
    const end = WORDS - (WORDS % n);
    for (;;) {
      const block = sha256(new Writer().bytes(this.key).u32(this.counter++).finish());
      const word = new DataView(block.buffer, block.byteOffset).getBigUint64(0);
      if (word < end) return Number(word % n);
    }
  }
}
