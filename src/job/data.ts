/** Datasets as committed tensors, and the choice of each step's batch inside the graph. */
import { fs } from "../encoding/node.ts";
import type { Tensor } from "../encoding/tensor.ts";
import { describe, isPlainObject } from "../errors/arguments.ts";
import { JobError, messageOf } from "../errors/index.ts";
import { expectRegular } from "../files/regular.ts";
import { map } from "../graph/emit.ts";
import { intTensor } from "../graph/evaluate.ts";
import { dense } from "../graph/dense.ts";
import { fillInt } from "../graph/fill.ts";
import { gather } from "../graph/ops/gather.ts";
import { randomInt } from "../graph/ops/random-int.ts";
import { broadcastTo } from "../graph/ops/sum.ts";
import { roundKeys, shuffled } from "../graph/shuffle.ts";
import type { Value } from "../graph/value.ts";
import { reshape } from "../graph/ops/reshape.ts";
import { defineProgram } from "../repops/programs/expressions.ts";
import type { Context } from "./context.ts";
import { expectContext, expectOwn } from "./layers/arguments.ts";
import { countOf, expectOptions, settingError } from "./settings.ts";
import { madeOnce, rowsOfShard } from "./sharding.ts";

/**
 * The bytes of a file as tokens from 0 to 255: i32 [bytes].
 * @throws {JobError} when the file can't be read, or has fewer than two bytes
 */
export async function byteTokens(path: string | URL): Promise<Tensor> {
  const read = async () => (await expectRegular(path), fs.readFile(path));
  const bytes = await read().catch((cause: unknown) => {
    throw new JobError("DATA_UNREADABLE", `the text can't be read: ${messageOf(cause)}; check the path`, {
      path: String(path),
    });
  });
  if (bytes.length < 2)
    throw new JobError("DATA", `${path} has ${bytes.length} bytes; give a text of at least 2 bytes`);
  return intTensor([bytes.length], bytes);
}

const ADD = defineProgram("ii", (start, offset) => start.add(offset));
const ADD_ONE = defineProgram("ii", (start, offset) => start.add(offset).add(1));

/**
 * Windows of a token stream at positions drawn from (seed, step), and the same windows one token later: each
 * i32 [batch, length].
 *
 *     const { inputs, targets } = sampleWindows(job, job.data.text, { batch: 16, length: 64 });
 *
 * @param tokens i32 [n]
 * @throws {JobError} when the stream is shorter than a window and its last target, a count is not a whole
 *   number from 1, or the shards of the job do not divide the batch
 */
export function sampleWindows(
  context: Context,
  tokens: Value,
  options: { batch: number; length: number },
): { inputs: Value; targets: Value } {
  expectContext("sampleWindows", context);
  expectOwn("sampleWindows", context, "tokens", tokens);
  expectOptions("sampleWindows", options, ["batch", "length"]);
  const batch = countOf("sampleWindows", "batch", options.batch);
  const length = countOf("sampleWindows", "length", options.length);
  if (tokens.rank !== 1 || tokens.dtype !== "i32")
    throw settingError("sampleWindows", `tokens are i32 [n], not ${tokens}; pass one row of tokens`);
  const places = tokens.shape[0] - length;
  if (places < 1)
    throw new JobError(
      "DATA",
      `windows of ${length} tokens with a target for each need more than ${tokens.shape[0]} tokens; take a longer text or shorter windows`,
    );
  return context.scope("batch", () => {
    const draw = (): Value => randomInt(context.random, [batch], places, "positions");
    const what = `sampleWindows with a batch of ${batch}`;
    const starts = rowsOfShard(context, "sampleWindows", madeOnce(context, what, draw));
    const shape = [starts.shape[0], length];
    const operands = [broadcastTo(reshape(starts, [starts.shape[0], 1]), shape), { coordinate: 1 }];
    return {
      inputs: gather(tokens, map(ADD, operands, { name: "input-index", shape }), "inputs"),
      targets: gather(tokens, map(ADD_ONE, operands, { name: "target-index", shape }), "targets"),
    };
  });
}

/**
 * The same rows of several tensors, drawn from (seed, step) with replacement: each [rows, …] → [batch, …].
 *
 *     const { x, y } = sampleRows(job, { x: job.data.x, y: job.data.y }, 64);
 *
 * @param batch how many rows; a whole number from 1
 * @throws {JobError} when the tensors have different numbers of rows, or there are none to draw
 */
export function sampleRows<Names extends string>(
  context: Context,
  tensors: Record<Names, Value>,
  batch: number,
): Record<Names, Value> {
  const { entries, rows } = rowsOf("sampleRows", context, tensors, batch);
  return context.scope("batch", () => {
    const draw = (): Value => randomInt(context.random, [batch], rows, "rows");
    const all = madeOnce(context, `sampleRows with a batch of ${batch}`, draw);
    const index = dense(rowsOfShard(context, "sampleRows", all), "rows");
    return Object.fromEntries(entries.map(([name, value]) => [name, gather(value, index, name)]));
  }) as Record<Names, Value>;
}

const MOVE = (by: number, rows: number) =>
  defineProgram("i", (position) => {
    const next = position.add(by - rows);
    return next.lt(0).selectInt(next.add(rows), next);
  });
const TURN = (by: number, rows: number) =>
  defineProgram("ii", (epoch, position) =>
    position
      .add(by - rows)
      .lt(0)
      .selectInt(epoch, epoch.add(1)),
  );

/** The options of `epochRows`. */
export interface EpochOptions {
  /** The prefix of its two entries of the state; "order". A second call needs another one. */
  name?: string;
}

/**
 * The same rows of several tensors, in a random order without replacement: each [rows, …] → [batch, …]. Every
 * epoch has each row once, in an order of its own. A batch that reaches the end of an epoch takes its other
 * rows from the next one.
 *
 *     const { x, y } = epochRows(job, { x: job.data.x, y: job.data.y }, 64);
 *
 * The order follows from the job's seed and the epoch, and each row's place is computed on its own
 * (`randperm`). So a step costs some 120 instructions for each row of the batch and bit of the number of
 * rows, and no more for a large dataset. The state has the entries `NAME/epoch`, from 0, and `NAME/position`,
 * the rows of the epoch that were taken: i32.
 * @param batch how many rows; a whole number from 1 to the number of rows
 * @throws {JobError} when the tensors have different numbers of rows, there are fewer than the batch takes,
 *   or the name is taken
 */
export function epochRows<Names extends string>(
  context: Context,
  tensors: Record<Names, Value>,
  batch: number,
  options: EpochOptions = {},
): Record<Names, Value> {
  const { entries, rows } = rowsOf("epochRows", context, tensors, batch);
  expectOptions("epochRows", options, ["name"]);
  const { name = "order" } = options;
  if (batch > rows || 2 * rows >= 2 ** 31)
    throw settingError("epochRows", `a batch of ${batch} of ${rows} rows; take at most all rows, and 2^30 of them`);
  const all = madeOnce(context, `epochRows with a batch of ${batch}`, () => nextOfEpoch(context, name, batch, rows));
  return context.scope("batch", () => {
    const index = dense(rowsOfShard(context, "epochRows", all), "rows");
    return Object.fromEntries(entries.map(([key, value]) => [key, gather(value, index, key)]));
  }) as Record<Names, Value>;
}

/** The next rows of an epoch, by their numbers: i32 [batch]. Moves on in the entries of the state. */
function nextOfEpoch(context: Context, name: string, batch: number, rows: number): Value {
  const [epoch, position] = ["epoch", "position"].map((entry) =>
    context.state(`${name}/${entry}`, { dtype: "i32", shape: [] }, (source) =>
      fillInt(source.seed.builder, [], 0, entry),
    ),
  );
  return context.scope("batch", () => {
    const purpose = context.builder.nextPurpose();
    const scalar = { shape: [] };
    const next = map(
      defineProgram("i", (now) => now.add(1)),
      [epoch],
      { ...scalar, name: "next-epoch" },
    );
    const keys = [epoch, next].map((of, i) => roundKeys(context.random.seed, of, purpose, rows, ["epoch", "next"][i]));
    const operands = [broadcastTo(position, [batch]), { coordinate: 0 }];
    const places = map(ADD, operands, { name: "places", shape: [batch] });
    const index = shuffled(places, keys, rows, "rows");
    context.update(position, map(MOVE(batch, rows), [position], { ...scalar, name: "position" }));
    context.update(epoch, map(TURN(batch, rows), [epoch, position], { ...scalar, name: "epoch" }));
    return index;
  });
}

/** The tensors of which rows are drawn, and how many rows they have. */
function rowsOf(call: string, context: Context, tensors: Record<string, Value>, batch: number) {
  expectContext(call, context);
  if (!isPlainObject(tensors))
    throw settingError(call, `the tensors are ${describe(tensors)}; pass values by name: { x: job.data.x }`);
  const entries = Object.entries<Value>(tensors);
  for (const [name, value] of entries) expectOwn(call, context, name, value);
  countOf(call, "batch", batch);
  const rows = entries[0]?.[1].shape[0];
  if (rows === undefined || rows === 0)
    throw new JobError("DATA", "there are no rows to draw from; give at least one tensor with an axis of rows");
  for (const [name, value] of entries)
    if (value.shape[0] !== rows)
      throw new JobError(
        "DATA",
        `${name} has ${value.shape[0]} rows, but the others have ${rows}; give one row for each example`,
        { expected: rows, found: value.shape[0] },
      );
  return { entries, rows };
}
