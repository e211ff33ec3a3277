/** Datasets as committed tensors, and the choice of each step's batch inside the graph. */
import { fs } from "../encoding/node.ts";
import type { Tensor } from "../encoding/tensor.ts";
import { describe, isPlainObject } from "../errors/arguments.ts";
import { JobError, messageOf } from "../errors/index.ts";
import { expectRegular } from "../files/regular.ts";
import { map } from "../graph/emit.ts";
import { intTensor } from "../graph/evaluate.ts";
import { gather } from "../graph/ops/gather.ts";
import { randomInt } from "../graph/ops/random-int.ts";
import { broadcastTo } from "../graph/ops/sum.ts";
import type { Value } from "../graph/value.ts";
import { reshape } from "../graph/ops/reshape.ts";
import { defineProgram } from "../repops/programs/expressions.ts";
import type { Context } from "./context.ts";
import { expectContext, expectOwn } from "./layers/arguments.ts";
import { countOf, expectOptions, settingError } from "./settings.ts";

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
 * @throws {JobError} when the stream is shorter than a window and its last target, or a count is not a whole
 *   number from 1
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
    const starts = randomInt(context.random, [batch], places, "positions");
    const shape = [batch, length];
    const operands = [broadcastTo(reshape(starts, [batch, 1]), shape), { coordinate: 1 }];
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
  expectContext("sampleRows", context);
  if (!isPlainObject(tensors))
    throw settingError("sampleRows", `the tensors are ${describe(tensors)}; pass values by name: { x: job.data.x }`);
  const entries = Object.entries<Value>(tensors);
  for (const [name, value] of entries) expectOwn("sampleRows", context, name, value);
  countOf("sampleRows", "batch", batch);
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
  return context.scope("batch", () => {
    const index = randomInt(context.random, [batch], rows, "rows");
    return Object.fromEntries(entries.map(([name, value]) => [name, gather(value, index, name)]));
  }) as Record<Names, Value>;
}
