/** The states of a performance of rounds. */

/** The order of the enumeration in IRoundManager.sol. */
export const ROUND_STATES = ["None", "Joining", "Running", "Challengeable", "Closed", "Cancelled"] as const;
/** The state of a performance. */
export type RoundState = (typeof ROUND_STATES)[number];

/** Why somebody has lost: the order of the enumeration `Fault` in IRoundManager.sol. */
export const ROUND_FAULTS = ["inputs", "game", "equivocation", "unsigned", "record", "roll", "censored", "withheld"] as const; // prettier-ignore
/**
 * Why somebody has lost. `game`: the game has found a wrong step, or a wrong state that was handed on.
 * `withheld`: a store has not shown what it has signed to hold.
 */
export type RoundFaultName = (typeof ROUND_FAULTS)[number];
