/** A party as it presents itself: what its trace claims. It is opened here, or in a process of its own. */
import type { RunClaim } from "../../claims/claim.ts";
import type { ClaimStore } from "../../claims/store.ts";
import { CODES, DisputeError, FormatError, type FormatSubCode, UsageError } from "../../errors/index.ts";
import { isAddress } from "../../formats/http.ts";
import { bothSides, type Pair } from "../../game/level.ts";
import type { Backend } from "../../repops/backends/backend.ts";
import { expectComplete, openTrace } from "../../trace/index.ts";
import { type OpenedParty, openParty } from "../opened-party.ts";
import type { FinishedTrace } from "../trace-memory.ts";
import { openPartyApart, type Refusal } from "./open.ts";
import type { ProcessLimits } from "./process.ts";
import type { ReachedParty } from "./reached.ts";

/** What a party's trace claims, and the way to the party's answers. */
export interface Presented extends Pick<FinishedTrace, "path" | "manifest" | "runRoot"> {
  /**
   * Gets the party ready to answer. If its files can't be used, it has no answers, and says why.
   * @param backend replays a run in this process. A process of its own has opened the one of its options
   */
  open(backend?: Backend): Promise<OpenedParty>;
  /** Ends what was opened. */
  close(): Promise<void>;
  /** Who claims the run, if the party itself has shown that. Absent: this user's own records say it. */
  readonly claim?: RunClaim;
}

/** How parties are opened. */
export interface PresentOptions {
  /** The backend that replays the runs in other processes. */
  backend?: Backend | string;
  claims?: ClaimStore;
  /** The limits of each party's own process. Absent: both answer in this process. */
  apart?: ProcessLimits;
  /** Reaches the party at an address. */
  remote(url: string): Promise<Presented>;
}

/**
 * @param places paths of traces, or addresses of servers that answer for one
 * @throws {FormatError} when a trace can't be read
 * @throws {DisputeError} when the process of a party has failed before the trace was read, or a server shows
 *   no claim
 * @throws {UsageError} when the backend of a party in another process is an object
 */
export async function presentBoth(places: Pair<string>, options: PresentOptions): Promise<Pair<Presented>> {
  const { apart } = options;
  const present = (place: string): Promise<Presented> => {
    if (isAddress(place)) return options.remote(place);
    return apart ? presentApart(place, apart, options) : presentHere(place, options);
  };
  const settled = await Promise.allSettled(bothSides((side) => present(places[side])));
  const failed = settled.find((one) => one.status === "rejected");
  if (!failed) return bothSides((side) => (settled[side] as PromiseFulfilledResult<Presented>).value);
  for (const one of settled) if (one.status === "fulfilled") await one.value.close();
  throw failed.reason;
}

async function presentHere(path: string, { claims }: PresentOptions): Promise<Presented> {
  const trace = expectComplete(await openTrace(path));
  const { manifest, runRoot } = trace;
  let party: OpenedParty | undefined;
  return {
    path,
    manifest,
    runRoot,
    open: async (backend) => (party = await openParty(trace, backend, claims)),
    close: async () => party?.close(),
  };
}

async function presentApart(
  path: string,
  limits: ProcessLimits,
  { backend, claims }: PresentOptions,
): Promise<Presented> {
  if (typeof backend === "object")
    throw new UsageError(
      "CONFLICT",
      "a backend that is an object can't be used in another process; give its name or the file of its module",
      { backend: backend.name },
    );
  const party = await openPartyApart(path, {
    ...limits,
    ...(backend !== undefined && { backend }),
    ...(claims && { claims }),
  });
  if (!party.ok) throw errorOf(path, party);
  const { manifest, runRoot } = party;
  return { path, manifest, runRoot, open: () => opened(party), close: () => party.close() };
}

export async function opened(party: ReachedParty): Promise<OpenedParty> {
  const prepared = await party.prepare();
  const canReplay = prepared.ok ? prepared.canReplay : true;
  return { prover: party.prover, canReplay, close: () => party.close() };
}

/** The error that reading the trace in this process would have thrown. */
function errorOf(path: string, { code, message }: Refusal): Error {
  const subCode = code.replace(/^VERDE_FORMAT_/, "");
  if (code !== subCode && Object.hasOwn(CODES.VERDE_FORMAT, subCode))
    return new FormatError(subCode as FormatSubCode, message, { path });
  return new DisputeError(
    "ANSWER_MISSING",
    `${path} could not be opened: ${message}; restore the file, or allow its process more time and memory`,
    { path, code },
  );
}
