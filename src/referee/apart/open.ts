/**
 * A party in a process of its own. Whatever its files, its backend or its process do, the referee keeps
 * running, and knows what became of the party.
 */
import type { Bytes } from "../../encoding/bytes.ts";
import type { ClaimStore } from "../../claims/store.ts";
import { decodeAnswer, encodePlace, encodeQuestion } from "../../game/codec.ts";
import { checkBottom, checkPlace, checkQuestion, lengthsOf } from "../../game/question.ts";
import { jobFacts } from "../facts.ts";
import { trainingMachine } from "../machine.ts";
import { decodeOperands, decodeOutput, operandsBytes, operatorTypes, outputBytes } from "../tensor-codec.ts";
import { decodeWitness, witnessBound } from "../witness-codec.ts";
import { type GuardedProver, MALFORMED } from "./guarded.ts";
import {
  decodeClaim,
  decodePrepared,
  decodeSignature,
  encodeOpening,
  encodeRequest,
  failureOf,
  MAX_CLAIM,
  type PartyClaim,
  type PartyFailure,
  type Prepared,
  type Request,
  SIGNATURE_MESSAGE,
} from "./messages.ts";
import { PartyProcess, type ProcessLimits, type Program } from "./process.ts";

/** How a party is run apart. */
export interface ApartOptions extends ProcessLimits {
  /**
   * The backend that replays the run: its name, `auto`, or the file of a module that exports one. It is
   * certified first. Default: the backend that the trace names.
   */
  backend?: string;
  /** The keys of this user. A run that one of them has claimed is answered for with signatures. */
  claims?: ClaimStore;
}

/** The party can't take part: its files, its backend or its process fail. This is nobody else's fault. */
export interface Refusal extends PartyFailure {
  readonly ok: false;
}

/**
 * A party that runs in a process of its own. The process keeps the time limit of each answer, so a referee
 * needs none (`timeout: Infinity`), and can ask two such parties at once (`together`).
 */
export interface ApartParty extends PartyClaim {
  readonly ok: true;
  /**
   * It never throws for anything that the party does: then there is no answer, and `failure()` says why. It
   * throws a {DisputeError} for a place that the job does not have.
   */
  readonly prover: GuardedProver;
  /** The id of the process. */
  readonly pid: number;
  /**
   * Gets the replay ready: certifies the backend, and reads the dataset. Without this call the first question
   * does it.
   */
  prepare(): Promise<(Prepared & { readonly ok: true }) | Refusal>;
  /** Why the party last gave no answer. */
  failure(): string | undefined;
  /** Ends the process. Further calls have no effect. */
  close(): Promise<void>;
}

/**
 * Opens a finished run in a process of its own.
 * @param trace the path of the trace
 * @param program only tests give one
 * @returns the party, or why its files can't be used; then its process has ended
 * @throws {Error} when the process can't be started, which is not the party's fault
 * @throws {UsageError} where there are no processes, as in a browser
 */
export async function openPartyApart(
  trace: string,
  options: ApartOptions = {},
  program?: Program,
): Promise<ApartParty | Refusal> {
  const { backend, claims, ...limits } = options;
  const running = await PartyProcess.start(limits, program);
  const opening = encodeOpening({ trace, ...(backend !== undefined && { backend }), ...(claims && { claims }) });
  const claim = await asking(running)("open", opening, MAX_CLAIM, decodeClaim);
  if (isFailure(claim)) {
    await running.close();
    return { ok: false, ...claim };
  }
  return new Apart(running, claim);
}

const isFailure = (value: object): value is PartyFailure => "code" in value && "message" in value;

type Asking = <T extends object>(
  request: Request,
  content: Bytes,
  most: number,
  decode: (content: Bytes) => T,
) => Promise<T | PartyFailure>;

/** Whatever is sent is decoded within its bounds, or it is a failure of the party. */
function asking(running: PartyProcess): Asking {
  return async (request, content, most, decode) => {
    const reply = await running.request(encodeRequest(request, content), most);
    if (!(reply instanceof Uint8Array)) return reply;
    try {
      return decode(reply);
    } catch (error) {
      return { code: "MALFORMED", message: `its process sent no valid reply: ${failureOf(error).message}` };
    }
  };
}

class Apart implements ApartParty {
  readonly ok = true;
  readonly runRoot: PartyClaim["runRoot"];
  readonly manifest: PartyClaim["manifest"];
  readonly prover: GuardedProver;
  private readonly running: PartyProcess;
  private readonly send: Asking;
  private reason: string | undefined;

  constructor(running: PartyProcess, { runRoot, manifest }: PartyClaim) {
    this.running = running;
    this.send = asking(running);
    this.runRoot = runRoot;
    this.manifest = manifest;
    this.prover = this.proverOf();
  }

  get pid(): number {
    return this.running.pid;
  }

  async prepare(): Promise<(Prepared & { readonly ok: true }) | Refusal> {
    const prepared = await this.send("prepare", new Uint8Array(0), 1 + 4 + 4096, decodePrepared);
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
    return this.running.close();
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
