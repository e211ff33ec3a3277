/**
 * What a coordinator and a worker say to each other (docs/data-parallel.md). All types follow from the
 * job, so tensors are sent as their elements alone, and the length of each message is known before it is
 * read.
 */
import { asBytes, type Bytes, bytesEqual, Reader, Writer } from "../encoding/bytes.ts";
import { readElements, type StateRoot, type Tensor, type TensorRoot, type TensorType } from "../encoding/tensor.ts";
import { FormatError } from "../errors/index.ts";
import { quote } from "../errors/text.ts";
import type { JobId } from "../job/closed.ts";
import type { Noted } from "../repops/backends/backend.ts";
import { NOTED } from "../repops/kernels/kernel.ts";
import { checkTensor } from "../repops/numbers/tensors.ts";
import type { Computed } from "./executor.ts";
import type { ShardPlan } from "./plan.ts";

/** Raised by every change of a message. */
const VERSION = 1;
const MAGIC = new TextEncoder().encode("VERDESH");
const KINDS = ["open", "execute"] as const;
const REPLIES = ["done", "stale", "closed", "failed"] as const;
/** The most characters of a worker's reason for a failure. */
const MOST_REASON = 500;

/** The most bytes of a reply that has no tensors. */
export const SHORT_REPLY = 4096;

export type Request =
  /** With a job file. */
  | { readonly kind: "open"; readonly job: Bytes }
  /** With a task. */
  | { readonly kind: "execute"; readonly content: Bytes };

/**
 * Why a worker does not do what it is asked. `stale`: its state is another one. `closed`: it has no such
 * job.
 */
export type Refused =
  | { readonly kind: "stale" }
  | { readonly kind: "closed" }
  | { readonly kind: "failed"; readonly reason: string };
export type Reply = { readonly kind: "done"; readonly content: Bytes } | Refused;

function head(kind: number): Writer {
  return new Writer().bytes(MAGIC).u8(VERSION).u8(kind);
}

/** @throws {FormatError} for other bytes, another version, and an unknown kind */
function openHead<Kind extends string>(message: Bytes, kinds: readonly Kind[], what: string) {
  const reader = new Reader(message, what);
  if (!bytesEqual(reader.bytes(MAGIC.length), MAGIC)) throw reader.error("KIND", "this is no message about shards");
  const version = reader.u8();
  if (version !== VERSION)
    throw new FormatError(
      "VERSION",
      `${what} has the version ${version}, and this program has ${VERSION}; use the same release of Verde on both sides`,
      { expected: VERSION, found: version },
    );
  const kind = kinds[reader.u8()];
  if (kind === undefined) throw reader.error("MALFORMED", "an unknown kind of message");
  return { kind, content: reader.bytes(reader.remaining) };
}

export function encodeRequest(request: Request): Bytes {
  const writer = head(KINDS.indexOf(request.kind));
  return writer.bytes(request.kind === "open" ? request.job : request.content).finish();
}

export function decodeRequest(message: Bytes): Request {
  const { kind, content } = openHead(message, KINDS, "a request about shards");
  return kind === "open" ? { kind, job: content } : { kind, content };
}

export function encodeReply(reply: Reply): Bytes {
  const writer = head(REPLIES.indexOf(reply.kind));
  if (reply.kind === "failed") writer.text(quote(reply.reason, MOST_REASON));
  return (reply.kind === "done" ? writer.bytes(reply.content) : writer).finish();
}

/** @throws {FormatError} for bytes that are no reply */
export function decodeReply(message: Bytes): Reply {
  const { kind, content } = openHead(message, REPLIES, "a worker's reply");
  if (kind === "done") return { kind, content };
  const reader = new Reader(content, "a worker's reply");
  const reply: Refused = kind === "failed" ? { kind, reason: quote(reader.text(), MOST_REASON) } : { kind };
  reader.end();
  return reply;
}

/** What a worker is to do in a training step. */
export interface Task {
  readonly job: JobId;
  readonly step: number;
  /** The root of the entries that shards read, before the step (spec 6.5). */
  readonly root: StateRoot;
  /** The root of the entries to which `entries` are the changes; absent where all of them are given. */
  readonly base?: StateRoot;
  /** Entries by their places in the plan, in ascending order. */
  readonly entries: ReadonlyMap<number, Tensor>;
  readonly shards: readonly number[];
  /** Whether the roots of all operators are wanted. */
  readonly roots: boolean;
}

export function encodeTask({ job, step, root, base, entries, shards, roots }: Task): Bytes {
  const writer = new Writer().bytes(job).u32(step, "a training step").bytes(root);
  writer.u8((base ? 1 : 0) + (roots ? 2 : 0));
  if (base) writer.bytes(base);
  writer.u32(shards.length);
  for (const shard of shards) writer.u32(shard, "a shard");
  writer.u32(entries.size);
  for (const [place, { data }] of entries) writer.u32(place, "an entry").bytes(asBytes(data));
  return encodeRequest({ kind: "execute", content: writer.finish() });
}

/** The job that a task belongs to. */
export const jobOfTask = (content: Bytes): JobId => new Reader(content, "a task").bytes(32) as JobId;

/**
 * @throws {FormatError | ValueError} for a task that does not belong to the job, or an element that is no
 *   vf32
 */
export function decodeTask(content: Bytes, { entryTypes, count }: ShardPlan): Task {
  const reader = new Reader(content, "a task");
  const job = reader.bytes(32) as JobId;
  const step = reader.u32();
  const root = reader.bytes(32).slice() as StateRoot;
  const flags = reader.u8();
  if (flags > 3) throw reader.error("MALFORMED", "unknown flags");
  const base = (flags & 1) > 0 ? { base: reader.bytes(32).slice() as StateRoot } : {};
  const shards = ascending(
    reader,
    reader.list(() => reader.u32(), 4),
    count,
    "shard",
  );
  if (shards.length === 0) throw reader.error("MALFORMED", "no shard");
  const entries = new Map<number, Tensor>();
  let last = -1;
  for (let left = reader.u32(); left > 0; left--) {
    const place = reader.u32();
    if (place <= last || place >= entryTypes.length) throw reader.error("MALFORMED", `no entry ${place} here`);
    entries.set(place, readTensor(reader, entryTypes[place], `entry ${place}`));
    last = place;
  }
  reader.end();
  if (!("base" in base) && entries.size < entryTypes.length) throw reader.error("MALFORMED", "entries are missing");
  return { job, step, root, ...base, entries, shards, roots: (flags & 2) > 0 };
}

/** The most bytes of the reply to a task. */
export function resultBound(plan: ShardPlan, { shards, roots }: Pick<Task, "shards" | "roots">): number {
  const kernels = plan.cutOf(shards).kernels.length;
  return SHORT_REPLY + plan.outputBytes(shards) + kernels * (12 + 5 + (roots ? 32 : 0));
}

/** The bits of `NOTED` that an operator's steps have noted. */
const bitsOf = (noted: Noted): number =>
  (Object.keys(NOTED) as (keyof typeof NOTED)[]).reduce((bits, name) => bits | (noted[name] ? NOTED[name] : 0), 0);

/** What a worker has computed, as the reply to a task. */
export function encodeResult(plan: ShardPlan, { step, root, shards, roots }: Task, computed: Computed): Bytes {
  const writer = new Writer().u32(step).bytes(root);
  for (const tensor of plan.outputsOf(shards)) writer.bytes(asBytes(computed.outputs.get(tensor)!.data));
  writer.u32(computed.outOfRange.length);
  for (const { kernel, count } of computed.outOfRange) writer.u32(kernel).u64(count);
  writer.u8(computed.noted ? 1 : 0).u32(computed.noted?.length ?? 0);
  for (const noted of computed.noted ?? []) writer.u32(noted.kernel).u8(bitsOf(noted));
  if (roots) for (const kernel of plan.cutOf(shards).kernels) writer.bytes(computed.roots.get(kernel)!);
  return writer.finish();
}

/**
 * Reads the reply to a task.
 * @throws {FormatError | ValueError} for what is no reply to this task, and for an element that is no vf32
 */
export function decodeResult(content: Bytes, plan: ShardPlan, task: Task): Computed {
  const reader = new Reader(content, "a worker's result");
  if (reader.u32() !== task.step || !bytesEqual(reader.bytes(32), task.root))
    throw reader.error("MALFORMED", "it is about another state");
  const { kernels } = plan.cutOf(task.shards);
  const outputs = new Map<number, Tensor>();
  for (const tensor of plan.outputsOf(task.shards))
    outputs.set(tensor, readTensor(reader, plan.typeOf(tensor), `the output ${tensor}`));
  const outOfRange = reader.list(() => ({ kernel: reader.u32(), count: reader.u64() }), 12);
  const sees = reader.u8();
  const notes = reader.list(() => ({ kernel: reader.u32(), bits: reader.u8() }), 5);
  for (const list of [outOfRange, notes]) inside(reader, list, kernels);
  if (sees > 1 || notes.some(({ bits }) => bits === 0 || bits > 15)) throw reader.error("MALFORMED", "unknown notes");
  const roots = new Map<number, TensorRoot>();
  if (task.roots) for (const kernel of kernels) roots.set(kernel, reader.bytes(32).slice() as TensorRoot);
  reader.end();
  const noted = notes.map(({ kernel, bits }): Noted => {
    const { above, below, saturated, domain } = NOTED;
    const has = (bit: number): boolean => (bits & bit) > 0;
    return { kernel, above: has(above), below: has(below), saturated: has(saturated), domain: has(domain) };
  });
  return { outputs, outOfRange, ...(sees === 1 && { noted }), roots, captured: new Map() };
}

/** Operators in ascending order, each one of those that were executed. */
function inside(reader: Reader, list: readonly { kernel: number }[], kernels: readonly number[]): void {
  const known = new Set(kernels);
  list.forEach(({ kernel }, i) => {
    if (!known.has(kernel) || (i > 0 && kernel <= list[i - 1].kernel))
      throw reader.error("MALFORMED", `operator ${kernel} is not expected here`);
  });
}

function ascending(reader: Reader, list: readonly number[], count: number, what: string): readonly number[] {
  const wrong = list.find((number, i) => number >= count || (i > 0 && number <= list[i - 1]));
  if (wrong !== undefined) throw reader.error("MALFORMED", `${what} ${wrong} is not expected here`);
  return list;
}

function readTensor(reader: Reader, type: TensorType, what: string): Tensor {
  const tensor = readElements(reader, type);
  checkTensor(tensor, what);
  return tensor;
}
