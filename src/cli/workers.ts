/** `--workers`, `--devices`, `--check-shards` and `--worker-timeout`: a run whose shards others compute. */
import { availableParallelism } from "node:os";
import type { Command } from "commander";
import { UsageError } from "../errors/index.ts";
import { quote } from "../errors/text.ts";
import type { ClosedJob } from "../job/closed.ts";
import type { Backend } from "../repops/backends/backend.ts";
import { CARD_VARIABLE } from "../repops/backends/cuda/card.ts";
import { shardedBackend } from "../shards/backend.ts";
import type { WorkerAddress } from "../shards/channel.ts";
import { CHECKED, Crew, type CrewSummary } from "../shards/crew.ts";
import { workerAt } from "../shards/http-channel.ts";
import { localWorker } from "../shards/local.ts";
import { ShardPlan } from "../shards/plan.ts";
import { EXIT } from "./exit.ts";
import { exitWith } from "./guard.ts";
import { formatBytes, printRow, reportLine, type Row } from "./output.ts";
import { ownCommand } from "./own-command.ts";
import { type TokenFlags, tokensOf } from "./token.ts";

export interface WorkerFlags extends TokenFlags {
  workers?: string;
  devices?: string;
  checkShards: string;
  workerTimeout: string;
  backend?: string;
  fault?: string;
  threads?: string;
}

/** The most workers on this machine. */
const MOST_LOCAL = 64;

export function addWorkerOptions(command: Command): Command {
  return command
    .option(
      "--workers <list>",
      "workers that compute the job's shards: addresses of `verde worker`, with commas between them; or how many processes to start here",
    )
    .option(
      "--devices <list>",
      "CUDA cards of this machine, by their numbers with commas between them, or all; on each of several, a process computes a part of the job's shards",
    )
    .option("--check-shards <share>", "the share of their results that is computed again: auto (5%) or N%", "auto")
    .option("--worker-timeout <seconds>", "after which a worker is replaced", "60");
}

/**
 * The workers of a run, connected and with its job.
 * @param cards of this machine, each of which gets a worker, if there are several
 * @returns `undefined` where the run has none
 * @throws {UsageError} for options that are none, and for a drill
 * @throws {JobError} when the job has no shards, or none of the workers can be used
 */
export async function openCrew(
  job: ClosedJob,
  backend: Backend,
  flags: WorkerFlags,
  { cards = [], say = reportLine }: { cards?: readonly number[]; say?(line: string): void } = {},
): Promise<Crew | undefined> {
  if (flags.workers === undefined && cards.length < 2) return undefined;
  if (flags.fault !== undefined)
    throw new UsageError(
      "CONFLICT",
      "a drill runs on this machine alone: give --fault to `verde worker`, or no --workers and one of --devices",
    );
  const plan = new ShardPlan(job);
  const crew = new Crew(plan, {
    backend,
    workers: flags.workers === undefined ? onCards(cards, flags) : await addressesOf(flags, flags.workers),
    checked: shareOf(flags.checkShards),
    timeout: 1000 * secondsOf(flags.workerTimeout),
    say,
  });
  await crew.open().catch(async (error: unknown) => {
    await crew.close();
    throw error;
  });
  return crew;
}

/** The backend of a run with workers. */
export const distributed = (crew: Crew) => (backend: Backend) => shardedBackend(backend, crew);

/** Options of one of `count` processes on this machine. */
const localOptions = ({ backend, threads }: WorkerFlags, count: number): string[] => [
  ...(backend === undefined ? [] : ["--backend", backend]),
  // Together they take the cores once.
  "--threads",
  threads ?? `${Math.max(1, Math.floor(availableParallelism() / count))}`,
];

const onCards = (cards: readonly number[], flags: WorkerFlags): WorkerAddress[] =>
  cards.map((card) =>
    localWorker(`card ${card}`, ownCommand(), localOptions(flags, cards.length), { [CARD_VARIABLE]: `${card}` }),
  );

async function addressesOf(flags: WorkerFlags, list: string): Promise<WorkerAddress[]> {
  if (/^\d+$/.test(list)) {
    const count = Number(list);
    if (count < 1 || count > MOST_LOCAL)
      throw new UsageError(
        "VALUE",
        `--workers ${quote(list)}: start 1 to ${MOST_LOCAL} of them, or name their addresses`,
      );
    const options = localOptions(flags, count);
    return Array.from({ length: count }, (_, i) => localWorker(`local ${i + 1}`, ownCommand(), options));
  }
  const tokenFor = await tokensOf(flags);
  return list.split(",").map((part) => {
    const text = part.trim();
    const url = /^https?:\/\//i.test(text) ? text : `http://${text}`;
    const { port = "", hostname = "" } = URL.canParse(url) ? new URL(url) : {};
    if (hostname === "" || (port === "" && url.startsWith("http:")))
      throw new UsageError(
        "VALUE",
        `--workers: ${quote(part)} is no address; write 127.0.0.1:8851, with commas between several`,
      );
    return workerAt(url, tokenFor);
  });
}

function shareOf(text: string): number {
  if (text === "auto") return CHECKED;
  const [, percent] = /^(\d{1,3}(?:\.\d+)?)%$/.exec(text) ?? [];
  if (percent !== undefined && Number(percent) <= 100) return Number(percent) / 100;
  throw new UsageError("VALUE", `--check-shards ${quote(text)} is neither auto nor a share; write auto, or 10%`);
}

function secondsOf(text: string): number {
  const seconds = Number(text);
  if (/^\d{1,6}(\.\d+)?$/.test(text) && seconds > 0) return seconds;
  throw new UsageError("VALUE", `--worker-timeout ${quote(text)} is no number of seconds; write one above 0`);
}

/** Says what the workers have done, and ends with 1 if one has lied. */
export function reportCrew(summary: CrewSummary, json: boolean): void {
  if (!json) for (const row of describeCrew(summary)) printRow(row);
  if (summary.suspect > 0)
    reportLine(
      "verde: the run is not claimed: a worker has lied, and not all of its results were computed again; audit the trace, and claim it with --resume",
    );
  if (summary.lies.length > 0) exitWith(EXIT.divergence);
}

function describeCrew({ shards, workers, own, lies, suspect }: CrewSummary): Row[] {
  const rows = workers.map((worker): Row => {
    const { name, failures, lied, bytesSent, bytesReceived } = worker;
    const parts = [
      `${worker.shards} shards of steps`,
      `${worker.checked} computed again`,
      `${formatBytes(bytesSent)} sent, ${formatBytes(bytesReceived)} received`,
      ...(failures > 0 ? [`replaced ${failures === 1 ? "once" : `${failures} times`}`] : []),
      ...(lied ? ["has lied"] : []),
    ];
    return ["worker", `${name}: ${parts.join(", ")}`, lied];
  });
  if (own > 0) rows.push(["here", `${own} shards of steps, which no worker computed`, false]);
  for (const { worker, step, shard, operator, label } of lies)
    rows.push([
      "lie",
      `${worker}, training step ${step}, shard ${shard} of ${shards}: operator ${operator} (${label})`,
      true,
    ]);
  if (suspect > 0)
    rows.push(["suspect", `${suspect} results of workers that lied were not computed again: audit the trace`, true]);
  return rows;
}
