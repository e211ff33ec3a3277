/**
 * A provider as one process: it looks for tasks, takes those that it can afford, and carries each to its end.
 * What it has to do follows from the chain and from the traces in its folder, so it may be ended at any
 * moment and started again.
 */
import { join } from "node:path";
import { type Address, type Hex, isAddressEqual } from "viem";
import { ABIS } from "../../settlement/contracts.ts";
import { bondCredit } from "../../settlement/game/bond.ts";
import { clauseOf } from "../../settlement/game/fate.ts";
import { seatChance } from "../../settlement/seats.ts";
import type { Session } from "../../settlement/session.ts";
import { readTask, STATES, taskEvents, type TaskView } from "../../settlement/task.ts";
import { lookAgain } from "../look-again.ts";
import { inTurn, type ProviderAccount } from "./account.ts";
import { JobFolder } from "./jobs.ts";
import { type Conditions, objection } from "./offers.ts";
import type { Presence } from "./presence.ts";
import { sleep } from "./sleep.ts";
import { type TaskStatus, Work, type WorkOptions } from "./work.ts";

export interface ProviderOptions {
  session: Session;
  account: ProviderAccount;
  /** The folder with job files. */
  jobs: string;
  /** The folder of the provider: each task has a folder in it. */
  folder: string;
  conditions: Conditions;
  /** How many tasks it carries at the same time. */
  most: number;
  /** How `verde` is started. */
  command: readonly string[];
  /** Further options of `verde run`. */
  runOptions: readonly string[];
  backend?: string;
  /** The blocks that make final what others have done. Default: 1, as in `DefenceOptions`. */
  confirmations?: number;
  everyMillis: number;
  /** The provider on a network. Without one, the chain alone tells it of tasks. */
  presence?: Presence;
  /** Whether to end when every task that it has is over. For drills and tests. */
  untilIdle?: boolean;
  signal: AbortSignal;
  onStatus(tasks: readonly TaskStatus[]): void;
  /** Is told after each look at the chain what was wrong, or nothing. */
  onLook?(trouble: string | undefined): void;
  /** @param task that the sentence is about */
  say(sentence: string, task?: Hex): void;
}

/** The states of a task that can't change any more. */
const OVER: ReadonlySet<string> = new Set(["Final", "Refunded"]);
const LONGEST_PAUSE = 60_000;

/** Works until the signal, whatever fails. */
export async function provide(options: ProviderOptions): Promise<void> {
  await new Provider(options).run();
}

interface Open {
  readonly task: Hex;
  /** Whether the account has a seat in it. */
  readonly seated: boolean;
}

class Provider {
  private readonly options: ProviderOptions;
  private readonly account: ProviderAccount;
  private readonly jobs: JobFolder;
  private readonly works = new Map<Hex, Work>();
  /** The tasks that it carries, with the contracts of their games. */
  private readonly active = new Map<Hex, Address>();
  /** Why tasks are not taken, as it was said. */
  private readonly refused = new Map<Hex, string>();

  constructor(options: ProviderOptions) {
    this.options = options;
    this.account = inTurn(options.account);
    this.jobs = new JobFolder(options.jobs, (sentence) => options.say(sentence));
  }

  async run(): Promise<void> {
    const { signal } = this.options;
    const over = new AbortController();
    const present = this.options.presence?.run(AbortSignal.any([signal, over.signal]), () => ({
      tasks: this.active.size,
      most: this.options.most,
      objection: (view) => this.objectionTo(view),
    }));
    try {
      const restored = "the chain can be read again";
      await lookAgain({ ...this.options, longestMillis: LONGEST_PAUSE, restored }, async () => {
        await this.look();
        await this.collect();
        return (this.options.untilIdle ?? false) && this.works.size > 0 && this.active.size === 0;
      });
    } finally {
      over.abort();
    }
    // What is under way ends with the signal; a defence is continued by the next process.
    await Promise.race([Promise.all([this.settled(), present]), sleep(2_000)]);
  }

  private async settled(): Promise<void> {
    while (this.active.size > 0) await sleep(20);
  }

  private async look(): Promise<void> {
    const { session, most, presence } = this.options;
    const open = await this.openTasks();
    // Tasks that it has come first: a stake is at risk.
    for (const { task, seated } of open) if (seated && !this.works.has(task)) await this.take(task);
    for (const { task, seated } of open) {
      if (seated || this.works.has(task) || this.active.size >= most) continue;
      const view = await readTask(session.source, task);
      const why = (await this.objectionTo(view)) ?? (await this.refusalOf(view)) ?? (await presence?.objection(view));
      if (why === undefined) await this.take(task);
      else this.refuse(task, why);
    }
  }

  /** Why there is no seat for the account in a posted task; `undefined` if there is, or may be. */
  private async refusalOf(view: TaskView): Promise<string | undefined> {
    const { session } = this.options;
    const { timestamp } = await session.client.getBlock();
    const { can, why } = await seatChance(session, view, this.account.address, Number(timestamp));
    return can === "none" ? why : undefined;
  }

  private async objectionTo(view: TaskView): Promise<string | undefined> {
    const { session, conditions } = this.options;
    const known = await this.jobs.find(view.terms.job);
    return objection(session, view, this.account.address, conditions, known?.outline, [...this.active.values()]);
  }

  /** The tasks that are not over, in the order in which they were posted. */
  private async openTasks(): Promise<Open[]> {
    const { session } = this.options;
    const states = new Map<Hex, string>();
    const seated = new Set<Hex>();
    for (const event of await taskEvents(session.source, null)) {
      if (event.eventName === "TaskMoved") states.set(event.args.task, STATES[event.args.state]);
      if (event.eventName === "SeatTaken" && isAddressEqual(event.args.owner, this.account.address))
        seated.add(event.args.task);
      if (event.eventName === "SeatLeft" && isAddressEqual(event.args.owner, this.account.address))
        seated.delete(event.args.task);
    }
    const open = [...states].filter(([task, state]) => !OVER.has(state) && (state === "Open" || seated.has(task)));
    return open.map(([task]) => ({ task, seated: seated.has(task) }));
  }

  private refuse(task: Hex, why: string): void {
    if (this.refused.get(task) === why) return;
    this.refused.set(task, why);
    this.options.say(`task ${task} is not taken: ${why}`, task);
  }

  private async take(task: Hex): Promise<void> {
    const { session, folder, command, runOptions, backend, confirmations, everyMillis, signal, say } = this.options;
    const { terms } = await readTask(session.source, task);
    const options: WorkOptions = {
      session,
      account: this.account,
      task,
      folder: join(folder, "tasks", task.slice(2)),
      jobFile: async (job) => (await this.jobs.find(job))?.file,
      command,
      runOptions,
      ...(backend !== undefined && { backend }),
      ...(confirmations !== undefined && { confirmations }),
      everyMillis,
      signal,
      onStatus: () => this.report(),
      onFinished: async (trace, root) => this.options.presence?.answerFor(task, trace, root),
      say,
    };
    const work = new Work(options, terms.job);
    this.works.set(task, work);
    this.active.set(task, terms.game);
    this.options.presence?.taken(task);
    say(`task ${task} is taken`, task);
    this.report();
    void work.run().finally(() => {
      this.active.delete(task);
      void this.options.presence?.release(task).catch((error: unknown) => say(clauseOf(error)));
      const { outcome } = work.status;
      if (outcome !== undefined) say(`task ${task} is over: ${outcome}`, task);
      this.report();
    });
  }

  /** Gets what the vault and the game hold for the account. */
  private async collect(): Promise<void> {
    const { client, deployment } = this.options.session;
    const { address } = this.account;
    const { credit } = await client.readContract({
      address: deployment.vault,
      abi: ABIS.vault,
      functionName: "accountOf",
      args: [address],
    });
    if (credit > 0n) await this.account.send({ contract: "vault", functionName: "claim", args: [address] });
    const { game } = deployment;
    if ((await bondCredit(client, game, address)) > 0n)
      await this.account.send({ contract: "game", to: game!, functionName: "withdraw", args: [address] });
  }

  private report(): void {
    this.options.onStatus([...this.works.values()].map(({ status }) => ({ ...status })));
  }
}
