/** A task as it is on the chain: its slot, its seats, and what its events add. */
import {
  type Address,
  type ContractFunctionArgs,
  type ContractFunctionReturnType,
  type Hex,
  numberToHex,
  parseEventLogs,
  type PublicClient,
  type RpcLog,
  formatLog,
} from "viem";
import { ChainError } from "../errors/index.ts";
import { taskManagerAbi } from "./abi/task-manager.ts";

/** The order of the enumerations in ITaskManager.sol. */
export const STATES = [
  "None",
  "Open",
  "Accepted",
  "Committed",
  "Revealed",
  "Challengeable",
  "Disputed",
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
  /** The distinct claims that stand, in the order of their seats. */
  claims: Hex[];
  /** Demanded chunks that wait for their delivery. */
  waiting: OpenDemand[];
  /** The committee's ruling, while it may be escalated. */
  ruling?: Resolution;
}

/** An event of the manager. */
export type TaskEvent = ReturnType<typeof parseEventLogs<Manager, true>>[number];

/** Where to look for tasks. */
export interface TaskSource {
  client: PublicClient;
  manager: Address;
  /** The block of the deployment. There are no events before it. */
  fromBlock: bigint;
}

/**
 * The events of a task, or of all tasks, in their order.
 * @param from the first block to look at; default: the block of the deployment
 */
export async function taskEvents(source: TaskSource, task: Hex | null, from = source.fromBlock): Promise<TaskEvent[]> {
  const filter = { address: source.manager, topics: [null, task], fromBlock: numberToHex(from), toBlock: "latest" };
  const logs = (await source.client.request({ method: "eth_getLogs", params: [filter as never] })) as RpcLog[];
  return parseEventLogs({ abi: taskManagerAbi, logs: logs.map((log) => formatLog(log)) });
}

/** A task as it is now. @throws {ChainError} when there is no such task */
export async function readTask(source: TaskSource, id: Hex): Promise<TaskView> {
  const { client, manager: address } = source;
  const events = await taskEvents(source, id);
  const posted = events.find(({ eventName }) => eventName === "TaskPosted");
  if (posted?.eventName !== "TaskPosted")
    throw new ChainError(
      "TASK_MISSING",
      `there is no task ${id} at ${address}; check the id, the chain and the deployment`,
      { task: id },
    );
  const { terms } = posted.args;
  const slot = await client.readContract({ address, abi: taskManagerAbi, functionName: "taskOf", args: [id] });
  const contracts = Array.from({ length: slot.seats }, (_, seat) =>
    client.readContract({ address, abi: taskManagerAbi, functionName: "seatOf", args: [id, BigInt(seat)] }),
  );
  const seats = (await Promise.all(contracts)).map(([owner, value], seat) => seatFrom(slot, terms, seat, owner, value));
  const claims = [...new Set(seats.flatMap(({ root, out }) => (root !== undefined && !out ? [root] : [])))];
  const state = STATES[slot.state];
  const phase = PHASES[slot.phase];
  return {
    ...slot,
    id,
    terms,
    state,
    phase,
    seats,
    claims,
    waiting: waitingDemands(events),
    ...(phase === "Ruled" || phase === "Playing" ? { ruling: lastRuling(events) } : {}),
  };
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

function lastRuling(events: readonly TaskEvent[]): Resolution {
  const ruled = events.flatMap((event) => (event.eventName === "Ruled" ? [event.args.resolution] : []));
  return ruled[ruled.length - 1];
}
