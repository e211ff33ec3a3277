/** What a plan says of a place. */
import type { TensorType } from "../encoding/tensor.ts";
import { type LeafPlace, type Plan, seatName } from "./plan.ts";
import { stateOf } from "./template.ts";

/** A place in words: `local-2 in round 3`. */
export const placeWords = (plan: Plan, { round, seat }: LeafPlace): string =>
  `${seatName(plan, seat)} in round ${round}`;

/** The types of the entries of a leaf's final state. */
export const stateAt = ({ templates, seats }: Plan, { seat }: LeafPlace): TensorType[] =>
  stateOf(templates[seats[seat].template]);
