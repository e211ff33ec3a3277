/** Evaluation: means over the rows of a dataset, of which each training step evaluates some. */
import { describe, isPlainObject } from "../errors/arguments.ts";
import { JobError } from "../errors/index.ts";
import { map } from "../graph/emit.ts";
import { gather } from "../graph/ops/gather.ts";
import { mean } from "../graph/ops/mean.ts";
import { broadcastTo, sum } from "../graph/ops/sum.ts";
import { Value } from "../graph/value.ts";
import { defineProgram } from "../repops/programs/expressions.ts";
import { EVALUATION_PREFIX } from "./closed.ts";
import type { Context } from "./context.ts";
import { intZeros } from "./counter.ts";
import { zeros } from "./initializers.ts";
import { expectContext, expectOwn } from "./layers/arguments.ts";
import { averaged } from "./optimizers/ema.ts";
import { countOf, expectOptions, settingError } from "./settings.ts";
import { madeOnce } from "./sharding.ts";

/** How many rows a training step evaluates, by one of the first two, and with which weights. */
export interface EvaluateOptions {
  /** The number of rows. */
  batch?: number;
  /**
   * The number of training steps in which all rows are evaluated once. If fewer than twice as many rows a
   * step divide the rows, it takes so many, and fewer steps.
   */
  every?: number;
  /**
   * Whether the averages of the weights that `ema` keeps are evaluated in place of the weights; default
   * false.
   */
  averaged?: boolean;
  /**
   * Whether all rows of a round are evaluated with the weights of its first step; default false. The state
   * then has a copy of the trained parameters.
   */
  snapshot?: boolean;
}

/** How a model is evaluated. */
export interface Evaluation {
  /** The path of the scope in which it is evaluated, with a stroke at the end unless it is empty. */
  inside: string;
  /** The path in which parameters have their names. */
  outside: string;
  /** What takes the place of a parameter. */
  instead?: ((parameter: Value) => Value) | undefined;
}

/** Where the means of an evaluation are taken. */
interface Round {
  /** The path of the evaluation. */
  path: string;
  rows: number;
  batch: number;
  /** Whether the batch follows from `every`. */
  isDerived: boolean;
  /** i32: the number of rows of this round that were evaluated in earlier steps. */
  position: Value;
  /** i32: 1 once all rows were evaluated, at the latest in this step. */
  complete: Value;
  /** i32: 1 in a step that evaluates the last rows. */
  ends: Value;
}

const ENDED = defineProgram("ii", (before, ends) => before.or(ends));
const SNAPSHOT = defineProgram("iff", (position, kept, present) => position.eq(0).select(present, kept));
const TOTAL = defineProgram("iff", (position, total, more) => position.eq(0).select(more, total.add(more)));
const LAST = defineProgram("iff", (ends, average, last) => ends.eq(0).select(last, average));
const SHOWN = defineProgram("iff", (complete, last, average) => complete.eq(0).select(average, last));

/**
 * Means over the rows of a dataset, with the present weights. Each training step evaluates the next `batch`
 * rows; after the last row it begins again. A mean is that of the last complete round, and of the rows so far
 * while the first round is not complete. The weights of a training job change during a round, so a mean is
 * one over the weights of its steps, unless a snapshot is kept. Nothing of the training changes: the body's
 * parameters are the model's, its dropout does nothing, and no gradient flows.
 *
 *     const test = { x: job.data.testX, y: job.data.testY };
 *     const { error } = evaluateRows(job, "validation", test, { every: 50 }, ({ x, y }) => ({
 *       error: square(sub(model(x), y)),
 *     }));
 *     job.metric("validation-loss", error);
 *
 * @param name the scope of its operators and of its entries of the state
 * @param tensors each [rows, …], with the same number of rows
 * @param body from [batch, …] of each tensor to f32 values by name: [batch, …], of which the mean is taken
 *   over the other axes, or a scalar that is a mean of equal rows, if `batch` divides the rows
 * @throws {JobError} when a tensor has another number of rows, or the options or the results of the body do
 *   not fit
 */
export function evaluateRows<Names extends string, Results extends string>(
  context: Context,
  name: string,
  tensors: Readonly<Record<Names, Value>>,
  options: EvaluateOptions,
  body: (rows: Record<Names, Value>) => Readonly<Record<Results, Value>>,
): Record<Results, Value> {
  expectContext("evaluateRows", context);
  if (typeof name !== "string" || name === "")
    throw settingError("evaluateRows", `the name is ${describe(name)}; pass a text as the second argument`);
  expectOptions(name, options, ["batch", "every", "averaged", "snapshot"]);
  for (const key of ["averaged", "snapshot"] as const)
    if (options[key] !== undefined && typeof options[key] !== "boolean")
      throw settingError(name, `${key} is ${describe(options[key])}; take true or false`);
  if (typeof body !== "function") throw settingError(name, `the body is ${describe(body)}; pass a function of rows`);
  if (!isPlainObject(tensors))
    throw settingError(name, `the tensors are ${describe(tensors)}; pass values by name: { x: job.data.x }`);
  const entries = Object.entries<Value>(tensors);
  const rows = rowsOf(name, context, entries);
  const batch = batchOf(name, options, rows);
  const outside = context.builder.label("");
  const evaluate = (): Record<Results, Value> => {
    const round = roundOf(context, rows, batch, options.every !== undefined);
    const chosen = chosenRows(round, entries) as Record<Names, Value>;
    const instead = (parameter: Value): Value => {
      const present = options.averaged ? averaged(context, parameter) : parameter;
      return options.snapshot ? snapshotOf(context, round, parameter, present) : present;
    };
    const results: unknown = context.evaluate(() => body(chosen), { outside, instead });
    if (!isPlainObject(results))
      throw settingError(name, `the body returns ${describe(results)}; return f32 values by name`);
    const means = Object.entries(results).map(([key, value]) => [key, meanOf(context, round, key, value)]);
    return Object.fromEntries(means) as Record<Results, Value>;
  };
  return context.scope(name, () => madeOnce(context, `evaluateRows for ${name}`, evaluate));
}

function rowsOf(name: string, context: Context, entries: readonly [string, Value][]): number {
  for (const [key, value] of entries) expectOwn(name, context, key, value);
  const rows = entries[0]?.[1].shape[0];
  if (rows === undefined || rows === 0)
    throw new JobError("DATA", `${name}: there are no rows to evaluate; give a tensor with an axis of rows`);
  for (const [key, value] of entries)
    if (value.shape[0] !== rows)
      throw new JobError(
        "DATA",
        `${name}: ${key} has ${value.shape[0]} rows, but the others have ${rows}; give one row for each example`,
        { expected: rows, found: value.shape[0] },
      );
  return rows;
}

function batchOf(name: string, { batch, every }: EvaluateOptions, rows: number): number {
  if ((batch === undefined) === (every === undefined))
    throw settingError(name, "give one of batch, the rows of a training step, and every, the steps for all rows");
  if (every !== undefined) {
    const least = Math.ceil(rows / countOf(name, "every", every));
    const whole = divisorFrom(rows, least);
    return whole < 2 * least ? whole : least;
  }
  const wanted = countOf(name, "batch", batch);
  if (wanted > rows) throw settingError(name, `batch is ${wanted}, and there are ${rows} rows; take at most ${rows}`);
  return wanted;
}

/** The least divisor of a number that is not below another one. */
function divisorFrom(number: number, least: number): number {
  let divisor = least;
  while (number % divisor !== 0) divisor++;
  return divisor;
}

function roundOf(context: Context, rows: number, batch: number, isDerived: boolean): Round {
  const entry = (which: string): Value =>
    context.state(`${EVALUATION_PREFIX}${context.builder.label(which)}`, { dtype: "i32", shape: [] }, intZeros);
  const [position, before] = [entry("position"), entry("complete")];
  const next = defineProgram("i", (at) => at.lt(rows - batch).selectInt(at.add(batch), 0));
  const atEnd = defineProgram("i", (at) => at.lt(rows - batch).selectInt(0, 1));
  const ends = map(atEnd, [position], { name: "ends", shape: [] });
  const complete = map(ENDED, [before, ends], { name: "complete", shape: [] });
  context.update(position, map(next, [position], { name: "position", shape: [] }));
  context.update(before, complete);
  return { path: context.builder.path, rows, batch, isDerived, position, complete, ends };
}

function chosenRows({ rows, batch, position }: Round, entries: readonly [string, Value][]): Record<string, Value> {
  // Rows after the last one are read as the last one, and do not count.
  const at = defineProgram("ii", (first, offset) => {
    const row = first.add(offset);
    return row.lt(rows).selectInt(row, rows - 1);
  });
  const index = map(at, [broadcastTo(position, [batch]), { coordinate: 0 }], { name: "rows", shape: [batch] });
  return Object.fromEntries(entries.map(([key, value]) => [key, gather(value, index, key)]));
}

/** What a parameter was in the first step of the round, which is an entry of the state. */
function snapshotOf(context: Context, { position, path }: Round, parameter: Value, present: Value): Value {
  const { entries, builder } = context;
  const { name, type, frozen } = entries.of(parameter)!;
  if (frozen) return parameter;
  const entry = {
    name: `${EVALUATION_PREFIX}${path}/weights/${name}`,
    type,
    init: zeros,
    parameter: false,
    frozen: false,
  };
  const kept = entries.find(entry.name)?.value ?? entries.add(entry);
  const operands = [broadcastTo(position, type.shape), kept, present];
  const snapshot = builder.scope("snapshot", () => map(SNAPSHOT, operands, { name, shape: type.shape }));
  entries.setNext(kept, snapshot);
  return snapshot;
}

/** The mean of a result over the rows of the last complete round, or else over those so far. */
function meanOf(context: Context, round: Round, key: string, value: unknown): Value {
  const { rows, batch, isDerived, position, complete, ends } = round;
  if (!(value instanceof Value) || value.dtype !== "f32" || (value.rank > 0 && value.shape[0] !== batch))
    throw settingError(
      context.builder.label(key),
      `the body returns ${value instanceof Value ? value : describe(value)}; return f32 [${batch}, …] or a scalar`,
    );
  if (value.rank === 0 && rows % batch !== 0) {
    const other = divisorFrom(rows, batch);
    const then = isDerived ? `every: ${rows / other}, which is ${other} rows a step` : `a batch that divides ${rows}`;
    throw settingError(
      context.builder.label(key),
      `a scalar is the mean of ${batch} rows, and the last step of a round has ${rows % batch}; return f32 [${batch}], ` +
        `or take ${then}`,
    );
  }
  return context.scope(key, () => {
    const entry = (which: string): Value =>
      context.state(`${EVALUATION_PREFIX}${context.builder.label(which)}`, { dtype: "f32", shape: [] }, zeros);
    const [total, last] = [entry("total"), entry("last")];
    const more = sumOf(round, value);
    const nextTotal = map(TOTAL, [position, total, more], { name: "total", shape: [] });
    const average = defineProgram("if", (at, all) => {
      const count = at.add(batch);
      return all.div(count.lt(rows).selectInt(count, rows).toFloat());
    });
    const soFar = map(average, [position, nextTotal], { name: "mean", shape: [] });
    const nextLast = map(LAST, [ends, soFar, last], { name: "last", shape: [] });
    context.update(total, nextTotal);
    context.update(last, nextLast);
    return map(SHOWN, [complete, nextLast, soFar], { name: "shown", shape: [] });
  });
}

function sumOf({ rows, batch, position }: Round, value: Value): Value {
  if (value.rank === 0) {
    const times = defineProgram("f", (average) => average.mul(batch));
    return map(times, [value], { name: "sum", shape: [] });
  }
  const each = value.rank === 1 ? value : mean(value, [...value.shape.keys()].slice(1));
  const counted = defineProgram("fii", (x, first, offset) => first.add(offset).lt(rows).select(x, 0));
  const operands = [each, broadcastTo(position, [batch]), { coordinate: 0 }];
  return sum(map(counted, operands, { name: "counted", shape: [batch] }), undefined, "sum");
}
