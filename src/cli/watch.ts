/** `verde watch`: prints each event of a task, until the task is final or refunded. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import type { Hex } from "viem";
import { plainJson } from "../encoding/json.ts";
import { clauseOf, mayBeginLater } from "../settlement/game/fate.ts";
import { Backoff } from "../settlement/transactions/backoff.ts";
import { formatTime } from "../settlement/amount.ts";
import { parseDuration } from "../settlement/duration.ts";
import { PHASES, readTask, STATES, taskEvents, type TaskEvent, type TaskView } from "../settlement/task.ts";
import { colors, reportLine, writeJson, writeLine } from "./output.ts";
import { addProgressOption, Progress } from "./progress.ts";
import type { Session } from "../settlement/session.ts";
import { openSession } from "./session.ts";
import { addChainOptions, addPostedOption, type ChainFlags } from "./session-options.ts";
import { eventSentence } from "./task/event.ts";
import { parseTaskId } from "./task/scene.ts";
import { hasDeadline, stateName, timeLeft, whatIsDue } from "./task/sentence.ts";

/** The longest pause between two attempts to reach a node, in seconds. */
const LONGEST_PAUSE = 60;

export function register(program: Command): void {
  addProgressOption(
    addPostedOption(
      addChainOptions(program.command("watch").description("follow a task until it is final or refunded")),
    ),
  )
    .argument("<task>", "the task's id")
    .option("--every <time>", "how often to look", "4s")
    .action(watch);
}

async function watch(id: string, flags: ChainFlags & { every: string }): Promise<void> {
  await follow(await openSession(flags), parseTaskId(id), Math.max(parseDuration(flags.every), 1), flags.json ?? false);
}

/**
 * Prints each event of a task, until it is final or refunded.
 * @param every seconds between two looks
 * @returns the task as it is then
 */
export async function follow(session: Session, task: Hex, every: number, json: boolean): Promise<TaskView> {
  const watcher = new Watcher(session, task, json);
  const progress = new Progress();
  let view: TaskView | undefined;
  const backoff = new Backoff(1000 * every, 1000 * Math.max(every, LONGEST_PAUSE));
  for (;;) {
    let pause = 1000 * every;
    try {
      view = await watcher.look();
      if (backoff.failures > 0) reportLine("verde: the node answers again");
      backoff.succeeded();
    } catch (error) {
      // At the first look, a missing task is an error. Later the chain may be in the middle of a
      // reorganization.
      if (!view && !mayBeginLater(error)) throw error;
      if (backoff.failures === 0) reportLine(`verde: the node does not answer (${clauseOf(error)}); trying again`);
      pause = backoff.next();
    }
    if (view && isOver(view)) return view;
    if (view) progress.show(`${stateName(view)} · ${watcher.timeLeft(view)}${whatIsDue(view, watcher.now)}`, true);
    await sleep(pause);
    progress.clear();
  }
}

const isOver = ({ state }: TaskView): boolean => state === "Final" || state === "Refunded";

/** Prints every event once, and prints it again as undone when the chain drops it. */
class Watcher {
  /** The chain's time, seconds. */
  now = 0;
  private readonly session: Session;
  private readonly task: Hex;
  private readonly json: boolean;
  private told: TaskEvent[] = [];
  private readonly times = new Map<Hex, number>();

  constructor(session: Session, task: Hex, json: boolean) {
    this.session = session;
    this.task = task;
    this.json = json;
  }

  async look(): Promise<TaskView> {
    const { client, source } = this.session;
    const view = await readTask(source, this.task);
    const events = await taskEvents(source, this.task);
    const same = events.findIndex((event, i) => i >= this.told.length || keyOf(event) !== keyOf(this.told[i]));
    const kept = same < 0 ? events.length : same;
    for (const gone of this.told.slice(kept).reverse()) await this.tell(gone, true);
    for (const event of events.slice(kept)) await this.tell(event, false);
    this.told = events;
    this.now = Number((await client.getBlock()).timestamp);
    return view;
  }

  timeLeft(view: TaskView): string {
    return hasDeadline(view) ? `${timeLeft(view.deadline, this.now)} · ` : "";
  }

  private async tell(event: TaskEvent, undone: boolean): Promise<void> {
    const time = await this.timeOf(event);
    const { eventName, args, blockNumber, transactionHash } = event;
    if (this.json) {
      const place = { time, block: Number(blockNumber), transaction: transactionHash };
      const names = "state" in args ? { state: STATES[args.state], phase: PHASES[args.phase] } : {};
      const content = plainJson({ ...args, ...names });
      return writeJson({ schemaVersion: 1, event: eventName, ...(undone && { undone }), ...place, args: content });
    }
    const sentence = eventSentence(event, this.session.token);
    const told = undone ? colors.red(`undone by the chain: ${sentence}`) : sentence;
    writeLine(`${colors.dim(formatTime(time))}  ${told}`);
  }

  private async timeOf({ blockHash }: TaskEvent): Promise<number> {
    const known = this.times.get(blockHash);
    if (known !== undefined) return known;
    // A block that the chain has dropped has no time any more.
    const block = await this.session.client.getBlock({ blockHash }).catch(() => undefined);
    const time = block ? Number(block.timestamp) : this.now;
    this.times.set(blockHash, time);
    return time;
  }
}

const keyOf = ({ blockHash, logIndex }: TaskEvent): string => `${blockHash} ${logIndex}`;
