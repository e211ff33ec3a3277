/** `verde task demand` and `deliver`: chunks of the final state are demanded and delivered on the chain. */
import { randomInt } from "node:crypto";
import type { Command } from "commander";
import { toHex } from "../../encoding/bytes.ts";
import { chunkCount, encodeType } from "../../encoding/tensor.ts";
import { ChainError, FormatError, UsageError } from "../../errors/index.ts";
import type { NamedType } from "../../graph/graph.ts";
import type { NamedTensor } from "../../job/closed.ts";
import { deliverCall, proveType } from "../../settlement/delivery.ts";
import { type OpenDemand, readTask, type Terms } from "../../settlement/task.ts";
import { readCheckpoint, type Trace } from "../../trace/open.ts";
import { allowVault } from "../allowance.ts";
import { formatAmount, formatTime } from "../../settlement/amount.ts";
import { jobOptions, optionNames } from "../job-options.ts";
import type { ContractCall } from "../../settlement/transactions/caller.ts";
import { Sender } from "../send.ts";
import { openSession } from "../session.ts";
import type { SendFlags } from "../session-options.ts";
import { jobTerms, traceFor } from "./job.ts";
import { parseTaskId } from "./scene.ts";
import { parseCount } from "./terms.ts";

export async function demand(
  id: string,
  path: string,
  rest: readonly string[],
  flags: SendFlags & { approve: boolean; tensor?: string; chunk?: string },
  command: Command,
): Promise<void> {
  const task = parseTaskId(id);
  const session = await openSession(flags);
  const { terms } = await readTask(session.source, task);
  const names = optionNames(command);
  const { types, terms: own } = await jobTerms(path, terms.commitEvery, jobOptions(rest, names), names);
  if (own.stateLayout !== terms.stateLayout)
    throw new UsageError(
      "FOREIGN",
      `${path} has another state than the task's job; give the job's options too, or name a trace of the job`,
      { expected: terms.stateLayout, found: own.stateLayout },
    );
  const tensor = flags.tensor === undefined ? randomTensor(types) : tensorNamed(types, flags.tensor);
  const chunks = chunkCount(types[tensor]);
  const chunk = flags.chunk === undefined ? randomInt(chunks) : chunkNumber(flags.chunk);
  if (chunk >= chunks)
    throw new UsageError(
      "UNKNOWN",
      `${types[tensor].name} has ${chunks} chunks, so there is no chunk ${chunk}; they are counted from 0`,
      { expected: `below ${chunks}`, found: chunk },
    );
  const sender = await Sender.open(session, flags);
  await allowVault(session, sender, terms.chunkPrice, flags.approve);
  await sender.send(demandCall(terms, types, tensor, chunk));
  const { waiting } = await readTask(session.source, task);
  const last = waiting.at(-1);
  const until = last ? ` until ${formatTime(last.demand.deadline)}` : "";
  sender.report(
    flags.json ?? false,
    {
      task,
      tensor,
      name: types[tensor].name,
      chunk,
      ...(!flags.dryRun && last && { demand: last.index, deadline: last.demand.deadline }),
    },
    `Chunk ${chunk} of ${chunks} of ${types[tensor].name} is demanded for ${formatAmount(terms.chunkPrice, session.token)}${until}.`,
  );
}

/** @param types the types of the state's entries */
export function demandCall(terms: Terms, types: readonly NamedType[], tensor: number, chunk: number): ContractCall {
  const path = proveType(types, tensor).map(toHex);
  const args = [terms, tensor, chunk, toHex(encodeType(types[tensor])), path];
  return { contract: "manager", functionName: "demand", args };
}

/** The call that delivers a demanded chunk. @param state the final state of the trace */
export async function deliverFrom(
  terms: Terms,
  { segmentRoots }: Trace,
  state: readonly NamedTensor[],
  open: OpenDemand,
): Promise<ContractCall> {
  return deliverCall(terms, await segmentRoots.slice(0, segmentRoots.length), state, open);
}

/** Draws a tensor by its number of chunks, so that every chunk of the state is equally likely. */
export function randomTensor(types: readonly NamedType[]): number {
  let left = randomInt(types.reduce((sum, type) => sum + chunkCount(type), 0));
  return types.findIndex((type) => (left -= chunkCount(type)) < 0);
}

function tensorNamed(types: readonly NamedType[], text: string): number {
  const index = /^\d+$/.test(text) ? Number(text) : types.findIndex(({ name }) => name === text);
  if (index < 0 || index >= types.length)
    throw new UsageError(
      "UNKNOWN",
      `the state has no tensor ${text}; it has ${types.length}, from ${types[0].name} to ${types.at(-1)!.name}`,
    );
  return index;
}

function chunkNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text))
    throw new UsageError("VALUE", `--chunk ${text} is not a number; write only digits`, { found: text });
  return Number(text);
}

export async function deliver(id: string, path: string, flags: SendFlags & { demand?: string }): Promise<void> {
  const task = parseTaskId(id);
  const session = await openSession(flags);
  const { terms, waiting } = await readTask(session.source, task);
  const only = flags.demand === undefined ? undefined : parseCount(flags.demand, "--demand");
  const due = waiting.filter(({ index }) => only === undefined || index === only);
  if (due.length === 0)
    throw new ChainError(
      "NOTHING_DUE",
      only === undefined
        ? "no demanded chunk waits for its delivery; `verde task show` lists those that do"
        : `there is no open demand ${only}; \`verde task show\` lists them`,
      { task },
    );
  const trace = await traceFor(path, terms);
  const root = toHex(trace.runRoot);
  const foreign = due.find((open) => open.demand.root !== root);
  if (foreign)
    throw new FormatError(
      "FOREIGN",
      `${path} has the root ${root}, but the chunk is demanded of ${foreign.demand.root}; name the trace of that root`,
      { path, expected: foreign.demand.root, found: root },
    );
  const state = await readCheckpoint(trace, terms.steps);
  const sender = await Sender.open(session, flags);
  for (const open of due) await sender.send(await deliverFrom(terms, trace, state, open));
  const names = due.map(
    ({ index, demand: what }) => `demand ${index}: chunk ${what.chunk} of ${state[what.tensor].name}`,
  );
  sender.report(
    flags.json ?? false,
    { task, delivered: due.map(({ index }) => index) },
    `Delivered: ${names.join("; ")}.`,
  );
}
