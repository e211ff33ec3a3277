/**
 * A party in a process of its own, for whoever asks: it is started when it is first needed, and again when
 * its process has ended. Its claim is asked for once.
 */
import type { ClaimStore } from "../claims/store.ts";
import type { Bytes } from "../encoding/bytes.ts";
import { DisputeError } from "../errors/index.ts";
import {
  decodeClaim,
  decodeRequest,
  encodeFailure,
  encodeOpening,
  encodeReply,
  encodeRequest,
  MAX_CLAIM,
  MAX_PREPARED,
  type PartyClaim,
  type PartyFailure,
} from "../referee/apart/messages.ts";
import { PartyProcess, type ProcessLimits } from "../referee/apart/process.ts";

/** The most bytes of a reply: the outputs of an operator that is recomputed whole. */
const MAX_REPLY = 2 ** 30;

export interface HostedOptions extends ProcessLimits {
  /** The path of the trace. */
  trace: string;
  /** The backend that replays it. Default: the one that the trace names. */
  backend?: string;
  /** The keys of the party. Without them it signs nothing. */
  claims?: ClaimStore;
}

interface Running {
  readonly process: PartyProcess;
  /** The bytes of the claim, and of what `prepare` said. */
  readonly opened: Bytes;
  readonly prepared: Bytes | PartyFailure;
}

export class HostedParty {
  private readonly options: HostedOptions;
  private running: Promise<Running> | undefined;
  /** How often its process was started. */
  starts = 0;
  /** The id of its process, as long as there is one. */
  pid: number | undefined;
  /** Requests that wait for an answer. */
  waiting = 0;

  constructor(options: HostedOptions) {
    this.options = options;
  }

  /**
   * Starts the process, opens the trace, and gets its replay ready.
   * @throws {DisputeError} when the trace can't be used
   */
  async claim(): Promise<PartyClaim> {
    return decodeClaim((await this.ready()).opened);
  }

  /** The reply to a request. It never rejects: a failure is a reply, too. */
  async replyTo(message: Bytes): Promise<Bytes> {
    this.waiting++;
    try {
      return await this.reply(message);
    } catch (error) {
      const known = error instanceof DisputeError;
      return encodeFailure({
        code: known ? error.code : "VERDE_FAILURE",
        message: known ? error.message : "it failed",
      });
    } finally {
      this.waiting--;
    }
  }

  async close(): Promise<void> {
    const running = await this.running?.catch(() => undefined);
    this.running = undefined;
    await running?.process.close();
  }

  private async reply(message: Bytes): Promise<Bytes> {
    const { request } = decodeRequest(message);
    for (let tries = 1; ; tries++) {
      const { process, opened, prepared } = await this.ready();
      // Where the trace is, is nobody's business: what else the request says is not read.
      if (request === "open") return encodeReply(opened);
      if (request === "prepare") return replyOf(prepared);
      const answer = await process.request(message, MAX_REPLY);
      // Another request may have ended the process. This one is asked once more.
      if (answer instanceof Uint8Array || process.failure === undefined || tries > 1) return replyOf(answer);
    }
  }

  /**
   * The running process. One that has ended is started again, once for each call: a trace that ends its
   * process every time must not keep the server busy for ever.
   */
  private async ready(): Promise<Running> {
    const known = (this.running ??= this.begin());
    const running = await known;
    if (running.process.failure === undefined) return running;
    if (this.running === known) this.running = undefined;
    return (this.running ??= this.begin());
  }

  private begin(): Promise<Running> {
    const started: Promise<Running> = this.start().catch((error: unknown) => {
      if (this.running === started) this.running = undefined;
      throw error;
    });
    return started;
  }

  private async start(): Promise<Running> {
    const { trace, backend, claims, memory, timeout } = this.options;
    const limits = { ...(memory !== undefined && { memory }), ...(timeout !== undefined && { timeout }) };
    this.starts++;
    const process = await PartyProcess.start(limits);
    this.pid = process.pid;
    const opening = encodeOpening({ trace, ...(backend !== undefined && { backend }), ...(claims && { claims }) });
    const opened = await process.request(encodeRequest("open", opening), MAX_CLAIM);
    if (!(opened instanceof Uint8Array)) {
      await process.close();
      throw new DisputeError("ANSWER_MISSING", `${trace} can't be opened: ${opened.message}`, { code: opened.code });
    }
    return { process, opened, prepared: await process.request(encodeRequest("prepare"), MAX_PREPARED) };
  }
}

const replyOf = (answer: Bytes | PartyFailure): Bytes =>
  answer instanceof Uint8Array ? encodeReply(answer) : encodeFailure(answer);
