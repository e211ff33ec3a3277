/**
 * Two signatures of one key that contradict each other: different roots for one tree of one run (spec 7.7).
 */
import type { Opening, OpeningPlace } from "../claims/opening.ts";
import { openingKey } from "../claims/opening.ts";
import { type Bytes, bytesEqual, toHex } from "../encoding/bytes.ts";
import type { Pair } from "../game/level.ts";

/** An opening, and the signature under it. */
export interface SignedOpening extends Opening {
  /** 20 bytes: the key that signed. */
  readonly address: Bytes;
  readonly signature: Bytes;
}

export interface Equivocation {
  readonly run: Bytes;
  readonly address: Bytes;
  readonly place: OpeningPlace;
  readonly roots: Pair<Bytes>;
  readonly signatures: Pair<Bytes>;
}

/** The first contradiction among openings whose signatures were verified, or `undefined`. */
export function findEquivocation(openings: readonly SignedOpening[]): Equivocation | undefined {
  const said = new Map<string, SignedOpening>();
  for (const opening of openings) {
    const key = [toHex(opening.address), toHex(opening.run), openingKey(opening)].join(" ");
    const before = said.get(key);
    if (!before) said.set(key, opening);
    else if (!bytesEqual(before.root, opening.root)) {
      const { run, address, tree, segment, step, kernel, element } = opening;
      return {
        run,
        address,
        place: { tree, segment, step, kernel, element },
        roots: [before.root, opening.root],
        signatures: [before.signature, opening.signature],
      };
    }
  }
  return undefined;
}
