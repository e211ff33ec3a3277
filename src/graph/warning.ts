/** What is noted of a graph while it is built. */

/** What may be a mistake in a graph. The graph is valid all the same. */
export interface Warning {
  /** `BROADCAST`: a result that is larger than both of its operands. */
  readonly code: "BROADCAST";
  readonly message: string;
  /** The label of the operator. */
  readonly place: string;
}
