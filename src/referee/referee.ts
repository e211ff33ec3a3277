/**
 * The referee (spec 7.2): leads two parties to the place where they differ, decides there, and counts what it
 * cost.
 */
import { elementBits, type Tensor, tensorRoot, firstDifference } from "../encoding/tensor.ts";
import { type Bytes, bytesEqual, Writer } from "../encoding/bytes.ts";
import { VerdeError } from "../errors/index.ts";
import { openBackend } from "../certify/open-backend.ts";
import type { Backend } from "../repops/backends/backend.ts";
import { reference } from "../repops/backends/reference.ts";
import type { TrainingProver } from "./claim.ts";
import type { Decision } from "./decision.ts";
import type { JobFacts } from "./facts.ts";
import { guarded } from "./apart/guarded.ts";
import { scalarStepsOf } from "./cost.ts";
import { compare, groundOf, judge } from "./judge.ts";
import { bothSides, type Pair, type Passed, positionOf, type Side, SIDES } from "../game/level.ts";
import { type Depth, kernelAt, trainingMachine } from "./machine.ts";
import { checkInputs, recompute } from "./operator.ts";
import { placeOf } from "./place.ts";
import { ask, byteLength, newTally, type Patience, play, type Tally } from "../game/play.ts";

/** How a referee asks and decides. */
export interface RefereeOptions extends Patience {
  /** `scalar` (the default): one scalar step decides. `operator`: the whole operator is recomputed. */
  depth?: Depth;
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
  /** Bytes of all answers of both parties, including the one-step proof. */
  bytes: number;
  /** Questions that both were asked. */
  rounds: number;
  /** The referee's own time in milliseconds, without the time it waited for the parties. */
  millis: number;
}

/**
 * Decides between two claims about one job whose run roots differ. Whatever the provers give or throw, there
 * is a decision. A prover that blocks this thread blocks the referee: run it apart (`openPartyApart`).
 * @throws {DisputeError} when the roots are equal
 */
export async function arbitrate(
  facts: JobFacts,
  parties: Pair<TrainingProver>,
  runRoots: Pair<Bytes>,
  options: RefereeOptions = {},
): Promise<{ decision: Decision; figures: Figures }> {
  const provers = bothSides((side) => guarded(facts, parties[side]));
  const began = performance.now();
  const tally = newTally();
  const end = await play(trainingMachine(facts, options.depth), provers, runRoots, tally, options);
  const { decision, scalarSteps } =
    end.phase === "forfeit"
      ? forfeit(end.path, end.reasons)
      : await decide({ facts, provers, path: end.path, tally, options });
  const { rounds, bytes, waited } = tally;
  return { decision, figures: { scalarSteps, bytes, rounds, millis: performance.now() - began - waited } };
}

/** A dispute at the bottom, and the parties that can be asked about it. */
interface Hearing {
  facts: JobFacts;
  provers: Pair<TrainingProver>;
  path: readonly Passed[];
  tally: Tally;
  options: RefereeOptions;
}

interface Decided {
  decision: Decision;
  scalarSteps: number;
}

function forfeit(path: readonly Passed[], reasons: Pair<string | undefined>): Decided {
  const losers = SIDES.filter((side) => reasons[side] !== undefined);
  return { decision: { kind: "forfeit", path, losers, reasons }, scalarSteps: 0 };
}

/** The evidence is agreed, so one party is enough to show it. Both forfeit only if neither shows it. */
async function decide(hearing: Hearing): Promise<Decided> {
  const { facts, path, options } = hearing;
  const isStep = groundOf(facts, placeOf(facts, positionOf(path))) === "scalar";
  const from = isStep && options.depth === "operator" ? decideOnOperator : decideOnStep;
  const first = await from(hearing, 0);
  if (typeof first !== "string") return first;
  const second = await from(hearing, 1);
  return typeof second === "string" ? forfeit(path, [first, second]) : second;
}

/** The decision from the evidence that `side` shows, or the reason why there is none. */
async function decideOnStep({ facts, provers, path, tally, options }: Hearing, side: Side): Promise<Decided | string> {
  const at = positionOf(path);
  const kind = groundOf(facts, placeOf(facts, at));
  const witness = kind === "checkpoint" ? { operands: [] } : await ask(() => provers[side].witness(at), options, tally);
  if (!witness) return "no answer to the question for the operands";
  tally.bytes += byteLength(witness);
  return checked(() => {
    const { scalarSteps, ...judgement } = judge(facts, path, witness, side);
    return { decision: { kind, path, ...judgement, witness, shownBy: side }, scalarSteps };
  });
}

async function decideOnOperator(hearing: Hearing, side: Side): Promise<Decided | string> {
  const { facts, provers, path, tally, options } = hearing;
  const at = positionOf(path);
  const witness = await ask(() => provers[side].operands(at), options, tally);
  if (!witness) return "no answer to the question for the operator's inputs";
  tally.bytes += byteLength(witness);
  const inputs = checked(() => checkInputs(facts, path, witness, side));
  if (typeof inputs === "string") return inputs;
  const kernel = kernelAt(facts, placeOf(facts, at));
  const { backend } = await openBackend(options.backend ?? reference);
  const output = await recompute(kernel, inputs, backend);
  const judgement = compare(path[path.length - 1].payloads, tensorRoot(output));
  const seen = await differenceSeen(hearing, output);
  const decision: Decision = { kind: "operator", path, ...judgement, ...(seen && { seen }) };
  return { decision, scalarSteps: scalarStepsOf(kernel) };
}

/**
 * The first element in which the parties' outputs differ, if both can show the output that they committed to.
 */
async function differenceSeen(
  { provers, path, tally, options }: Hearing,
  recomputed: Tensor,
): Promise<Decision["seen"]> {
  const { payloads } = path[path.length - 1];
  const outputs: Tensor[] = [];
  for (const side of SIDES) {
    const output = await ask(() => provers[side].output(positionOf(path)), options, tally);
    if (!output || !bytesEqual(tensorRoot(output), payloads[side])) return undefined;
    tally.bytes += byteLength(output);
    outputs.push(output);
  }
  const element = firstDifference(outputs[0], outputs[1]);
  if (element === undefined) return undefined;
  const bitsAt = (tensor: Tensor) => new Writer().u32(elementBits(tensor, element)).finish();
  return { element, claimed: bothSides((side) => bitsAt(outputs[side])), recomputed: bitsAt(recomputed) };
}

/** The result of `make`, or the reason why the evidence does not hold. */
function checked<T>(make: () => T): T | string {
  try {
    return make();
  } catch (error) {
    if (error instanceof VerdeError) return error.message;
    throw error;
  }
}
