/**
 * A party in a process of its own. Whatever its files, its backend or its process do, the referee keeps
 * running, and knows what became of the party.
 */
import type { ClaimStore } from "../../claims/store.ts";
import { decodeClaim, encodeOpening, MAX_CLAIM, type PartyClaim } from "./messages.ts";
import { PartyProcess, type ProcessLimits, type Program } from "./process.ts";
import { asking, isFailure, Reached, type ReachedParty, type Refusal } from "./reached.ts";

export type { Refusal } from "./reached.ts";

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

/**
 * A party that runs in a process of its own. The process keeps the time limit of each answer, so a referee
 * needs none (`timeout: Infinity`), and can ask two such parties at once (`together`).
 */
export interface ApartParty extends ReachedParty {
  /** The id of the process. */
  readonly pid: number;
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

class Apart extends Reached implements ApartParty {
  private readonly running: PartyProcess;

  constructor(running: PartyProcess, claim: PartyClaim) {
    super(running, claim);
    this.running = running;
  }

  get pid(): number {
    return this.running.pid;
  }
}
