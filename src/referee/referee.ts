/**
 * The referee (spec 7.2): asks two parties, decides, keeps what they said, and counts what it cost.
 */
import type { RunClaim } from "../claims/claim.ts";
import { openBackend } from "../certify/open-backend.ts";
import { bytesEqual, Writer } from "../encoding/bytes.ts";
import { elementBits, firstDifference, type Tensor, tensorRoot } from "../encoding/tensor.ts";
import { messageOf } from "../errors/index.ts";
import type { Pair, Passed, Position, Side } from "../game/level.ts";
import { bothSides, positionOf, SIDES } from "../game/level.ts";
import { ask, byteLength, newTally, type Patience, type Tally } from "../game/play.ts";
import type { Question } from "../game/question.ts";
import type { Backend } from "../repops/backends/backend.ts";
import { reference } from "../repops/backends/reference.ts";
import type { TrainingProver } from "./claim.ts";
import { guarded, type GuardedProver } from "./apart/guarded.ts";
import { scalarStepsOf } from "./cost.ts";
import type { Decision, Undecided } from "./decision.ts";
import type { JobFacts } from "./facts.ts";
import { attempt, hear, type Source } from "./hearing.ts";
import { type Depth, kernelAt } from "./machine.ts";
import { checkInputs, recompute } from "./operator.ts";
import { placeOf } from "./place.ts";
import type { Reply, Round, Showing, Transcript } from "./transcript.ts";

/** How a referee asks and decides. */
export interface RefereeOptions extends Patience {
  /** `scalar` (the default): one scalar step decides. `operator`: the whole operator is recomputed. */
  depth?: Depth;
  /**
   * Whether a party that gives no answer loses. The default is `false`: then nothing is decided, since a
   * party may have lost its files and still be right.
   */
  forfeitSilent?: boolean;
  /**
   * The backend that recomputes a whole operator. It is certified first. The default is the reference
   * backend.
   */
  backend?: Backend | string;
}

/** What a dispute cost the referee. */
export interface Figures {
  /** Scalar steps that the referee executed itself. */
  scalarSteps: number;
  /** Bytes of all answers of both parties, including the one-step proof and the signatures. */
  bytes: number;
  /** Questions that both were asked. */
  rounds: number;
  /** The referee's own time in milliseconds, without the time it waited for the parties. */
  millis: number;
}

/** The end of a dispute, all that was said, and what it cost. */
export interface Heard {
  finding: Decision | Undecided;
  transcript: Transcript;
  figures: Figures;
}

/**
 * Decides between two claims about one job whose run roots differ. Whatever the provers give or throw, it
 * ends. A prover that blocks this thread blocks the referee: run it apart (`openPartyApart`).
 * @param claims with an address, the signatures of this key are asked for and checked
 * @throws {DisputeError} when the roots are equal
 */
export async function arbitrate(
  facts: JobFacts,
  provers: Pair<TrainingProver>,
  claims: Pair<RunClaim>,
  options: RefereeOptions = {},
): Promise<Heard> {
  const began = performance.now();
  const { depth = "scalar", forfeitSilent = false } = options;
  const live = new Parties(
    facts,
    bothSides((side) => guarded(facts, provers[side])),
    claims,
    options,
  );
  const finding = await hear(facts, claims, live, { depth, forfeitSilent });
  const { rounds, bytes, waited } = live.tally;
  const scalarSteps =
    finding.kind === "operator" ? live.scalarSteps : "scalarSteps" in finding ? finding.scalarSteps : 0;
  return {
    finding,
    transcript: { claims, depth, forfeitSilent, rounds: live.rounds, showings: live.showings },
    figures: { scalarSteps: scalarSteps ?? 0, bytes, rounds, millis: performance.now() - began - waited },
  };
}

/**
 * Asks the parties themselves, and records what they reply. The guards of the provers give checked copies.
 */
class Parties implements Source {
  readonly tally: Tally = newTally();
  readonly rounds: Round[] = [];
  readonly showings: Showing[] = [];
  scalarSteps = 0;
  private readonly facts: JobFacts;
  private readonly provers: Pair<GuardedProver>;
  private readonly claims: Pair<RunClaim>;
  private readonly options: RefereeOptions;

  constructor(facts: JobFacts, provers: Pair<GuardedProver>, claims: Pair<RunClaim>, options: RefereeOptions) {
    this.facts = facts;
    this.provers = provers;
    this.claims = claims;
    this.options = options;
  }

  async ask(question: Question, signed: boolean): Promise<Pair<Reply>> {
    const replies = await this.both((side) => this.reply(side, question, signed));
    this.tally.rounds++;
    this.rounds.push({ question, replies });
    return replies;
  }

  private async both<T>(make: (side: Side) => Promise<T>): Promise<Pair<T>> {
    if (!this.options.together) return [await make(0), await make(1)];
    const [began, { waited }] = [performance.now(), { ...this.tally }];
    const made = await Promise.all(bothSides(make));
    this.tally.waited = waited + performance.now() - began;
    return made;
  }

  private async reply(side: Side, question: Question, signed: boolean): Promise<Reply> {
    const prover = this.provers[side];
    const given = await this.from(side, () => prover.answer(question));
    if (!given.value) return failed(given.failure);
    if (!signed || !this.claims[side].address) return { answer: given.value };
    const signature = await this.from(side, () => prover.signature(question.at));
    return { answer: given.value, ...(signature.value ? { signature: signature.value } : failed(signature.failure)) };
  }

  async showStep(side: Side, path: readonly Passed[]): Promise<Showing> {
    const at = positionOf(path);
    const { value, failure } = await this.from(side, () => this.provers[side].witness(at));
    return this.shown({ by: side, ...(value ? { witness: value } : failed(failure)) });
  }

  async showOperator(side: Side, path: readonly Passed[]): Promise<Showing> {
    const at = positionOf(path);
    const { value, failure } = await this.from(side, () => this.provers[side].operands(at));
    if (!value)
      return this.shown({ by: side, ...failed(failure ?? "no answer to the question for the operator's inputs") });
    const inputs = attempt(() => checkInputs(this.facts, path, value, side));
    if (typeof inputs === "string") return this.shown({ by: side, failure: inputs, isWrong: true });
    const kernel = kernelAt(this.facts, placeOf(this.facts, at));
    const { backend } = await openBackend(this.options.backend ?? reference);
    const output = await recompute(kernel, inputs, backend);
    this.scalarSteps = scalarStepsOf(kernel);
    const seen = await this.differenceSeen(at, path[path.length - 1], output);
    return this.shown({ by: side, recomputed: tensorRoot(output), ...(seen && { seen }) });
  }

  /**
   * The first element in which the parties' outputs differ, if both can show the output that they committed
   * to.
   */
  private async differenceSeen(at: Position, { payloads }: Passed, recomputed: Tensor): Promise<Decision["seen"]> {
    const outputs: Tensor[] = [];
    for (const side of SIDES) {
      const { value } = await this.from(side, () => this.provers[side].output(at));
      if (!value || !bytesEqual(tensorRoot(value), payloads[side])) return undefined;
      outputs.push(value);
    }
    const element = firstDifference(outputs[0], outputs[1]);
    if (element === undefined) return undefined;
    const bitsAt = (tensor: Tensor) => new Writer().u32(elementBits(tensor, element)).finish();
    return { element, claimed: bothSides((side) => bitsAt(outputs[side])), recomputed: bitsAt(recomputed) };
  }

  private shown(showing: Showing): Showing {
    this.showings.push(showing);
    return showing;
  }

  /** What a party gives. A failure of the party is no failure of the referee. */
  private async from<T>(side: Side, make: () => Promise<T | undefined>): Promise<{ value?: T; failure?: string }> {
    const { timeout } = this.options;
    const began = performance.now();
    try {
      const value = await ask(make, this.options, this.tally);
      this.tally.bytes += byteLength(value);
      if (value !== undefined && value !== null) return { value };
      const isLate = timeout !== undefined && performance.now() - began >= timeout;
      const why = isLate ? `no answer within ${timeout} ms` : this.provers[side].failure();
      return failed(why);
    } catch (error) {
      return { failure: `it failed: ${messageOf(error)}` };
    }
  }
}

const failed = (failure: string | undefined): { failure?: string } => (failure === undefined ? {} : { failure });
