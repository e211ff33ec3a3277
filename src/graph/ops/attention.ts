/** Attention with masks and groups of queries. */
import { floatSetting, SHARE, wholeSetting } from "../../repops/numbers/settings.ts";
import { MAX_VALUE } from "../../repops/numbers/vf32.ts";
import { type Bool, defineProgram, type Int, int } from "../../repops/programs/expressions.ts";
import type { Program } from "../../repops/programs/program.ts";
import { checkOptions, describe } from "../../errors/arguments.ts";
import { composed } from "../autodiff.ts";
import { rootOf } from "../constants.ts";
import { map, type Operand } from "../emit.ts";
import { indices, type Operator, rowsOf } from "../operator.ts";
import type { RandomSource } from "../random.ts";
import { builderOf, expectFloat, settingOf, shapeError, type Value } from "../value.ts";
import { dropout as dropped } from "./dropout.ts";
import { matmul } from "./matmul.ts";
import { reshape } from "./reshape.ts";
import { softmax, softmaxRow } from "./softmax.ts";
import { broadcastTo } from "./sum.ts";
import { transpose } from "./transpose.ts";

/** The options of `scaledDotProductAttention`. */
export interface AttentionOptions {
  /** Whether a query attends to no later key; false. */
  isCausal?: boolean;
  /** How many keys a query attends to at most: itself and the ones before it. Needs `isCausal`. */
  window?: number;
  /** i32 that broadcasts to [..., heads, queries, keys]: 0 where a query does not attend to a key. */
  attnMask?: Value;
  /** What products of queries and keys are multiplied by; 1/sqrt(dim). */
  scale?: number;
  /** The rate of dropout of the weights, and the source of its random numbers; none. */
  dropout?: { rate: number; random: RandomSource };
}

/** What decides whether a query attends to a key, as operands and a program's condition. */
interface Mask {
  readonly operands: readonly Operand[];
  /** The mask of the caller, over the shape of the scores. */
  readonly given: Value | undefined;
  readonly isCausal: boolean;
  readonly window: number;
}

/** x · scale where a query attends to a key, else `outside`. */
function masked(mask: Mask, scale: number, outside: number): Program {
  const isNear = (query: Int, key: Int): Bool => {
    const past = query.lt(key).not();
    return mask.window > 0 ? past.and(query.sub(key).lt(int(mask.window))) : past;
  };
  if (mask.isCausal && mask.given)
    return defineProgram("fiii", (x, query, key, allowed) =>
      isNear(query, key).and(allowed.eq(0).not()).select(x.mul(scale), outside),
    );
  if (mask.isCausal) return defineProgram("fii", (x, query, key) => isNear(query, key).select(x.mul(scale), outside));
  if (mask.given) return defineProgram("fi", (x, allowed) => allowed.eq(0).select(outside, x.mul(scale)));
  return defineProgram("f", (x) => x.mul(scale));
}

/** A map of scores with a mask, and its gradient. */
function applied(x: Value, mask: Mask, scale: number, outside: number, name: string): Value {
  const { shape } = x;
  const of = (value: Value, rest: number, label: string): Value =>
    map(masked(mask, scale, rest), [value, ...mask.operands], { name: label, shape });
  return of(x, outside, name).withOrigin([x], (gradient) => [of(gradient, 0, `${name}-gradient`)]);
}

/**
 * softmax(query·keyᵀ · scale)·value, where a query attends to the keys that the masks leave: f32 [..., heads,
 * queries, dim], [..., groups, keys, dim], [..., groups, keys, width] → [..., heads, queries, width]. Queries
 * of heads/groups heads share a head of keys and values. A query that attends to no key gives 0.
 *
 *     const y = scaledDotProductAttention(q, k, v, { isCausal: true });
 *
 * @param options `isCausal`, false: no later key; `window`: the most keys up to its own; `attnMask`, i32
 *   [..., heads, queries, keys] or what broadcasts to it, such as [batch, 1, 1, keys] for padding: 0 masks a
 *   key; `scale`, 1/sqrt(dim); `dropout`, of the weights
 * @param name the label of the operator; "attention"
 * @throws {ShapeError} when the operands do not fit together or are not f32, or the heads are no multiple of
 *   the groups
 * @throws {GraphError} when they belong to two graphs, or an option is unknown or out of its range
 */
export function scaledDotProductAttention(
  query: Value,
  key: Value,
  value: Value,
  options: AttentionOptions = {},
  name = "attention",
): Value {
  const builder = builderOf(name, { query, key, value });
  const refuse = settingOf(builder.label(name));
  checkOptions(options, ["isCausal", "window", "attnMask", "scale", "dropout"], refuse);
  const { attnMask } = options;
  if (attnMask !== undefined) builderOf(name, { query, attnMask });
  for (const operand of [query, key, value]) expectFloat(operand, name);
  const { isCausal = false, window = 0, dropout } = options;
  if (typeof isCausal !== "boolean") throw refuse(`isCausal is ${describe(isCausal)}; take true or false`);
  if (options.window !== undefined) wholeSetting("window", window, {}, refuse);
  if (window > 0 && !isCausal) throw refuse("window needs isCausal: it counts a query's own key and the ones before");
  const [heads, queries, dim] = query.shape.slice(-3);
  const [groups, keys, width] = [...key.shape.slice(-3, -1), value.shape[value.rank - 1]];
  const lead = query.shape.slice(0, -3);
  const fits =
    query.rank >= 3 &&
    key.shape.join() === [...lead, groups, keys, dim].join() &&
    value.shape.join() === [...lead, groups, keys, width].join() &&
    heads % groups === 0;
  if (!fits)
    throw shapeError(
      "OPERANDS",
      builder,
      name,
      `queries ${query}, keys ${key} and values ${value} do not fit together; give [..., heads, queries, dim], ` +
        "[..., groups, keys, dim] and [..., groups, keys, width], with heads a multiple of groups",
    );
  const scale = floatSetting("scale", options.scale ?? 1 / rootOf(Math.max(dim, 1)), {}, refuse);
  if (dropout) floatSetting("the rate of dropout", dropout.rate, SHARE, refuse);

  const grouped = [...lead, groups, heads / groups];
  const shape = [...grouped, queries, keys];
  const q = reshape(query, [...grouped, queries, dim]);
  const [k, v] = [key, value].map((x) => reshape(x, [...lead, groups, 1, keys, x.shape[x.rank - 1]]));
  const given = attnMask && maskOver(attnMask, [...lead, heads, queries, keys], shape, name);
  const axes = [{ coordinate: shape.length - 2 }, { coordinate: shape.length - 1 }];
  const mask: Mask = { operands: [...(isCausal ? axes : []), ...(given ? [given] : [])], given, isCausal, window };
  const scores = applied(matmul(q, transpose(k), `${name}-scores`), mask, scale, -MAX_VALUE, `${name}-masked`);
  const all = softmax(scores, -1, `${name}-softmax`);
  // Where no key is left, softmax shares equally among the masked ones.
  const canBeAlone = given !== undefined || (window > 0 && queries - keys >= window);
  const left = canBeAlone ? applied(all, mask, 1, 0, `${name}-left`) : all;
  const weights = dropout ? dropped(left, dropout.random, dropout.rate, `${name}-dropout`) : left;
  const mixed = reshape(matmul(weights, v, name), [...lead, heads, queries, width]);
  return composed(mixed, [query, key, value]);
}

/** A mask over all scores, with the heads in groups. */
function maskOver(mask: Value, whole: readonly number[], shape: readonly number[], name: string): Value {
  if (mask.dtype !== "i32") throw shapeError("DTYPE", mask.builder, name, `the mask ${mask} is not i32; compare first`);
  return reshape(broadcastTo(mask, [...whole]), [...shape]);
}

/** One head by the textbook: `isKept` says whether a query attends to a key. */
function attend(
  m: Parameters<typeof softmaxRow>[0],
  [q, k, v]: readonly (readonly number[][])[],
  isKept: (query: number, key: number) => boolean,
): number[] {
  return q.flatMap((row, i) => {
    const kept = k.flatMap((_, j) => (isKept(i, j) ? [j] : []));
    if (kept.length === 0) return v[0].map(() => 0);
    const scores = kept.map((j) => row.reduce((total, x, e) => total + x * k[j][e], 0) / m.sqrt(row.length));
    const weights = softmaxRow(m, scores);
    return v[0].map((_, e) => kept.reduce((total, j, at) => total + weights[at] * v[j][e], 0));
  });
}

scaledDotProductAttention.check = {
  number: 130,
  name: "scaled dot-product attention",
  digests: {
    result: "0x0d05353c5a16c8049da57f96e98cdb85a5130a2be2d4fdf1626bc8101e43476a",
    "gradient 0": "0x6989467b07b4c9d3922fb2e0e9ce48bfbf20fdc7301421ac59b4880b0c5b56a1",
    "gradient 1": "0x1cca73b2fda803544934e855b17dd1d8b00fcb5a3fb564ada671b2eb6a5e64a9",
    "gradient 2": "0x71ee4413b0d97d94cbc75524834ae69c96b569fc785b72d2311777982b769428",
  },
  vector: ({ floats }) => ({
    y: scaledDotProductAttention(floats(3154, 2, 4, 5, 6), floats(3155, 2, 2, 5, 6), floats(3156, 2, 2, 5, 3), {
      isCausal: true,
      window: 3,
    }),
    gradient: floats(3157, 2, 4, 5, 3),
  }),
  gradient: [
    {
      title: "in a causal window, with two queries for a key",
      operands: [{ shape: [2, 4, 3] }, { shape: [1, 4, 3] }, { shape: [1, 4, 2] }],
      apply: (q, k, v) => scaledDotProductAttention(q, k, v, { isCausal: true, window: 2 }),
      textbook: (m, q, k, v) =>
        [0, 1].flatMap((head) =>
          attend(
            m,
            [rowsOf(q, 3).slice(4 * head, 4 * head + 4), rowsOf(k, 3), rowsOf(v, 2)],
            (i, j) => j <= i && i - j < 2,
          ),
        ),
    },
    {
      title: "in a window that has left the last key, two queries have none",
      operands: [{ shape: [1, 4, 3] }, { shape: [1, 1, 3] }, { shape: [1, 1, 2] }],
      apply: (q, k, v) => scaledDotProductAttention(q, k, v, { isCausal: true, window: 2 }),
      textbook: (m, q, k, v) => attend(m, [rowsOf(q, 3), rowsOf(k, 3), rowsOf(v, 2)], (i, j) => j <= i && i - j < 2),
    },
    {
      title: "of padded keys, one query has none",
      operands: [
        { shape: [1, 3, 4] },
        { shape: [1, 3, 4] },
        { shape: [1, 3, 2] },
        indices([3, 3], [1, 1, 0, 0, 0, 0, 0, 1, 0]),
      ],
      apply: (q, k, v, attnMask) => scaledDotProductAttention(q, k, v, { attnMask }),
      textbook: (m, q, k, v) => {
        const kept = [
          [1, 1, 0],
          [0, 0, 0],
          [0, 1, 0],
        ];
        return attend(m, [rowsOf(q, 4), rowsOf(k, 4), rowsOf(v, 2)], (i, j) => kept[i][j] === 1);
      },
    },
  ],
} satisfies Operator["check"];
