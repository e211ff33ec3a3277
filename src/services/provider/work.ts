/**
 * The whole life of one task for a provider: it takes a seat, runs the job, commits, reveals, delivers, plays
 * disputes, and ends. Each step follows from what the chain says and from what is on the disk. So it can be
 * stopped at any moment, and continued by another process.
 */
import { join } from "node:path";
import { type Hex, isAddressEqual } from "viem";
import { toHex } from "../../encoding/bytes.ts";
import { FormatError } from "../../errors/index.ts";
import { makeFolder } from "../../files/folder.ts";
import { trainingProver } from "../../referee/claim.ts";
import { type FinishedTrace, traceMemory } from "../../referee/trace-memory.ts";
import { commitmentOf } from "../../settlement/commitment.ts";
import { deliverCall } from "../../settlement/delivery.ts";
import { defendClaim } from "../../settlement/game/defence.ts";
import { GameFacts } from "../../settlement/game/facts.ts";
import { clauseOf } from "../../settlement/game/fate.ts";
import { expectTraceOf } from "../../settlement/job-terms.ts";
import { seatChance } from "../../settlement/seats.ts";
import type { Session } from "../../settlement/session.ts";
import { readTask, type Seat, type TaskView, type Terms } from "../../settlement/task.ts";
import { Backoff } from "../../settlement/transactions/backoff.ts";
import { expectComplete, readCheckpoint } from "../../trace/index.ts";
import type { ProviderAccount } from "./account.ts";
import { traced } from "../observe/tracing.ts";
import { completeTrace } from "./kept-trace.ts";
import { runApart } from "./runner.ts";
import { sleep } from "./sleep.ts";

/** What a provider does for a task at the moment. */
export type Stage = "accept" | "wait" | "run" | "commit" | "defend" | "done";

/** How a task ended for a provider. */
export type Outcome = "paid" | "lost" | "refunded" | "missed";

/** A task of a provider, for whoever asks. */
export interface TaskStatus {
  task: Hex;
  job: Hex;
  stage: Stage;
  outcome?: Outcome;
  /** The run root, once it is known. */
  root?: Hex;
  /** What does not work at the moment. */
  trouble?: string;
}

export interface WorkOptions {
  session: Session;
  account: ProviderAccount;
  task: Hex;
  /** The folder of the task: its trace is in it. */
  folder: string;
  /** The job file. `undefined` as long as there is none. */
  jobFile(job: Hex): Promise<string | undefined>;
  /** How `verde` is started. */
  command: readonly string[];
  /** Further options of `verde run`. */
  runOptions: readonly string[];
  /** The backend that replays the run in a dispute. */
  backend?: string;
  /** The blocks that make a task's end, and the last commitment before a reveal, final. Default: 1. */
  confirmations?: number;
  everyMillis: number;
  signal: AbortSignal;
  /** Called with a finished trace and its root, before its claim is defended; perhaps more than once. */
  onFinished(trace: string, root: Hex): Promise<void>;
  /** Called at each change of the status. */
  onStatus(status: TaskStatus): void;
  say(sentence: string, task: Hex): void;
}

/** Milliseconds of the longest pause after a failure. */
const LONGEST_PAUSE = 60_000;

export class Work {
  readonly status: TaskStatus;
  private readonly options: WorkOptions;
  private readonly trace: string;
  private readonly backoff: Backoff;

  constructor(options: WorkOptions, job: Hex) {
    this.options = options;
    this.trace = join(options.folder, "run.trace");
    this.backoff = new Backoff(options.everyMillis, LONGEST_PAUSE);
    this.status = { task: options.task, job, stage: "accept" };
  }

  /** Ends when the task does, or when the signal says so. Every failure is told, and tried again. */
  async run(): Promise<void> {
    const { signal, say, everyMillis } = this.options;
    while (!signal.aborted && this.status.outcome === undefined)
      try {
        const again = await this.step();
        this.backoff.succeeded();
        this.set({ trouble: undefined });
        if (!again) return;
        await sleep(everyMillis, signal);
      } catch (error) {
        if (signal.aborted) return;
        const trouble = clauseOf(error);
        if (trouble !== this.status.trouble)
          say(`task ${this.status.task}: ${trouble}; trying again until it works`, this.status.task);
        this.set({ trouble });
        await sleep(this.backoff.next(), signal);
      }
  }

  /** Does what is due. @returns whether there is more to do */
  private async step(): Promise<boolean> {
    const { session, account, task } = this.options;
    const view = await readTask(session.source, task);
    const seat = view.seats.find(({ owner }) => isAddressEqual(owner, account.address));
    if (isOver(view) || seat?.out) return this.end(view, seat);
    const span = <T>(name: string, work: () => Promise<T>): Promise<T> => traced(`verde.task.${name}`, { task }, work);
    if (!seat) return span("accept", () => this.accept(view));
    if (view.state === "Open") return this.waitForOthers(view);
    if (view.state === "Accepted" && seat.commitment === undefined)
      return span("commit", () => this.commit(view, seat));
    return span("defend", () => this.defend(view));
  }

  private async accept(view: TaskView): Promise<boolean> {
    if (view.state !== "Open") return this.end(view, undefined);
    const { session, account } = this.options;
    const now = Number((await session.client.getBlock()).timestamp);
    const { can } = await seatChance(session, view, account.address, now);
    if (can === "none" || now > view.deadline) return this.end(view, undefined);
    this.set({ stage: can === "wait" ? "wait" : "accept" });
    if (can === "take") await account.send({ contract: "manager", functionName: "accept", args: [view.id] });
    if (can === "offer") await account.send({ contract: "seatDraw", functionName: "offer", args: [view.terms] });
    return true;
  }

  /** Others have seats to take. If they do not come in time, the task is refunded. */
  private async waitForOthers({ deadline, terms }: TaskView): Promise<boolean> {
    this.set({ stage: "wait" });
    const { timestamp } = await this.options.session.client.getBlock();
    if (Number(timestamp) > deadline)
      await this.options.account.send({ contract: "manager", functionName: "expire", args: [terms] });
    return true;
  }

  private async commit(view: TaskView, { seat }: Seat): Promise<boolean> {
    const { session, account } = this.options;
    const { trace, root } = await this.finishedRun(view);
    this.set({ stage: "commit" });
    await account.claimRun(trace);
    const commitment = commitmentOf(session.deployment, view.id, account.address, root, await account.salt(view.id));
    await account.send({ contract: "manager", functionName: "commit", args: [view.id, BigInt(seat), commitment] });
    return true;
  }

  /** The finished run and its root. A trace that was lost is made again: the same job has the same root. */
  private async finishedRun({ terms }: TaskView): Promise<{ trace: FinishedTrace; root: Hex }> {
    const { task, say } = this.options;
    const trace = await completeTrace(
      this.trace,
      () => this.runJob(terms),
      (sentence) => say(`task ${task}: ${sentence}`, task),
    );
    const finished = expectComplete(trace);
    expectTraceOf(finished, terms);
    const root = toHex(finished.runRoot) as Hex;
    this.set({ root });
    return { trace: finished, root };
  }

  private async runJob({ job: id, commitEvery }: Terms): Promise<void> {
    const { jobFile, command, runOptions, folder, signal } = this.options;
    const job = await jobFile(id);
    if (job === undefined)
      throw new FormatError("MISSING", `the job file of ${id} is missing; put it into the folder of jobs`, { job: id });
    this.set({ stage: "run" });
    await makeFolder(folder);
    const order = { job, trace: this.trace, commitEvery, options: runOptions, signal };
    await traced("verde.task.run", { task: this.options.task, job: id }, () => runApart(command, order));
  }

  /** Until the task is final: reveals, delivers, plays, and finalizes. */
  private async defend(view: TaskView): Promise<boolean> {
    const { session, account, task, everyMillis, backend, confirmations, say } = this.options;
    const { trace, root } = await this.finishedRun(view);
    this.set({ stage: "defend" });
    // The claim is defended on the chain, whether or not referees can ask for it.
    await this.options
      .onFinished(this.trace, root)
      .catch((error: unknown) => say(`task ${task}: ${clauseOf(error)}`, task));
    const memory = await traceMemory(trace, backend);
    try {
      const facts = new GameFacts(memory.outline, memory.commitEvery);
      const { terms } = view;
      const ended = await defendClaim(
        session,
        task,
        facts,
        { address: account.address, prover: trainingProver(memory) },
        {
          everyMillis,
          untilDecided: false,
          untilDropped: true,
          ...(confirmations !== undefined && { confirmations }),
          escalate: true,
          reveal: async () => ({ root, salt: await account.salt(task) }),
          deliver: async (demand) => {
            const roots = await trace.segmentRoots.slice(0, trace.segmentRoots.length);
            return deliverCall(terms, roots, await readCheckpoint(trace, terms.steps), demand);
          },
          send: (call) => account.send(call),
          onCall: ({ what }) => say(`task ${task}: ${what}`, task),
          onTrouble: (sentence) => say(`task ${task}: ${sentence}`, task),
        },
      );
      if (ended?.dropped === true) say(`task ${task}: the chain has dropped its commitment; it commits again`, task);
    } finally {
      await memory.close();
    }
    return true;
  }

  private end({ state, claims }: TaskView, seat: Seat | undefined): boolean {
    const won = state === "Final" && seat?.root !== undefined && !seat.out && claims.includes(seat.root);
    const outcome = !seat ? "missed" : seat.out ? "lost" : won ? "paid" : "refunded";
    this.set({ stage: "done", outcome });
    return false;
  }

  private set(change: Partial<{ [K in keyof TaskStatus]: TaskStatus[K] | undefined }>): void {
    const before = JSON.stringify(this.status);
    Object.assign(this.status, change);
    if (JSON.stringify(this.status) !== before) this.options.onStatus(this.status);
  }
}

const isOver = ({ state }: TaskView): boolean => state === "Final" || state === "Refunded";
