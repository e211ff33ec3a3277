/** What a test and its rogue process both know. */
import type { Fault } from "../remembered-run.ts";

export const COMMIT_EVERY = 2;
/** The fault of the rogue's run: the dispute about it passes every level. */
export const FAULT: Fault = { step: 2, at: { kernel: 2 }, element: 5, flip: 0x3f000000 };

/** Ways to misbehave. */
export type Way =
  | "obeys"
  | "is silent"
  | "blocks"
  | "exits"
  | "exits with a code"
  | "throws"
  | "takes memory"
  | "takes buffers"
  | "sends noise"
  | "sends a frame of noise"
  | "sends nothing in a frame"
  | "announces 4 GB"
  | "replies twice"
  | "replies again later"
  | "replies byte by byte"
  | "cuts its reply and exits"
  | "sends another kind of message"
  | "sends another length"
  | "sends another version"
  | "contradicts itself"
  | "gives an essay as its reason"
  | "gives a code of its own"
  | "floods its outputs";
