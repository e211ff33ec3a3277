/** Which openings a party signs, and the place that it signs (spec 7.3). */
import { OPENED_TREES, type OpenedTree, type OpeningPlace } from "../claims/opening.ts";
import { DisputeError } from "../errors/index.ts";
import type { Level, Position } from "../game/level.ts";
import type { JobFacts } from "./facts.ts";
import { levelUnder } from "./machine.ts";
import { placeOf } from "./place.ts";

/**
 * Whether the opening of a tree has to be signed. A tree that the claim above hashes is the only one that the
 * claim opens into. A tree that is bound by its last leaf is one of many, unless that leaf is its only one.
 */
export function isSigned({ binding, count }: Level): boolean {
  return binding.kind === "last" && count > 1;
}

/**
 * The place of the tree that the last leaf of `at` opens into, as it is signed.
 * @param at an existing place
 * @throws {DisputeError} when no opening is signed there
 */
export function openingPlace(facts: JobFacts, at: Position): OpeningPlace {
  const place = placeOf(facts, at);
  const name = levelUnder(facts, place)?.name;
  if (name === undefined || !Object.hasOwn(OPENED_TREES, name))
    throw new DisputeError("PLACE", `no opening is signed at this place (${name ?? "the bottom"})`, { at });
  const tree = name as OpenedTree;
  const inner = at.find(({ level }) => level === "step")?.index ?? 0;
  const isFold = tree === "fold";
  return {
    tree,
    segment: tree === "segment" ? 0 : place.segment,
    step: tree === "segment" || tree === "step" ? 0 : inner,
    kernel: isFold ? place.kernel! : 0,
    element: isFold ? place.element! : 0,
  };
}
