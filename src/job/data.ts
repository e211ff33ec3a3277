/** Datasets as committed tensors, and the choice of each step's batch inside the graph. */
import { fs } from "../encoding/node.ts";
import type { Tensor } from "../encoding/tensor.ts";
import { JobError, messageOf } from "../errors/index.ts";
import { map } from "../graph/emit.ts";
import { intTensor } from "../graph/evaluate.ts";
import { gather } from "../graph/ops/gather.ts";
import { randomInt } from "../graph/ops/random.ts";
import { broadcastTo } from "../graph/ops/reduce.ts";
import type { Value } from "../graph/value.ts";
import { reshape } from "../graph/ops/views.ts";
import { defineProgram } from "../repops/programs/expressions.ts";
import type { Context } from "./context.ts";

/** The bytes of a file as tokens from 0 to 255: i32 [bytes]. */
export async function byteTokens(path: string | URL): Promise<Tensor> {
  const bytes = await fs.readFile(path).catch((cause: unknown) => {
    throw new JobError(`the text can't be read: ${messageOf(cause)}`, { path: String(path) });
  });
  if (bytes.length < 2) throw new JobError(`${path} has ${bytes.length} bytes; a text to learn from is needed`);
  return intTensor([bytes.length], bytes);
}

const ADD = defineProgram("ii", (start, offset) => start.add(offset));
const ADD_ONE = defineProgram("ii", (start, offset) => start.add(offset).add(1));

/**
 * Windows of a token stream at positions drawn from (seed, step), and the same windows one token later: i32 [batch, length].
 * @throws {JobError} when the stream is shorter than a window and its last target
 */
export function sampleWindows(
  context: Context,
  tokens: Value,
  options: { batch: number; length: number },
): { inputs: Value; targets: Value } {
  const { batch, length } = options;
  const places = tokens.shape[0] - length;
  if (tokens.rank !== 1 || places < 1)
    throw new JobError(`windows of ${length} tokens and a target each need more than the ${tokens.shape[0]} there are`);
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

/** Rows of several tensors at the same places, drawn from (seed, step) with replacement. */
export function sampleRows<Names extends string>(
  context: Context,
  tensors: Record<Names, Value>,
  batch: number,
): Record<Names, Value> {
  const entries = Object.entries<Value>(tensors);
  const rows = entries[0]?.[1].shape[0];
  for (const [name, value] of entries)
    if (value.shape[0] !== rows) throw new JobError(`${name} has ${value.shape[0]} rows, the others have ${rows}`);
  return context.scope("batch", () => {
    const index = randomInt(context.random, [batch], rows, "rows");
    return Object.fromEntries(entries.map(([name, value]) => [name, gather(value, index, name)]));
  }) as Record<Names, Value>;
}
