/** A performance of rounds as it is on the chain: its slot, and what has to be answered in it. */
import { type Address, encodeEventTopics, formatLog, type Hex, isAddressEqual, parseEventLogs } from "viem";
import { ChainError } from "../../errors/index.ts";
import type { LeafPlace } from "../../rounds/plan.ts";
import { roundGameAbi } from "../abi/round-game.ts";
import { roundManagerAbi } from "../abi/round-manager.ts";
import { LogReader } from "../logs/reader.ts";
import type { Session } from "../session.ts";
import { ROUND_FAULTS, ROUND_STATES, type RoundFaultName, type RoundState } from "./states.ts";
import { QUESTIONS, type Question, type Waiting } from "./questions.ts";
import type { CopyPlace } from "./store-calls.ts";
import { gameOf, type PostedRounds } from "./terms-file.ts";

/** Somebody that has lost its stake. */
export interface Conviction {
  /** Its number among the participants; the recorder is the one after them. */
  readonly participant: number;
  readonly owner: Address;
  readonly fault: RoundFaultName;
}

/** A chunk that a store was asked for. */
export interface CopyDemand extends CopyPlace, Waiting {
  /** The store's account. */
  readonly owner: Address;
}

/** A leaf that was challenged, and whose game is not over, or is. */
export interface LeafGame extends LeafPlace {
  readonly dispute: bigint;
  readonly owner: Address;
  readonly challenger: Address;
}

/** A performance on the chain. */
export interface PerformanceView {
  readonly state: RoundState;
  /** The last second of the state. */
  readonly deadline: number;
  /** Challenges, accusations and demands that have not ended, without those for copies. */
  readonly open: number;
  /** By number; the recorder comes after the participants: who has put up its stake, and who has lost it. */
  readonly joined: readonly boolean[];
  readonly out: readonly boolean[];
  /** How many stores there are: the last participants. */
  readonly stores: number;
  /** The root of the record, once it is posted. */
  readonly record: Hex | undefined;
  /** The newest block, and its time in seconds. */
  readonly head: bigint;
  readonly now: number;
}

/** What has happened in a performance since its record was posted. */
export interface PerformanceEvents {
  readonly questions: readonly Question[];
  /** Demands for chunks of stores, in their order; of each store the first 64 open ones. */
  readonly copies: readonly CopyDemand[];
  /** All challenges, in their order, also those whose game is over. */
  readonly games: readonly LeafGame[];
  /** The transactions that have shown leaves: accusations, answers, demands that were met, and challenges. */
  readonly shown: readonly Hex[];
  readonly convicted: readonly Conviction[];
}

/** The most open demands of one store that are read at once: it may ask itself for any number. */
const MOST_COPIES = 64;

/** Which demands for copies are read. */
interface EventsOptions {
  /**
   * Those that this account has made, or has to answer as a store; as the client all, since it gets the
   * reward of a store that does not answer. Default: all.
   */
  readonly account?: Address;
  /** Those that had ended when they were read before: they are left out. It is added to. */
  readonly ended?: Set<string>;
}

/** The events of calls that show leaves, or what stores have signed. */
const SHOWING: ReadonlySet<string> = new Set(["Accused", "LeafAnswered", "Censored"]);
const KINDS = Object.keys(QUESTIONS) as (keyof typeof QUESTIONS)[];
const NO_RECORD = `0x${"00".repeat(32)}`;

/** @throws {ChainError} when no performance with these terms was posted */
export async function readPerformance(
  { client }: Session,
  { manager, id, terms }: PostedRounds,
): Promise<PerformanceView> {
  const [{ number: head, timestamp }, found] = await Promise.all([
    client.getBlock(),
    client.readContract({ address: manager, abi: roundManagerAbi, functionName: "stateOf", args: [id] }),
  ]);
  const state = ROUND_STATES[found.state];
  if (state === "None")
    throw new ChainError("ROUNDS_MISSING", `no performance ${id} was posted; check the file with the terms, and the deployment`, { instance: id }); // prettier-ignore
  const flags = (bits: bigint): boolean[] =>
    Array.from({ length: terms.participants.length + 1 }, (_, i) => ((bits >> BigInt(i)) & 1n) === 1n);
  const { deadline, open, joined, out, stores, record } = found;
  return {
    state,
    deadline,
    open,
    joined: flags(joined),
    out: flags(out),
    stores,
    record: record === NO_RECORD ? undefined : record,
    head,
    now: Number(timestamp),
  };
}

/** Reads what has happened. Who has asked, and until when, comes from the contract itself. */
export async function performanceEvents(
  session: Session,
  posted: PostedRounds,
  { account, ended }: EventsOptions = {},
): Promise<PerformanceEvents> {
  const { client, source } = session;
  const { logs = new LogReader(client), fromBlock: from } = source;
  const { manager, id } = posted;
  const game = gameOf(session.deployment);
  const about = async (address: Address, topics: readonly (Hex | null)[]) =>
    (await logs.read({ address, topics: [...topics], from })).map((log) => formatLog(log));
  const events = parseEventLogs({ abi: roundManagerAbi, logs: await about(manager, [null, id]) });
  const topics = encodeEventTopics({ abi: roundGameAbi, eventName: "LeafChallenged", args: { instance: id } });
  const challenged = parseEventLogs({ abi: roundGameAbi, eventName: "LeafChallenged", logs: await about(game, topics as Hex[]) }); // prettier-ignore
  const questions: Question[] = [];
  const copies: CopyDemand[] = [];
  const openOf = new Map<Address, number>();
  const convicted: Conviction[] = [];
  const showing = [...events.filter(({ eventName }) => SHOWING.has(eventName)), ...challenged]; // prettier-ignore
  for (const event of events) {
    if (event.eventName === "Convicted") {
      const { participant, owner, fault } = event.args;
      convicted.push({ participant: Number(participant), owner, fault: ROUND_FAULTS[fault] });
    }
    if (event.eventName === "CopyDemanded") {
      const { copy, owner, by } = event.args;
      const key = `${owner} ${JSON.stringify(copy)}`;
      const isMeant = !account || [owner, by, posted.terms.client].some((each) => isAddressEqual(each, account));
      const open = openOf.get(owner) ?? 0;
      if (!isMeant || ended?.has(key) || open >= MOST_COPIES) continue;
      const waiting = await client.readContract({ address: manager, abi: roundManagerAbi, functionName: "copyOf", args: [id, copy] }); // prettier-ignore
      const { place, ...what } = copy;
      copies.push({ ...place, ...what, owner, ...waiting });
      if (waiting.done) ended?.add(key);
      else openOf.set(owner, open + 1);
    }
    const kind = KINDS.find((each) => QUESTIONS[each].event === event.eventName);
    if (!kind) continue;
    const { round, seat } = event.args as LeafPlace;
    const waiting = await client.readContract({ address: manager, abi: roundManagerAbi, functionName: QUESTIONS[kind].waiting, args: [id, { round, seat }] }); // prettier-ignore
    questions.push({ kind, round, seat, ...waiting, transaction: event.transactionHash });
  }
  const games = challenged.map(({ args }) => ({ ...args.place, dispute: args.dispute, owner: args.owner, challenger: args.challenger })); // prettier-ignore
  return { questions, copies, games, shown: showing.map(({ transactionHash }) => transactionHash), convicted };
}

/** The numbers under which an account is in a performance; the recorder is the one after the participants. */
export function numbersOf({ terms }: PostedRounds, account: Address): number[] {
  return [...terms.participants, terms.recorder].flatMap((owner, i) => (isAddressEqual(owner, account) ? [i] : []));
}
