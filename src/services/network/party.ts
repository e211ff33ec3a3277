/**
 * A party of a dispute on a network: its address, the process that answers for it, and the way to it. The
 * referee's questions and the answers are those that they are everywhere; here they are signed and carried.
 */
import type { Bytes } from "../../encoding/bytes.ts";
import { messageOf, TransportError } from "../../errors/index.ts";
import { LONGEST_TIMER } from "../../game/play.ts";
import { decodeReply, MAX_REQUEST, type PartyFailure, replyBound } from "../../referee/apart/messages.ts";
import type { Channel } from "../../referee/apart/reached.ts";
import type { HostedParty } from "../hosted-party.ts";
import type { Ending, Transport } from "../transport/transport.ts";
import { type NetworkKey, PUBLIC_KEY } from "./key.ts";
import { answerSigned, askSigned } from "./signed.ts";

/** Who answers, on which network. */
export interface PartyAddress {
  /** The address of the network, such as `nats://127.0.0.1:4222`. */
  readonly network: string;
  readonly publicKey: string;
  readonly topic?: string;
}

const TOPIC = /^[A-Za-z0-9_-]{1,100}$/;

/** `nats://HOST:PORT/KEY` or `http://HOST:PORT/KEY/TOPIC`; `undefined` for any other text. */
export function parsePartyAddress(text: string): PartyAddress | undefined {
  const [, network, publicKey, topic] = /^([a-z]+:\/\/[^/]+)\/([^/]+)(?:\/([^/]+))?$/i.exec(text) ?? [];
  if (network === undefined || !PUBLIC_KEY.test(publicKey)) return undefined;
  if (topic !== undefined && !TOPIC.test(topic)) return undefined;
  return { network, publicKey, ...(topic !== undefined && { topic }) };
}

export function formatPartyAddress({ network, publicKey, topic }: PartyAddress): string {
  return [network, publicKey, ...(topic === undefined ? [] : [topic])].join("/");
}

/**
 * Answers the questions of referees for a trace.
 * @param topic tells it from others that the same key answers for
 */
export function answerFor(transport: Transport, key: NetworkKey, party: HostedParty, topic?: string): Promise<Ending> {
  return answerSigned(transport, key, topic, async (message) => {
    if (message.length > MAX_REQUEST) throw new TransportError("TOO_LARGE", "the question is too long; send less");
    return party.replyTo(message);
  });
}

/** The way to a party on a network. What its key has not signed is not its answer. */
export class NetworkChannel implements Channel {
  private readonly transport: Transport;
  private readonly to: Pick<PartyAddress, "publicKey" | "topic">;
  private readonly timeout: number;

  /** @param timeout milliseconds for one answer */
  constructor(transport: Transport, to: Pick<PartyAddress, "publicKey" | "topic">, timeout: number) {
    this.transport = transport;
    this.to = to;
    this.timeout = Math.min(timeout, LONGEST_TIMER);
  }

  async request(message: Bytes, most: number): Promise<Bytes | PartyFailure> {
    const { transport, to, timeout } = this;
    let reply: Bytes;
    try {
      reply = await askSigned(transport, to, { message, most: replyBound(most), timeout });
    } catch (error) {
      return { code: "UNREACHABLE", message: messageOf(error) };
    }
    try {
      return decodeReply(reply);
    } catch (error) {
      return { code: "MALFORMED", message: messageOf(error) };
    }
  }

  /** The transport belongs to whoever opened it. */
  async close(): Promise<void> {}
}
