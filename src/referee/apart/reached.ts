/**
 * A party that is asked by messages, wherever it is: in a process of its own, or on a server. Whatever it
 * sends, the referee gets values of the declared types, or knows why there are none.
 */
import type { Bytes } from "../../encoding/bytes.ts";
import { decodeAnswer, encodePlace, encodeQuestion } from "../../game/codec.ts";
import { checkBottom, checkPlace, checkQuestion, lengthsOf } from "../../game/question.ts";
import { jobFacts } from "../facts.ts";
import { trainingMachine } from "../machine.ts";
import { decodeOperands, decodeOutput, operandsBytes, operatorTypes, outputBytes } from "../tensor-codec.ts";
import { decodeWitness, witnessBound } from "../witness-codec.ts";
import { type GuardedProver, MALFORMED } from "./guarded.ts";
import {
  decodePrepared,
  decodeSignature,
  encodeRequest,
  failureOf,
  MAX_PREPARED,
  type PartyClaim,
  type PartyFailure,
  type Prepared,
  type Request,
  SIGNATURE_MESSAGE,
} from "./messages.ts";

/** The way to a party. */
export interface Channel {
  /**
   * Sends a request.
   * @param most the most bytes of the answer's content
   * @returns the content, or why there is none. It never rejects
   */
  request(message: Bytes, most: number): Promise<Bytes | PartyFailure>;
  close(): Promise<void>;
}

/** The party can't take part: its files, its backend or its process fail. This is nobody else's fault. */
export interface Refusal extends PartyFailure {
  readonly ok: false;
}

/** A party whose claim is known, and that can be asked. */
export interface ReachedParty extends PartyClaim {
  readonly ok: true;
  /**
   * It never throws for anything that the party does: then there is no answer, and `failure()` says why. It
   * throws a {DisputeError} for a place that the job does not have.
   */
  readonly prover: GuardedProver;
  /**
   * Gets the replay ready: certifies the backend, and reads the dataset. Without this call the first question
   * does it.
   */
  prepare(): Promise<(Prepared & { readonly ok: true }) | Refusal>;
  /** Why the party last gave no answer. */
  failure(): string | undefined;
  /** Ends what was opened. Further calls have no effect. */
  close(): Promise<void>;
}

export const isFailure = (value: object): value is PartyFailure => "code" in value && "message" in value;

type Asking = <T extends object>(
  request: Request,
  content: Bytes,
  most: number,
  decode: (content: Bytes) => T,
) => Promise<T | PartyFailure>;

/** Whatever is sent is decoded within its bounds, or it is a failure of the party. */
export function asking(channel: Channel): Asking {
  return async (request, content, most, decode) => {
    const reply = await channel.request(encodeRequest(request, content), most);
    if (!(reply instanceof Uint8Array)) return reply;
    try {
      return decode(reply);
    } catch (error) {
      return { code: "MALFORMED", message: `it sent no valid reply: ${failureOf(error).message}` };
    }
  };
}

/** A party at the other end of a channel. */
export class Reached implements ReachedParty {
  readonly ok = true;
  readonly runRoot: PartyClaim["runRoot"];
  readonly manifest: PartyClaim["manifest"];
  readonly prover: GuardedProver;
  private readonly channel: Channel;
  private readonly send: Asking;
  private reason: string | undefined;

  constructor(channel: Channel, { runRoot, manifest }: PartyClaim) {
    this.channel = channel;
    this.send = asking(channel);
    this.runRoot = runRoot;
    this.manifest = manifest;
    this.prover = this.proverOf();
  }

  async prepare(): Promise<(Prepared & { readonly ok: true }) | Refusal> {
    const prepared = await this.send("prepare", new Uint8Array(0), MAX_PREPARED, decodePrepared);
    if (isFailure(prepared)) {
      this.reason = prepared.message;
      return { ok: false, ...prepared };
    }
    if (!prepared.canReplay) this.reason = prepared.reason;
    return { ok: true, ...prepared };
  }

  failure(): string | undefined {
    return this.reason;
  }

  close(): Promise<void> {
    return this.channel.close();
  }

  /** What decodes to `undefined` is boxed, so that it differs from a failure. */
  private async answered<T>(
    request: Request,
    content: Bytes,
    most: number,
    decode: (content: Bytes) => T | undefined,
    wrong?: T,
  ): Promise<T | undefined> {
    const reply = await this.send(request, content, most, (bytes) => ({ value: decode(bytes) }));
    if (!isFailure(reply)) return reply.value;
    this.reason = reply.message || "it gave no reason";
    return reply.code === "MALFORMED" ? wrong : undefined;
  }

  private proverOf(): GuardedProver {
    const facts = jobFacts(this.manifest.outline, this.manifest.commitEvery);
    const machine = trainingMachine(facts);
    return {
      failure: () => this.reason,
      answer: async (question) => {
        const lengths = lengthsOf(checkQuestion(machine, question), question);
        const most = lengths.reduce((sum, length) => sum + length, 3);
        return this.answered(
          "answer",
          encodeQuestion(question),
          most,
          (bytes) => decodeAnswer(bytes, lengths),
          MALFORMED.answer,
        );
      },
      witness: async (at) => {
        checkBottom(machine, at);
        const bound = witnessBound(facts, at);
        return this.answered(
          "witness",
          encodePlace(at),
          bound.bytes,
          (bytes) => decodeWitness(bytes, bound),
          MALFORMED.witness,
        );
      },
      operands: async (at) => {
        const types = operatorTypes(facts, at);
        return this.answered(
          "operands",
          encodePlace(at),
          operandsBytes(types),
          (bytes) => decodeOperands(bytes, types),
          MALFORMED.operands,
        );
      },
      output: async (at) => {
        const types = operatorTypes(facts, at);
        return this.answered("output", encodePlace(at), outputBytes(types), (bytes) => decodeOutput(bytes, types));
      },
      signature: async (at) => {
        checkPlace(machine, at);
        return this.answered("signature", encodePlace(at), SIGNATURE_MESSAGE, decodeSignature);
      },
    };
  }
}
