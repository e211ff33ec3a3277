/** The result of a check in one sentence, for people. */
import { formatCount, formatNumber, formatSeconds } from "../figures.ts";
import type { Facts, Outcome } from "./protocol.ts";

export interface Sentence {
  tone: "good" | "bad" | "neutral";
  /** The result. */
  title: string;
  /** What the result rests on. */
  text: string;
}

/** `0x6e306d02…c3fbce2a`: a shortened root for reading. */
export function shortRoot(root: string): string {
  return `${root.slice(0, 10)}…${root.slice(-8)}`;
}

export function sentenceOf(outcome: Outcome, facts: Facts): Sentence {
  const { start, last, compared, seconds, device, mismatch } = outcome;
  const began =
    start === undefined ? "the initial state" : `the state that the trace commits to after training step ${start}`;
  const first = start === undefined ? 0 : start + 1;
  const steps = first === last ? `training step ${last}` : `training steps ${first} to ${last}`;
  const how = `in ${formatSeconds(seconds)} on ${device}`;
  if (mismatch) return { tone: "bad", ...mismatchOf(mismatch, how) };
  if (compared === 0)
    return {
      tone: "neutral",
      title: "There was no root to compare.",
      text: `This tab re-executed ${steps} of ${facts.job} ${how}, but the trace commits only to every ${facts.commitEvery}th state, and none of these is among them.`,
    };
  const whole = first === 0 && last === facts.steps && facts.runRoot !== undefined;
  return {
    tone: "good",
    title: whole ? "The whole run matches the trace." : `The trace is right about ${steps}.`,
    text: `This tab re-executed ${steps} of ${facts.job} ${how}, from ${began}, and ${rootsMatch(compared)}.`,
  };
}

function mismatchOf(mismatch: NonNullable<Outcome["mismatch"]>, how: string): Pick<Sentence, "title" | "text"> {
  const { step, roots, metric, deviceDiffers, operator, operatorsAgree } = mismatch;
  const what = roots
    ? `the trace claims ${shortRoot(roots.claimed)} for the state after it, but re-execution gives ${shortRoot(roots.recomputed)}`
    : `the trace reports ${metric?.name} ${formatNumber(metric?.claimed ?? 0)}, but re-execution gives ${formatNumber(metric?.recomputed ?? 0)}`;
  if (deviceDiffers)
    return {
      title: `This device is wrong at training step ${step}; the trace is right.`,
      text: `Here ${what}. WebAssembly in the same tab agrees with the trace. So this device does not compute the bits of the specification (${how}).`,
    };
  const where = operator
    ? ` The first operator that differs is ${operator.label} (operator ${operator.kernel}) of training step ${operator.step}.`
    : operatorsAgree
      ? " The outputs of all operators match the trace, but the state that it commits to does not follow from them."
      : "";
  return {
    title: `The trace is wrong at training step ${step}.`,
    text: `Training step ${step} is the first that differs: ${what} (${how}).${where}`,
  };
}

/** @param last the last step that was executed, and whether it matched */
export function cancelledSentence(compared: number, last?: { step: number; agrees: boolean }): Sentence {
  if (last && !last.agrees)
    return {
      tone: "bad",
      title: `Training step ${last.step} does not match.`,
      text: "The search for the reason was cancelled.",
    };
  const match = compared === 0 ? "no root was compared" : rootsMatch(compared);
  const text = last ? `The check had reached training step ${last.step}; ${match}.` : "Nothing had been compared yet.";
  return { tone: "neutral", title: "Cancelled.", text };
}

function rootsMatch(compared: number): string {
  return compared === 1 ? "its root matches" : `all ${formatCount(compared)} roots match`;
}
