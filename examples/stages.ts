/**
 * A small transformer cut into stages, for the pipelines in `rounds/`. Its parts are functions of weights
 * that somebody else keeps: a job that trains them, or the state of a participant that is only read.
 */
import {
  add,
  arange,
  crossEntropy,
  gather,
  gelu,
  GraphBuilder,
  type Initializer,
  matmul,
  normal,
  ones,
  randomInt,
  type RandomSource,
  reshape,
  rmsNorm,
  scaledDotProductAttention,
  slice,
  sub,
  transpose,
  type Value,
} from "@verde-ml/verde/job";
import { before, type Source, turn } from "@verde-ml/verde/rounds";

/** Gives a weight by its name: a parameter of a job, or an entry of a state. */
export type Weights = (name: string, shape: readonly number[], init: Initializer) => Value;

/** The same weights, each made once, for functions that ask for them several times. */
export function once(of: Weights): Weights {
  const made = new Map<string, Value>();
  return (name, shape, init) => {
    const weight = made.get(name) ?? of(name, shape, init);
    made.set(name, weight);
    return weight;
  };
}

/** How many tokens there are: bytes. */
export const VOCABULARY = 256;

/** The extents of a model in stages of one block each, and what passes between them. */
export interface Staged {
  stages: number;
  context: number;
  dim: number;
  heads: number;
  /** Dimensions of the subspace in which residuals stay; 0: there is none. */
  subspace: number;
  /** `subspace`: coordinates are sent. Anything else: all elements of the same values. */
  boundary: string;
  /** `none`: the last stage gives the loss of each token; default the mean of all. */
  reduction?: "mean" | "none";
}

const projection = (inputs: number): Initializer => normal(1 / Math.sqrt(inputs));

/**
 * Windows of a text at positions drawn from a seed, one token longer than a context, because each token is
 * the target of the one before: i32 [n] → [batch, context + 1].
 */
export function drawWindows(random: RandomSource, text: Value, batch: number, context: number): Value {
  const starts = reshape(randomInt(random, [batch], text.shape[0] - context), [batch, 1]);
  return gather(text, add(starts, reshape(arange(text.builder, 0, context + 1), [1, context + 1])));
}

/** The tokens that a model reads, as one row: [batch, context + 1] → [batch · context]. */
const inputsOf = (windows: Value): Value => flat(slice(windows, 1, 0, windows.shape[1] - 1));
/** The tokens that it is to predict, as one row. */
const targetsOf = (windows: Value): Value => flat(slice(windows, 1, 1, windows.shape[1]));
const flat = (tokens: Value): Value => reshape(tokens, [-1]);

/**
 * A product that may end in a subspace: x·W, or (x·W)·basisᵀ, whose rows are then combinations of the basis.
 * @param basis f32 [dim, k]
 */
function into(weights: Weights, name: string, x: Value, dim: number, basis?: Value): Value {
  const inputs = x.shape[1];
  const product = matmul(x, weights(name, [inputs, basis ? basis.shape[1] : dim], projection(inputs)), name);
  return basis ? matmul(product, transpose(basis), `${name}-up`) : product;
}

/**
 * A block of attention and a perceptron with their residuals: f32 [batch · context, dim] → the same.
 * @param name the prefix of its weights
 * @param basis the subspace in which the residual stays
 */
function block(
  weights: Weights,
  name: string,
  x: Value,
  { heads, context }: { heads: number; context: number },
  basis?: Value,
): Value {
  const [rows, dim] = x.shape;
  const normed = (of: Value, which: string): Value => rmsNorm(of, weights(`${name}.${which}`, [dim], ones));
  const qkv = into(weights, `${name}.qkv`, normed(x, "first"), 3 * dim);
  const [q, k, v] = [0, 1, 2].map((part) => {
    const own = reshape(slice(qkv, 1, part * dim, (part + 1) * dim), [rows / context, context, heads, dim / heads]);
    return transpose(own, [0, 2, 1, 3]);
  });
  const mixed = transpose(scaledDotProductAttention(q, k, v, { isCausal: true }), [0, 2, 1, 3]);
  const attended = add(x, into(weights, `${name}.out`, reshape(mixed, [rows, dim]), dim, basis));
  const hidden = gelu(into(weights, `${name}.up`, normed(attended, "second"), 2 * dim));
  return add(attended, into(weights, `${name}.down`, hidden, dim, basis));
}

/** The loss of the next token of each row: f32 [rows, dim], i32 [batch, context + 1] → a scalar or [rows]. */
export function headLoss(weights: Weights, x: Value, windows: Value, reduction: "mean" | "none"): Value {
  const dim = x.shape[1];
  const normed = rmsNorm(x, weights("head.norm", [dim], ones));
  return crossEntropy(into(weights, "head.out", normed, VOCABULARY), targetsOf(windows), { reduction });
}

/** What a stage's participant is given beside its input, where the model has a subspace. */
export interface StageData {
  /** f32 [dim, subspace], of orthonormal columns. */
  readonly basis?: Value;
  /** f32 [256, dim]: the part of each token's embedding that is not trained, and lies outside. */
  readonly rows?: Value;
}

/**
 * What a stage makes of its input: f32 [rows, dim or subspace] and i32 [batch, context + 1] → what it sends
 * on, of the same type, or the loss of the last stage. The first one has no input.
 */
export function stageOf(
  sizes: Staged,
  stage: number,
  weights: Weights,
  data: StageData,
  windows: Value,
  input?: Value,
): Value {
  const { stages, dim, subspace, boundary } = sizes;
  const { basis, rows }: StageData = subspace > 0 ? data : {};
  const sent = basis && rows && boundary === "subspace" ? { basis, rows } : undefined;
  const fixed = (table: Value): Value => gather(table, inputsOf(windows));
  const last = stage === stages - 1;
  let x = input;
  if (!x) {
    const learned = gather(weights("embedding", [VOCABULARY, basis?.shape[1] ?? dim], normal(1)), inputsOf(windows));
    x = basis && rows ? add(matmul(learned, transpose(basis)), fixed(rows)) : learned;
  } else if (sent) x = add(matmul(x, transpose(sent.basis), "from-coordinates"), fixed(sent.rows));
  x = block(weights, `block${stage}`, x, sizes, last ? undefined : basis);
  if (last) return headLoss(weights, x, windows, sizes.reduction ?? "mean");
  return sent ? matmul(sub(x, fixed(sent.rows)), sent.basis, "coordinates") : x;
}

/** The weights of a stage, as its function asks for them. */
export function weightsOf(sizes: Staged, stage: number) {
  const builder = new GraphBuilder();
  const found: { name: string; shape: readonly number[]; init: Initializer }[] = [];
  const of: Weights = (name, shape, init) => {
    found.push({ name, shape, init });
    return builder.input(name, { dtype: "f32", shape });
  };
  const x = { dtype: "f32", shape: [sizes.context, sizes.dim] } as const;
  const windows = builder.input("windows", { dtype: "i32", shape: [1, sizes.context + 1] });
  stageOf(sizes, stage, of, {}, windows, stage > 0 ? builder.input("x", x) : undefined);
  return found;
}

/**
 * The turn with which a stage of a pipeline reads its input and hands on what it makes of it: `passed` f32
 * [batch · context, width], and the `windows` i32 [batch, context + 1] that the first stage draws.
 * @param width of what passes between stages
 * @param input when the turn before it has to be read: `now` or `before`
 */
export function forwardTurn(
  sizes: Staged,
  stage: number,
  { batch, width, input: from }: { batch: number; width: number; input: (name: string) => Source<"one"> },
) {
  const passed = { dtype: "f32", shape: [batch * sizes.context, width] } as const;
  const windows = { dtype: "i32", shape: [batch, sizes.context + 1] } as const;
  const reads: Record<string, Source<"one">> = { weights: before(`backward${stage}`) };
  if (stage > 0) reads.input = from(`forward${stage - 1}`);
  return turn({
    by: `stage${stage}`,
    reads,
    entries: () => ({ passed, windows }),
    begin({ data, random, reads: { weights, input } }) {
      const tokens = input?.entry("windows") ?? drawWindows(random, data.text, batch, sizes.context);
      const of: Weights = (name, shape) => weights.entry(name, { dtype: "f32", shape });
      return { windows: tokens, passed: stageOf(sizes, stage, of, data, tokens, input?.entry("passed")) };
    },
  });
}
