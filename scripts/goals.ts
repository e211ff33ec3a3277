/** What Verde's speed is measured by, and whether the results reach it. */
import type { Comparison } from "../bench/peers/compare.ts";

interface Goal {
  measure: string;
  bound: string;
  /** The comparisons that it is about. */
  about(comparison: Comparison): boolean;
  /**
   * What of a comparison is meant, and whether that is enough. Default: its ratio, which is at least `least`.
   */
  least?: number;
  /** Ours is below this many of the unit. */
  most?: number;
  /** Why results of some machines do not reach it. */
  reason?: string;
}

const isProduct = (peer: string) => (one: Comparison) =>
  one.name.startsWith("product ") && one.peerName.startsWith(peer) && one.threads === 1;
const named =
  (...patterns: RegExp[]) =>
  ({ name }: Comparison): boolean =>
    patterns.every((pattern) => pattern.test(name));

const APART = "each product and each sum is rounded apart, which takes two instructions where others take a fused one";
const SHARED = "other programs use these two cores too, and the ratio changes from one run to the next";

export const GOALS: readonly Goal[] = [
  {
    measure: "ordered products against OpenBLAS, one thread",
    bound: "1.0×",
    least: 1,
    about: isProduct("OpenBLAS"),
    reason: `${APART}; the smallest one takes less time than a call from JavaScript`,
  },
  {
    measure: "against onnxruntime-node",
    bound: "1.1×",
    least: 1.1,
    about: isProduct("onnxruntime-node"),
    reason: "as for OpenBLAS",
  },
  {
    measure: "against tfjs-wasm",
    bound: "3×",
    least: 3,
    about: isProduct("tfjs-wasm"),
    reason: "as for OpenBLAS; the smallest one takes less time than the call",
  },
  {
    measure: "GPT step 4x256, traced with roots at every step, against PyTorch's untraced step",
    bound: "1.0×",
    least: 1,
    about: named(/^GPT step 4x256, .*traced with roots at every step$/),
    reason: "most of a step is products: as for OpenBLAS",
  },
  {
    measure: "the same at 12x768 with 124M parameters",
    bound: "1.0×",
    least: 1,
    about: named(/^GPT step 12x768, .*traced with roots at every step$/),
    reason: "as for OpenBLAS; and 1.4 GiB of state are hashed in every step",
  },
  { measure: "its memory", bound: "below 4 GiB", most: 4, about: named(/^GPT step 12x768, .*peak memory$/) },
  {
    measure: "two threads over one",
    bound: "1.85×",
    least: 1.85,
    about: named(/native, two threads over one thread$/),
    reason: SHARED,
  },
  {
    measure: "a traced step over one that is not traced, cadence auto",
    bound: "at most 3 % longer",
    least: 1 / 1.03,
    about: named(/cadence auto over not traced$/),
    reason: "roots are hashed by the threads that compute, so where all are at work their time is the step's",
  },
  {
    measure: "softmax, layer norm, GELU, cross-entropy, AdamW against PyTorch, one thread",
    bound: "1.0×",
    least: 1,
    about: (one) =>
      /^(softmax|layer norm|GELU|cross-entropy|AdamW)/.test(one.name) && one.peerName.startsWith("PyTorch"),
    reason:
      "for their accuracy, layer norm reads a row more often than PyTorch does (its largest magnitude, two means, " +
      "the variance), and the erf form of GELU takes 94 instructions; a softmax is several kernels",
  },
  {
    measure: "AdamW's share of the bandwidth of a copy",
    bound: "0.8",
    least: 0.8,
    about: named(/^AdamW .*bandwidth of a copy$/),
    reason: "seven runs of memory at once are slower than the two of a copy",
  },
  {
    measure: "WASM: two threads over one",
    bound: "1.8×",
    least: 1.8,
    about: named(/wasm, two threads over one thread$/),
    reason: "as for native code",
  },
  {
    measure: "first start of native code for the demo's job",
    bound: "below 8 s",
    most: 8,
    about: named(/^first start/),
    reason: "it is the compiler's time, on cores that other programs use too",
  },
  {
    measure: "later starts",
    bound: "below 0.3 s",
    most: 0.3,
    about: named(/^later start/),
    reason: "WASM takes as long: reading the modules and planning the job",
  },
];

/** What was found, and whether it is enough: of all, or for how many. */
export function outcomeOf(
  { about, least, most, reason = "" }: Goal,
  comparisons: readonly Comparison[],
): [found: string, reached: string, why: string] {
  const own = comparisons.filter(about);
  if (own.length === 0) return ["not measured", "not measured", ""];
  const values = own.map(({ ours, ratio }) => (most === undefined ? ratio : ours)).sort((a, b) => a - b);
  const shown = (value: number): string =>
    most === undefined ? `${value.toFixed(2)}×` : `${value.toFixed(2)} ${own[0].unit}`;
  const [first, last] = [values[0], values[values.length - 1]].map(shown);
  const enough = values.filter((value) => (most === undefined ? value >= least! : value < most)).length;
  const reached = enough === own.length ? "yes" : own.length === 1 ? "no" : `${enough} of ${own.length}`;
  return [own.length === 1 ? first : `${first} to ${last}`, reached, reached === "yes" ? "" : reason];
}
