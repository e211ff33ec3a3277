/** A party as the referee meets it: its claim, and a prover that answers from its files. */
import type { RunClaim } from "../claims/claim.ts";
import type { ClaimStore, Purpose } from "../claims/store.ts";
import { VerdeError } from "../errors/index.ts";
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
  return (await claims?.claimOf(run, purposeOf(trace))) ?? { run };
}

export interface OpenedParty {
  readonly prover: TrainingProver;
  /** Whether tensors can be shown. If not, a dispute ends at the operator. */
  readonly canReplay: boolean;
  close(): Promise<void>;
}

/** A party whose files can't be used has no answers. It says why. */
export async function openParty(trace: FinishedTrace, backend?: Backend, claims?: ClaimStore): Promise<OpenedParty> {
  try {
    const memory = await traceMemory(trace, backend);
    const speaker = await claims?.speakerFor(trace.runRoot, purposeOf(trace));
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
