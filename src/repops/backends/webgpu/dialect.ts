/** The two ways in which shaders compute floats: with the device's float units, or with integers only. */
import type { InstructionName, RegisterType } from "../../programs/instructions.ts";
import type { StepPlan } from "../../ranges/analysis.ts";

/**
 * An instruction as an expression over its operands; the plan says what the float units' result still needs.
 */
export type Lowering = (a: string, b: string, c: string, plan: StepPlan) => string;

export interface Dialect {
  /** Functions that every shader has; `Z` is a zero read from a buffer. */
  library: string;
  /** What registers are in WGSL. */
  types: Readonly<Record<RegisterType, string>>;
  lowerings: Readonly<Record<InstructionName, Lowering>>;
  /** A stored word, as a float register. */
  float(word: string): string;
  /** A register of this type as the word that is stored. */
  word(register: string, type: "f" | "i"): string;
  /** A float register that may hold -0, with +0 in its place. */
  unsignedZero(register: string): string;
  /**
   * A stored word in the range of a fold's operand (spec 4.3), as a float register; the limits are patterns.
   */
  ranged(word: string, least: string, most: string): string;
}
