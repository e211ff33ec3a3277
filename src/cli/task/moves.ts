/** The moves of a task: `verde task accept`, `commit`, `reveal`, `compare`, `challenge`, and so on. */
import type { Command } from "commander";
import { type Hex, isAddressEqual, zeroHash } from "viem";
import { toHex } from "../../encoding/bytes.ts";
import { ChainError, JobError, UsageError } from "../../errors/index.ts";
import type { ContractCall } from "../../settlement/transactions/caller.ts";
import type { Session } from "../../settlement/session.ts";
import { readTask, type Seat, type TaskView } from "../../settlement/task.ts";
import { formatAmount } from "../../settlement/amount.ts";
import { jobOptions, optionNames } from "../job-options.ts";
import { plain, Sender } from "../send.ts";
import { openSession, type SendFlags } from "../session.ts";
import { bondOf } from "../../settlement/game/bond.ts";
import { commitmentOf } from "../../settlement/salt.ts";
import { bondText } from "./game.ts";
import { claimTrace, jobTerms, traceFor } from "./job.ts";
import { stateName, whatIsDue } from "./sentence.ts";
import { expectTrusted, type Trusted } from "./trust.ts";
import { parseCount } from "./terms.ts";

interface Scene {
  session: Session;
  sender: Sender;
  task: TaskView;
  now: number;
}

/** @throws {UsageError} if the text is not an id */
export function parseTaskId(text: string): Hex {
  if (!/^0x[0-9a-f]{64}$/i.test(text))
    throw new UsageError(
      "VALUE",
      `${text} is not a task's id: write 0x and 64 hexadecimal digits, as \`verde task list\` shows it`,
      { found: text },
    );
  return text.toLowerCase() as Hex;
}

async function sceneOf(id: string, flags: SendFlags): Promise<Scene> {
  const task = parseTaskId(id);
  const session = await openSession(flags);
  // This comes first, because a transaction of an earlier start may still move the task.
  const sender = await Sender.open(session, flags);
  const [view, { timestamp }] = await Promise.all([readTask(session.source, task), session.client.getBlock()]);
  return { session, sender, task: view, now: Number(timestamp) };
}

/** Fails with what the task waits for instead. The contract makes the final check. */
function expectState({ task, now }: Scene, move: string, fits: boolean): void {
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

/** Sends one call to the manager and reports the task's new state. */
async function move(
  scene: Scene,
  flags: SendFlags,
  functionName: string,
  args: readonly unknown[],
  facts: object = {},
  done = "",
): Promise<void> {
  const { session, sender, task } = scene;
  const call: ContractCall = { contract: "manager", functionName, args };
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

export async function accept(
  id: string,
  rest: readonly string[],
  flags: SendFlags & Trusted & { job?: string },
  command: Command,
): Promise<void> {
  const scene = await sceneOf(id, flags);
  const { task, session, sender } = scene;
  const { terms } = task;
  expectState(scene, "accept", task.state === "Open");
  expectTrusted(terms, session.deployment, flags);
  if (flags.job !== undefined) {
    const names = optionNames(command);
    const own = (await jobTerms(flags.job, terms.commitEvery, jobOptions(rest, names), names)).terms;
    for (const field of ["job", "stateLayout", "steps", "tensors"] as const)
      if (own[field] !== terms[field])
        throw new JobError(
          "FOREIGN",
          `${flags.job} is another job than the task's: its ${field} is ${own[field]}, and the task's is ${terms[field]}; give the module and the options of the task's job`,
          { field, expected: terms[field], found: own[field] },
        );
  }
  const seat = task.seats.length;
  const stake = formatAmount(terms.stake, session.token);
  await move(
    scene,
    flags,
    "accept",
    [task.id],
    { seat },
    `${sender.address} has seat ${seat}, with a stake of ${stake}.`,
  );
}

export async function commit(id: string, path: string, flags: SendFlags): Promise<void> {
  const scene = await sceneOf(id, flags);
  expectState(scene, "commit", scene.task.state === "Accepted");
  const { seat, commitment } = seatOfSender(scene);
  if (commitment !== undefined)
    throw new ChainError("DONE", `seat ${seat} has committed already; \`verde task reveal\` is next`);
  const root = await rootOf(path, scene.task);
  if (!flags.dryRun) await claimTrace(path, scene.task.terms, scene.sender.address);
  const args = [scene.task.id, BigInt(seat), await commitmentTo(scene, root)];
  await move(
    scene,
    flags,
    "commit",
    args,
    { seat, root },
    `Seat ${seat} has committed to ${root}. Keep ${path} and its data folder.`,
  );
}

export async function challenge(id: string, path: string, flags: SendFlags & Trusted): Promise<void> {
  const scene = await sceneOf(id, flags);
  const { task } = scene;
  expectState(scene, "challenge", task.state === "Challengeable");
  expectTrusted(task.terms, scene.session.deployment, flags);
  const root = await rootOf(path, task);
  if (task.claims.includes(root))
    throw new ChainError("NOTHING_DUE", `${path} has the root that stands, ${root}: there is nothing to challenge`, {
      root,
    });
  const seat = task.seats.length;
  if (!flags.dryRun) await claimTrace(path, task.terms, scene.sender.address);
  const args = [task.terms, await commitmentTo(scene, root)];
  const next = `Seat ${seat} challenges. Reveal now with \`verde task reveal\`.`;
  await move(scene, flags, "challenge", args, { seat, root }, next);
}

export async function reveal(id: string, path: string, flags: SendFlags): Promise<void> {
  const scene = await sceneOf(id, flags);
  const { task } = scene;
  const fits =
    task.state === "Accepted"
      ? task.committed === task.seats.length
      : task.state === "Committed" || task.phase === "Revealing";
  expectState(scene, "reveal", fits);
  const { seat, commitment, root: revealed } = seatOfSender(scene);
  if (revealed !== undefined)
    throw new ChainError("DONE", `seat ${seat} has revealed already; wait for the other seats`);
  const root = await rootOf(path, task);
  const salt = await scene.sender.salt(task.id);
  // In a dry run there is no key, so this can't be checked.
  if (salt !== undefined && (await commitmentTo(scene, root)) !== commitment)
    throw new ChainError(
      "COMMITMENT",
      `seat ${seat} has not committed to the root of ${path}, ${root}; name the trace that it committed to`,
      { root },
    );
  await move(
    scene,
    flags,
    "reveal",
    [task.id, BigInt(seat), root, salt ?? zeroHash],
    { seat, root },
    `Seat ${seat} has claimed ${root}.`,
  );
}

export async function compare(id: string, flags: SendFlags): Promise<void> {
  const scene = await sceneOf(id, flags);
  expectState(scene, "compare", scene.task.state === "Revealed");
  await move(scene, flags, "compare", [scene.task.id]);
}

export async function finalize(id: string, flags: SendFlags): Promise<void> {
  const scene = await sceneOf(id, flags);
  const { state, deadline, waiting } = scene.task;
  expectState(scene, "finalize", state === "Challengeable" && scene.now > deadline && waiting.length === 0);
  await move(scene, flags, "finalize", [scene.task.terms]);
}

/** Ends the task's state in the way that its passed deadline allows. */
export async function expire(id: string, flags: SendFlags & { demand?: string }): Promise<void> {
  const scene = await sceneOf(id, flags);
  const { task, now } = scene;
  if (flags.demand !== undefined) {
    const index = parseCount(flags.demand, "--demand");
    const found = task.waiting.find((waiting) => waiting.index === index);
    if (!found)
      throw new ChainError("NOTHING_DUE", `there is no open demand ${index}; \`verde task show\` lists them`, {
        index,
      });
    expectState(scene, `expire demand ${index}`, task.state === "Challengeable" && now > found.demand.deadline);
    return move(scene, flags, "expireDemand", [task.terms, BigInt(index), found.demand]);
  }
  expectState(
    scene,
    "expire it",
    ["Open", "Accepted", "Committed", "Disputed"].includes(task.state) && now > task.deadline,
  );
  if (task.ruling) await move(scene, flags, "enforce", [task.terms, task.ruling]);
  else await move(scene, flags, "expire", [task.terms]);
}

/** A loser takes the dispute to the game, which executes the scalar step at which the claims differ. */
export async function escalate(id: string, flags: SendFlags): Promise<void> {
  const scene = await sceneOf(id, flags);
  const { task } = scene;
  expectState(scene, "escalate", task.phase === "Ruled");
  const { seat } = seatOfSender(scene);
  const gasBond = await bondOf(scene.session.client, task.terms.game);
  const next = `Defend it with \`verde defend\`: its first move in each dispute posts a bond of ${bondText(gasBond)}.`;
  const facts = { seat, gasBond: plain(gasBond ?? null) };
  await move(scene, flags, "escalate", [task.terms, task.ruling, BigInt(seat)], facts, next);
}

async function rootOf(path: string, task: TaskView): Promise<Hex> {
  return toHex((await traceFor(path, task.terms)).runRoot) as Hex;
}

function seatOfSender({ task, sender }: Scene): Seat {
  const own = task.seats.find(({ owner }) => isAddressEqual(owner, sender.address));
  if (!own)
    throw new ChainError("NO_SEAT", `${sender.address} has no seat in this task; use the account that has one`, {
      address: sender.address,
    });
  if (own.out)
    throw new ChainError("SEAT_OUT", `seat ${own.seat} is out: it has lost its stake and can't move any more`, {
      seat: own.seat,
    });
  return own;
}

async function commitmentTo({ session, sender, task }: Scene, root: Hex): Promise<Hex> {
  return commitmentOf(session, task.id, sender.address, root, (await sender.salt(task.id)) ?? zeroHash);
}
