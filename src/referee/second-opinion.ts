/**
 * Follows Merkle paths twice: by `encoding/merkle.ts` with the hash of the engine, and by merkletreejs with
 * the hash of `@noble/hashes`. The two share the tags and no code, so a fault in one of them can't make a
 * wrong verdict hold.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { MerkleTree } from "merkletreejs/MerkleTree";
import { type Bytes, toHex } from "../encoding/bytes.ts";
import { type ClimbLeaf, climbLeaf, type Proof } from "../encoding/merkle.ts";
import { Tag } from "../encoding/tags.ts";
import { SecondOpinionError } from "../errors/index.ts";

/**
 * Whether another implementation reaches the same root.
 * @param root the root that the first one reached; `undefined` if it found that the proof has the wrong
 *   length
 */
export type Confirm = (
  root: Bytes | undefined,
  ...[tag, payload, count, index, proof]: Parameters<ClimbLeaf>
) => boolean;

const hash = (data: Uint8Array): Buffer => Buffer.from(sha256(data as Uint8Array<ArrayBuffer>));

/**
 * The library knows no tags. Leaves are hashed with their tag before, and the concatenator adds the tag of
 * nodes.
 */
const TREE = new MerkleTree([], hash, {
  sortPairs: false,
  duplicateOdd: false,
  concatenator: (pair: Buffer[]) => Buffer.concat([Buffer.of(Tag.node), ...pair]),
});

/** Confirms with merkletreejs and `@noble/hashes`. */
export const confirmByLibrary: Confirm = (root, tag, payload, count, index, proof) => {
  const siblings = siblingsOf(count, index, proof);
  if (!siblings || !root) return !siblings && !root;
  const leaf = hash(Buffer.concat([Buffer.of(tag), payload]));
  return TREE.verify(siblings, leaf, Buffer.from(root));
};

interface Sibling {
  position: "left" | "right";
  data: Buffer;
}

/**
 * The proof in the library's form. At height h, the leaf's ancestor covers the 2^h leaves from p·2^h on,
 * where p is index / 2^h rounded down. Its sibling exists if it covers any leaf.
 */
function siblingsOf(count: number, index: number, proof: Proof): Sibling[] | undefined {
  if (!Number.isInteger(index) || index < 0 || index >= count) return undefined;
  const positions: Sibling["position"][] = [];
  for (let span = 1; span < count; span *= 2) {
    const isRight = Math.floor(index / span) % 2 === 1;
    const sibling = Math.floor(index / span) + (isRight ? -1 : 1);
    if (sibling * span < count) positions.push(isRight ? "left" : "right");
  }
  if (positions.length !== proof.length || proof.some(({ length }) => length !== 32)) return undefined;
  return positions.map((position, i) => ({ position, data: Buffer.from(proof[i]) }));
}

/** Follows paths twice, and counts them. */
export class SecondOpinion {
  private readonly followed = new Set<string>();
  private readonly first: ClimbLeaf;
  private readonly second: Confirm;

  constructor(first: ClimbLeaf = climbLeaf, second: Confirm = confirmByLibrary) {
    this.first = first;
    this.second = second;
  }

  /** The number of different paths that both implementations followed to the same root. */
  get paths(): number {
    return this.followed.size;
  }

  /** @throws {SecondOpinionError} when the two implementations do not reach the same root */
  readonly climb: ClimbLeaf = (...place) => {
    const [tag, payload, count, index, proof] = place;
    const root = this.first(...place);
    if (!this.second(root, ...place)) {
      throw new SecondOpinionError(
        "DIFFERS",
        `two implementations differ on the Merkle path of leaf ${index} of ${count}, so one of them is broken and ` +
          "nothing is decided; check the verdict with another version of Verde or of Node",
        { index, count, root: root ? toHex(root) : null },
      );
    }
    if (root) this.followed.add([tag, count, index, toHex(payload), ...proof.map(toHex)].join(" "));
    return root;
  };
}
