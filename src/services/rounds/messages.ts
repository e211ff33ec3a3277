/**
 * What a recorder and the participants of a plan say to each other over a network, in CBOR. A participant is
 * asked to perform its leaves; it asks the recorder for what it reads. Statements are signed by their owners,
 * and blobs are checked by their roots, so it does not matter who has sent them. A store is asked by owners
 * to keep leaves, and by the recorder what it has.
 */
import { decode, encode } from "cborg";
import { z } from "zod";
import { type Bytes, toHex } from "../../encoding/bytes.ts";
import type { StateRoot, TensorRoot } from "../../encoding/tensor.ts";
import { FormatError, messageOf } from "../../errors/index.ts";
import type { JobId } from "../../job/closed.ts";
import { VALUE_BYTES } from "../../rounds/beacon.ts";
import type { PlanId } from "../../rounds/plan.ts";
import type { Instance } from "../../rounds/statement.ts";
import type { RunRoot } from "../../trace/commitments.ts";

/** Raised by every change of a message. */
const VERSION = 3;
/** The most bytes of a piece of a blob. */
export const PIECE = 2 ** 20;
/** The most bytes of an answer. The longest one has a piece, or the roots of a state. */
export const MOST_REPLY = 2 ** 22;
/** The most leaves that a leaf reads. */
export const MOST_READ = 2 ** 13;
/** The most characters of a reason. */
const MOST_REASON = 500;

const count = z
  .number()
  .int()
  .nonnegative()
  .max(2 ** 32);
const bytesOf = <T extends Bytes>(length: number) =>
  z
    .instanceof(Uint8Array)
    .refine((value) => value.length === length)
    .transform((value) => value as Bytes as T);
/** The roots of a state's entries. */
export const roots = z.array(bytesOf<TensorRoot>(32)).max(2 ** 16);
/** A signed leaf. */
export const statement = z.strictObject({
  round: count,
  seat: count,
  job: bytesOf<JobId>(32),
  start: bytesOf<StateRoot>(32),
  end: bytesOf<StateRoot>(32),
  signature: bytesOf<Bytes>(65),
});
/** A signed roll. */
export const roll = z.strictObject({
  round: count,
  turn: count,
  present: z.array(z.boolean()).max(2 ** 20),
  signature: bytesOf<Bytes>(65),
});
/** What a store has signed about a place: a receipt with the run, a note of absence without. */
const sentence = z.strictObject({
  store: count,
  round: count,
  seat: count,
  run: bytesOf<RunRoot>(32).optional(),
  signature: bytesOf<Bytes>(65),
});
/** Where a leaf is. */
const leafPlace = { round: count, seat: count };
export const mark = z.strictObject({ rounds: count, root: bytesOf<Bytes>(32), signature: bytesOf<Bytes>(65) });
const blob = z.strictObject({ kind: z.literal("blob"), root: bytesOf<TensorRoot>(32), from: count });
const instance = z.strictObject({
  plan: bytesOf<PlanId>(32),
  salt: bytesOf<Bytes>(32),
  owners: z.array(bytesOf<Bytes>(20)).max(4096),
  recorder: bytesOf<Bytes>(20),
});

/**
 * What somebody is asked that serves a record: of which performance it is, and for parts of its files. No
 * file is asked for by a path.
 */
const SERVER = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("record") }),
  z.strictObject({ kind: z.literal("plan"), from: count }),
  z.strictObject({ kind: z.literal("graph"), root: bytesOf<Bytes>(32), from: count }),
  z.strictObject({ kind: z.literal("log"), from: count }),
  z.strictObject({ kind: z.literal("note"), ...leafPlace, from: count }),
  z.strictObject({ kind: z.literal("tensor"), root: bytesOf<TensorRoot>(32), from: count }),
]);
/**
 * What a participant is asked: who it is, to perform a leaf, to note that a turn was closed without it, or
 * for a part of a blob.
 */
const ASKED = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("hello") }),
  z.strictObject({ kind: z.literal("perform"), instance, ...leafPlace, stop: z.boolean() }),
  z.strictObject({ kind: z.literal("closed"), instance, roll }),
  blob,
]);
/**
 * What a store is asked: who it is, to keep a leaf that its owner has, what the recorder asks of a place of
 * which it knows no leaf, for the leaf of a place that it holds, or for a part of a blob.
 */
const STORE = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("hello") }),
  z.strictObject({ kind: z.literal("keep"), instance, statement, roots }),
  /** The recorder's signature over the request (`requestDigest`). */
  z.strictObject({ kind: z.literal("absence"), instance, ...leafPlace, signature: bytesOf<Bytes>(65) }),
  z.strictObject({ kind: z.literal("held"), instance, ...leafPlace }),
  blob,
]);
/**
 * What the recorder is asked: for a leaf of the record, for the roll of a turn, for what it has signed of so
 * many rounds, or for a part of a blob.
 */
const RECORDER = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("leaf"), ...leafPlace }),
  z.strictObject({ kind: z.literal("roll"), round: count, turn: count }),
  z.strictObject({ kind: z.literal("mark"), rounds: count }),
  blob,
]);
const REPLY = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("here"), address: bytesOf<Bytes>(20) }),
  z.strictObject({ kind: z.literal("working") }),
  z.strictObject({ kind: z.literal("noted") }),
  z.strictObject({ kind: z.literal("leaf"), statement, roots }),
  z.strictObject({ kind: z.literal("roll"), roll }),
  z.strictObject({ kind: z.literal("sentence"), sentence }),
  z.strictObject({ kind: z.literal("held"), statement, roots, sentence }),
  /** With the beacon's value for the round after, where the plan has a beacon. */
  z.strictObject({ kind: z.literal("mark"), mark, beacon: bytesOf<Bytes>(VALUE_BYTES).optional() }),
  z.strictObject({
    kind: z.literal("performed"),
    statement,
    roots,
    metrics: z.array(z.record(z.string().max(200), z.number())).max(2 ** 20),
    /** What it was computed from. */
    read: z.array(statement).max(MOST_READ),
    /** What stores have signed of it, in a plan that has some. */
    receipts: z
      .array(sentence)
      .max(2 ** 10)
      .optional(),
    /** The fault of a drill, as its leaf's file has it. */
    fault: z.unknown().optional(),
  }),
  z.strictObject({ kind: z.literal("piece"), bytes: z.instanceof(Uint8Array).transform((value) => value as Bytes) }),
  z.strictObject({
    kind: z.literal("record"),
    instance: instance.extend({
      /** The chain, and the contract that manages it. */
      chain: z.strictObject({ id: z.number().int().nonnegative(), contract: bytesOf<Bytes>(20) }).optional(),
    }),
  }),
  /** A part of a file, and how many bytes the file has now. */
  z.strictObject({
    kind: z.literal("part"),
    bytes: z.instanceof(Uint8Array).transform((value) => value as Bytes),
    size: count,
  }),
  /** It has no such thing, or has failed. */
  z.strictObject({ kind: z.literal("failed"), code: z.string().max(64), message: z.string().max(MOST_REASON) }),
]);

export type AskedOfParticipant = z.infer<typeof ASKED>;
export type AskedOfStore = z.infer<typeof STORE>;
export type AskedOfRecorder = z.infer<typeof RECORDER>;
export type AskedOfServer = z.infer<typeof SERVER>;
/** What is asked of anybody. */
export type Asked = AskedOfParticipant | AskedOfStore | AskedOfRecorder | AskedOfServer;
export type Reply = z.infer<typeof REPLY>;

const encoded = (message: unknown): Bytes => encode([VERSION, message]);

function decoded<T>(bytes: Bytes, schema: z.ZodType<T>, what: string): T {
  let content: unknown;
  try {
    content = decode(bytes);
  } catch (cause) {
    throw new FormatError("MALFORMED", `${what} is no CBOR: ${messageOf(cause)}`);
  }
  const [version, message] = Array.isArray(content) ? (content as unknown[]) : [];
  if (version !== VERSION)
    throw new FormatError("VERSION", `${what} has another version; use the same version of verde everywhere`);
  const read = schema.safeParse(message);
  if (read.success) return read.data;
  throw new FormatError("MALFORMED", `${what} is not what it should be: ${messageOf(read.error.issues[0])}`);
}

/** The encodings of the messages. Reading throws a `FormatError` for bytes of another form. */
export const messages = {
  ask: encoded as (message: Asked) => Bytes,
  reply: encoded as (message: Reply) => Bytes,
  askedOfParticipant: (bytes: Bytes): AskedOfParticipant => decoded(bytes, ASKED, "a request to a participant"),
  askedOfStore: (bytes: Bytes): AskedOfStore => decoded(bytes, STORE, "a request to a store"),
  askedOfRecorder: (bytes: Bytes): AskedOfRecorder => decoded(bytes, RECORDER, "a request to a recorder"),
  askedOfServer: (bytes: Bytes): AskedOfServer => decoded(bytes, SERVER, "a request for a record"),
  replied: (bytes: Bytes): Reply => decoded(bytes, REPLY, "a reply"),
};

/**
 * Where a participant of a plan answers, where the recorder of an instance does, and where its record is
 * served.
 */
export const subjectOf = (plan: PlanId, participant: string): string =>
  `rounds.${toHex(plan).slice(2, 34)}.${participant}`;
export const recorderSubject = (instance: Bytes): string => `rounds.${toHex(instance).slice(2, 34)}.recorder`;

export const recordSubject = (instance: Bytes): string => `rounds.${toHex(instance).slice(2, 34)}.record`;

/** An instance, as it is sent: its chain is known to those who have a stake. */
export const sentInstance = ({ plan, salt, owners, recorder }: Omit<Instance, "id">) => ({
  plan,
  salt,
  owners: [...owners],
  recorder,
});

/** A reason for a failure, as it is sent. */
export const failed = (code: string, message: string): Reply => ({
  kind: "failed",
  code: code.slice(0, 64),
  message: message.slice(0, MOST_REASON),
});
