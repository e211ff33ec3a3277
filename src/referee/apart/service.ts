/** What a party does in its process: it answers one request after the other, from its memory of its run. */
import type { Bytes } from "../../encoding/bytes.ts";
import { UsageError } from "../../errors/index.ts";
import { decodePlace, decodeQuestion, encodeAnswer } from "../../game/codec.ts";
import { checkQuestion, lengthsOf } from "../../game/question.ts";
import type { Speaker } from "../../claims/store.ts";
import { type TrainingProver, trainingProver } from "../claim.ts";
import { type JobFacts, jobFacts } from "../facts.ts";
import { trainingMachine } from "../machine.ts";
import { encodeOperands, encodeOutput, operatorTypes } from "../tensor-codec.ts";
import type { TraceMemory } from "../trace-memory.ts";
import { encodeWitness } from "../witness-codec.ts";
import {
  decodeOpening,
  decodeRequest,
  encodeClaim,
  encodeFailure,
  encodePrepared,
  encodeReply,
  encodeSignature,
  failureOf,
  type Opening,
  type PartyClaim,
  type Request,
} from "./messages.ts";

/** A run whose claim is known, and that can be replayed. */
export interface Openable {
  readonly claim: PartyClaim;
  remember(): Promise<TraceMemory>;
  /** The key that signs for the run, if it is at hand. */
  speaker(): Promise<Speaker | undefined>;
}

/** A party that can answer. */
interface Ready {
  readonly facts: JobFacts;
  readonly memory: TraceMemory;
  readonly prover: TrainingProver;
}

/** The third byte of an encoded answer says whether there is one. */
const FLAG_AT = 2;

export class PartyService {
  private readonly open: (opening: Opening) => Promise<Openable>;
  private opened: Openable | undefined;
  private ready: Promise<Ready> | undefined;

  constructor(open: (opening: Opening) => Promise<Openable>) {
    this.open = open;
  }

  /** The reply to a request. It never rejects: a failure is a reply too. */
  async replyTo(message: Bytes): Promise<Bytes> {
    try {
      const { request, content } = decodeRequest(message);
      if (request === "open") {
        this.opened = await this.open(decodeOpening(content));
        return encodeReply(encodeClaim(this.opened.claim));
      }
      const party = await (this.ready ??= this.prepare());
      const answer = await ANSWERS[request](party, content);
      const reason = party.prover.failure?.();
      const isNone = request !== "prepare" && answer[FLAG_AT] === 0;
      return isNone && reason !== undefined ? encodeFailure({ code: "", message: reason }) : encodeReply(answer);
    } catch (error) {
      return encodeFailure(failureOf(error));
    }
  }

  async close(): Promise<void> {
    await (await this.ready)?.memory.close();
  }

  private async prepare(): Promise<Ready> {
    if (!this.opened) throw new UsageError("UNKNOWN", "no trace is open; open one first");
    const memory = await this.opened.remember();
    return {
      facts: jobFacts(memory.outline, memory.commitEvery),
      memory,
      prover: trainingProver(memory, await this.opened.speaker()),
    };
  }
}

/** For each request about a prepared party: the bytes of the reply. */
const ANSWERS: Record<Exclude<Request, "open">, (ready: Ready, content: Bytes) => Promise<Bytes>> = {
  prepare: async ({ memory }) => encodePrepared({ canReplay: memory.canReplay, reason: memory.failure() ?? "" }),
  answer: async ({ facts, prover }, content) => {
    const question = decodeQuestion(content);
    const lengths = lengthsOf(checkQuestion(trainingMachine(facts), question), question);
    return encodeAnswer(await prover.answer(question), lengths);
  },
  witness: async ({ prover }, content) => encodeWitness(await prover.witness(decodePlace(content))),
  operands: async ({ facts, prover }, content) => {
    const at = decodePlace(content);
    return encodeOperands(await prover.operands(at), operatorTypes(facts, at));
  },
  output: async ({ facts, prover }, content) => {
    const at = decodePlace(content);
    return encodeOutput(await prover.output(at), operatorTypes(facts, at));
  },
  signature: async ({ prover }, content) => encodeSignature(await prover.signature(decodePlace(content))),
};
