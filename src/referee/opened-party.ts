/** A party as the referee meets it: its claim, and a prover that answers from its files. */
import type { RunClaim } from "../claims/claim.ts";
import type { ClaimStore, Purpose, Speaker } from "../claims/store.ts";
import { FormatError, KeyError, messageOf, UsageError, VerdeError } from "../errors/index.ts";
import type { Backend } from "../repops/backends/backend.ts";
import { type TrainingProver, trainingProver } from "./claim.ts";
import { type FinishedTrace, traceMemory } from "./trace-memory.ts";

/** A drill says what is wrong, so it speaks with a key of its own. */
export function purposeOf({ manifest }: Pick<FinishedTrace, "manifest">): Purpose {
  return manifest.fault ? "drill" : "own";
}

/** The claim that a trace makes: with the address of the key that claimed the run, if this user knows one. */
export async function claimOf(
  trace: Pick<FinishedTrace, "manifest" | "runRoot">,
  claims?: ClaimStore,
): Promise<RunClaim> {
  const { runRoot: run } = trace;
  return (await claims?.claimOf(run, purposeOf(trace)).catch(nothingOfKeys)) ?? { run };
}

export interface OpenedParty {
  readonly prover: TrainingProver;
  /** Whether tensors can be shown. If not, a dispute ends at the operator. */
  readonly canReplay: boolean;
  close(): Promise<void>;
}

/** The key that speaks for a run. One that can't be used does not keep the party from answering, unsigned. */
export async function speakerOf(
  trace: Pick<FinishedTrace, "manifest" | "runRoot">,
  claims?: ClaimStore,
): Promise<Speaker | undefined> {
  return claims?.speakerFor(trace.runRoot, purposeOf(trace)).catch(nothingOfKeys);
}

/** Why nothing can be signed for a run, although this user has claims. */
export async function whyUnsigned(
  trace: Pick<FinishedTrace, "manifest" | "runRoot">,
  claims?: ClaimStore,
): Promise<string | undefined> {
  try {
    await claims?.speakerFor(trace.runRoot, purposeOf(trace));
    return undefined;
  } catch (error) {
    nothingOfKeys(error);
    return messageOf(error);
  }
}

function nothingOfKeys(error: unknown): undefined {
  if (error instanceof KeyError || error instanceof FormatError || error instanceof UsageError) return undefined;
  throw error;
}

/** A party whose files can't be used has no answers. It says why. */
export async function openParty(trace: FinishedTrace, backend?: Backend, claims?: ClaimStore): Promise<OpenedParty> {
  try {
    const memory = await traceMemory(trace, backend);
    const speaker = await speakerOf(trace, claims);
    return { prover: trainingProver(memory, speaker), canReplay: memory.canReplay, close: () => memory.close() };
  } catch (error) {
    if (!(error instanceof VerdeError)) throw error;
    return { prover: silentProver(error.message), canReplay: true, close: async () => undefined };
  }
}

function silentProver(reason: string): TrainingProver {
  const nothing = async (): Promise<undefined> => undefined;
  return {
    answer: nothing,
    witness: nothing,
    operands: nothing,
    output: nothing,
    signature: nothing,
    failure: () => reason,
  };
}
