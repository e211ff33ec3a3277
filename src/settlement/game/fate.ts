/**
 * What an error means for a defence that must not end. The stake is lost if it does, so only what can never
 * succeed is an end, and only before the defence has begun.
 */
import { BaseError } from "viem";
import { ChainError, messageOf, VerdeError } from "../../errors/index.ts";
import { requestFailure } from "../refusal.ts";

/**
 * - `outage`: the node, the network or the account can do nothing at the moment. Everything waits.
 * - `overtaken`: the chain is in another state than the one that the call was made for: another party, or an
 *   earlier transaction of ours, was first; a node lags; a block was dropped. Nothing is wrong. Look again.
 * - `stuck`: this one call, or this one dispute, can't be continued: a trace without its checkpoints, for
 *   example. The others continue, and this one is tried again.
 */
export type Fate = "outage" | "overtaken" | "stuck";

/** Refusals of the contracts that say: the state is another one, or the time has not come. */
export const OTHER_STATE: ReadonlySet<string> = new Set([
  "AlreadySeated",
  "AskedBefore",
  "BracketExists",
  "ChallengesOpen",
  "DemandsOpen",
  "LimitReached",
  "NoChallenge",
  "NoPair",
  "NoSuchBracket",
  "HasJoined",
  "NotBeforeThisGame",
  "NothingToDo",
  "NothingToWin",
  "NothingWaiting",
  "StillOpen",
  "StillPlaying",
  "TooEarly",
  "TooLate",
  "WrongBond",
  "WrongClaims",
  "WrongDemand",
  "WrongDispute",
  "WrongQuestion",
  "WrongResolution",
  "WrongRoundState",
  "WrongSeat",
  "WrongState",
]);

const OUTAGES: ReadonlySet<string> = new Set([
  "ANSWER_FALSE",
  "CODE_FALSE",
  "CONTRACT_KIND",
  "CONTRACT_MISSING",
  "FAILED",
  "FEE",
  "FUNDS",
  "LOGS",
  "NODES_DIFFER",
  "TIMEOUT",
  "UNREACHABLE",
  "WRONG_CHAIN",
]);

/** What a node tells that lacks events which another one has, or whose chain is being reorganized. */
const MOMENTARY: ReadonlySet<string> = new Set([
  "OVERTAKEN",
  "NO_SEAT",
  "TASK_MISSING",
  "ROUNDS_MISSING",
  "UNKNOWN",
  "NO_CLAIM",
]);

/** What can only be mended by whoever has started the defence, and is known before it begins. */
const WRONG_START: ReadonlySet<string> = new Set(["WRONG_CHAIN", "CODE_FALSE", "CONTRACT_KIND", "CONTRACT_MISSING"]);

/** @param error anything that was thrown while a claim is defended */
export function fateOf(error: unknown): Fate {
  const own = ownError(error);
  if (!own) return "stuck";
  const subCode = subCodeOf(own);
  if (own instanceof ChainError && subCode === "REFUSED")
    return OTHER_STATE.has(String(own.evidence.error)) ? "overtaken" : "stuck";
  if (own instanceof ChainError && OUTAGES.has(subCode)) return "outage";
  return MOMENTARY.has(subCode) ? "overtaken" : "stuck";
}

/** Whether a defence that has not begun can begin later: the node is away, for example. */
export function mayBeginLater(error: unknown): boolean {
  const own = ownError(error);
  return fateOf(error) === "outage" && !WRONG_START.has(own ? subCodeOf(own) : "");
}

/** The first line of what an error says, as a clause. */
export function clauseOf(error: unknown): string {
  const [line] = messageOf(ownError(error) ?? error).split("\n");
  // It is run again by itself.
  return line.replace(/; run the same command again.*$/, "");
}

const subCodeOf = ({ code, family }: VerdeError): string => code.slice(family.length + 1);

function ownError(error: unknown): VerdeError | undefined {
  if (error instanceof VerdeError) return error;
  return error instanceof BaseError ? requestFailure(error) : undefined;
}
