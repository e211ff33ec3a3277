/**
 * Faults for drills: what a participant does wrong on purpose, and the execution that does it in the same way
 * each time.
 */
import type { Bytes } from "../encoding/bytes.ts";
import { elementCount } from "../encoding/tensor.ts";
import { RoundsError } from "../errors/index.ts";
import { quote } from "../errors/text.ts";
import type { NamedTensor } from "../job/closed.ts";
import type { AnyExecution } from "../trace/execution.ts";
import { isToldPresence, type LeafPlace, type Plan, sourcesOf } from "./plan.ts";
import type { Reads } from "./roll.ts";

/** What is wrong in a leaf. */
export type LeafFault =
  /** One bit of an operator's output in a step; step 0 is the init graph. */
  | {
      readonly kind: "flip";
      readonly step: number;
      readonly operator: number;
      readonly element: number;
      readonly bit: number;
    }
  /** Only so many steps are taken; the state then stays. */
  | { readonly kind: "steps"; readonly count: number }
  /** One bit of an entry of the state that is handed on. */
  | { readonly kind: "message"; readonly entry: number; readonly element: number; readonly bit: number }
  /** One member of what is read is left out: another member's leaf is read twice. */
  | { readonly kind: "aggregate"; readonly drop: number }
  /** One source is read as it was a round before. */
  | { readonly kind: "stale"; readonly source: number }
  /** One source is read as present where its member was away, or as absent where it was there. */
  | { readonly kind: "presence"; readonly source: number }
  /** One bit of what the round's seeds follow from, so that other random numbers are drawn. */
  | { readonly kind: "seed"; readonly bit: number };

/** A fault, and the leaf that has it. */
export interface PlantedFault extends LeafPlace {
  readonly fault: LeafFault;
}

const FIELDS = {
  flip: { step: 1, operator: 0, element: 0, bit: 20 },
  steps: { count: 0 },
  message: { entry: 0, element: 0, bit: 20 },
  aggregate: { drop: 0 },
  stale: { source: 0 },
  presence: { source: 0 },
  seed: { bit: 0 },
} as const satisfies Record<LeafFault["kind"], Record<string, number>>;

const isKind = (text: string): text is LeafFault["kind"] => Object.hasOwn(FIELDS, text);

/**
 * Reads `participant=worker-2,round=2,flip:step=3,operator=10,element=0,bit=30`. After the kind come its
 * fields, each of which has a default; `steps:2` and `aggregate:1` name the only one. `turn=NAME` names a
 * turn of a role with several.
 * @throws {RoundsError} for another text, or a place that the plan does not have
 */
export function parseRoundFault(plan: Plan, text: string): PlantedFault {
  const fail = (problem: string): never => {
    throw new RoundsError("FAULT", `the fault ${quote(text)} ${problem}`, { found: text });
  };
  const [, head = "", kind = "", rest = ""] = /^(.*?),?([a-z]+):?([^:]*)$/.exec(text) ?? [];
  if (!isKind(kind))
    return fail(`has none of the kinds ${Object.keys(FIELDS).join(", ")}; write participant=P,round=R,KIND:…`);
  const place = pairsOf(head, fail);
  const known: Record<string, number> = { ...FIELDS[kind] };
  const [only] = Object.keys(known);
  for (const [name, value] of Object.entries(pairsOf(/^\d+$/.test(rest) ? `${only}=${rest}` : rest, fail))) {
    if (!Object.hasOwn(known, name) || !/^\d{1,10}$/.test(value)) fail(`has no whole number called ${name} in ${kind}`);
    known[name] = Number(value);
  }
  const participant = plan.participants.findIndex(({ name }) => name === place.participant);
  const round = Number(place.round);
  if (participant < 0 || !/^\d+$/.test(place.round ?? "") || round > plan.rounds)
    fail(`names no participant and round of the plan; take ${plan.participants.map(({ name }) => name).join(", ")}, and 0 to ${plan.rounds}`); // prettier-ignore
  const seat = plan.seats.findIndex(
    (each) =>
      each.participant === participant && (place.turn === undefined || plan.turns[each.turn].name === place.turn),
  );
  if (seat < 0) fail(`names no turn of ${place.participant}`);
  return checkFault(plan, { round, seat, fault: { kind, ...known } as unknown as LeafFault });
}

function pairsOf(text: string, fail: (problem: string) => never): Record<string, string> {
  const parts = text.split(",").filter((part) => part !== "");
  const pairs = parts.map(
    (part) => /^([a-z]+)=([A-Za-z0-9-]+)$/.exec(part) ?? fail(`has ${quote(part)}, which is not NAME=VALUE`),
  );
  return Object.fromEntries(pairs.map(([, name, value]) => [name, value]));
}

/** @throws {RoundsError} when the leaf has no such place */
function checkFault(plan: Plan, planted: PlantedFault): PlantedFault {
  const { round, seat, fault } = planted;
  const fail = (problem: string): never => {
    throw new RoundsError("FAULT", `the fault can't be planted: ${problem}`, { round, seat, kind: fault.kind });
  };
  const template = plan.templates[plan.seats[seat].template];
  const { step, init, steps } = round === 0 ? template.genesis : template.round;
  const within = (what: string, value: number, count: number): void =>
    void (
      (Number.isInteger(value) && value >= 0 && value < count) ||
      fail(`there are ${count} of ${what}, counted from 0, and none is ${value}`)
    );
  if (fault.kind === "steps" && !(Number.isInteger(fault.count) && fault.count >= 0 && fault.count < steps))
    fail(`the turn has ${steps} steps, so ${fault.count} are not fewer`);
  if (fault.kind === "message" || fault.kind === "flip") within("the bits", fault.bit, 32);
  if (fault.kind === "seed") within("the bits of an origin", fault.bit, 256);
  if (fault.kind === "message") {
    within("the entries", fault.entry, step.outputs.length);
    within("the elements", fault.element, elementCount(step.inputs[fault.entry].shape));
  }
  if (fault.kind === "flip") {
    within("the steps", fault.step, steps + 1);
    const { kernels } = fault.step === 0 ? init : step;
    within("the operators", fault.operator, kernels.length);
    within("the elements", fault.element, elementCount(kernels[fault.operator].type.shape));
  }
  const places = sourcesOf(plan, planted);
  misread(plan, planted, { places, present: places.map(() => 1) });
  return planted;
}

/**
 * The fault that somebody else states for a leaf, if the leaf can have it: its own fields, and nothing else
 * that was sent beside them.
 * @param stated anything
 */
export function statedFaultOf(plan: Plan, { round, seat }: LeafPlace, stated: unknown): LeafFault | undefined {
  try {
    const { kind, ...given } = stated as LeafFault & Record<string, unknown>;
    if (!isKind(kind)) return undefined;
    const fields = Object.keys(FIELDS[kind]).map((name) => [name, (given as Record<string, unknown>)[name]]);
    return checkFault(plan, { round, seat, fault: { kind, ...Object.fromEntries(fields) } as LeafFault }).fault;
  } catch {
    return undefined;
  }
}

/**
 * The leaves that are read with a fault.
 * @param reads what it ought to read
 * @throws {RoundsError} when the fault changes nothing
 */
export function misread(plan: Plan, { round, seat, fault }: PlantedFault, reads: Reads): Reads {
  const { places: sources, present } = reads;
  const fail = (problem: string): never => {
    throw new RoundsError("FAULT", `the fault can't be planted: ${problem}`, { round, seat, kind: fault.kind });
  };
  if (fault.kind === "aggregate") {
    const { turn: own } = plan.seats[seat];
    const of = (at: LeafPlace) => plan.seats[at.seat];
    // Members of one turn and round, whether or not they were there.
    const asked = sourcesOf(plan, { round, seat });
    const at = asked.findIndex((source) => of(source).turn !== own && of(source).member === fault.drop);
    const isBeside = (source: LeafPlace): boolean =>
      source.round === asked[at].round && of(source).turn === of(asked[at]).turn && of(source).member !== fault.drop;
    const other = sources.find((_, i) => at >= 0 && isBeside(asked[i]));
    if (!other) return fail(`the leaf does not read member ${fault.drop} and another of one turn`);
    return { places: sources.map((source, i) => (i === at ? other : source)), present };
  }
  if (fault.kind === "presence") {
    if (fault.source >= sources.length) fail(`the leaf has ${sources.length} sources`);
    if (!isToldPresence(plan, plan.templates[plan.seats[seat].template])) fail("nobody whom the leaf reads may be away"); // prettier-ignore
    return { places: sources, present: present.map((each, i) => (i === fault.source ? 1 - each : each)) };
  }
  if (fault.kind !== "stale") return reads;
  const source = sources[fault.source] ?? fail(`the leaf has ${sources.length} sources`);
  if (source.round === 0) fail(`source ${fault.source} is of round 0, before which there is nothing`);
  const places = sources.map((each, i) => (i === fault.source ? { ...each, round: each.round - 1 } : each));
  return { places, present };
}

/**
 * What a round's seeds follow from, with a fault.
 * @param origin what they ought to follow from; default: the plan's id
 */
export function misseeded({ id }: Pick<Plan, "id">, origin: Bytes | undefined, fault?: LeafFault): Bytes | undefined {
  if (fault?.kind !== "seed") return origin;
  return (origin ?? id).map((byte, i) => (i === fault.bit >> 3 ? byte ^ (128 >> (fault.bit & 7)) : byte));
}

/** An execution that takes fewer steps, or hands on another state than it has computed. */
export function drilled(honest: AnyExecution, fault: LeafFault): AnyExecution {
  const { steps } = honest.job;
  const handOn = async (): Promise<void> => {
    if (fault.kind !== "message" || honest.at !== steps) return;
    const state = await honest.state();
    flip(state[fault.entry], fault.element, fault.bit);
    await honest.restore(steps, state);
  };
  const changed: Partial<AnyExecution> = {
    initialise: async (options) => {
      const report = await honest.initialise(options);
      await handOn();
      return report;
    },
    advance: async (options) => {
      if (fault.kind !== "steps" || honest.at < fault.count) {
        const report = await honest.advance(options);
        await handOn();
        return report;
      }
      // What a step would give is computed, because a dispute asks for it; it is not taken over.
      const kept = await honest.state();
      const report = await honest.advance(options);
      await honest.restore(honest.at, kept);
      return report;
    },
  };
  return new Proxy(honest, {
    get: (target, name) => {
      const value: unknown = Reflect.get(changed, name) ?? Reflect.get(target, name, target);
      return typeof value === "function" ? (value as (...given: unknown[]) => unknown).bind(target) : value;
    },
  });
}

function flip({ data }: NamedTensor, element: number, bit: number): void {
  new Uint32Array(data.buffer, data.byteOffset, data.length)[element] ^= 1 << bit;
}
