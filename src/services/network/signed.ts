/**
 * Questions whose answers are signed: a transport may be shared with strangers, and who answers under a
 * subject may be anybody. Only what the key has signed is the key's answer. The question has a number that is
 * used once, so an answer can't be given a second time.
 */
import { type Bytes, bytesEqual, Reader, Writer } from "../../encoding/bytes.ts";
import { sha256 } from "../../encoding/hash.ts";
import { TransportError } from "../../errors/index.ts";
import type { Ending, Transport } from "../transport/transport.ts";
import { isSignedBy, NETWORK_SIGNATURE_BYTES, type NetworkKey } from "./key.ts";

const VERSION = 1;
const NONCE_BYTES = 16;
/** What a signed answer has beside its content. */
const SIGNED_BYTES = 1 + NETWORK_SIGNATURE_BYTES;

/** The subject of what a key answers for. @param topic what it is about, if the key answers for several */
export const subjectOf = (publicKey: string, topic?: string): string =>
  topic === undefined ? `party.${publicKey}` : `party.${publicKey}.${topic}`;

/** Answers questions under the key's subject. */
export function answerSigned(
  transport: Transport,
  key: NetworkKey,
  topic: string | undefined,
  answerer: (content: Bytes) => Promise<Bytes>,
): Promise<Ending> {
  const subject = subjectOf(key.publicKey, topic);
  return transport.answer(subject, async (message) => {
    const reader = new Reader(message, "a question");
    if (reader.u8() !== VERSION) throw reader.error("VERSION", "another version of the encoding");
    const nonce = reader.bytes(NONCE_BYTES);
    const content = reader.bytes(reader.remaining);
    const answer = await answerer(content);
    const signature = key.sign(sentence(subject, nonce, content, answer));
    return new Writer().u8(VERSION).bytes(signature).bytes(answer).finish();
  });
}

/**
 * Asks a key.
 * @throws {TransportError} when there is no answer, or it is not signed by the key (FOREIGN)
 */
export async function askSigned(
  transport: Transport,
  { publicKey, topic }: { readonly publicKey: string; readonly topic?: string | undefined },
  { message: content, most, timeout }: { readonly message: Bytes; readonly most: number; readonly timeout: number },
): Promise<Bytes> {
  const subject = subjectOf(publicKey, topic);
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const message = new Writer().u8(VERSION).bytes(nonce).bytes(content).finish();
  const bytes = await transport.ask(subject, { message, most: most + SIGNED_BYTES, timeout });
  const answer = bytes.subarray(SIGNED_BYTES);
  const isOurs = bytes.length >= SIGNED_BYTES && bytesEqual(bytes.subarray(0, 1), Uint8Array.of(VERSION));
  if (isOurs && isSignedBy(publicKey, sentence(subject, nonce, content, answer), bytes.subarray(1, SIGNED_BYTES)))
    return answer;
  throw new TransportError("FOREIGN", `an answer for ${subject} is not signed by its key; somebody else has sent it`, {
    subject,
  });
}

function sentence(subject: string, nonce: Bytes, question: Bytes, answer: Bytes): Bytes {
  return new Writer()
    .text("Verde answer 1")
    .text(subject)
    .bytes(nonce)
    .bytes(sha256(question))
    .bytes(sha256(answer))
    .finish();
}
