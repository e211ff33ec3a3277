/** The shards of a job's batch while its loss is built: what is theirs, and what they share (spec 5.6). */
import { describe, isPlainObject } from "../errors/arguments.ts";
import { JobError } from "../errors/index.ts";
import { slice } from "../graph/ops/slice.ts";
import type { Value } from "../graph/value.ts";
import type { Context } from "./context.ts";
import { expectContext, expectOwn } from "./layers/arguments.ts";
import { settingError } from "./settings.ts";

/** What a shard is told of itself. */
export interface Shard {
  /** Its number, from 0. */
  readonly index: number;
  /** How many shards the batch has. */
  readonly count: number;
}

/** The shards of a batch, of which one is built at a time. */
export class Sharding implements Shard {
  index = 0;
  readonly count: number;
  /** Whether the loss has asked for rows of a shard, or for its number. */
  isUsed = false;
  /** The new values of entries of the state, by entry: one of each shard. */
  readonly updates = new Map<Value, (Value | undefined)[]>();
  private readonly made: { what: string; result: unknown }[] = [];
  private calls = 0;

  constructor(count: number) {
    this.count = count;
  }

  /** Notes that the loss depends on the shard. */
  used(): this {
    this.isUsed = true;
    return this;
  }

  begin(index: number): void {
    this.index = index;
    this.calls = 0;
  }

  /** Keeps the new value of an entry of the state, until all shards have given theirs. */
  setNext(state: Value, next: Value): void {
    const known = [...this.updates.keys()].find(({ source }) => source === state.source) ?? state;
    const values = this.updates.get(known) ?? [];
    values[this.index] = next;
    this.updates.set(known, values);
  }

  /**
   * What the first shard makes outside of all shards; later ones get the same.
   * @throws {JobError} when a later shard asks for something else
   */
  once<T>(context: Context, what: string, make: () => T): T {
    const place = this.calls++;
    if (this.index === 0) {
      context.sharding = undefined;
      try {
        this.made.push({ what, result: context.builder.inShard(undefined, make) });
      } finally {
        context.sharding = this;
      }
    }
    const known = this.made[place];
    if (known?.what === what) return known.result as T;
    throw settingError(
      `shard ${this.index}`,
      `the loss calls ${what} where shard 0 calls ${known?.what ?? "nothing more"}; build the same loss for every shard`,
    );
  }
}

/** Makes something once for all shards of a batch, outside of them. */
export function madeOnce<T>(context: Context, what: string, make: () => T): T {
  return context.sharding ? context.sharding.once(context, what, make) : make();
}

/**
 * The rows of a batch that belong to the present shard: any [batch, …] → [batch / shards, …], a view. All of
 * them in a job without shards.
 * @throws {JobError} when the shards do not divide the batch
 */
export function rowsOfShard(context: Context, call: string, rows: Value): Value {
  const { sharding } = context;
  if (!sharding) return rows;
  const [batch, { index, count }] = [rows.shape[0], sharding];
  if (batch % count !== 0)
    throw new JobError(
      "DATA",
      `${call}: a batch of ${batch} can't be cut into ${count} shards of equal size; take a multiple of ${count}`,
      { batch, shards: count },
    );
  sharding.used();
  const each = batch / count;
  return slice(rows, 0, index * each, (index + 1) * each);
}

/**
 * The rows of several tensors that belong to the shard which is built: each [rows, …] → [rows / shards, …].
 * For a job whose batch is not drawn by `sampleRows`, `epochRows` or `sampleWindows`, which give a shard its
 * rows themselves. A job without shards gets all rows.
 *
 *     const { x, y } = shardRows(job, { x: job.data.x, y: job.data.y });
 *
 * @throws {JobError} when the number of rows is no multiple of the number of shards
 */
export function shardRows<Names extends string>(context: Context, tensors: Record<Names, Value>): Record<Names, Value> {
  expectContext("shardRows", context);
  if (!isPlainObject(tensors))
    throw settingError("shardRows", `the tensors are ${describe(tensors)}; pass values by name: { x: job.data.x }`);
  const cut = Object.entries<Value>(tensors).map(([name, value]) => {
    expectOwn("shardRows", context, name, value);
    if (value.rank === 0) throw settingError("shardRows", `${name} is ${value}, which has no rows`);
    return [name, rowsOfShard(context, "shardRows", value)];
  });
  return Object.fromEntries(cut) as Record<Names, Value>;
}
