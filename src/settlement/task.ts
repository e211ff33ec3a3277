/** A task as it is on the chain: its slot, its seats, and what its events add. */
import {
  type Address,
  type ContractFunctionArgs,
  type ContractFunctionReturnType,
  formatLog,
  type Hex,
  parseEventLogs,
  type PublicClient,
  zeroAddress,
} from "viem";
import { ChainError } from "../errors/index.ts";
import { taskManagerAbi } from "./abi/task-manager.ts";
import { type ManagerPlace, taskIdOf } from "./commitment.ts";
import { LogReader } from "./logs/reader.ts";
import type { KnownTerms } from "./posted.ts";

/** The order of the enumerations in ITaskManager.sol. */
export const STATES = [
  "None",
  "Open",
  "Accepted",
  "Committed",
  "Revealed",
  "Challengeable",
  "Disputed",
  "Settled",
  "Final",
  "Refunded",
] as const;
export const PHASES = ["None", "Revealing", "Judging", "Ruled", "Playing"] as const;
/** The state of a task. */
export type State = (typeof STATES)[number];
/** The phase of a disputed task within its state. */
export type Phase = (typeof PHASES)[number];

type Manager = typeof taskManagerAbi;
/** The terms that the parties agree on. Their hash, with chain and contract, is the task's id. */
export type Terms = ContractFunctionArgs<Manager, "nonpayable", "post">[0];
/** A demand for a chunk of the final state. */
export type Demand = ContractFunctionArgs<Manager, "nonpayable", "deliver">[2];
/** A ruling as the manager stores it while it may be escalated. */
export type Resolution = ContractFunctionArgs<Manager, "nonpayable", "enforce">[1];

type Slot = ContractFunctionReturnType<Manager, "view", "taskOf">;

/** A seat of a task: a provider's, or a challenger's. */
export interface Seat {
  seat: number;
  owner: Address;
  role: "provider" | "challenger";
  /** The seat's commitment, before it reveals. */
  commitment?: Hex;
  /** The run root that it revealed. */
  root?: Hex;
  /** Whether it has lost its stake. */
  out: boolean;
}

/** An account that has challenged and not revealed. It gets a seat when it reveals. */
export interface Challenger {
  owner: Address;
  /** The commitment of its challenge. */
  challenge: Hex;
}

/** A demanded chunk that waits for its delivery, with its number. */
export interface OpenDemand {
  index: number;
  demand: Demand;
}

/** All that the chain knows about a task. */
export interface TaskView extends Omit<Slot, "state" | "phase" | "seats" | "revealed" | "out"> {
  id: Hex;
  terms: Terms;
  state: State;
  phase: Phase;
  seats: Seat[];
  /** Those who have challenged and not revealed, in the order of their challenges. */
  challengers: Challenger[];
  /** The distinct claims that stand, in the order of their seats. */
  claims: Hex[];
  /** Demanded chunks that wait for their delivery. */
  waiting: OpenDemand[];
  /** The committee's ruling, while it may be escalated. */
  ruling?: Resolution;
}

/** Whether challenges wait: once the window is over, they are revealed. */
export function awaitsReveals({ state, challengers }: TaskView): boolean {
  return state === "Challengeable" && challengers.length > 0;
}

/** Whether one claim stands, and no challenge waits. */
export function isUnchallenged(view: TaskView): boolean {
  return view.state === "Settled" || (view.state === "Challengeable" && !awaitsReveals(view));
}

/** An event of the manager. */
export type TaskEvent = ReturnType<typeof parseEventLogs<Manager, true>>[number];

/** Where to look for tasks. */
export interface TaskSource extends ManagerPlace {
  client: PublicClient;
  /** The block of the deployment, or a later one before which nothing has to be read. */
  fromBlock: bigint;
  /** Reads events. Default: a reader that keeps nothing. */
  logs?: LogReader;
  /** Terms that need not be read from the chain. Default: none. */
  terms?: KnownTerms;
}

/** The events of a task, or of all tasks, in their order. */
export async function taskEvents(source: TaskSource, task: Hex | null): Promise<TaskEvent[]> {
  const { client, manager: address, fromBlock: from, logs = new LogReader(client) } = source;
  const found = await logs.read({ address, topics: [null, task], from });
  return parseEventLogs({ abi: taskManagerAbi, logs: found.map((log) => formatLog(log)) });
}

/**
 * A task as it is now. Events are read only if something is needed that they alone tell: terms that are not
 * known, a ruling, or demands.
 * @throws {ChainError} when there is no such task, or the node gives it other terms, or hides events
 */
export async function readTask(source: TaskSource, id: Hex): Promise<TaskView> {
  const { client, manager: address } = source;
  const known = await source.terms?.find(source, id);
  const terms = known ?? postedTerms(source, id, await taskEvents(source, id));
  await source.terms?.keep(id, terms);
  const read = () => client.readContract({ address, abi: taskManagerAbi, functionName: "taskOf", args: [id] });
  const slot = await read();
  const state = STATES[slot.state];
  const phase = PHASES[slot.phase];
  if (state === "None") throw missing(source, id);
  const contracts = Array.from({ length: slot.seats }, (_, seat) =>
    client.readContract({ address, abi: taskManagerAbi, functionName: "seatOf", args: [id, BigInt(seat)] }),
  );
  const seats = (await Promise.all(contracts)).map(([owner, value], seat) => seatFrom(slot, terms, seat, owner, value));
  const claims = [...new Set(seats.flatMap(({ root, out }) => (root !== undefined && !out ? [root] : [])))];
  const isRuled = phase === "Ruled" || (phase === "Playing" && terms.committee !== zeroAddress);
  const isNeeded = isRuled || slot.openDemands > 0 || slot.challenges > 0;
  const events = isNeeded ? await taskEvents(source, id) : [];
  const ruling = isRuled ? lastRuling(events) : undefined;
  if (isRuled && !ruling) throw hidden(id, "the committee's ruling");
  const waiting = slot.openDemands > 0 ? waitingDemands(events) : [];
  const challengers = slot.challenges > 0 ? silentChallengers(events) : [];
  // Between the two requests a demand may have been settled, or a challenge revealed.
  const { openDemands, challenges } = slot;
  const isWhole = waiting.length === openDemands && challengers.length === challenges;
  const again = isWhole ? undefined : await read();
  if (waiting.length !== openDemands && again?.openDemands === openDemands)
    throw hidden(id, `each of ${openDemands} open demands`);
  if (challengers.length !== challenges && again?.challenges === challenges)
    throw hidden(id, `each of ${challenges} challenges`);
  return { ...slot, id, terms, state, phase, seats, challengers, claims, waiting, ...(ruling && { ruling }) };
}

/** The terms with which a task was posted. They have to hash to its id. */
function postedTerms(source: TaskSource, id: Hex, events: readonly TaskEvent[]): Terms {
  const posted = events.find(({ eventName }) => eventName === "TaskPosted");
  if (posted?.eventName !== "TaskPosted") throw missing(source, id);
  const { terms } = posted.args;
  const found = taskIdOf(source, terms);
  if (found === id) return terms;
  throw new ChainError(
    "ANSWER_FALSE",
    `the node says that task ${id} has terms that belong to the task ${found}; it lies or is broken, so name another node with --rpc`,
    { answer: "terms", expected: id, found },
  );
}

function missing({ manager }: TaskSource, id: Hex): ChainError {
  return new ChainError(
    "TASK_MISSING",
    `there is no task ${id} at ${manager}; check the id, the chain and the deployment`,
    { task: id },
  );
}

function hidden(id: Hex, what: string): ChainError {
  return new ChainError(
    "ANSWER_FALSE",
    `the node gives the state of task ${id}, but not the event with ${what}; it hides events, or has not got them yet. ` +
      "Try again, or name another node with --rpc",
    { answer: "events", task: id, expected: what },
  );
}

function seatFrom(slot: Slot, terms: Terms, seat: number, owner: Address, value: Hex): Seat {
  const has = (bits: number): boolean => ((bits >> seat) & 1) === 1;
  const given = BigInt(value) !== 0n;
  return {
    seat,
    owner,
    role: seat < terms.providers ? "provider" : "challenger",
    ...(given && (has(slot.revealed) ? { root: value } : { commitment: value })),
    out: has(slot.out),
  };
}

/** Challenges that were neither revealed nor slashed. One that gets a seat is followed by its event. */
function silentChallengers(events: readonly TaskEvent[]): Challenger[] {
  const silent = new Map<Address, Hex>();
  for (const { eventName, args } of events) {
    if (eventName === "Challenged") silent.set(args.owner, args.commitment);
    if (eventName === "SeatTaken" || eventName === "TurnedAway" || eventName === "ChallengeLapsed")
      silent.delete(args.owner);
  }
  return [...silent].map(([owner, challenge]) => ({ owner, challenge }));
}

/** The open demands. When a claim loses, its demands are void, and numbers start from 0 again. */
function waitingDemands(events: readonly TaskEvent[]): OpenDemand[] {
  let waiting: OpenDemand[] = [];
  for (const { eventName, args } of events) {
    if (eventName === "ChunkDemanded") waiting.push({ index: Number(args.index), demand: args.demand });
    if (eventName === "ChunkDelivered") waiting = waiting.filter(({ index }) => index !== Number(args.index));
    if (eventName === "DemandVoided" || eventName === "TaskRefunded") waiting = [];
  }
  return waiting;
}

function lastRuling(events: readonly TaskEvent[]): Resolution | undefined {
  const ruled = events.flatMap((event) => (event.eventName === "Ruled" ? [event.args.resolution] : []));
  return ruled[ruled.length - 1];
}
