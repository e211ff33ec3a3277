/**
 * The tags of hashed content (spec 6.2), and the version of the specification that gives the bytes their
 * meaning.
 */

/** Raised whenever the rules of docs/spec.md change the meaning of a job. */
export const SPEC_VERSION = 4;

/** The first byte of everything that is hashed, so that content of one kind can't be read as another kind. */
export const Tag = {
  node: 0x01,
  chunk: 0x02,
  tensor: 0x03,
  stateLeaf: 0x04,
  state: 0x05,
  opLeaf: 0x06,
  accumulator: 0x07,
  stepLeaf: 0x08,
  segmentLeaf: 0x09,
  run: 0x0a,
  job: 0x0b,
  graph: 0x0c,
  graphNode: 0x0d,
  graphLabel: 0x0e,
  graphHeader: 0x0f,
  counter: 0x10,
  layoutLeaf: 0x11,
  graphOutput: 0x12,
  sealedChunk: 0x13,
  sealKey: 0x14,
  /** 0x15 is free. */
  keystream: 0x16,
  jobInfo: 0x17,
  listLeaf: 0x18,
  lists: 0x19,
  plan: 0x1a,
  planPart: 0x1b,
  instance: 0x1c,
  turnLeaf: 0x1d,
  roundLeaf: 0x1e,
  record: 0x1f,
  roundSeed: 0x20,
  absentLeaf: 0x21,
  seedOrigin: 0x22,
} as const;
export type Tag = (typeof Tag)[keyof typeof Tag];
