/** What every move of a task starts from: the task as it is, and the one call that is sent. */
import type { Hex } from "viem";
import { toHex } from "../../encoding/bytes.ts";
import { ChainError, UsageError } from "../../errors/index.ts";
import type { Session } from "../../settlement/session.ts";
import { readTask, type TaskView } from "../../settlement/task.ts";
import type { ContractCall } from "../../settlement/transactions/caller.ts";
import { Sender } from "../send.ts";
import { openSession } from "../session.ts";
import type { SendFlags } from "../session-options.ts";
import { traceFor } from "./job.ts";
import { stateName, whatIsDue } from "./sentence.ts";

/** What a move starts from. */
export interface Scene {
  session: Session;
  sender: Sender;
  task: TaskView;
  now: number;
}

/** @throws {UsageError} if the text is not an id */
export const parseTaskId = (text: string): Hex => parseId(text, "task", "verde task list");

/**
 * @param what what has the id
 * @param command shows it
 * @throws {UsageError} if the text is not an id
 */
export function parseId(text: string, what: string, command: string): Hex {
  if (!/^0x[0-9a-f]{64}$/i.test(text))
    throw new UsageError(
      "VALUE",
      `${text} is not a ${what}'s id: write 0x and 64 hexadecimal digits, as \`${command}\` shows it`,
      { found: text },
    );
  return text.toLowerCase() as Hex;
}

/** @throws {ChainError} when there is no such task, or no node */
export async function sceneOf(id: string, flags: SendFlags): Promise<Scene> {
  const task = parseTaskId(id);
  const session = await openSession(flags);
  // This comes first, because a transaction of an earlier start may still move the task.
  const sender = await Sender.open(session, flags);
  const [view, { timestamp }] = await Promise.all([readTask(session.source, task), session.client.getBlock()]);
  return { session, sender, task: view, now: Number(timestamp) };
}

/** Fails with what the task waits for instead. The contract makes the final check. */
export function expectState({ task, now }: Scene, move: string, fits: boolean): void {
  if (fits) return;
  throw new ChainError(
    "STATE",
    `the task is ${stateName(task)}, so this is not the time to ${move}: ${whatIsDue(task, now)}`,
    {
      state: task.state,
      phase: task.phase,
    },
  );
}

/**
 * Sends one call to the manager and reports the task's new state.
 * @param value wei that are sent with it
 */
export async function move(
  scene: Scene,
  flags: SendFlags,
  functionName: string,
  args: readonly unknown[],
  facts: object = {},
  done = "",
  value = 0n,
): Promise<void> {
  const { session, sender, task } = scene;
  const call: ContractCall = { contract: "manager", functionName, args, ...(value > 0n && { value }) };
  await sender.send(call);
  const after = await readTask(session.source, task.id);
  const { timestamp } = await session.client.getBlock();
  const next = `The task is ${stateName(after)}: ${whatIsDue(after, Number(timestamp))}.`;
  sender.report(
    flags.json ?? false,
    { task: task.id, state: after.state, phase: after.phase, ...facts },
    ...(done === "" ? [next] : [done, next]),
  );
}

/** The run root of a trace of the task's job. */
export async function rootOf(path: string, task: TaskView): Promise<Hex> {
  return toHex((await traceFor(path, task.terms)).runRoot) as Hex;
}
