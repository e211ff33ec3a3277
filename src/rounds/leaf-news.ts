/** What is said of a leaf's checkpoints. */
import { JobError, messageOf, type VerdeError } from "../errors/index.ts";

/** What becomes of a leaf's checkpoints. */
export type LeafNews =
  /** It continues after a training step. `damage`: what is wrong with a newer state. */
  | { readonly kind: "continued"; readonly step: number; readonly steps: number; readonly damage?: string }
  /** There was a trace, and it can't be continued. */
  | { readonly kind: "anew"; readonly why: string }
  /** Another process has the trace, perhaps one that is ending. */
  | { readonly kind: "waiting"; readonly why: string }
  /** Nothing more is kept. The leaf is computed all the same. */
  | { readonly kind: "unkept"; readonly why: string }
  /** The leaf is signed, and its trace could not be removed. */
  | { readonly kind: "left"; readonly why: string };

/** What an error says is wrong, without what to do about it. */
export const problemOf = (error: unknown): string => messageOf(error).split("; ")[0];

/** Why a trace can't be continued. */
export function whyAnew(error: VerdeError): string {
  if (error.code === "VERDE_FORMAT_VERSION") return "another version of Verde has written its trace";
  if (!(error instanceof JobError)) return problemOf(error);
  const { what, expected, found } = error.evidence;
  if (typeof what === "string") return `its trace has the ${what} ${String(expected)}, and not ${String(found)}`;
  return "its trace is of another job: what the leaf reads, or who was there, has changed";
}

/** What is said of it, for people: `continues local-2 of round 3 at step 400 of 500`. */
export function describeNews(leaf: string, round: number, news: LeafNews): string {
  const name = `${leaf} of round ${round}`;
  if (news.kind === "anew") return `begins ${name} anew: ${news.why}`;
  if (news.kind === "waiting") return `waits with ${name}: ${news.why}`;
  if (news.kind === "unkept") return `computes ${name} without checkpoints: ${news.why}`;
  if (news.kind === "left") return `leaves the trace of ${name}: ${news.why}`;
  const { step, steps, damage } = news;
  return `continues ${name} at step ${step} of ${steps}${damage === undefined ? "" : `, since ${damage}`}`;
}
