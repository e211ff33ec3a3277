/** Workers of this process, and a run that they compute. */
import type { Backend } from "../../src/repops/backends/backend.ts";
import { wasm } from "../../src/repops/backends/wasm/backend.ts";
import { shardedBackend } from "../../src/shards/backend.ts";
import type { Channel, WorkerAddress } from "../../src/shards/channel.ts";
import { Crew, type CrewOptions, type CrewSummary } from "../../src/shards/crew.ts";
import { ShardPlan } from "../../src/shards/plan.ts";
import { ShardService } from "../../src/shards/service.ts";
import type { ClosedJob } from "../../src/job/closed.ts";
import type { Fault } from "../../src/trace/fault.ts";
import { run, type RunOptions, type RunResult } from "../../src/trace/run.ts";

/** What a test does to a worker. */
export interface Tampering {
  fault?: Fault;
  /** Stands between the coordinator and the worker. */
  between?(message: Uint8Array, pass: (message: Uint8Array) => Promise<Uint8Array>): Promise<Uint8Array>;
}

/** A worker in this process. */
export function workerHere(
  name: string,
  { fault, between }: Tampering = {},
): WorkerAddress & { service: ShardService } {
  const service = new ShardService({ backendFor: async () => wasm, ...(fault && { fault }) });
  const pass = (message: Uint8Array): Promise<Uint8Array> => service.replyTo(message);
  const channel: Channel = {
    send: (message) => (between ? between(message, pass) : pass(message)),
    close: async () => undefined,
  };
  return { name, service, connect: async () => channel };
}

export interface Ran {
  result: RunResult;
  summary: CrewSummary;
  said: string[];
}

/** Runs a job whose shards these workers compute. Nothing is computed again, unless the options say so. */
export async function runWith(
  job: ClosedJob,
  workers: readonly WorkerAddress[],
  options: Partial<CrewOptions> & { on?: Backend } = {},
  runOptions: RunOptions = {},
): Promise<Ran> {
  const { on: backend = wasm, ...rest } = options;
  const said: string[] = [];
  const say = (line: string): void => void said.push(line);
  const crew = new Crew(new ShardPlan(job), { backend, workers, checked: 0, say, ...rest });
  try {
    await crew.open();
    const distribute = (on: Backend): Backend => shardedBackend(on, crew);
    return { result: await run(job, { backend, distribute, ...runOptions }), summary: crew.summary, said };
  } finally {
    await crew.close();
  }
}
