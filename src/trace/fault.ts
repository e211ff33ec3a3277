/**
 * Faults for drills: a provider deviates in a stated way, and deviates in the same way when its prover
 * replays the run.
 */
import { FormatError } from "../errors/index.ts";

/** A deviation that is planted on purpose, for drills. */
export type Fault =
  /** Flips one bit of one element of an operator's output at one training step (0: the init graph). */
  | { kind: "flip"; step: number; operator: number; element: number; bit: number }
  /** Multiplies the learning rate, from a training step on. */
  | { kind: "lr"; from: number; factor: number }
  /** Trains on another dataset, from a training step on: the job's dataset, moved on by one row. */
  | { kind: "data"; from: number }
  /** Leaves out the work of one training step: the state stays what it was. */
  | { kind: "skip"; step: number };

const FIELDS = {
  flip: ["step", "operator", "element", "bit"],
  lr: ["from", "factor"],
  data: ["from"],
  skip: ["step"],
} as const;

const USAGE = "flip:step=S,operator=N,element=E,bit=B, lr:from=S,factor=F, data:from=S, or skip:step=S";

/** @throws {FormatError} when the text is not a fault */
export function parseFault(text: string): Fault {
  const fail = (problem: string): never => {
    throw new FormatError("MALFORMED", `the fault ${JSON.stringify(text)} ${problem}; write ${USAGE}`, { text });
  };
  const [, kind, list] = /^(\w+):(.+)$/.exec(text) ?? fail("is not understood");
  if (!Object.hasOwn(FIELDS, kind)) fail("has an unknown kind");
  const fields: readonly string[] = FIELDS[kind as Fault["kind"]];
  const values: Record<string, number> = {};
  for (const part of list.split(",")) {
    const [, name, number] = /^(\w+)=(-?[\d.]+(?:e[+-]?\d+)?)$/i.exec(part.trim()) ?? fail(`has the part ${part}`);
    if (!fields.includes(name)) fail(`takes no ${name}`);
    if (Object.hasOwn(values, name)) fail(`gives ${name} twice`);
    values[name] = Number(number);
  }
  if (Object.keys(values).length !== fields.length) fail(`needs ${fields.join(", ")}`);
  for (const field of fields)
    if (field !== "factor" && !(Number.isInteger(values[field]) && values[field] >= 0))
      fail(`needs a whole number for ${field}`);
  if (kind === "flip" && values.bit > 31) fail("names a bit above 31");
  if ((kind === "lr" || kind === "data") && values.from < 1) fail("begins before the first step, which is 1");
  if (kind === "skip" && values.step < 1) fail("skips a step before the first, which is 1");
  if (kind === "lr" && !Number.isFinite(values.factor)) fail("needs a finite factor");
  return { kind, ...values } as Fault;
}

/** The text of a fault, as `parseFault` reads it. */
export function formatFault(fault: Fault): string {
  const values = fault as unknown as Record<string, number>;
  return `${fault.kind}:${FIELDS[fault.kind].map((field) => `${field}=${values[field]}`).join(",")}`;
}
