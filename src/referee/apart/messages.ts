/**
 * What a referee and a party in another process say to each other. A request is its kind and its content; a
 * reply is a flag, then the content or the reason why there is none. Questions, places and answers have the
 * encodings that they have everywhere.
 */
import { type Bytes, Reader, Writer } from "../../encoding/bytes.ts";
import { FormatError, messageOf, VerdeError } from "../../errors/index.ts";
import { Message, openMessage, readFlag, startMessage } from "../../game/codec.ts";
import { MAX_REASON, plainText } from "../../game/received.ts";
import { addressOf, SIGNATURE_BYTES } from "../../claims/signature.ts";
import { ClaimStore } from "../../claims/store.ts";
import { decodeManifest, encodeManifest, type Manifest } from "../../trace/manifest.ts";
import type { RunRoot } from "../../trace/commitments.ts";

/** What a referee can ask for. */
const REQUESTS = ["open", "prepare", "answer", "witness", "operands", "output", "signature"] as const;
export type Request = (typeof REQUESTS)[number];
/** The most bytes of a request. The longest one names a file. */
export const MAX_REQUEST = 2 ** 20;

/** Why a party does not do what it is asked. Both texts come from the party: they are cut, and printable. */
export interface PartyFailure {
  /**
   * The code of an error of its process, such as `VERDE_FORMAT_ALTERED`; `VERDE_FAILURE` for an error without
   * one. Or what became of its process: `ENDED`, `LATE`, `MEMORY`, or `MALFORMED` for a message that is not
   * an answer to what was asked. Empty if it gave no reason.
   */
  readonly code: string;
  readonly message: string;
}

const MAX_CODE = 64;
/** A character of JavaScript is at most three bytes of UTF-8. */
const MAX_FAILURE = 1 + 4 + MAX_CODE + 4 + 3 * MAX_REASON;

export function encodeRequest(request: Request, content: Bytes = new Uint8Array(0)): Bytes {
  return new Writer().u8(REQUESTS.indexOf(request)).bytes(content).finish();
}

/** @throws {FormatError} for an unknown kind of request */
export function decodeRequest(message: Bytes): { request: Request; content: Bytes } {
  const request = REQUESTS[message[0]];
  if (request === undefined) throw new FormatError("KIND", `there is no request of the kind ${message[0]}`);
  return { request, content: message.subarray(1) };
}

/** The most bytes of a reply whose content has at most `most` bytes. */
export function replyBound(most: number): number {
  return 1 + Math.max(most, MAX_FAILURE);
}

export function encodeReply(content: Bytes): Bytes {
  return new Writer().u8(1).bytes(content).finish();
}

export function encodeFailure({ code, message }: PartyFailure): Bytes {
  return new Writer().u8(0).text(code.slice(0, MAX_CODE)).text(plainText(message)).finish();
}

/** @throws {FormatError} for bytes that are neither a content nor a failure */
export function decodeReply(reply: Bytes): Bytes | PartyFailure {
  const reader = new Reader(reply, "a reply");
  if (readFlag(reader)) return reader.bytes(reader.remaining);
  const [code, message] = [reader.text(), plainText(reader.text())];
  reader.end();
  if (!/^[A-Z0-9_]{0,64}$/.test(code)) throw reader.error("MALFORMED", "a code of other characters");
  return { code, message };
}

/** @param error whatever was thrown */
export function failureOf(error: unknown): PartyFailure {
  return { code: error instanceof VerdeError ? error.code : "VERDE_FAILURE", message: plainText(messageOf(error)) };
}

/** What a party's process opens. */
export interface Opening {
  /** The path of the trace. */
  readonly trace: string;
  /** The backend that replays it. Default: the one that the trace names. */
  readonly backend?: string;
  /** The keys of the party. Without them it signs nothing. */
  readonly claims?: ClaimStore;
}

/** Keys pass through the pipe: arguments and the environment of a process can be read by others. */
export function encodeOpening({ trace, backend, claims }: Opening): Bytes {
  const writer = new Writer().text(trace).u8(backend === undefined ? 0 : 1);
  if (backend !== undefined) writer.text(backend);
  writer.u8(claims ? 1 : 0);
  if (!claims) return writer.finish();
  writer.text(claims.folder).u32(claims.extra.length);
  for (const { secret } of claims.extra) writer.bytes(secret);
  return writer.finish();
}

export function decodeOpening(content: Bytes): Opening {
  const reader = new Reader(content, "a request");
  const trace = reader.text();
  const backend = readFlag(reader) ? { backend: reader.text() } : {};
  const claims = readFlag(reader) ? { claims: readClaims(reader) } : {};
  reader.end();
  return { trace, ...backend, ...claims };
}

function readClaims(reader: Reader): ClaimStore {
  const folder = reader.text();
  const secrets = reader.list(() => reader.bytes(32).slice(), 32);
  return new ClaimStore(
    folder,
    secrets.map((secret) => ({ address: addressOf(secret), secret })),
  );
}

/** What a party claims: a run root, and the job and settings of the run. */
export interface PartyClaim {
  readonly runRoot: RunRoot;
  readonly manifest: Manifest;
}

/** The most bytes of a claim. A graph of 10,000 operators has about 2 MB. */
export const MAX_CLAIM = 2 ** 26;

export function encodeClaim({ runRoot, manifest }: PartyClaim): Bytes {
  return new Writer().bytes(runRoot).bytes(encodeManifest(manifest)).finish();
}

/** @throws {VerdeError} when it does not hold the manifest of a consistent job */
export function decodeClaim(content: Bytes): PartyClaim {
  const reader = new Reader(content, "a claim");
  const runRoot = reader.bytes(32).slice() as RunRoot;
  return { runRoot, manifest: decodeManifest(reader.bytes(reader.remaining), "the manifest of a claim") };
}

/** Whether a party can show tensors; if not, why. */
export interface Prepared {
  readonly canReplay: boolean;
  readonly reason: string;
}

/** The most bytes of what `encodePrepared` writes. */
export const MAX_PREPARED = 1 + 4 + 4096;

export function encodePrepared({ canReplay, reason }: Prepared): Bytes {
  return new Writer()
    .u8(canReplay ? 1 : 0)
    .text(plainText(reason))
    .finish();
}

export function decodePrepared(content: Bytes): Prepared {
  const reader = new Reader(content, "a reply");
  const prepared = { canReplay: readFlag(reader), reason: plainText(reader.text()) };
  reader.end();
  return prepared;
}

/** The bytes of an encoded signature. */
export const SIGNATURE_MESSAGE = 3 + SIGNATURE_BYTES;

/** A signature of a tree's root, or the fact that the party does not sign it. */
export function encodeSignature(signature: Bytes | undefined): Bytes {
  const writer = startMessage(Message.signature).u8(signature ? 1 : 0);
  return (signature ? writer.bytes(signature) : writer).finish();
}

/** @throws {FormatError} for bytes that are no signature of 65 bytes */
export function decodeSignature(bytes: Bytes): Bytes | undefined {
  const reader = openMessage(bytes, Message.signature, SIGNATURE_MESSAGE, "a signature");
  const signature = readFlag(reader) ? reader.bytes(SIGNATURE_BYTES).slice() : undefined;
  reader.end();
  return signature;
}
