/**
 * A worker: it holds one job at a time, keeps the entries of the state that shards read, and executes the
 * shards that it is asked for. It takes bytes and gives bytes, over whatever carries them.
 */
import { type Bytes, bytesEqual } from "../encoding/bytes.ts";
import { type StateRoot, stateRoot } from "../encoding/tensor.ts";
import { messageOf, VerdeError } from "../errors/index.ts";
import { type JobId, jobId } from "../job/closed.ts";
import type { Backend } from "../repops/backends/backend.ts";
import type { ClosedJob } from "../job/closed.ts";
import type { Fault } from "../trace/fault.ts";
import { checkFits } from "../trace/fits.ts";
import { jobFromBytes } from "../trace/job-file.ts";
import { ShardExecutor } from "./executor.ts";
import {
  decodeRequest,
  decodeTask,
  encodeReply,
  encodeResult,
  jobOfTask,
  type Refused,
  type Reply,
  type Task,
} from "./messages.ts";
import { ShardPlan } from "./plan.ts";

export interface ServiceOptions {
  /** The backend for a job. */
  backendFor(job: ClosedJob): Promise<Backend>;
  /** Lies in this way, for drills. */
  fault?: Fault;
  /** Called with what there is to tell a person. */
  say?(line: string): void;
}

interface Open {
  readonly id: JobId;
  readonly plan: ShardPlan;
  readonly executor: ShardExecutor;
  /** The root of the entries; absent before there are some. */
  root?: StateRoot;
}

export class ShardService {
  private readonly options: ServiceOptions;
  private open: Open | undefined;
  private turn: Promise<unknown> = Promise.resolve();
  /** Messages that are answered, or wait for it. */
  waiting = 0;

  constructor(options: ServiceOptions) {
    this.options = options;
  }

  /**
   * The reply to a message, when those before it are answered. It never rejects: a failure is a reply too.
   */
  replyTo(message: Bytes): Promise<Bytes> {
    this.waiting++;
    const reply = this.turn.then(async () => {
      try {
        return encodeReply(await this.answer(message));
      } catch (error) {
        if (!(error instanceof VerdeError)) this.options.say?.(`verde: ${messageOf(error)}`);
        return encodeReply({ kind: "failed", reason: messageOf(error) });
      } finally {
        this.waiting--;
      }
    });
    this.turn = reply;
    return reply;
  }

  async close(): Promise<void> {
    await this.turn;
    await this.open?.executor.close();
    this.open = undefined;
  }

  private async answer(message: Bytes): Promise<Reply> {
    const request = decodeRequest(message);
    if (request.kind === "open") return { kind: "done", content: await this.begin(request.job) };
    const { open } = this;
    if (!open || !bytesEqual(open.id, jobOfTask(request.content))) return { kind: "closed" };
    const task = decodeTask(request.content, open.plan);
    const refused = await this.take(open, task);
    if (refused) return refused;
    const computed = await open.executor.execute(task.shards, task.step, { roots: task.roots });
    return { kind: "done", content: encodeResult(open.plan, task, computed) };
  }

  private async begin(bytes: Bytes): Promise<JobId> {
    await this.open?.executor.close();
    this.open = undefined;
    const job = await jobFromBytes(bytes, "the job of a coordinator");
    const plan = new ShardPlan(job);
    const backend = await this.options.backendFor(job);
    checkFits(job, backend);
    const executor = new ShardExecutor(plan, backend, this.options.fault);
    this.open = { id: jobId(job), plan, executor };
    this.options.say?.(`${job.name}: ${plan.count} shards, on ${backend.name}`);
    return this.open.id;
  }

  /** Brings the entries up to date, and compares them with what the coordinator has. */
  private async take(open: Open, { step, root, base, entries, shards }: Task): Promise<Refused | undefined> {
    const { executor } = open;
    if (base && open.root && bytesEqual(open.root, root)) return undefined;
    if (base && !(open.root && bytesEqual(open.root, base))) return { kind: "stale" };
    delete open.root;
    for (const [place, tensor] of entries) executor.put(place, tensor);
    const found = stateRoot(await executor.roots(shards, step));
    if (!bytesEqual(found, root)) return { kind: "stale" };
    open.root = root;
    return undefined;
  }
}
